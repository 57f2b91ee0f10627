import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadRecipe } from "../../src/run/recipe-load.ts";
import { createTrainer } from "../../src/trainers/create.ts";
import { METRICS } from "../../src/trainers/metrics.ts";
import type { Trainer } from "../../src/trainers/types.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-control-"));
after(() => rmSync(root, { recursive: true, force: true }));

const recipeFile = join(root, "recipe.yaml");
// some random completions hold such a digit and some do not, so that advantages, selections and states move
writeFileSync(
  recipeFile,
  `model: {init: {width: 16, layers: 1, heads: 2, ffWidth: 24}, seed: 3}
tasks: {train: {name: countdown, format: steps}}
rollout: {promptsPerStep: 4, groupSize: 4, maxTokens: 8}
rewards: [{name: format, style: pattern, pattern: '[1-4]', ended: false}]
update: {miniBatches: 2, microBatchTokens: 256}
optimizer: {name: adamw, lr: 1.0e-2}
steps: 4
`,
);

const own = fileURLToPath(new URL("../../recipes/examples/my-kl-cov.ts", import.meta.url));
/** Every control, strong enough to change the weights, with what its state must look like after four steps. */
const CONTROLS: readonly [name: string, control: object, state: (state: never) => boolean][] = [
  ["entropy-bonus", { name: "entropy-bonus", coefficient: 0.1 }, (state) => state === null],
  [
    "adaptive-entropy",
    { name: "adaptive-entropy", target: 9, delta: 0.05, max: 1 },
    ({ coefficient }) => coefficient === 0.2,
  ],
  [
    "target-entropy",
    { name: "target-entropy", target: 9, rate: 0.01, max: 1 },
    ({ coefficient }) => (coefficient as number) > 0.1,
  ],
  ["clip-cov", { name: "clip-cov", ratio: 0.2, low: 0 }, (state) => state === null],
  ["kl-cov", { name: "kl-cov", ratio: 0.2 }, (state) => state === null],
  ["forking-tokens", { name: "forking-tokens" }, (state) => state === null],
  ["entropy-advantage", { name: "entropy-advantage" }, (state) => state === null],
  [
    "siren with the slot after the end",
    { name: "siren", padLeak: true, coefficient: 1 },
    ({ anchor }) => (anchor as number) > 0.1,
  ],
  ["siren paper", { name: "siren", variant: "paper", coefficient: 1 }, ({ anchor }) => (anchor as number) > 0.1],
  ["epo paper", { name: "epo", coefficient: 0.1 }, ({ history }) => (history as number[]).length === 4],
  [
    "epo released",
    { name: "epo", variant: "released", gateTurn: null },
    ({ history }) => (history as number[][]).length === 4,
  ],
  ["aepo released", { name: "aepo", target: 1, promptShare: 0.5 }, ({ entropy }) => (entropy as number) > 0.5],
  ["aepo scope", { name: "aepo", variant: "scope", alpha: 1 }, ({ entropy }) => (entropy as number) > 0.5],
  ["lp-reg released", { name: "lp-reg", rho: 0.5 }, (state) => state === null],
  ["lp-reg paper", { name: "lp-reg", variant: "paper", rho: 0.5 }, (state) => state === null],
  ["a control of the user's", { module: own, ratio: 0.2, coefficient: 1 }, () => true],
];

async function open(control: object | null): Promise<Trainer> {
  const recipe = await loadRecipe(recipeFile, { set: [`control=${JSON.stringify(control)}`] });
  return (await createTrainer({ recipe, threads: 1 })).trainer;
}

const saved = (folder: string): { control: { name: string; state: never } | null } =>
  JSON.parse(readFileSync(join(folder, "trainer.json"), "utf8")) as never;

async function save(trainer: Trainer, name: string): Promise<string> {
  const folder = join(root, name.replaceAll(/\W/g, "-"));
  mkdirSync(folder);
  await trainer.save(folder);
  return folder;
}

/** Hashes of weights and moments after each of these steps; adds the names of all metrics to a set. */
async function steps(trainer: Trainer, from: number, to: number, names = new Set<string>()): Promise<unknown[]> {
  const hashes: unknown[] = [];
  for (let step = from; step < to; step++) {
    const { metrics } = await trainer.step(step);
    for (const name of Object.keys(metrics)) names.add(name);
    for (const [name, value] of Object.entries(metrics))
      assert.ok(typeof value === "string" || Number.isFinite(value), `${name} is ${value} in step ${step + 1}`);
    hashes.push(metrics["resume/state_hash"]);
  }
  return hashes;
}

/** Names that are declared for a control in this variant. */
function declared({ name, variant }: { name?: string; variant?: string }): string[] {
  const whens = [name, `${name} ${variant ?? (name === "epo" ? "paper" : "released")}`];
  return Object.entries(METRICS).flatMap(([metric, def]) =>
    metric.startsWith(`${name}/`) && whens.includes(def.when) ? [metric] : [],
  );
}

const plain: unknown[] = [];
test("resume: four steps without a control", async () => {
  const trainer = await open(null);
  plain.push(...(await steps(trainer, 0, 4)));
  await trainer.close();
  assert.equal(new Set(plain).size, 4);
});

for (const [name, control, holds] of CONTROLS)
  test(`resume with ${name}: two steps, saved and loaded, two more are the bytes of four in a row`, async () => {
    const whole = await open(control);
    const names = new Set<string>();
    const before = await steps(whole, 0, 2, names);
    const half = await save(whole, `${name} half`);
    const expected = await steps(whole, 2, 4, names);
    const end = await save(whole, `${name} whole`);
    await whole.close();
    assert.notEqual(expected[1], plain[3], "the control must change the weights");
    assert.deepEqual(
      declared(control).filter((metric) => !names.has(metric)),
      [],
      "every metric that is declared for the control was logged",
    );
    assert.equal(new Set([...before, ...expected]).size, 4);

    const resumed = await open(control);
    await resumed.load(half);
    assert.deepEqual(await steps(resumed, 2, 4), expected);
    const again = await save(resumed, `${name} resumed`);
    await resumed.close();
    assert.deepEqual(saved(again), saved(end));
    assert.ok(holds(saved(end).control!.state), `state ${JSON.stringify(saved(end).control!.state)}`);
  });

test("resume: the state of another control is refused by name", async () => {
  const siren = await open({ name: "siren" });
  const folder = await save(siren, "another");
  await siren.close();
  const epo = await open({ name: "epo" });
  await assert.rejects(epo.load(folder), {
    name: "DataError",
    message: /trainer\.json: holds the state of the control siren, this run has epo; resume with the same control$/,
  });
  await epo.close();
  const none = await open(null);
  await assert.rejects(none.load(folder), { name: "DataError", message: /of the control siren, this run has none/ });
  await none.close();
});
