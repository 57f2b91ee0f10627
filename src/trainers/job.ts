import type { z } from "zod";
import type { ControlConfig } from "../entropy-control/index.ts";
import type { OptimizerConfig } from "../optim/index.ts";
import type { ModelReference } from "../policy/index.ts";
import type { RewardConfig } from "../rewards/index.ts";
import type { DemonstrationConfig } from "../rollout/demonstrations/index.ts";
import type { RolloutConfig, SamplingConfig } from "../rollout/index.ts";
import type { TaskConfig } from "../rollout/tasks/index.ts";
import type { DetectorsConfig, ObjectiveConfig, SftConfig, StopConfig, UpdateConfig } from "./config.ts";

/** How the recipe names the maps that an adapter changes. */
export type AdapterTarget = "q" | "k" | "v" | "o" | "gate" | "up" | "down";

/** The parts of a recipe that trainers read; `run/recipe.ts` has the schema of the whole. */
export interface JobRecipe {
  readonly trainer: "grpo" | "sft";
  readonly model: ModelReference;
  readonly adapter:
    | { readonly kind: "none" }
    | {
        readonly kind: "lora";
        readonly rank: number;
        readonly alpha: number | null;
        readonly targets: readonly AdapterTarget[];
      };
  readonly tasks: {
    readonly train: z.output<typeof TaskConfig> | null;
    readonly eval: z.output<typeof TaskConfig> | null;
  };
  readonly demonstrations: z.output<typeof DemonstrationConfig> | null;
  readonly rollout: RolloutConfig;
  readonly rewards: readonly z.output<typeof RewardConfig>[];
  readonly objective: ObjectiveConfig;
  readonly detectors: DetectorsConfig;
  readonly stopWhen: StopConfig;
  readonly control: ControlConfig | null;
  readonly update: UpdateConfig;
  readonly sft: SftConfig;
  readonly optimizer: OptimizerConfig;
  readonly steps: number;
  readonly seed: number;
  readonly evaluate:
    | (Partial<SamplingConfig> & {
        readonly samples: number;
        readonly k: readonly number[];
        readonly limit: number | null;
      })
    | null;
}

/** A training job: what to do and on what. */
export interface TrainingJob {
  readonly recipe: JobRecipe;
  /** Threads of ONNX Runtime; all cores when absent. */
  readonly threads?: number;
}
