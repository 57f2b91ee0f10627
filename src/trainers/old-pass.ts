import type { Measured, RolloutMeasures } from "../entropy-control/index.ts";
import type { Learner } from "../policy/index.ts";
import type { Json } from "../rollout/types.ts";
import type { UpdateConfig } from "./config.ts";
import { lossSource, type Objective, type ObjectiveOptions } from "./objective.ts";
import { type Layout, measureLayout, type RowHidden, type TrainingCompletion } from "./token-layout.ts";

/** What is known of the policy that sampled, over a whole rollout. */
export interface OldPass {
  readonly layout: Layout;
  readonly rollout: RolloutMeasures;
  /** [n] log-probs, where a pass of its own computed them. */
  readonly logp: Float64Array | null;
  readonly hidden: RowHidden;
}

/** What a pass over the old policy needs to know. */
export interface OldPassParts {
  readonly objective: Objective;
  readonly options: ObjectiveOptions;
  readonly learner: Learner;
  readonly update: UpdateConfig;
  /** Sampling has filters, so that recorded entropies are not those of the policy. */
  readonly filtered: boolean;
}

/**
 * The policy that sampled, as far as the control looks at it; without a need for more, what the sampler recorded.
 * @param at.recorded entropies of each completion's tokens, from the sampler
 */
export async function measureOld(
  { objective, options, learner, update, filtered }: OldPassParts,
  completions: readonly TrainingCompletion[],
  at: { readonly layout: Layout; readonly state: Json; readonly recorded: readonly Float32Array[] },
): Promise<OldPass> {
  const { layout, state } = at;
  const control = objective.control?.control;
  const program = control?.old?.(state) ?? null;
  const needsHidden = objective.given.includes("old");
  const needsEntropy = control?.begin !== undefined || control?.next !== undefined;
  const auxiliary = completions.some((row) => row.auxiliary);
  if (!program && !needsHidden && !(needsEntropy && (filtered || auxiliary))) {
    const entropy = new Float64Array(layout.batch.live.length);
    at.recorded.forEach((values, i) => {
      entropy.set(values, layout.batch.rows[i]!.start);
    });
    return { layout, rollout: { batch: layout.batch, entropy, old: {} }, logp: null, hidden: {} };
  }
  if (program) {
    const source = lossSource("controlProgram", { ...options, which: "old", state });
    await learner.policy.useProgram("old", source);
  }
  if (needsHidden) await learner.policy.rememberHead();
  const { values, hidden } = await measureLayout(learner.policy, layout, {
    ...(program ? { program: "old" } : {}),
    keep: update.miniBatches === 1,
    hidden: needsHidden,
  });
  const rollout: RolloutMeasures = { batch: layout.batch, entropy: values.entropy, old: values.values };
  return { layout, rollout, logp: values.logp, hidden: needsHidden ? { old: hidden } : {} };
}

/** Values of the old pass for the rows of a mini-batch, in the mini-batch's slots. */
export function slotsOf(
  members: readonly number[],
  layout: Layout,
  { batch }: Layout,
  values: Measured["old"],
): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(values).map(([name, all]) => {
      const picked = new Float64Array(layout.batch.live.length);
      members.forEach((i, row) => {
        const { start, end } = batch.rows[i]!;
        picked.set(all.subarray(start, end), layout.batch.rows[row]!.start);
      });
      return [name, picked];
    }),
  );
}
