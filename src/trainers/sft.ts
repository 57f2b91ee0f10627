import { learningRate } from "../optim/index.ts";
import type { Learner } from "../policy/index.ts";
import type { Rubric } from "../rewards/index.ts";
import type { DemonstrationSet } from "../rollout/demonstrations/index.ts";
import { dialogueOf, type EnvRegistry, type TaskSet, type ToolBox } from "../rollout/index.ts";
import type { Dialogue } from "../rollout/types.ts";
import { ConfigError } from "../utils/errors.ts";
import { createRng, type Rng } from "../utils/rng.ts";
import { evaluate } from "./evaluate.ts";
import { requireFinite } from "./invariants.ts";
import type { JobRecipe } from "./job.ts";
import { packRows, type TrainingRow } from "./micro-batch.ts";
import { lossSource } from "./objective.ts";
import { FRESH_WATCH } from "./reward-watch.ts";
import { drawBucket, weighTokens } from "./sft-rows.ts";
import { loadTraining, saveTraining, type TrainerState } from "./state.ts";
import type { EvaluationOutput, SampleRow, StepOutput, Trainer } from "./types.ts";

/** What a supervised job works with; all of it is open. */
export interface SftParts {
  readonly recipe: JobRecipe;
  readonly learner: Learner;
  readonly demonstrations: DemonstrationSet;
  readonly evaluation: TaskSet | null;
  readonly rubric: Rubric;
  readonly registry: EnvRegistry;
  readonly tools: ToolBox | null;
}

/**
 * Supervised fine-tuning: mean negative log-likelihood of the completion tokens (end-of-sequence included) of demonstrations that code
 * generates; of episodes, of the tokens that the policy is to write. Demonstrations are drawn for `bucket` steps at once and sorted by length, so
 * that the rows of a batch are alike.
 */
export class SftTrainer implements Trainer {
  readonly steps: number;
  private readonly parts: SftParts;
  private readonly dialogue: Dialogue | null;
  private readonly rng: Rng;
  private state: TrainerState;
  private bucket: { index: number; batches: TrainingRow[][] } | undefined;

  private constructor(parts: SftParts, dialogue: Dialogue | null) {
    const { recipe } = parts;
    this.parts = parts;
    this.dialogue = dialogue;
    this.steps = recipe.steps;
    this.rng = createRng(recipe.seed);
    this.state = {
      step: 0,
      seed: recipe.seed,
      trainer: "sft",
      tokens: 0,
      drawn: 0,
      control: null,
      identical: 0,
      lastReward: null,
      watch: FRESH_WATCH,
      curriculum: null,
    };
  }

  static async open(parts: SftParts): Promise<SftTrainer> {
    const { demonstrations, learner } = parts;
    if (learner.tokenizer.eosIds.length === 0 && !demonstrations.hasEpisodes) {
      throw new ConfigError("sft: the model has no end-of-sequence token to end a demonstration with");
    }
    await learner.policy.useLoss(lossSource("nllLoss"));
    const dialogue = demonstrations.hasEpisodes ? dialogueOf(learner.tokenizer, parts.recipe.rollout.dialogue) : null;
    return new SftTrainer(parts, dialogue);
  }

  async step(step: number): Promise<StepOutput> {
    const { recipe, learner } = this.parts;
    const start = performance.now();
    const rows = weighTokens(this.batch(step));
    const packed = packRows(rows, {
      maxTokens: recipe.update.microBatchTokens,
      temperature: 1,
      padId: learner.config.padId,
    });
    let loss = 0;
    let entropy = 0;
    let targets = 0;
    for (const { batch } of packed) {
      const result = await learner.policy.accumulate(batch);
      loss += result.terms.policy!;
      for (const value of result.entropy) entropy += value;
      targets += result.entropy.length;
    }
    const lr = learningRate(recipe.optimizer.schedule, recipe.optimizer.lr, step, recipe.steps);
    await this.requireFinite(step, rows, { loss, nonFinite: null });
    const { gradNorm, nonFinite } = await learner.policy.update(lr, recipe.update.clipGradNorm);
    await this.requireFinite(step, rows, { loss, nonFinite });
    const tokens = rows.reduce((sum, row) => sum + row.promptIds.length + row.ids.length, 0);
    this.state = { ...this.state, step: step + 1, tokens: this.state.tokens + tokens };
    const seconds = (performance.now() - start) / 1000;
    return {
      samples: [],
      metrics: {
        loss,
        policy_loss: loss,
        entropy: entropy / targets,
        grad_norm: gradNorm,
        learning_rate: lr,
        num_tokens: this.state.tokens,
        "perf/total_num_tokens": tokens,
        "perf/throughput": tokens / seconds,
        step_time: seconds,
        "resume/state_hash": await learner.policy.stateHash(),
      },
    };
  }

  evaluate(step: number): Promise<EvaluationOutput | null> {
    const { recipe, learner, evaluation, rubric } = this.parts;
    if (!recipe.evaluate || !evaluation) return Promise.resolve(null);
    return evaluate(learner, evaluation, rubric, {
      ...recipe.evaluate,
      rollout: recipe.rollout,
      tools: this.parts.tools,
      seed: recipe.seed,
      step,
    });
  }

  save(folder: string): Promise<void> {
    return saveTraining(folder, this.parts.learner, this.state);
  }

  async load(folder: string): Promise<void> {
    this.state = await loadTraining(folder, this.parts.learner, this.state);
  }

  async close(): Promise<void> {
    await this.parts.rubric.close();
    await this.parts.registry.close();
    await this.parts.tools?.close();
    await this.parts.learner.close();
  }

  /** @throws StepError that holds the batch, as rows without scores */
  private async requireFinite(
    step: number,
    rows: readonly TrainingRow[],
    outcome: { loss: number; nonFinite: string | null },
  ): Promise<void> {
    if (Number.isFinite(outcome.loss) && outcome.nonFinite === null) return;
    const { policy, tokenizer } = this.parts.learner;
    const samples = rows.map(
      ({ promptIds, ids }, group): SampleRow => ({
        ...{ step: step + 1, task: `demonstration/${group}`, group, member: 0 },
        ...{ prompt: tokenizer.decode(promptIds), text: tokenizer.decode(ids), promptIds, ids },
        ...{ provenance: [["user", promptIds.length]], logp: [], entropy: [] },
        ...{ rewards: {}, reward: null, advantage: 0, stop: "eos" },
      }),
    );
    await requireFinite(outcome, policy, samples);
  }

  private batch(step: number): TrainingRow[] {
    const { bucket } = this.parts.recipe.sft;
    const index = Math.floor(step / bucket);
    if (this.bucket?.index !== index) {
      const rng = this.rng.fork("demonstrations", index);
      this.bucket = {
        index,
        batches: drawBucket({ ...this.parts, dialogue: this.dialogue }, this.parts.recipe.sft, rng),
      };
    }
    return this.bucket.batches[step % bucket]!;
  }
}
