import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { extname, join } from "node:path";
import { z } from "zod";
import { openLearner, openModel } from "../policy/index.ts";
import { openRubric, type Rubric } from "../rewards/index.ts";
import { questionKey } from "../rollout/data/index.ts";
import type { TaskSet } from "../rollout/index.ts";
import { openTaskSet, type TaskConfig } from "../rollout/tasks/index.ts";
import { evaluate } from "../trainers/evaluate.ts";
import type { SampleRow } from "../trainers/types.ts";
import { ConfigError } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import { canonicalJson, sha256 } from "../utils/hash.ts";
import { decideThreads } from "../utils/threads.ts";
import { type EvaluationOptions, type EvaluationPlan, planEvaluation } from "./evaluation.ts";
import { latestModel } from "./folder.ts";

/** How hard one problem is for a model. */
export interface Difficulty {
  /** Hash of the question's text, by which the task set `file` finds it again. */
  readonly question: string;
  readonly task: string;
  readonly samples: number;
  readonly correct: number;
  /** Samples that the verifier could not judge; they count in no rate. */
  readonly unjudged: number;
  /** correct / (samples - unjudged); null when none was judged. */
  readonly passRate: number | null;
}

/** Pass rates of a model over a task set. */
export interface DifficultyReport {
  readonly model: string;
  readonly modelHash: string;
  readonly tasks: string;
  readonly samples: number;
  /** Problems whose rates were in the cache. */
  readonly cached: number;
  readonly rows: readonly Difficulty[];
}

/** What to estimate; see {@link EvaluationOptions} for the rest. */
export interface DifficultyOptions extends EvaluationOptions {
  readonly threads: number;
  /** Split of a task set by name or of a recipe; a data file is taken whole. */
  readonly split?: "train" | "test";
  /** Folder of the cache. */
  readonly cache?: string;
  /** Told how many problems are done. */
  readonly progress?: (done: number, of: number) => void;
}

/** Problems that are sampled and kept together: what an interruption can lose. */
const PIECE = 32;
/** Counted up when a change makes old results wrong. */
const VERSION = 1;

const Piece = z.array(z.strictObject({ correct: z.int().min(0), unjudged: z.int().min(0) }));
type Piece = z.infer<typeof Piece>;

/**
 * Pass rate of a model over several samples of each problem. Results are kept by content (weights, problems, rewards, sampling, seed) in pieces of 32 problems: asked again
 * they cost nothing, and an interrupted estimate goes on.
 * @throws ConfigError, DataError before anything is sampled
 */
export async function estimateDifficulty(model: string, options: DifficultyOptions): Promise<DifficultyReport> {
  const { threads, split = "train", cache = cacheFolder(), progress = () => {} } = options;
  const plan = await planEvaluation([model], options);
  const config = tasksOf(plan, split, options.tasks);
  const tasks = await openTaskSet(config);
  const size = Math.min(plan.evaluate!.limit ?? tasks.size, tasks.size);
  const path = latestModel(model);
  const modelHash = hashOf(path);
  const sampler = lazySampler(path, plan, threads);
  const rows: Difficulty[] = [];
  let cached = 0;
  try {
    for (let from = 0; from < size; from += PIECE) {
      const piece = sliceOf(tasks, from, Math.min(size, from + PIECE));
      const file = join(cache, `${pieceKey(piece, plan, modelHash)}.json`);
      const known = readPiece(file, piece.size);
      const results = known ?? (await sampler.sample(piece));
      if (known) cached += piece.size;
      else writeFileAtomic(file, JSON.stringify(results));
      rows.push(...results.map((result, i) => rowOf(piece, i, result, plan.evaluate!.samples)));
      progress(rows.length, size);
    }
  } finally {
    await sampler.close();
  }
  return { model, modelHash, tasks: options.tasks ?? config.name, samples: plan.evaluate!.samples, cached, rows };
}

/** `RLVR_CACHE`, else a folder in the user's cache. */
function cacheFolder(): string {
  const parent = process.env.RLVR_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "rlvr");
  return join(parent, "difficulty");
}

/** A set by its name is planned on its test split, a data file as a whole. */
function tasksOf({ tasks }: EvaluationPlan, split: "train" | "test", source: string | undefined): TaskConfig {
  const isRecipe =
    source === undefined ||
    [".yaml", ".yml", ".ts", ".js", ".mjs"].includes(extname(source)) ||
    existsSync(join(source, "recipe.yaml"));
  const config = isRecipe && split === "train" ? tasks.train : tasks.eval;
  if (!config) throw new ConfigError(`${source ?? "the recipe"}: has no tasks.${split === "train" ? "train" : "eval"}`);
  const isWhole = config.name === "file" && config.holdOut === 1;
  return isRecipe || isWhole ? config : { ...config, split };
}

function sliceOf(tasks: TaskSet, from: number, to: number): TaskSet {
  return { ...tasks, size: to - from, get: (index) => tasks.get(from + index) };
}

/** Hash of the weights: of the base model's and of an adapter's. */
function hashOf(path: string): string {
  const files = openModel(path);
  try {
    const settings = join(files.path, "adapter_config.json"); // an adapter's scale
    return sha256(files.hash(), ...(existsSync(settings) ? [readFileSync(settings)] : []));
  } finally {
    files.close();
  }
}

function pieceKey(piece: TaskSet, plan: EvaluationPlan, model: string): string {
  const { every: _every, k: _k, limit: _limit, ...sampling } = plan.evaluate!;
  const problems = Array.from({ length: piece.size }, (_, i) => {
    const { prompt, answer, data } = piece.get(i);
    return { prompt, answer, data };
  });
  return sha256(canonicalJson({ VERSION, model, sampling, rewards: plan.rewards, seed: plan.seed, problems }));
}

function readPiece(file: string, size: number): Piece | null {
  if (!existsSync(file)) return null;
  const parsed = Piece.safeParse(JSON.parse(readFileSync(file, "utf8")));
  return parsed.success && parsed.data.length === size ? parsed.data : null;
}

/** Opens the model when something must really be sampled. */
function lazySampler(
  path: string,
  plan: EvaluationPlan,
  threads: number,
): { sample(piece: TaskSet): Promise<Piece>; close(): Promise<void> } {
  let opened: Promise<{ learner: Awaited<ReturnType<typeof openLearner>>; rubric: Rubric }> | null = null;
  const open = async () => ({
    rubric: await openRubric(plan.rewards, { lanes: decideThreads(threads).verifiers }),
    learner: await openLearner({ model: path, adapter: { kind: "none" }, seed: plan.seed, threads }),
  });
  return {
    async sample(piece) {
      opened ??= open();
      const { learner, rubric } = await opened;
      const { every: _every, ...rest } = plan.evaluate!;
      const { rollout, seed } = plan;
      const output = await evaluate(learner, piece, rubric, { ...rest, k: [1], limit: null, rollout, seed, step: 0 });
      return output.correct.map((correct, group) => ({
        correct,
        unjudged: output.rows.filter((row) => isUnjudged(row, group)).length,
      }));
    },
    async close() {
      if (!opened) return;
      const { learner, rubric } = await opened;
      await rubric.close();
      await learner.close();
    },
  };
}

function isUnjudged({ group, rewards }: SampleRow, of: number): boolean {
  return group === of && Object.values(rewards).some(({ outcome }) => outcome === "timeout" || outcome === "error");
}

function rowOf(piece: TaskSet, i: number, { correct, unjudged }: Piece[number], samples: number): Difficulty {
  const task = piece.get(i);
  const judged = samples - unjudged;
  return {
    ...{ question: questionKey(task.question ?? task.prompt), task: task.id, samples, correct, unjudged },
    passRate: judged === 0 ? null : correct / judged,
  };
}
