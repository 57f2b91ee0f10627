import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor } from "../../src/graph/index.ts";
import { type SamplerFilters, samplerGraph } from "../../src/policy/sampler.ts";
import { createRng } from "../../src/utils/rng.ts";
import { run } from "../support/run-graph.ts";
import { nextLogprobs, tinyEngine } from "../support/tiny-engine.ts";
import { tinyConfig } from "../support/tiny-model.ts";

interface Settings {
  readonly temperature: number;
  /** 0: off */
  readonly topK: number;
  /** 1: off */
  readonly topP: number;
  /** 0: off */
  readonly minP: number;
}

const SETTINGS: readonly Settings[] = [
  { temperature: 1, topK: 0, topP: 1, minP: 0 },
  { temperature: 0.6, topK: 0, topP: 1, minP: 0 },
  { temperature: 1, topK: 3, topP: 1, minP: 0 },
  { temperature: 1, topK: 1, topP: 1, minP: 0 },
  { temperature: 1, topK: 0, topP: 0.7, minP: 0 },
  { temperature: 1, topK: 0, topP: 0.01, minP: 0 },
  { temperature: 1.5, topK: 0, topP: 1, minP: 0.2 },
  { temperature: 1.3, topK: 8, topP: 0.8, minP: 0.1 },
];

const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);

/** Probabilities of the kept tokens scaled to 1, all others 0. */
function keepOnly(p: readonly number[], isKept: (p: number, id: number) => boolean): number[] {
  const kept = p.map((value, id) => (isKept(value, id) ? value : 0));
  const total = sum(kept);
  return kept.map((value) => value / total);
}

/** The distribution drawn from, written over sorted lists: temperature, then top-k, top-p and min-p, each on what the one before left. */
function distribution(logits: readonly number[], { temperature, topK, topP, minP }: Settings): number[] {
  const highest = Math.max(...logits);
  let p = keepOnly(
    logits.map((x) => Math.exp((x - highest) / temperature)),
    () => true,
  );
  if (topK > 0) {
    const last = [...p].sort((a, b) => b - a)[Math.min(topK, p.length) - 1]!;
    p = keepOnly(p, (value) => value >= last);
  }
  if (topP < 1) {
    const order = p.map((_, id) => id).sort((a, b) => p[b]! - p[a]!);
    const nucleus = new Set<number>();
    let mass = 0;
    for (const id of order) {
      if (mass >= topP) break;
      nucleus.add(id);
      mass += p[id]!;
    }
    p = keepOnly(p, (_, id) => nucleus.has(id));
  }
  if (minP > 0) {
    const least = minP * Math.max(...p);
    p = keepOnly(p, (value) => value >= least);
  }
  return p;
}

/** First token whose cumulative probability exceeds u; null when u lies too near an edge for float32 to say. */
function drawnAt(p: readonly number[], u: number): number | null {
  let running = 0;
  for (const [id, value] of p.entries()) {
    const before = running;
    running += value;
    if (u >= running) continue;
    return Math.min(u - before, running - u) < 2e-5 && p.length > 1 ? null : id;
  }
  return null;
}

const tensor = (shape: readonly number[], data: Float32Array): Tensor => ({ dtype: "float32", shape, data });

/** Runs the sampler's graph on random rows; the logits are computed beside it in float64. */
async function sampleRows(vocab: number, rows: number, settings: Settings) {
  const config = tinyConfig({ vocab });
  const { width } = config;
  const rng = createRng(`rows ${vocab}`);
  const normal = (count: number): Float32Array => Float32Array.from({ length: count }, () => rng.normal());
  const [hidden, norm, head] = [normal(rows * width), normal(width), normal(vocab * width)];
  const uniform = Float32Array.from({ length: rows }, () => rng.uniform());
  const { temperature, topK, topP, minP } = settings;
  const filters: SamplerFilters = { greedy: false, topK: topK > 0, topP: topP < 1, minP: minP > 0 };
  const outputs = await run(samplerGraph(config, filters, "float32"), {
    hidden: tensor([rows, width], hidden),
    norm: tensor([width], norm),
    head: tensor([vocab, width], head),
    temperature: tensor([], Float32Array.of(temperature)),
    uniform: tensor([rows], uniform),
    ...(filters.topK ? { topK: { dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(topK)) } as Tensor } : {}),
    ...(filters.topP ? { topP: tensor([], Float32Array.of(topP)) } : {}),
    ...(filters.minP ? { minP: tensor([], Float32Array.of(minP)) } : {}),
  });
  const logits = Array.from({ length: rows }, (_, row) => {
    const x = Array.from(hidden.subarray(row * width, (row + 1) * width));
    const scale = 1 / Math.sqrt(sum(x.map((value) => value * value)) / width + config.normEps);
    return Array.from({ length: vocab }, (_, id) =>
      sum(x.map((value, j) => value * scale * norm[j]! * head[id * width + j]!)),
    );
  });
  return { outputs, logits, uniform };
}

for (const vocab of [13, 1024, 3000]) {
  test(`sampler: ids, log-probs and entropy are of the distribution drawn from, ${vocab} tokens`, async () => {
    for (const settings of SETTINGS) {
      const { outputs, logits, uniform } = await sampleRows(vocab, 40, settings);
      let compared = 0;
      logits.forEach((row, i) => {
        const where = `${JSON.stringify(settings)}, row ${i}`;
        const p = distribution(row, settings);
        const id = outputs.id![i]!;
        const expected = drawnAt(p, uniform[i]!);
        if (expected !== null) assert.equal(id, expected, where);
        if (expected !== null) compared++;
        assert.ok(p[id]! > 0, `${where}: ${id} is excluded`);
        const close = (name: string, value: number): void =>
          assert.ok(
            Math.abs(outputs[name]![i]! - value) <= 2e-5,
            `${where}: ${name} ${outputs[name]![i]}, expected ${value}`,
          );
        close("logp", Math.log(p[id]!));
        close("policyLogp", Math.log(distribution(row, { ...settings, topK: 0, topP: 1, minP: 0 })[id]!));
        close("entropy", -sum(p.filter((value) => value > 0).map((value) => value * Math.log(value))));
      });
      assert.ok(compared > 30, `only ${compared} of 40 draws were far enough from an edge`);
    }
  });
}

test("sampler: greedy takes the largest logit, and uniform numbers at both ends of (0, 1) draw tokens that are possible", async () => {
  const settings: Settings = { temperature: 1, topK: 2, topP: 1, minP: 0 };
  for (const u of [2 ** -40, 1 - 2 ** -24]) {
    const config = tinyConfig({ vocab: 2000 });
    const rows = 8;
    const rng = createRng("ends");
    const normal = (count: number): Float32Array => Float32Array.from({ length: count }, () => rng.normal());
    const feeds = {
      hidden: tensor([rows, config.width], normal(rows * config.width)),
      norm: tensor([config.width], normal(config.width)),
      head: tensor([2000, config.width], normal(2000 * config.width)),
      temperature: tensor([], Float32Array.of(settings.temperature)),
    };
    const all = { greedy: false, topK: true, topP: false, minP: false };
    const { id, logp } = await run(samplerGraph(config, all, "float32"), {
      ...feeds,
      uniform: tensor([rows], new Float32Array(rows).fill(u)),
      topK: { dtype: "int64", shape: [1], data: BigInt64Array.of(2n) },
    });
    const greedy = await run(samplerGraph(config, { ...all, greedy: true, topK: false }, "float32"), feeds);
    assert.ok(logp!.every((value) => value <= 0 && value > -20));
    assert.ok(greedy.logp!.every((value, i) => value === greedy.policyLogp![i]));
    assert.ok(id!.some((value, i) => value !== greedy.id![i]) && id!.some((value, i) => value === greedy.id![i]));
  }
});

/** Σ (seen − expected)² / expected over the tokens of positive probability. */
function chiSquare(counts: readonly number[], p: readonly number[]): number {
  const total = sum(counts);
  return sum(p.map((value, id) => (value > 0 ? (counts[id]! - total * value) ** 2 / (total * value) : 0)));
}

for (const [settings, bound] of [
  [SETTINGS[0]!, 32.9], // 12 degrees of freedom, 99.9 %
  [SETTINGS[7]!, 24.3], // at most 7 degrees of freedom
] as const) {
  test(`sampling: 6,000 draws follow the model's probabilities (${JSON.stringify(settings)})`, async (t) => {
    const engine = await tinyEngine(t);
    const prompt = [4, 9, 3, 11];
    const rng = createRng("chi-square");
    const draws = 6000;
    const uniforms = Float32Array.from({ length: draws }, () => rng.uniform());
    const { ids, logp } = await engine.decodeStart({
      ...settings,
      prompts: [prompt],
      repeats: [draws],
      maxTokens: 1,
      uniforms,
    });
    const counts = new Array<number>(13).fill(0);
    for (const id of ids) counts[id]!++;
    const logits = await nextLogprobs(engine, prompt); // up to a constant
    const p = distribution(logits, settings);
    assert.ok(p.filter((value) => value > 0).length >= 4, "several tokens must be possible");
    for (const [id, count] of counts.entries()) assert.ok(p[id]! > 0 || count === 0, `${id} is excluded`);
    ids.forEach((id, i) => {
      assert.ok(Math.abs(logp[i]! - Math.log(p[id]!)) <= 1e-5);
    });
    assert.ok(chiSquare(counts, p) < bound, `${chiSquare(counts, p)}`);
    const hotter = distribution(logits, { ...settings, temperature: settings.temperature * 1.2 });
    assert.ok(chiSquare(counts, hotter) > 2 * bound, "another temperature must be told apart");
  });
}
