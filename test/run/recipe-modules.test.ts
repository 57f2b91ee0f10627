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
