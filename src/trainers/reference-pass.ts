import type { Learner } from "../policy/index.ts";
import { klValue } from "./kl.ts";
import type { Objective } from "./objective.ts";
import { type Layout, measureLayout, type RowHidden, rowSlice, type TrainingCompletion } from "./token-layout.ts";

/** Completions with the reference's log-probs, its hidden states where the update needs them, and the mean k3 estimate a token. */
export interface ReferencePass {
  readonly completions: readonly TrainingCompletion[];
  readonly hidden: RowHidden;
  /** null when no part asks for the reference */
  readonly kl: number | null;
}

/** Runs the model before training over a whole rollout, as far as a part of the objective asks for it. */
export async function measureReference(
  { objective, learner }: { readonly objective: Objective; readonly learner: Learner },
  completions: readonly TrainingCompletion[],
  layout: Layout,
): Promise<ReferencePass> {
  const needsHidden = objective.given.includes("reference");
  if (!objective.referenceLogp && !needsHidden) return { completions, hidden: {}, kl: null };
  const { values, hidden } = await measureLayout(learner.policy, layout, { policy: "reference", hidden: needsHidden });
  let sum = 0;
  let count = 0;
  const updated = completions.map((row, i) => {
    const refLogp = rowSlice(layout, i, values.logp, row.ids.length);
    refLogp.forEach((logp, t) => {
      sum += klValue("k3", logp - row.oldLogp[t]!);
      count++;
    });
    return { ...row, refLogp };
  });
  return {
    completions: updated,
    hidden: needsHidden ? { reference: hidden } : {},
    kl: count === 0 ? 0 : sum / count,
  };
}
