import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { recipeJsonSchema } from "../../src/run/recipe.ts";
import { loadRecipe, recipeToYaml, resolveRecipe } from "../../src/run/recipe-load.ts";
import { fromYaml } from "../../src/run/recipe-source.ts";
import { ConfigError } from "../../src/utils/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-recipe-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const GOOD = `model: seedling
tasks:
  train: {name: countdown, format: steps}
  eval: {name: countdown, split: test, format: steps}
rollout: {promptsPerStep: 4, groupSize: 4, maxTokens: 32}
rewards: [{name: countdown}]
optimizer: {name: adamw, lr: 1e-3}
steps: 10
evaluate: {every: 5, samples: 4}
smoke: {steps: 2, rollout: {groupSize: 2}}
`;

const resolve = (text: string, smoke = false) => resolveRecipe({ name: "r", ...fromYaml(text, "r.yaml") }, smoke);

/** Lines of the ConfigError that a recipe gives. */
function problems(text: string): string[] {
  try {
    resolve(text);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split("\n");
  }
  throw new assert.AssertionError({ message: "the recipe was accepted" });
}

test("loadRecipe: fills every default; the resolved recipe survives YAML", () => {
  const recipe = resolve(GOOD);
  assert.equal(recipe.name, "r");
  assert.equal(recipe.trainer, "grpo");
  assert.deepEqual(recipe.adapter, { kind: "none" });
  assert.deepEqual(recipe.objective.loss, { name: "clip", clipLow: 0.2, clipHigh: 0.2, dualClip: null });
  assert.equal(recipe.optimizer.beta2, 0.999);
  assert.deepEqual(resolveRecipe({ name: "other", ...fromYaml(recipeToYaml(recipe), "y") }, false), recipe);
});

test("loadRecipe: an evaluation samples as the rollout does unless it says otherwise", () => {
  const recipe = resolve(GOOD.replace("samples: 4}", "samples: 4, temperature: 0.5}"));
  assert.equal(recipe.evaluate!.maxTokens, 32);
  assert.equal(recipe.evaluate!.temperature, 0.5);
  assert.equal(recipe.rollout.temperature, 1);
});

test("loadRecipe: a LoRA's alpha is twice its rank by default, and its rank is required", () => {
  const lora = resolve(`${GOOD}adapter: {kind: lora, rank: 4}\n`);
  assert.equal(lora.adapter.kind === "lora" && lora.adapter.alpha, 8);
  assert.deepEqual(problems(`${GOOD}adapter: {kind: lora}\n`), ["r.yaml:11 adapter.rank: is missing (a number)"]);
});

test("loadRecipe: an unknown key names its path, its line and the nearest key", () => {
  assert.deepEqual(problems(GOOD.replace("maxTokens", "maxTokns")), [
    'r.yaml:5 rollout.maxTokns: unknown key, did you mean "maxTokens"? (known: temperature, topK, topP, minP, maxTokens, stop, promptsPerStep, groupSize, batchSize, episode, dialogue, tools, toolFormat, toolLimits)',
  ]);
  assert.match(
    problems(GOOD.replace("steps: 10", "step: 10")).join("\n"),
    /^r\.yaml:8 step: unknown key, did you mean "steps"\?/m,
  );
  assert.match(
    problems(GOOD.replace("format: steps", "fromat: steps"))[0]!,
    /^r\.yaml:3 tasks\.train\.fromat: unknown key, did you mean "format"\?/,
  );
});

test("loadRecipe: a group of one is refused with the reason", () => {
  assert.deepEqual(problems(GOOD.replace("groupSize: 4", "groupSize: 1")), [
    "r.yaml:5 rollout.groupSize: must be at least 2: a group of one has no baseline to compare with (got 1)",
  ]);
});

test("loadRecipe: all problems are reported at once, each on its line", () => {
  const text = GOOD.replace("lr: 1e-3", "lr: -1")
    .replace("promptsPerStep: 4", "promptsPerStep: many")
    .replace("steps: 10", "steps: 0")
    .replace("model: seedling", "model: 7");
  assert.deepEqual(problems(text), [
    "r.yaml:1 model: must be a text or a mapping, got 7",
    'r.yaml:5 rollout.promptsPerStep: must be a number, got "many"',
    "r.yaml:7 optimizer.lr: must be above 0, got -1",
    "r.yaml:8 steps: must be at least 1, got 0",
  ]);
});

test("loadRecipe: an unknown name lists the known ones and the nearest", () => {
  assert.deepEqual(problems(`${GOOD}objective: {loss: {name: clipp}}\n`), [
    'r.yaml:11 objective.loss.name: must be one of clip, clip-higher, clip-wide, gspo, cispo, reinforce, got "clipp"; did you mean "clip"?',
  ]);
  assert.match(
    problems(GOOD.replace("lr: 1e-3", "lr: 1e-3, schedule: {name: cosin}"))[0]!,
    /schedule\.name: must be one of constant, linear, cosine, trapezoid, got "cosin"; did you mean "cosine"\?$/,
  );
});

test("loadRecipe: rules between fields", () => {
  assert.deepEqual(problems(`${GOOD}trainer: sft\n`), [
    "r.yaml:1 demonstrations: is missing: trainer sft imitates demonstrations",
  ]);
  assert.deepEqual(problems(GOOD.replace(/ {2}eval:.*\n/, "")), [
    "r.yaml:2 tasks.eval: is missing: evaluate needs a task set",
  ]);
  assert.deepEqual(problems(GOOD.replace("[{name: countdown}]", "[]")), [
    "r.yaml:6 rewards: is empty: trainer grpo needs at least one reward",
  ]);
  assert.deepEqual(problems(GOOD.replace("[{name: countdown}]", "[{name: countdown, weight: 0}]")), [
    "r.yaml:6 rewards: all have weight 0: nothing trains",
  ]);
  assert.deepEqual(problems(GOOD.replace("samples: 4}", "samples: 4, k: [1, 9]}")), [
    "r.yaml:9 evaluate.k.1: must be at most evaluate.samples (4), got 9",
  ]);
  assert.deepEqual(problems(`${GOOD}update: {miniBatches: 5}\n`), [
    "r.yaml:11 update.miniBatches: must be at most rollout.promptsPerStep (4), got 5",
  ]);
  assert.deepEqual(problems(`${GOOD}control: {name: siren, topp: 1, keepQuantile: 2}\n`), [
    "r.yaml:11 control.keepQuantile: must be at most 1, got 2",
    'r.yaml:11 control.topp: unknown key, did you mean "topP"? (known: variant, coefficient, topP, topK, keepQuantile, padLeak, withoutAnchor, withoutTopP, withoutPeakMask, name)',
  ]);
  assert.deepEqual(problems(`${GOOD}objective: {kl: {estimator: full, coefficient: 1, place: reward}}\n`), [
    "r.yaml:11 objective.kl.estimator: full cannot be part of the reward: it has no value per sampled token; use k1, k2, k3 or abs",
  ]);
});

test("loadRecipe: smoke is a patch, validated even when it is not applied", () => {
  assert.equal(resolve(GOOD).steps, 10);
  const smoke = resolve(GOOD, true);
  assert.deepEqual([smoke.steps, smoke.rollout.groupSize, smoke.rollout.promptsPerStep], [2, 2, 4]);
  assert.deepEqual(smoke.smoke, {});
  assert.deepEqual(problems(GOOD.replace("smoke: {steps: 2,", "smoke: {steps: 0,")), [
    "r.yaml:10 smoke.steps: must be at least 1, got 0",
  ]);
});

test("loadRecipe: YAML errors and duplicate keys come with their line", () => {
  assert.match(problemsOfText("model: [seedling\nsteps: 3\n"), /^r\.yaml:\d+ /);
  assert.match(problemsOfText("model: a\nmodel: b\n"), /^r\.yaml:2 Map keys must be unique/);
  assert.match(problemsOfText("- 1\n"), /^r\.yaml:1 a recipe is a mapping/);
});

function problemsOfText(text: string): string {
  return problems(text).join("\n");
}

test("loadRecipe: --set overrides keys, values are YAML, and a problem names the override", async () => {
  const file = join(folder, "set.yaml");
  writeFileSync(file, GOOD);
  const recipe = await loadRecipe(file, {
    set: ["rollout.groupSize=16", "rollout.stop=[end]", "rewards.0.weight=0.5", "adapter={kind: lora, rank: 2}"],
  });
  assert.equal(recipe.name, "set");
  assert.equal(recipe.rollout.groupSize, 16);
  assert.deepEqual(recipe.rollout.stop, ["end"]);
  assert.equal(recipe.rewards[0]!.weight, 0.5);
  assert.equal(recipe.adapter.kind, "lora");
  await assert.rejects(loadRecipe(file, { set: ["rollout.groupSize=1"] }), {
    message: /^--set rollout\.groupSize=1: rollout\.groupSize: must be at least 2/,
  });
  await assert.rejects(loadRecipe(file, { set: ["steps", "seed.x=1"] }), {
    message: "--set steps: must look like rollout.groupSize=8",
  });
  await assert.rejects(loadRecipe(file, { set: ["steps.x=1"] }), {
    message: "--set steps.x=1: steps is 10, it has no keys",
  });
});

test("loadRecipe: a TypeScript module gives the same recipe as YAML; a missing file and a module without recipe are explained", async () => {
  const yaml = join(folder, "same.yaml");
  const module = join(folder, "same.ts");
  writeFileSync(yaml, GOOD);
  writeFileSync(
    module,
    `const recipe: object = ${JSON.stringify(fromYaml(GOOD, "x").data)};\nexport default recipe;\n`,
  );
  assert.deepEqual(await loadRecipe(module), await loadRecipe(yaml));
  writeFileSync(join(folder, "none.ts"), "export const x = 1;\n");
  await assert.rejects(loadRecipe(join(folder, "none.ts")), {
    name: "ConfigError",
    message: /none\.ts: cannot load the module: it has no default export$/,
  });
  await assert.rejects(loadRecipe(join(folder, "absent.yaml")), {
    name: "ConfigError",
    message: /absent\.yaml: no such recipe file$/,
  });
});

test("recipeJsonSchema: editors get the keys with their descriptions", () => {
  const schema = recipeJsonSchema() as { properties: Record<string, { description?: string }>; required: string[] };
  assert.equal(schema.properties.steps!.description, "training steps");
  assert.deepEqual([...schema.required].sort(), ["model", "optimizer", "steps"]);
});

test("every recipe of the repository is valid, with and without its smoke patch", async () => {
  const recipes = fileURLToPath(new URL("../../recipes", import.meta.url));
  const files = readdirSync(recipes).filter((name) => name.endsWith(".yaml"));
  assert.ok(files.includes("start.yaml"));
  for (const name of files) {
    const recipe = await loadRecipe(join(recipes, name));
    assert.equal(recipe.name, name.replace(".yaml", ""));
    assert.ok((await loadRecipe(join(recipes, name), { smoke: true })).steps <= recipe.steps);
  }
});
