import assert from "node:assert/strict";
import { test } from "node:test";
import { type Finding, validateSource } from "../../../src/rollout/envs/contract/index.ts";
import { lab } from "../../../src/rollout/envs/lab/index.ts";
import { digitsSource } from "../episodes/digits-env.ts";
import { type Breakage, counterSource, leftOpen } from "./counter-env.ts";

const CHECKS =
  "names starts splits play unknown reset determinism admissible gold snapshots odd-actions after-done leaks close rewards".split(
    " ",
  );

async function failed(breakage: Breakage): Promise<Finding[]> {
  const findings = await validateSource(counterSource(breakage), { episodes: 150, callMs: 500 });
  return findings.filter(({ status }) => status === "FAIL");
}

test("validateSource: a world that keeps the contract passes every check", async () => {
  let closed = 0;
  const told: string[] = [];
  const findings = await validateSource(
    counterSource(undefined, () => closed++),
    {
      episodes: 200,
      onFinding: ({ check }) => told.push(check),
    },
  );
  assert.deepEqual(
    findings.filter(({ status }) => status !== "ok"),
    [],
  );
  assert.deepEqual(
    findings.map(({ check }) => check),
    CHECKS,
  );
  assert.deepEqual(told, CHECKS);
  assert.ok(closed >= 4, `${closed} worlds were closed`);
});

// what the evidence must name, so that the one who wrote the world finds the place
const BROKEN: readonly (readonly [Breakage, check: string, evidence: RegExp])[] = [
  ["two-line-name", "names", /name is "coun\\nter"/],
  ["no-test-starts", "starts", /starts\(test\) is empty/],
  ["overlapping-splits", "splits", /"seed":79\} is in dev and again in test/],
  ["accepts-any-task", "unknown", /starts\("train", \["no such task"\]\) succeeded/],
  ["type-error-for-variation", "unknown", /variation -1 threw TypeError/],
  ["keeps-state-over-reset", "reset", /observation of reset is "at 0" and then "at -1"/],
  ["nondeterministic", "determinism", /action 1 "\w+": observation is/],
  ["shared-between-worlds", "determinism", /while another world plays: /],
  ["nan-reward", "rewards", /returned the reward NaN/],
  ["return-out-of-range", "rewards", /the return 3 is outside of returnRange \[0, 1\]/],
  ["success-lost", "after-done", /after the end has success false/],
  ["gold-too-short", "gold", /end with done false and success false/],
  ["offers-nonsense", "admissible", /not understood: "sideways"/],
  ["forgetful-snapshot", "snapshots", /restored in the same world after \d actions/],
  ["throws-on-newline", "odd-actions", /newline: step\("zzqx\\nfrobnicate.*threw SyntaxError: "one line, please"/],
  ["odd-text-costs-a-turn", "odd-actions", /empty: .*but afterwards .*state is/],
  ["crashes-after-done", "after-done", /threw EnvError: "counter: the episode is over"/],
  ["leaks", "leaks", /120 episodes took \d+\.\d MiB/],
  ["hangs", "play", /step\("\w+"\) did not end within 500 ms/],
  ["close-leaves-server", "close", /left \d open handles: .*TCPSERVERWRAP/i],
];

for (const [breakage, check, evidence] of BROKEN)
  test(`validateSource: fails at ${check} for a world that is broken by ${breakage}`, async () => {
    const found = await failed(breakage);
    for (const handle of leftOpen.splice(0)) handle.close();
    const finding = found.find((one) => one.check === check);
    assert.match(finding?.evidence ?? JSON.stringify(found), evidence);
  });

test("validateSource: a world that breaks in one place fails there and is judged in the others", async () => {
  const found = await failed("forgetful-snapshot");
  assert.deepEqual(
    found.map(({ check }) => check),
    ["snapshots"],
  );
});

test("validateSource: offered actions that are not understood are told and pass where the source says why", async () => {
  const source = { ...counterSource("offers-nonsense"), admissibleNote: "somebody else's list" };
  const findings = await validateSource(source, { episodes: 20 });
  const { status, evidence } = findings.find(({ check }) => check === "admissible")!;
  assert.equal(status, "ok");
  assert.match(
    evidence,
    /^note: \d+ of \d+ were not understood: .*"sideways".*; the source says: somebody else's list$/,
  );
});

test("validateSource: the world of the rollout tests has one list of starts for all splits, and that is seen", async () => {
  const findings = await validateSource(digitsSource(5), { episodes: 20 });
  const status = Object.fromEntries(findings.map((one) => [one.check, one.status]));
  assert.equal(status.splits, "FAIL");
  assert.equal(status.determinism, "ok");
  assert.equal(status.snapshots, "skip");
  assert.equal(status.gold, "skip");
});

test("validateSource: lab keeps the contract", async () => {
  const source = await lab.open(lab.options.parse({}));
  const findings = await validateSource(source, { episodes: 50, starts: 4 });
  assert.deepEqual(
    findings.filter(({ status }) => status !== "ok"),
    [],
  );
});
