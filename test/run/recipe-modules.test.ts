import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { loadRecipe, recipeToYaml } from "../../src/run/recipe-load.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-modules-"));
after(() => rmSync(root, { recursive: true, force: true }));

const TEXT = `model: seedling
tasks: {train: {name: countdown}}
rewards: [{name: countdown}]
control: {module: ./own.ts, x: 1}
optimizer: {name: adamw, lr: 1e-3}
steps: 1
smoke: {control: {module: ../small.ts}}
`;

test("loadRecipe: a module is looked for beside the recipe; --set starts in the current folder", async () => {
  mkdirSync(join(root, "a"));
  writeFileSync(join(root, "a", "r.yaml"), TEXT);
  const file = join(root, "a", "r.yaml");
  const recipe = await loadRecipe(file);
  assert.deepEqual(recipe.control, { module: join(root, "a", "own.ts"), x: 1 });
  assert.deepEqual((await loadRecipe(file, { smoke: true })).control, { module: join(root, "small.ts"), x: 1 });
  const set = await loadRecipe(file, { set: ["control.module=./mine.ts"] });
  assert.deepEqual(set.control, { module: resolve("mine.ts"), x: 1 });
  writeFileSync(join(root, "recipe.yaml"), recipeToYaml(recipe)); // a run folder's recipe, elsewhere
  assert.deepEqual(await loadRecipe(join(root, "recipe.yaml")), recipe);
});

/** The problems of a recipe with these rewards. */
async function problemsOf(rewards: string): Promise<string[]> {
  const file = join(root, "problems.yaml");
  writeFileSync(file, TEXT.replace(/rewards: .*/, `rewards: [${rewards}]`));
  try {
    await loadRecipe(file);
    return [];
  } catch (error) {
    return (error as Error).message.split("\n").map((line) => line.replace(/^.*?:\d+ /, ""));
  }
}

test("loadRecipe: rewards of the user's own and the judge's cache are looked for beside the recipe; a reward's options stay as they are", async () => {
  const file = join(root, "rewards.yaml");
  const own = "{module: ./mine.ts, name: mine, options: {module: ./data.ts}}";
  const judge = (cache: string) => `{name: llm-judge, url: "http://localhost:1/v1", model: m, cache: ${cache}}`;
  const load = async (rewards: string) => {
    writeFileSync(file, TEXT.replace(/rewards: .*/, `rewards: [${rewards}]`));
    return (await loadRecipe(file)).rewards as [object, { cache: string }];
  };
  const [first, second] = await load(`${own}, ${judge("verdicts")}`);
  const defaults = { weight: 1, deadlineMs: 5000 };
  assert.deepEqual(first, {
    module: join(root, "mine.ts"),
    name: "mine",
    ...defaults,
    options: { module: "./data.ts" },
  });
  assert.equal(second.cache, join(root, "verdicts"));
  assert.equal((await load(`${own}, ${judge("~/verdicts")}`))[1].cache, "~/verdicts");
});

test("loadRecipe: problems of a reward name the keys of its kind", async () => {
  assert.deepEqual(await problemsOf("{module: ./mine.ts, name: mine, wieght: 2}"), [
    'rewards.0.wieght: unknown key, did you mean "weight"? (known: module, name, weight, deadlineMs, options)',
  ]);
  assert.deepEqual(await problemsOf("{module: ./mine.ts}"), ["rewards.0.name: is missing (a text)"]);
  assert.deepEqual(await problemsOf("{module: 3, name: mine}"), ["rewards.0.module: must be a text, got 3"]);
  assert.deepEqual(await problemsOf("{name: length, target: 5, mni: 2}"), [
    'rewards.0.mni: unknown key, did you mean "min"? (known: target, min, max, name, weight)',
  ]);
  assert.match(
    (await problemsOf("{name: lenght}"))[0]!,
    /^rewards\.0\.name: must be one of countdown, .*; did you mean "length"\?$/,
  );
});
