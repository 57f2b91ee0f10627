import type { Policy } from "../policy/index.ts";
import type { KlConfig } from "./config.ts";
import type { ScoredCompletion } from "./group-filter.ts";
import { klValue } from "./kl.ts";
import { forMeasuring, layOut, measureLayout } from "./token-layout.ts";

/**
 * Rewards with the divergence from the reference taken off: R − β · Σ over tokens of the estimate, before groups are compared.
 * @returns the same rows with their rewards, and the mean estimate per token
 */
export async function withKlPenalty(
  policy: Pick<Policy, "measure">,
  rows: readonly ScoredCompletion[],
  { estimator, coefficient }: KlConfig,
  options: { readonly maxTokens: number; readonly temperature: number; readonly padId: number },
): Promise<{ rows: ScoredCompletion[]; kl: number }> {
  if (estimator === "full") throw new Error("internal: a full-vocabulary divergence cannot be part of the reward");
  const layout = layOut(
    rows.map(({ completion }, group) => forMeasuring(completion, group)),
    options,
  );
  const { values } = await measureLayout(policy, layout, { policy: "reference" });
  let sum = 0;
  const changed = rows.map((row, i) => {
    const { start } = layout.batch.rows[i]!;
    const estimates = row.completion.policyLogp.reduce(
      (total, logp, t) => total + klValue(estimator, values.logp[start + t]! - logp),
      0,
    );
    sum += estimates;
    return row.reward === null ? row : { ...row, reward: row.reward - coefficient * estimates };
  });
  const tokens = layout.batch.live.length;
  return { rows: changed, kl: tokens === 0 ? 0 : sum / tokens };
}
