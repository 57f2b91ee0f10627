import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Learner } from "../policy/index.ts";
import type { AdaptiveTasks } from "../rollout/tasks/index.ts";
import type { Json } from "../rollout/types.ts";
import { DataError, messageOf } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import { FRESH_WATCH, WatchState } from "./reward-watch.ts";

/** What a trainer keeps besides weights and moments. Random streams and the data cursor follow from the seed and the step. */
const TrainerState = z.strictObject({
  step: z.int().min(0),
  seed: z.int().min(0),
  trainer: z.enum(["grpo", "sft"]),
  /** Prompt and sampled tokens since the start. */
  tokens: z.number().min(0),
  /** Tasks drawn from the training set since the start. */
  drawn: z.int().min(0),
  /** The entropy control's name and its own state; null without one. */
  control: z.strictObject({ name: z.string(), state: z.json() }).nullable(),
  /** Steps in a row in which every reward was the same value, and that value. */
  identical: z.int().min(0),
  lastReward: z.number().nullable(),
  /** What the watch over the rewards remembers; checkpoints of older versions have none. */
  watch: WatchState.default(FRESH_WATCH),
  /** The state of a task set that adapts; null for one that does not. */
  curriculum: z.json().default(null),
});
export interface TrainerState extends Omit<z.infer<typeof TrainerState>, "control" | "curriculum"> {
  readonly control: { readonly name: string; readonly state: Json } | null;
  readonly curriculum: Json;
}

const FILE = "trainer.json";

/** Writes weights (a folder that opens as a model), moments and the state. */
export async function saveTraining(folder: string, learner: Learner, state: TrainerState): Promise<void> {
  await learner.policy.saveState(folder);
  await learner.saveModel(folder);
  const inOrder = TrainerState.parse(state); // keys in the schema's order, whatever the state has been through
  writeFileAtomic(join(folder, FILE), `${JSON.stringify(inOrder, null, 2)}\n`);
}

/** Restores what `saveTraining` wrote. @throws DataError when the state is not whole or of another job */
export async function loadTraining(
  folder: string,
  learner: Learner,
  job: Pick<TrainerState, "seed" | "trainer" | "control"> & { readonly adaptive?: AdaptiveTasks | null },
): Promise<TrainerState> {
  const path = join(folder, FILE);
  if (!existsSync(path)) throw new DataError(`${path} is missing: this is not a whole checkpoint; use an older one`);
  let state: TrainerState;
  try {
    state = TrainerState.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new DataError(`${path}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  for (const key of ["seed", "trainer"] as const) {
    if (state[key] !== job[key])
      throw new DataError(`${path}: belongs to a run with ${key} ${state[key]}, not ${job[key]}`);
  }
  const [saved, wanted] = [state.control?.name ?? "none", job.control?.name ?? "none"];
  if (saved !== wanted)
    throw new DataError(
      `${path}: holds the state of the control ${saved}, this run has ${wanted}; resume with the same control`,
    );
  const curriculum = restoreCurriculum(path, state.curriculum, job.adaptive ?? null);
  await learner.policy.loadState(folder);
  return { ...state, curriculum };
}

function restoreCurriculum(path: string, saved: Json, adaptive: AdaptiveTasks | null): Json {
  if (saved === null && adaptive === null) return null;
  if (saved === null || adaptive === null)
    throw new DataError(
      `${path}: ${saved === null ? "holds no state of a curriculum, this run has one" : "holds the state of a curriculum, this run has none"}; resume with the same tasks.train`,
    );
  try {
    return adaptive.restore(saved);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`${path}: ${error.message}; resume with the same tasks.train`, { cause: error });
  }
}
