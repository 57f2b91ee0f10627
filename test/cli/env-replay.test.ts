import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { simulatorJar } from "../rollout/envs/simulators-here.ts";
import { cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-replay-"));

interface Recording {
  task: string;
  name: string;
  simplification: string;
  steps: Record<string, unknown>[];
}

/** Recordings of a file of the shared data, or a skip that says how to get it. */
function recordings(t: TestContext, env: "scienceworld" | "textworld-express", file: string): Recording[] | null {
  const data = process.env.RLVR_DATA;
  if (!data) {
    t.skip("the recordings are missing: give their folder in RLVR_DATA");
    return null;
  }
  if (simulatorJar(t, env) === null) return null;
  const text = readFileSync(join(data, env, file), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Recording);
}

function write(name: string, rows: readonly unknown[]): string {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

test("env replay: odd inputs and a gold path of ScienceWorld come out as recorded, field by field", async (t) => {
  const special = recordings(t, "scienceworld", "special-inputs.jsonl");
  const plants = recordings(t, "scienceworld", "find-plant.jsonl");
  if (!special || !plants) return;
  const easy = plants.filter(({ simplification }) => simplification === "easy").slice(0, 1);
  const path = write("scienceworld.jsonl", [...special, ...easy]);
  const { code, stdout, stderr } = await cli("env", "replay", "scienceworld", path, "--json");
  assert.equal(code, 0, stdout + stderr);
  const replays = JSON.parse(stdout) as { title: string; finalScore: number; compared: number }[];
  assert.deepEqual(
    replays.map(({ finalScore }) => finalScore),
    [...special.map(({ steps }) => steps.at(-1)!.score), 100],
  );
  // observation, score, moves, number and hash of the valid actions, look, inventory, … of every step
  assert.ok(replays.every(({ compared }, i) => compared >= 8 * [...special, ...easy][i]!.steps.length));
});

test("env replay: all recordings of coin and twc come out as recorded", async (t) => {
  if (!recordings(t, "textworld-express", "coin.jsonl")) return;
  const paths = ["coin", "twc"].map((name) => join(process.env.RLVR_DATA!, "textworld-express", `${name}.jsonl`));
  const { code, stdout, stderr } = await cli("env", "replay", "textworld-express", ...paths);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stderr, /20 of 20 traces reproduced/);
});

test("env replay: a field that differs is told with its step and both values, and the exit code is 1", async (t) => {
  const rows = recordings(t, "textworld-express", "coin.jsonl");
  if (!rows) return;
  const changed = structuredClone(rows[0]!);
  changed.steps[1]!.inventory = "Inventory: a unicorn";
  const path = write("changed.jsonl", [changed]);
  const { code, stdout } = await cli("env", "replay", "textworld-express", path);
  assert.equal(code, 1);
  assert.match(stdout, /DIFFERS {2}gold: coin/);
  assert.match(stdout, /step 2 inventory\n {4}recorded: .*unicorn.*\n {4}played: .*currently empty/);
});

test("env replay: a file that is no recording, or one of another environment, is refused before anything starts", async () => {
  const path = write("other.jsonl", [{ env: "coin", actions: [], initial: {}, steps: [] }]);
  const other = await cli("env", "replay", "scienceworld", path);
  assert.equal(other.code, 2);
  assert.match(other.stderr, /other\.jsonl:1: a trace of "coin", expected scienceworld/);
  const broken = await cli("env", "replay", "scienceworld", write("broken.jsonl", [{ env: "scienceworld" }]));
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /broken\.jsonl:1: no trace of an episode; actions:/);
  const unknown = await cli("env", "replay", "lab", path);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /recordings of "lab" can't be played; of scienceworld, textworld-express they can/);
});
