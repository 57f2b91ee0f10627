/**
 * What training does to the improbable tokens of the base model. Completions of the base on held-out problems are scored by the base and by each
 * trained model, in the same contexts; counted are the tokens that the base gave a probability of 0.05 to 0.2: improbable, and far above noise.
 * Runs of one variant (folders that differ in their seed, `…-s1`) are shown as one line: mean and range over the seeds.
 *
 *   node --import tsx bench/low-probability-tokens.ts --base seedling-direct RUN…
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { type Learner, openLearner } from "../src/policy/index.ts";
import { RolloutConfig } from "../src/rollout/config.ts";
import { generate } from "../src/rollout/index.ts";
import { openTaskSet, TaskConfig } from "../src/rollout/tasks/index.ts";
import { latestModel } from "../src/run/folder.ts";
import { forMeasuring, layOut, measureLayout, type TrainingCompletion } from "../src/trainers/token-layout.ts";
import { createRng } from "../src/utils/rng.ts";

const LOW = 0.05;
const HIGH = 0.2;
/** Below this probability a token counts as extinguished: sixteen samples of a state miss it with 85 %. */
const GONE = 0.01;
const SAMPLES = 8;

const { values, positionals } = parseArgs({
  options: { base: { type: "string", default: "seedling-direct" } },
  allowPositionals: true,
});
if (positionals.length === 0) throw new Error("name at least one run folder");

const base = await open(values.base);
const completions = await sampleBase(base);
const before = await probabilities(base, completions);
await base.close();
const chosen = before.flatMap((p, i) => (p >= LOW && p <= HIGH ? [i] : []));
console.log(
  `${chosen.length} of ${before.length} tokens; mean probability ${mean(chosen.map((i) => before[i]!)).toFixed(3)}`,
);
console.log(`| run | seeds | mean probability after | share below ${GONE} |\n| --- | --- | --- | --- |`);
for (const [name, runs] of variants(positionals)) {
  const measured = [];
  for (const run of runs) measured.push(await measureRun(run));
  const after = span(measured.map(({ probability }) => probability));
  console.log(`| ${name} | ${runs.length} | ${after} | ${span(measured.map(({ gone }) => gone))} |`);
}

async function measureRun(run: string): Promise<{ probability: number; gone: number }> {
  const learner = await open(latestModel(run));
  const all = await probabilities(learner, completions);
  await learner.close();
  const after = chosen.map((i) => all[i]!);
  return { probability: mean(after), gone: mean(after.map((p) => (p < GONE ? 1 : 0))) };
}

function open(model: string): Promise<Learner> {
  return openLearner({ model, adapter: { kind: "none" }, seed: 1, threads: 1 });
}

async function sampleBase(learner: Learner): Promise<TrainingCompletion[]> {
  const tasks = await openTaskSet(TaskConfig.parse({ name: "countdown", split: "test", format: "steps" }));
  const requests = Array.from({ length: tasks.size }, (_, group) => ({
    task: tasks.get(group),
    group,
    count: SAMPLES,
  }));
  const sampling = RolloutConfig.parse({ maxTokens: 48 });
  const generated = await generate(learner, requests, {
    ...{ sampling, batchSize: 256, rng: createRng(1).fork("low-probability-tokens") },
  });
  return generated.completions.map((completion) => forMeasuring(completion, completion.group));
}

async function probabilities({ policy, config }: Learner, rows: readonly TrainingCompletion[]): Promise<number[]> {
  const layout = layOut(rows, { maxTokens: 8192, temperature: 1, padId: config.padId });
  const { values: measured } = await measureLayout(policy, layout, {});
  return Array.from(measured.logp, Math.exp);
}

/** Folders by their name without the seed. */
function variants(runs: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const run of runs) {
    const name = basename(run).replace(/-s\d+$/, "");
    found.set(name, [...(found.get(name) ?? []), run]);
  }
  return found;
}

function span(list: readonly number[]): string {
  return `${mean(list).toFixed(3)} (${Math.min(...list).toFixed(3)}–${Math.max(...list).toFixed(3)})`;
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, x) => sum + x, 0) / list.length;
}
