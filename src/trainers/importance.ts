import { liveSlots, type TokenBatch } from "../entropy-control/index.ts";
import type { ImportanceConfig } from "./config.ts";

const MAX_LOG_WEIGHT = 20;

/**
 * Importance weights exp(ℓ_old − ℓ_roll) of samples that came from another distribution than the one that trains; constants. Truncated
 * (Flash-RL) or masked outside bounds; of the token or of the sum over its row. The logarithm is clamped to ±20. Auxiliary rows keep weight 1:
 * that they come from another temperature is what their method works with, and a correction would take it away.
 * @param rolloutLogp [n] log-prob under the distribution really sampled from
 * @returns [n]; 1 where a token is not live
 */
export function importanceWeights(
  batch: TokenBatch,
  rolloutLogp: Float64Array,
  config: ImportanceConfig | null,
): Float64Array {
  const weights = new Float64Array(batch.live.length).fill(1);
  if (!config) return weights;
  const difference = (t: number): number => batch.oldLogp[t]! - rolloutLogp[t]!;
  const perSequence = config.name === "sequence-tis" || config.name === "sequence-mis";
  batch.rows.forEach(({ auxiliary }, i) => {
    if (auxiliary) return;
    const slots = liveSlots(batch, [i]);
    const total = slots.reduce((sum, t) => sum + difference(t), 0);
    for (const t of slots) weights[t] = weightOf(perSequence ? total : difference(t), config);
  });
  return weights;
}

function weightOf(logWeight: number, config: ImportanceConfig): number {
  const weight = Math.exp(Math.max(-MAX_LOG_WEIGHT, Math.min(MAX_LOG_WEIGHT, logWeight)));
  if ("cap" in config) return Math.min(weight, config.cap);
  return weight >= config.low && weight <= config.high ? weight : 0;
}
