import assert from "node:assert/strict";
import { test } from "node:test";
import { type Adapter, Engine } from "../../src/policy/index.ts";
import { ObjectiveConfig } from "../../src/trainers/config.ts";
import { packRows } from "../../src/trainers/micro-batch.ts";
import { openObjective } from "../../src/trainers/objective.ts";
import { computeMiniBatch, controlContext } from "../../src/trainers/objective-step.ts";
import { layOut, policyPasses } from "../../src/trainers/token-layout.ts";
import { createRng } from "../../src/utils/rng.ts";
import { tinyConfig, tinyLora } from "../support/tiny-model.ts";

/*
 * One GRPO step on a fixed rollout: 6 completions of different lengths in two groups. The old log-probs are the current ones plus noise of up
 * to 0.4, so that some tokens lie inside the clip bounds and some outside, for both signs of the advantage.
 */
const advantages = [1.2, -0.7, -0.5, 0.9, 0.1, -1];
const config = ObjectiveConfig.parse({ loss: { name: "clip", clipLow: 0.2, clipHigh: 0.28 } });
const objective = await openObjective({ objective: config, control: null, oldIsCurrent: false });
const TEMPERATURE = 0.9;

async function openEngine(adapter: Adapter, floatType: "float32" | "float64"): Promise<Engine> {
  const origin = { kind: "initial", config: tinyConfig(), seed: 3, scale: 2 } as const;
  const engine = await Engine.create({ origin, adapter, seed: 5, floatType, threads: 1 });
  const rng = createRng("perturb");
  // a fresh adapter has B = 0, which would hide half of its gradient
  if (adapter.kind === "lora")
    for (const array of engine.parameters.trainable.values())
      for (let i = 0; i < array.length; i++) array[i] = 0.3 * rng.normal();
  await engine.setLoss(objective.loss);
  return engine;
}

function sequences() {
  const rng = createRng("rollout");
  const ids = (length: number): number[] => Array.from({ length }, () => rng.int(3, 12));
  return [5, 3, 6, 1, 4, 2].map((length, i) => ({ promptIds: ids(i < 3 ? 3 : 4), ids: ids(length) }));
}

/** Completions with old log-probs at a known distance from the current ones, and at least 0.02 from every clip bound. */
async function rollout(engine: Engine) {
  const plain = sequences();
  const rng = createRng("old");
  const scored = await Promise.all(
    plain.map(async (row) => {
      const [packed] = packRows([{ ...row, features: {} }], { maxTokens: 64, temperature: TEMPERATURE, padId: 0 });
      return (await engine.score(packed!.batch)).logp;
    }),
  );
  const bounds = [Math.log(0.8), Math.log(1.28)];
  const noise = (): number => {
    for (;;) {
      const x = (rng.uniform() - 0.5) * 0.8;
      if (bounds.every((bound) => Math.abs(x - bound) > 0.02)) return x;
    }
  };
  return plain.map((row, i) => ({ ...row, policyLogp: Float32Array.from(scored[i]!, (logp) => logp - noise()) }));
}

type Rollout = Awaited<ReturnType<typeof rollout>>;

function layout(completions: Rollout, maxTokens: number) {
  const rows = completions.map(({ promptIds, ids, policyLogp }, i) => ({
    ...{ promptIds, ids, group: i < 3 ? 0 : 1, reward: 0, auxiliary: false, inBase: true, readAfterEnd: false },
    ...{ advantage: ids.map(() => advantages[i]!), oldLogp: policyLogp, rolloutLogp: policyLogp },
  }));
  return layOut(rows, { maxTokens, temperature: TEMPERATURE, padId: 0 });
}

/** Loss of the step; its gradient is added to the engine's, or none is computed. */
async function lossOf(engine: Engine, completions: Rollout, options: { maxTokens?: number; gradient?: boolean } = {}) {
  const { maxTokens = 1024, gradient = false } = options;
  const rows = layout(completions, maxTokens);
  const accumulate = gradient ? engine.accumulate.bind(engine) : engine.scoreLoss.bind(engine);
  const passes = policyPasses({ measure: engine.measure.bind(engine), accumulate }, rows);
  const base = { step: 0, totalSteps: 1, draw: () => [] };
  const context = controlContext(objective, rows.batch, base);
  const { loss } = await computeMiniBatch(objective, rows.batch, passes, { state: null, old: {}, context });
  return { loss, parts: rows.micro.length };
}

for (const adapter of [{ kind: "none" } as const, tinyLora]) {
  test(`grpo: the whole gradient of a step agrees with finite differences in float64 (adapter ${adapter.kind})`, async () => {
    const engine = await openEngine(adapter, "float64");
    const completions = await rollout(engine);
    await lossOf(engine, completions, { gradient: true });
    let scale = 0;
    const checks: { name: string; derived: number; measured: number }[] = [];
    for (const [name, array] of engine.parameters.trainable) {
      const gradient = engine.gradient(name);
      const picked = createRng(name)
        .shuffle(Array.from(array, (_, i) => i))
        .slice(0, 4);
      for (const i of picked) {
        const middle = array[i]!;
        const at = async (offset: number): Promise<number> => {
          array[i] = middle + offset;
          const { loss } = await lossOf(engine, completions);
          array[i] = middle;
          return loss;
        };
        const h = 1e-4; // fourth-order central difference
        const measured = (8 * ((await at(h)) - (await at(-h))) - ((await at(2 * h)) - (await at(-2 * h)))) / (12 * h);
        checks.push({ name: `${name}[${i}]`, derived: gradient[i]!, measured });
        scale = Math.max(scale, Math.abs(measured));
      }
    }
    await engine.dispose();
    assert.ok(scale > 1e-3, "the gradient must not be trivially small");
    for (const { name, derived, measured } of checks) {
      const error = Math.abs(derived - measured) / Math.max(Math.abs(measured), 1e-2 * scale);
      assert.ok(error < 1e-7, `${name}: derived ${derived}, measured ${measured}, relative error ${error}`);
    }
  });
}

test("grpo: every split into micro-batches gives the same loss and gradient (float32, 1e-6 of the largest entry)", async () => {
  const engine = await openEngine({ kind: "none" }, "float32");
  const completions = await rollout(engine);
  const run = async (maxTokens: number) => {
    engine.clearGradients();
    const { loss, parts } = await lossOf(engine, completions, { maxTokens, gradient: true });
    const gradient = [...engine.parameters.trainable.keys()].flatMap((name) => Array.from(engine.gradient(name)));
    return { parts, loss, gradient };
  };
  const whole = await run(1024);
  const largest = Math.max(...whole.gradient.map(Math.abs));
  assert.equal(whole.parts, 1);
  for (const maxTokens of [4, 12, 20]) {
    const split = await run(maxTokens);
    assert.ok(split.parts > 1);
    assert.ok(Math.abs(split.loss - whole.loss) < 1e-6, `loss ${split.loss} against ${whole.loss}`);
    split.gradient.forEach((x, i) => {
      assert.ok(Math.abs(x - whole.gradient[i]!) <= 1e-6 * largest, `entry ${i}: ${x} against ${whole.gradient[i]}`);
    });
  }
  await engine.dispose();
});

test("grpo: at ratio 1 the gradient of the clipped loss is that of -A · log-prob", async () => {
  const engine = await openEngine({ kind: "none" }, "float64");
  const completions = (await rollout(engine)).map((row) => row);
  const exact = await Promise.all(
    completions.map(async (row) => {
      const [packed] = packRows([{ ...row, features: {} }], { maxTokens: 64, temperature: TEMPERATURE, padId: 0 });
      return { ...row, policyLogp: (await engine.score(packed!.batch)).logp as unknown as Float32Array<ArrayBuffer> };
    }),
  );
  const gradient = async (): Promise<number[]> => {
    engine.clearGradients();
    await lossOf(engine, exact, { gradient: true });
    return Array.from(engine.gradient("model.norm.weight"));
  };
  const clipped = await gradient();
  await engine.setLoss({
    features: ["weight", "liveWeight", "advantage", "oldLogp"],
    scalars: [],
    build: (g, { logp, features }) => ({
      terms: { policy: g.neg(g.reduceSum(g.mul(g.mul(logp, features.advantage!), features.weight!))) },
    }),
  });
  const reinforce = await gradient();
  await engine.dispose();
  clipped.forEach((x, i) => {
    assert.ok(Math.abs(x - reinforce[i]!) < 1e-12, `${x} against ${reinforce[i]}`);
  });
});
