/**
 * What an entropy control costs: seconds per update and peak memory of each control relative to plain GRPO, on SmolLM2-135M (LoRA) or on seedling (all
 * weights), with completions that the model samples. Times are medians of ratios within a round, so that other work on the
 * machine cancels; memory is the highest resident set of a process of its own.
 *
 *   node --import tsx bench/control-cost.ts [--shape seedling|smollm2] [--rounds N] [--threads N] [--only NAME,…]
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ControlConfig } from "../src/entropy-control/index.ts";
import { type Adapter, type Learner, openLearner } from "../src/policy/index.ts";
import { RolloutConfig } from "../src/rollout/config.ts";
import { generate } from "../src/rollout/index.ts";
import { openTaskSet, TaskConfig } from "../src/rollout/tasks/index.ts";
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
/** Model, what of it trains, and the problems whose completions it is updated on. */
const SHAPES: Record<string, { model: string; adapter: Adapter; prompts: number; maxTokens: number; tasks: object }> = {
  seedling: {
    ...{ model: "seedling", adapter: { kind: "none" }, prompts: 16, maxTokens: 96 },
    tasks: { name: "countdown", split: "train", format: "steps" },
  },
  smollm2: {
    model: "models/smollm2-135m-instruct-gguf", // scripts/fetch-smollm2 brings it
    adapter: {
      ...{ kind: "lora", rank: 16, alpha: 32 },
      targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    },
    ...{ prompts: 2, maxTokens: 80 },
    tasks: { name: "arithmetic", split: "train", instruction: "Explain every step in detail." },
  },
};
const GROUP = 8;

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
  const { model, adapter } = shape!;
  const learner = await openLearner({ model, adapter, seed: 1, threads: Number(values.threads) });
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
    close: () => learner.close(),
  };
}

/** Completions that the model samples, every other one of a group right. */
async function completions(learner: Learner): Promise<StepRow[]> {
  const { tasks, prompts, maxTokens } = shape!;
  const set = await openTaskSet(TaskConfig.parse(tasks));
  const requests = Array.from({ length: prompts }, (_, group) => ({ task: set.get(group), group, count: GROUP }));
  const sampling = RolloutConfig.parse({ maxTokens });
  const rng = createRng("completions");
  const generated = await generate(learner, requests, { sampling, batchSize: 256, rng });
  return generated.completions.map((completion, i) => ({
    ...{ completion, group: completion.group, auxiliary: false, inBase: true, use: "trained", reward: i % 2 },
    ...{ advantage: i % 2 === 0 ? -0.9 : 0.9, scored: { reward: i % 2, outcome: "correct", terms: {} } },
  }));
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(2);
}
