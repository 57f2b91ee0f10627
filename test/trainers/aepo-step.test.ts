import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadRecipe } from "../../src/run/recipe-load.ts";
import { createTrainer } from "../../src/trainers/create.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-aepo-"));
after(() => rmSync(root, { recursive: true, force: true }));
const recipeFile = join(root, "recipe.yaml");
writeFileSync(
  recipeFile,
  `model: {init: {width: 16, layers: 1, heads: 2, ffWidth: 24}, seed: 3}
tasks: {train: {name: countdown, format: steps}}
rollout: {promptsPerStep: 4, groupSize: 4, maxTokens: 8}
rewards: [{name: format, style: pattern, pattern: '[1-4]', ended: false}]
update: {miniBatches: 1}
optimizer: {name: adamw, lr: 1.0e-2}
steps: 4
`,
);

/** Metrics and samples of the first step with auxiliary rows far hotter than the rest. */
async function firstStep(control: object) {
  const set = [
    `control=${JSON.stringify({ name: "aepo", promptShare: 0.5, target: 9, highTemperature: 3, ...control })}`,
  ];
  const { trainer } = await createTrainer({ recipe: await loadRecipe(recipeFile, { set }), threads: 1 });
  try {
    return await trainer.step(0);
  } finally {
    await trainer.close();
  }
}

for (const variant of ["released", "scope"])
  test(`7.16 AEPO ${variant}, in a step: log-probs of rows sampled at T = 3 are computed at T = 1, so that every ratio is 1`, async () => {
    const { metrics, samples } = await firstStep({ variant });
    const auxiliary = samples.filter(({ use }) => use === "auxiliary");
    assert.ok(auxiliary.length > 0);
    assert.ok(Math.abs((metrics.ratio as number) - 1) < 1e-4, `ratio is ${metrics.ratio}`);
    assert.ok(Math.abs(metrics["actor/ppo_kl"] as number) < 1e-4);
    assert.equal(metrics["aepo/temperature"], 3);
    assert.equal(metrics["aepo/aux_rows"], auxiliary.length);
  });

test("aepo: candidates are the rows that passed the selection, before it is cut to maxRows", async () => {
  const { metrics, samples } = await firstStep({ maxRows: 1 });
  assert.equal(samples.filter(({ use }) => use === "auxiliary").length, 1);
  assert.equal(metrics["aepo/aux_rows"], 1);
  assert.equal(metrics["aepo/aux_frac"], 1 / 16);
  const all = await firstStep({});
  assert.equal(metrics["aepo/aux_candidates"], all.metrics["aepo/aux_rows"]);
  assert.ok((metrics["aepo/aux_candidates"] as number) > 1);
  assert.ok((metrics["aepo/aux_candidates"] as number) < 8, "wrong rows and rows of uniform groups do not pass");
});
