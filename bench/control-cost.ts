/**
 * What an entropy control costs: seconds per update and peak memory of each control relative to plain GRPO, on the shape of SmolLM2-135M (LoRA)
 * or of seedling (all weights), with random weights and completions. Times are medians of ratios within a round, so that other work on the
 * machine cancels; memory is the highest resident set of a process of its own.
 *
 *   node --import tsx bench/control-cost.ts [--shape seedling|smollm2] [--rounds N] [--threads N] [--only NAME,…]
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ControlConfig } from "../src/entropy-control/index.ts";
import type { Adapter, Learner, ModelConfig } from "../src/policy/index.ts";
import { openPolicy } from "../src/policy/index.ts";
import type { Completion } from "../src/rollout/index.ts";
import { ObjectiveConfig, UpdateConfig } from "../src/trainers/config.ts";
import { openObjective } from "../src/trainers/objective.ts";
import type { StepRow } from "../src/trainers/step-rows.ts";
import { prepareObjective, updatePolicy } from "../src/trainers/step-update.ts";
import { createRng } from "../src/utils/rng.ts";

const CONTROLS: readonly { name: string; variant?: string; coefficient?: number }[] = [
  { name: "entropy-bonus", coefficient: 0.01 },
  { name: "adaptive-entropy" },
  { name: "clip-cov" },
  { name: "kl-cov" },
  { name: "forking-tokens" },
  { name: "entropy-advantage" },
  { name: "siren" },
  { name: "epo" },
  { name: "lp-reg" },
  { name: "lp-reg", variant: "paper" },
];
const base = { bosId: 1, eosIds: [2], padId: 0, attentionBias: false, qkNorm: false, tied: true, normEps: 1e-5 };
const SHAPES: Record<string, { config: ModelConfig; adapter: Adapter; rows: number; prompt: number; tokens: number }> =
  {
    seedling: {
      config: {
        ...{
          ...base,
          family: "llama",
          layers: 3,
          width: 96,
          heads: 3,
          kvHeads: 3,
          headDim: 32,
          ffWidth: 256,
          vocab: 28,
        },
        ...{ ropeTheta: 10000, maxPositions: 256 },
      },
      adapter: { kind: "none" },
      ...{ rows: 128, prompt: 9, tokens: 40 },
    },
    smollm2: {
      config: {
        ...{ ...base, family: "llama", layers: 30, width: 576, heads: 9, kvHeads: 3, headDim: 64, ffWidth: 1536 },
        ...{ vocab: 49152, ropeTheta: 100000, maxPositions: 2048 },
      },
      adapter: {
        ...{ kind: "lora", rank: 16, alpha: 32 },
        targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
      },
      ...{ rows: 16, prompt: 48, tokens: 80 },
    },
  };

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "seedling" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "1" },
    only: { type: "string" },
    one: { type: "string" },
  },
});
const shape = SHAPES[values.shape];
if (!shape) throw new Error(`--shape must be one of ${Object.keys(SHAPES).join(", ")}`);

const only = values.only?.split(",");
const controls = CONTROLS.filter(({ name }) => !only || only.includes(name));

const bench = await open();
if (values.one !== undefined) {
  const control = values.one === "" ? null : (JSON.parse(values.one) as object);
  await bench.use(control);
  await bench.update();
  await bench.update();
  console.log(process.resourceUsage().maxRSS * 1024);
} else {
  await compare();
}
await bench.close();

async function compare(): Promise<void> {
  const ratios = new Map<object, number[]>(controls.map((control) => [control, []]));
  const plain: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const control of controls) {
      const before = await timed(null);
      const own = await timed(control);
      const after = await timed(null);
      plain.push(before, after);
      ratios.get(control)!.push((2 * own) / (before + after));
    }
  }
  const memory = peak(null);
  console.log(`${values.shape}: plain GRPO ${median(plain).toFixed(3)} s an update, ${gib(memory)} GiB`);
  console.log("| control | time | memory |\n| --- | --- | --- |");
  for (const control of controls) {
    const { name, variant } = control;
    const label = variant ? `${name} (${variant})` : name;
    console.log(`| ${label} | ${median(ratios.get(control)!).toFixed(2)} | ${(peak(control) / memory).toFixed(2)} |`);
  }
}

async function timed(control: object | null): Promise<number> {
  await bench.use(control);
  await bench.update(); // compiles, warms up
  const start = performance.now();
  await bench.update();
  return (performance.now() - start) / 1000;
}

function peak(control: object | null): number {
  const script = fileURLToPath(import.meta.url);
  const one = control === null ? "" : JSON.stringify(control);
  const options = ["--shape", values.shape, "--threads", values.threads, "--one", one];
  const result = spawnSync(process.execPath, ["--import", "tsx", script, ...options], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr);
  return Number(result.stdout.trim());
}

async function open() {
  const { config, adapter } = shape!;
  const origin = { kind: "initial", config, seed: 1, scale: 2 } as const;
  const policy = await openPolicy({ origin, adapter, seed: 1, threads: Number(values.threads) });
  const learner = { policy, config } as unknown as Learner;
  const rows = await completions(learner);
  let parts: Parameters<typeof updatePolicy>[2] | undefined;
  let state: Parameters<typeof updatePolicy>[1] = null;
  return {
    async use(control: object | null): Promise<void> {
      const options = {
        objective: ObjectiveConfig.parse({}),
        control: control && ControlConfig.parse(control),
        oldIsCurrent: true,
      };
      const objective = await openObjective(options);
      await prepareObjective(learner, objective, options);
      state = objective.control?.control.init() ?? null;
      parts = {
        ...{ learner, objective, options, update: UpdateConfig.parse({ microBatchTokens: 2048 }) },
        ...{ temperature: 1, filtered: false, lr: 0, step: 1, totalSteps: 10, rng: createRng(1), samples: [] },
      };
    },
    async update(): Promise<void> {
      ({ state } = await updatePolicy(rows, state, parts!)); // the first one makes anchors and histories
    },
    close: () => policy.close(),
  };
}

/** Random completions with the log-probs that the policy gives them. */
async function completions({ policy, config }: Learner): Promise<StepRow[]> {
  const rng = createRng("completions");
  const ids = (length: number): number[] => Array.from({ length }, () => rng.int(3, config.vocab - 1));
  const rows: StepRow[] = [];
  for (let i = 0; i < shape!.rows; i++) {
    const promptIds = ids(shape!.prompt);
    const tokens = ids(shape!.tokens);
    const input = [...promptIds, ...tokens].slice(0, -1);
    const { logp, entropy } = await policy.measure({
      ...{ rows: 1, length: input.length, ids: Int32Array.from(input), targets: Int32Array.from(tokens) },
      positions: Int32Array.from(tokens, (_, j) => promptIds.length - 1 + j),
      ...{ features: {}, scalars: {}, temperature: 1 },
    });
    const task = { id: `task ${i}`, set: "bench", prompt: "", answer: null, data: {} };
    const completion = {
      ...{ task, group: i >> 3, member: i % 8, promptIds, ids: tokens, text: "", stop: "eos" },
      ...{ logp, policyLogp: logp, entropy },
    } as Completion;
    rows.push({
      ...{ completion, group: i >> 3, auxiliary: false, inBase: true, use: "trained", reward: i % 2 },
      ...{ advantage: i % 2 === 0 ? -0.9 : 0.9, scored: { reward: i % 2, outcome: "correct", terms: {} } },
    });
  }
  return rows;
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(2);
}
