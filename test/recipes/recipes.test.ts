import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { readMetrics } from "../../src/run/metrics-log.ts";
import { loadRecipe, recipeToYaml } from "../../src/run/recipe-load.ts";
import { startCli } from "../cli/run-cli.ts";

const clone = fileURLToPath(new URL("../../", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "rlvr-recipes-"));
after(() => rmSync(out, { recursive: true, force: true }));
const recipes = readdirSync(join(clone, "recipes"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .sort();

/** Why a recipe can't run here, or false. */
function missing(name: string): string | false {
  const { model, tasks, smoke } = parse(readFileSync(join(clone, "recipes", name), "utf8")) as {
    model: unknown;
    tasks?: { train?: { name?: string; env?: { name?: string } } };
    smoke?: { model?: unknown };
  };
  if (tasks?.train?.env?.name === "scienceworld" && !existsSync(join(clone, "models/scienceworld")))
    return "the simulator is missing: bash scripts/fetch-scienceworld brings it";
  const used = String(smoke?.model ?? model);
  if (used.startsWith("scienceworld-") && !existsSync(join(clone, "models", used)))
    return "a model is missing: npm run make:scienceworld makes it, with the real simulator";
  if (String(model).startsWith("models/") && !existsSync(join(clone, String(model))))
    return "real weights are missing: scripts/fetch-smollm2 brings them";
  if (tasks?.train?.name === "gsm8k" && !process.env.RLVR_DATA)
    return "GSM8K is missing: set RLVR_DATA to the folder that holds gsm8k/train.jsonl";
  return false;
}

for (const name of recipes) {
  test(`recipes/${name}: parses, and so does what it resolves to`, async () => {
    const recipe = await loadRecipe(join(clone, "recipes", name));
    assert.deepEqual(parse(recipeToYaml(recipe)), JSON.parse(JSON.stringify(recipe)));
    assert.notDeepEqual(recipe.smoke, {}, "has no smoke section");
  });

  test(`recipes/${name}: its smoke run takes its steps, with a finite loss in each`, {
    skip: missing(name),
  }, async () => {
    const run = join(out, name.replaceAll("/", "-"));
    const args = ["train", join("recipes", name), "--smoke", "--out", run, "--threads", "1", "--quiet"];
    const { code, stderr } = await startCli(args, { cwd: clone }).ended;
    assert.equal(code, 0, stderr);
    const { steps } = await loadRecipe(join(clone, "recipes", name), { smoke: true });
    const rows = readMetrics(join(run, "metrics.jsonl")).filter(({ step }) => step > 0);
    assert.deepEqual(
      rows.map(({ step }) => step),
      Array.from({ length: steps }, (_, i) => i + 1),
    );
    for (const row of rows) assert.ok(Number.isFinite(row.loss as number), JSON.stringify(row));
  });
}
