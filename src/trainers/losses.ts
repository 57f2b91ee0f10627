import type { ControlTokens } from "../entropy-control/index.ts";
import type { Graph, Value } from "../graph/index.ts";
import type { LossConfig } from "./config.ts";

/** Tokens of a chunk with what sequence-level losses need. */
export interface LossTokens extends ControlTokens {
  /** [c] mean of ℓ − ℓ_old over the row's live tokens, a constant; there when the loss asks for it */
  readonly rowLogRatio?: Value;
}

/** The loss of one token, [c]. */
export type LossFunction = (g: Graph, tokens: LossTokens) => Value;

/** A loss: its graph function, its clip bounds for statistics, and whether it needs the current log-probs of whole rows first. */
export interface TokenSurrogate {
  readonly build: LossFunction;
  readonly clip: { readonly low: number; readonly high: number } | null;
  readonly perSequence: boolean;
}

const MAX_SEQUENCE_LOG_RATIO = 10;

/** The surrogate of a recipe. */
export function tokenSurrogate(config: LossConfig): TokenSurrogate {
  switch (config.name) {
    case "clip":
    case "clip-higher":
    case "clip-wide": {
      const { clipLow, clipHigh, dualClip } = config;
      return {
        build: clipped(clipLow, clipHigh, dualClip),
        clip: { low: clipLow, high: clipHigh },
        perSequence: false,
      };
    }
    case "gspo": {
      const { clipLow, clipHigh } = config;
      return { build: gspo(clipLow, clipHigh), clip: { low: clipLow, high: clipHigh }, perSequence: true };
    }
    case "cispo":
      return { build: cispo(config.clipLow, config.clipHigh), clip: null, perSequence: false };
    case "reinforce":
      return { build: (g, { advantage, logp }) => g.neg(g.mul(advantage, logp)), clip: null, perSequence: false };
  }
}

/**
 * max(−A r, −A clip(r, 1 − low, 1 + high)), for A < 0 at most −A·dual. PPO's clipped surrogate (arXiv:1707.06347) with two bounds (DAPO,
 * arXiv:2503.14476) and dual clip (arXiv:1912.09729). At equal values the unclipped side passes the gradient.
 */
function clipped(low: number, high: number, dual: number | null): LossFunction {
  return (g, { advantage, ratio }) => {
    const loss = worseOf(g, advantage, ratio, low, high);
    if (dual === null) return loss;
    return g.where(g.less(advantage, 0), g.min(loss, g.mul(advantage, -dual)), loss);
  };
}

/**
 * The clipped loss with the ratio of the whole sequence, length-normalised, in its token form s = exp(min(sg(row mean) + ℓ − sg(ℓ), 10)):
 * the value of the sequence's ratio, the gradient of the token. GSPO, arXiv:2507.18071.
 */
function gspo(low: number, high: number): LossFunction {
  return (g, { advantage, logp, rowLogRatio }) => {
    const log = g.add(rowLogRatio!, g.sub(logp, g.stopGradient(logp)));
    return worseOf(g, advantage, g.exp(g.min(log, MAX_SEQUENCE_LOG_RATIO)), low, high);
  };
}

function worseOf(g: Graph, advantage: Value, ratio: Value, low: number, high: number): Value {
  const plain = g.neg(g.mul(advantage, ratio));
  return g.max(plain, g.neg(g.mul(advantage, g.clip(ratio, 1 - low, 1 + high))));
}

/** −sg(clip(r, 1 − low, 1 + high)) A ℓ: clipped importance weights, every token keeps its gradient. CISPO, arXiv:2506.13585. */
function cispo(low: number, high: number): LossFunction {
  return (g, { advantage, ratio, logp }) => {
    const weight = g.stopGradient(g.clip(ratio, 1 - low, 1 + high));
    return g.neg(g.mul(g.mul(weight, advantage), logp));
  };
}
