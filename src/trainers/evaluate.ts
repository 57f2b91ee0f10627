import type { Learner } from "../policy/index.ts";
import { type Rubric, scorable } from "../rewards/index.ts";
import {
  type RolloutConfig,
  type SamplingConfig,
  sampleCompletions,
  type TaskSet,
  type ToolBox,
} from "../rollout/index.ts";
import { createRng } from "../utils/rng.ts";
import { kindMetrics, scoresByKind } from "./by-kind.ts";
import { toSampleRow } from "./completion-rows.ts";
import { episodeMetrics } from "./episode-metrics.ts";
import { bootstrapInterval, majorityCorrect, mean, passAtK } from "./statistics.ts";
import type { EvaluationOutput, Metrics } from "./types.ts";

/** What to evaluate; sampling options that are absent are those of the rollout. */
export interface EvaluateOptions extends Partial<SamplingConfig> {
  readonly samples: number;
  readonly k: readonly number[];
  readonly limit: number | null;
  readonly rollout: SamplingConfig & Pick<RolloutConfig, "batchSize" | "episode" | "dialogue" | "toolFormat">;
  readonly tools?: ToolBox | null;
  readonly seed: number;
  /** Steps taken so far; it names rows, it does not change the random numbers: every evaluation draws with the same ones. */
  readonly step: number;
}

/**
 * Samples every problem of a set and measures pass@k, maj@k and avg@k with 95 % bootstrap intervals over problems. A completion is right when
 * the verifier says `correct`; everything else is not. Where problems are of several kinds, pass@1 is measured of each kind, too.
 */
export async function evaluate(
  learner: Pick<Learner, "policy" | "tokenizer">,
  tasks: TaskSet,
  rubric: Rubric,
  options: EvaluateOptions,
): Promise<EvaluationOutput> {
  const { samples, k, limit, rollout, seed, step } = options;
  const size = Math.min(limit ?? tasks.size, tasks.size);
  const requests = Array.from({ length: size }, (_, group) => ({ task: tasks.get(group), group, count: samples }));
  const sampling: SamplingConfig = {
    temperature: options.temperature ?? rollout.temperature,
    topK: options.topK ?? rollout.topK,
    topP: options.topP ?? rollout.topP,
    minP: options.minP ?? rollout.minP,
    maxTokens: options.maxTokens ?? rollout.maxTokens,
    stop: options.stop ?? rollout.stop,
  };
  const rng = createRng(seed);
  const { completions } = await sampleCompletions(learner, tasks, requests, {
    ...{ sampling, rollout, tools: options.tools ?? null },
    rng: rng.fork("evaluation"),
  });
  const scored = await Promise.all(completions.map((completion) => rubric.score(scorable(completion))));
  const correct = new Array<number>(size).fill(0);
  const answers = requests.map((): { answer: string | null; correct: boolean }[] => []);
  completions.forEach(({ group }, i) => {
    const right = scored[i]!.outcome === "correct";
    if (right) correct[group]!++;
    answers[group]!.push({ answer: scored[i]!.parsed ?? null, correct: right });
  });
  const base = `val-core/${tasks.name}/acc`;
  const measure = (name: string, values: readonly number[]): Metrics => {
    const [low, high] = bootstrapInterval(values, rng.fork("bootstrap", name));
    return {
      [`${base}/${name}`]: mean(values),
      [`${base}/${name}/ci95_low`]: low,
      [`${base}/${name}/ci95_high`]: high,
    };
  };
  const lengths = completions.map(({ ids }) => ids.length);
  const metrics: Metrics = {
    ...measure(
      `mean@${samples}`,
      correct.map((count) => count / samples),
    ),
    ...measure(
      `maj@${samples}/mean`,
      answers.map((group) => (majorityCorrect(group) ? 1 : 0)),
    ),
  };
  for (const size of k) {
    Object.assign(
      metrics,
      measure(
        `pass@${size}`,
        correct.map((count) => passAtK(samples, count, size)),
      ),
    );
  }
  metrics.eval_entropy = mean(completions.flatMap(({ entropy }) => Array.from(entropy)));
  metrics["eval_completions/mean_length"] = mean(lengths);
  metrics["eval_completions/clipped_ratio"] = mean(
    completions.map(({ stop }) => (stop === "eos" || stop === "environment" ? 0 : 1)),
  );
  for (const [name, value] of Object.entries(episodeMetrics(completions))) metrics[`eval_${name}`] = value;
  const kinds = requests.map(({ task }) => task.kind);
  const byKind = scoresByKind(kinds, { correct, samples }, rng.fork("bootstrap", "kind"));
  Object.assign(metrics, kindMetrics(tasks.name, byKind));
  const rows = completions.map((completion, i) =>
    toSampleRow({ completion, scored: scored[i]!, advantage: 0 }, { step, tokenizer: learner.tokenizer }),
  );
  return { metrics, correct, samples, ...(byKind.length > 0 && { byKind }), rows };
}
