import type { ControlReport, MiniBatchResult, TokenValues } from "../entropy-control/index.ts";
import type { Learner } from "../policy/index.ts";
import type { Json } from "../rollout/types.ts";
import type { Rng } from "../utils/rng.ts";
import type { UpdateConfig } from "./config.ts";
import { checkIdentity, type Identity, requireFinite, requireIdentity } from "./invariants.ts";
import { dealGroups } from "./micro-batch.ts";
import { lossSource, type Objective, type ObjectiveOptions } from "./objective.ts";
import { beginStep, computeMiniBatch, controlContext, lossMetrics, type ObjectiveResult } from "./objective-step.ts";
import { measureOld, type OldPass, slotsOf } from "./old-pass.ts";
import { measureReference } from "./reference-pass.ts";
import { type StepRow, tokenAdvantagesOf } from "./step-rows.ts";
import {
  type Layout,
  layOut,
  measureLayout,
  policyPasses,
  type RowHidden,
  rowSlice,
  type TrainingCompletion,
} from "./token-layout.ts";
import type { SampleRow } from "./types.ts";

/** What the updates of a step work with. */
export interface UpdateParts {
  readonly learner: Learner;
  readonly objective: Objective;
  readonly options: ObjectiveOptions;
  readonly update: UpdateConfig;
  readonly temperature: number;
  /** Sampling has filters, so that recorded entropies are not those of the policy. */
  readonly filtered: boolean;
  readonly lr: number;
  readonly step: number;
  readonly totalSteps: number;
  readonly rng: Rng;
  /** The batch as it is saved when the step fails. */
  readonly samples: readonly SampleRow[];
}

/** What the updates of a step found. Arrays per row are those of the last pass over it; null for rows that were in none. */
export interface UpdateOutcome {
  readonly state: Json;
  readonly results: readonly ObjectiveResult[];
  readonly gradNorms: readonly number[];
  readonly identity: Identity | undefined;
  readonly logp: readonly (Float64Array | null)[];
  /** ℓ_old at the training temperature, also of auxiliary rows. */
  readonly oldLogp: readonly (Float64Array | null)[];
  readonly entropy: readonly (Float64Array | null)[];
  readonly selected: readonly (Uint8Array | null)[];
  /** [rows] of the first update */
  readonly first: readonly (Float64Array | null)[];
  /** [rows] mean estimate of the divergence from the reference over the tokens; null without reference */
  readonly kl: number | null;
  readonly lossMetrics: readonly Readonly<Record<string, number>>[];
  readonly seconds: { readonly old: number; readonly reference: number; readonly update: number };
}

/** Loads loss and programs of an objective into the policy's thread. */
export async function prepareObjective(
  learner: Learner,
  objective: Objective,
  options: ObjectiveOptions,
): Promise<void> {
  await learner.policy.useLoss(lossSource("objectiveLoss", options));
  if (objective.control?.control.measure) {
    await learner.policy.useProgram(
      "measure",
      lossSource("controlProgram", { ...options, which: "measure", state: null }),
    );
  }
}

/** All updates of one rollout. */
export async function updatePolicy(rows: readonly StepRow[], state: Json, parts: UpdateParts): Promise<UpdateOutcome> {
  const work = new StepUpdate(rows, state, parts);
  return work.run();
}

class StepUpdate {
  private readonly rows: readonly StepRow[];
  private readonly parts: UpdateParts;
  private state: Json;
  private readonly results: ObjectiveResult[] = [];
  private readonly gradNorms: number[] = [];
  private readonly logp: (Float64Array | null)[];
  private readonly oldLogp: (Float64Array | null)[];
  private readonly entropy: (Float64Array | null)[];
  private readonly selected: (Uint8Array | null)[];
  private first: (Float64Array | null)[];
  private identity: Identity | undefined;
  private readonly lossMetrics: Record<string, number>[] = [];

  constructor(rows: readonly StepRow[], state: Json, parts: UpdateParts) {
    this.rows = rows;
    this.state = state;
    this.parts = parts;
    const none = () => rows.map(() => null);
    this.logp = none();
    this.oldLogp = none();
    this.entropy = none();
    this.selected = none();
    this.first = none();
  }

  async run(): Promise<UpdateOutcome> {
    const { update, learner } = this.parts;
    const seconds = { old: 0, reference: 0, update: 0 };
    let start = performance.now();
    const lap = (): number => {
      const now = performance.now();
      const took = (now - start) / 1000;
      start = now;
      return took;
    };
    let completions: readonly TrainingCompletion[] = await this.withOldLogp(this.rows.map((row) => this.training(row)));
    const old = await measureOld(this.parts, completions, {
      ...{
        layout: this.layOut(completions),
        state: this.state,
        recorded: this.rows.map((row) => row.completion.entropy),
      },
    });
    seconds.old = lap();
    const reference = await measureReference(this.parts, completions, this.layOut(completions));
    completions = reference.completions;
    seconds.reference = lap();
    this.state = beginStep(this.parts.objective, this.state, old.rollout, this.context(old.layout));
    const hidden = { ...old.hidden, ...reference.hidden };
    for (let epoch = 0; epoch < update.epochs; epoch++) {
      for (const members of this.deal(epoch)) await this.updateOnce(members, completions, old, hidden);
    }
    seconds.update = lap();
    await learner.policy.forgetForwards();
    const results = this.results.map(({ result }) => result);
    const next = this.parts.objective.control?.control.next;
    return {
      state: next ? next(this.state, { rollout: old.rollout, results }) : this.state,
      ...{ results: this.results, gradNorms: this.gradNorms, identity: this.identity },
      ...{ logp: this.logp, oldLogp: this.oldLogp, entropy: this.entropy },
      ...{ selected: this.selected, first: this.first },
      ...{ kl: reference.kl, lossMetrics: this.lossMetrics, seconds },
    };
  }

  private training(row: StepRow): TrainingCompletion {
    const { completion, group, auxiliary, inBase, reward } = row;
    const { promptIds, ids, inserts, policyLogp, logp, stop, turns } = completion;
    const readAfterEnd =
      this.parts.objective.control?.control.slotAfterEnd === true && (stop === "eos" || stop === "string");
    return {
      ...{ promptIds, ids, group, auxiliary, inBase, readAfterEnd },
      advantage: tokenAdvantagesOf(row),
      reward: reward ?? 0,
      oldLogp: policyLogp,
      rolloutLogp: logp,
      ...(turns ? { turns } : {}),
      ...(inserts ? { inserts } : {}),
    };
  }

  /** Auxiliary completions were sampled at another temperature: their old log-probs are computed at the training temperature. */
  private async withOldLogp(completions: TrainingCompletion[]): Promise<TrainingCompletion[]> {
    const auxiliary = completions.flatMap((row, i) => (row.auxiliary ? [i] : []));
    if (auxiliary.length === 0) return completions;
    const layout = this.layOut(auxiliary.map((i) => completions[i]!));
    const { values } = await measureLayout(this.parts.learner.policy, layout, {});
    const updated = [...completions];
    auxiliary.forEach((i, j) => {
      updated[i] = { ...completions[i]!, oldLogp: rowSlice(layout, j, values.logp, completions[i]!.ids.length) };
    });
    return updated;
  }

  private deal(epoch: number): number[][] {
    const { update, rng, step } = this.parts;
    return dealGroups(
      this.rows.map(({ group }) => group),
      update.miniBatches,
      rng.fork("mini-batches", step, epoch),
    );
  }

  private async updateOnce(
    members: readonly number[],
    completions: readonly TrainingCompletion[],
    old: OldPass,
    hidden: RowHidden,
  ): Promise<void> {
    const { learner, objective, lr, update, samples } = this.parts;
    const { policy } = learner;
    const layout = this.layOut(members.map((i) => completions[i]!));
    if (layout.micro.length === 0) return; // nothing of this mini-batch trains
    const rowHidden = Object.fromEntries(
      Object.entries(hidden).map(([name, all]) => [name, members.map((i) => all[i]!)]),
    ) as RowHidden;
    const program = objective.control?.control.measure ? { program: "measure" } : {};
    const passes = policyPasses(policy, layout, { ...program, hidden: rowHidden });
    const known = this.alreadyMeasured(members, layout, old);
    const done = await computeMiniBatch(
      objective,
      layout.batch,
      known ? { ...passes, measure: () => Promise.resolve(known) } : passes,
      { state: this.state, old: slotsOf(members, layout, old.layout, old.rollout.old), context: this.context(layout) },
    );
    this.keep(members, layout, done.result, done.report);
    this.lossMetrics.push(lossMetrics(objective, layout.batch, done.result.update.logp));
    if (this.identity === undefined) {
      this.first = [...this.logp];
      const seen = this.rows.flatMap(({ auxiliary }, i) => (this.first[i] && !auxiliary ? [i] : []));
      this.identity = checkIdentity(
        seen.map((i) => this.rows[i]!.completion),
        seen.map((i) => this.first[i]!),
      );
    }
    await requireFinite({ loss: done.loss, nonFinite: null }, policy, samples);
    if (this.results.length === 0) requireIdentity(this.identity, samples);
    const { gradNorm, nonFinite } = await policy.update(lr, update.clipGradNorm);
    await requireFinite({ loss: done.loss, nonFinite }, policy, samples);
    this.results.push(done);
    this.gradNorms.push(gradNorm);
  }

  /** The measuring pass of the first update, where the pass over the old policy was the same one: log-probs and entropies, nothing else. */
  private alreadyMeasured(members: readonly number[], layout: Layout, old: OldPass): TokenValues | null {
    const outputs = this.parts.objective.control?.control.measure?.outputs;
    const isFirst = this.results.length === 0 && this.parts.update.miniBatches === 1;
    if (!old.logp || !isFirst || outputs?.length !== 0) return null;
    const { logp, entropy } = slotsOf(members, layout, old.layout, { logp: old.logp, entropy: old.rollout.entropy });
    return { logp: logp!, entropy: entropy!, values: {} };
  }

  private keep(members: readonly number[], layout: Layout, result: MiniBatchResult, report: ControlReport): void {
    members.forEach((i, row) => {
      const length = this.rows[i]!.completion.ids.length;
      this.logp[i] = rowSlice(layout, row, result.update.logp, length);
      this.oldLogp[i] = rowSlice(layout, row, layout.batch.oldLogp, length);
      this.entropy[i] = rowSlice(layout, row, result.update.entropy, length);
      if (report.selected) {
        const { start } = layout.batch.rows[row]!;
        this.selected[i] = report.selected.slice(start, start + length);
      }
    });
  }

  private layOut(completions: readonly TrainingCompletion[]): Layout {
    const { update, temperature, learner } = this.parts;
    return layOut(completions, { maxTokens: update.microBatchTokens, temperature, padId: learner.config.padId });
  }

  private context(layout: Layout) {
    const { objective, step, totalSteps, rng } = this.parts;
    const draws = rng.fork("control", step, this.results.length);
    return controlContext(objective, layout.batch, {
      ...{ step, totalSteps },
      draw: (candidates, count) => draws.shuffle([...candidates]).slice(0, count),
    });
  }
}
