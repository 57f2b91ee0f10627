import { type FloatType, Graph, type Value } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";

/** Which filters a sampler graph has. Their strengths are inputs, so one graph serves all values. */
export interface SamplerFilters {
  /** Take the most probable token instead of drawing one. */
  readonly greedy: boolean;
  readonly topK: boolean;
  readonly topP: boolean;
  readonly minP: boolean;
}

const EXCLUDED = -1e9; // a filtered logit: its probability is exactly 0 and 0 · log-prob stays 0
const CHUNK = 256;

/**
 * Draws one token a row from the head's distribution, inside the graph: no logits leave it.
 *
 * Inputs: hidden [B, D], norm [D], head [V, D], temperature [], uniform [B] in (0, 1), and topK [1] int64, topP [], minP [] where used.
 * Outputs: id [B]; logp and entropy [B] of the distribution drawn from (temperature and filters applied); policyLogp [B], the log-prob
 * under the temperature alone, which is what an update computes again. With `greedy` both are of the unfiltered distribution.
 */
export function samplerGraph(config: ModelConfig, filters: SamplerFilters, floatType: FloatType): Graph {
  const { width, vocab } = config;
  const g = new Graph({ floatType });
  const hidden = g.input("hidden", ["B", width]);
  const norm = g.input("norm", [width]);
  const head = g.input("head", [vocab, width]);
  const temperature = g.input("temperature", []);
  const normalised = g.scope("model.norm", () => g.div(g.rmsNorm(hidden, norm, config.normEps), temperature));
  // the head on the left: as the right operand it would be copied into another order at each run
  const logits = g.scope("head", () => g.transpose(g.matMul(head, normalised, { transB: true }), [1, 0]));
  const policy = g.logSoftmax(logits);
  const kept = filters.greedy ? logits : filterLogits(g, logits, filters);
  const drawn = kept === logits ? policy : g.logSoftmax(kept);
  const probabilities = g.exp(drawn);
  const id = filters.greedy ? g.argMax(logits) : invertCdf(g, probabilities, g.input("uniform", ["B"]));
  g.output("id", id);
  g.output("logp", g.gatherLast(drawn, id));
  g.output("policyLogp", g.gatherLast(policy, id));
  g.output("entropy", g.neg(g.reduceSum(g.mul(probabilities, drawn), [-1])));
  return g;
}

/** Temperature-scaled logits with excluded tokens pushed to probability 0. Tokens tied with the last kept one stay. */
function filterLogits(g: Graph, logits: Value, filters: SamplerFilters): Value {
  let kept = logits;
  if (filters.topK) {
    const { values } = g.topK(kept, g.input("topK", [1], "int64"));
    const smallest = g.neg(g.reduceMax(g.neg(values), [-1], true));
    kept = g.where(g.less(kept, smallest), EXCLUDED, kept);
  }
  if (filters.topP) {
    const limit = g.input("topP", []);
    const { values } = g.topK(g.softmax(kept), g.dim(logits.shape[1]!));
    const before = g.sub(g.cumSum(values, -1), values); // mass of all more probable tokens
    const count = g.reduceSum(g.cast(g.less(before, limit), "int64"), [-1], true);
    const smallest = g.gatherElements(values, g.sub(g.max(count, 1), 1), 1);
    kept = g.where(g.less(g.softmax(kept), smallest), EXCLUDED, kept);
  }
  if (filters.minP) {
    const p = g.softmax(kept);
    const smallest = g.mul(g.reduceMax(p, [-1], true), g.input("minP", []));
    kept = g.where(g.less(p, smallest), EXCLUDED, kept);
  }
  return kept;
}

/**
 * Inverse of the cumulative distribution at u: the first token whose running sum exceeds u · total. Large vocabularies go in two levels
 * (sums of chunks of 256, then within the chosen chunk), which is 20 times faster than one running sum.
 * @param p [B, V] probabilities; @param u [B] in (0, 1) @returns [B] int64, always a token of positive probability
 */
export function invertCdf(g: Graph, p: Value, u: Value): Value {
  const vocab = p.shape[1] as number;
  const level = g.unsqueeze(u, [1]);
  if (vocab <= 4 * CHUNK) return g.squeeze(firstAbove(g, p, scaled(g, p, level)).index, [1]);
  const chunks = Math.ceil(vocab / CHUNK);
  const missing = chunks * CHUNK - vocab;
  const padded = missing === 0 ? p : g.concat([p, g.full([p.shape[0]!, missing], 0, p.dtype)], 1);
  const table = g.reshape(padded, [p.shape[0]!, chunks, CHUNK]);
  const sums = g.reduceSum(table, [2]); // [B, chunks]
  const target = scaled(g, sums, level);
  const outer = firstAbove(g, sums, target);
  const inner = g.reshape(
    g.single(
      "GatherND",
      [table, outer.index],
      { dtype: p.dtype, shape: [p.shape[0]!, CHUNK] },
      { batch_dims: { int: 1 } },
    ),
    [p.shape[0]!, CHUNK],
  );
  const within = firstAbove(g, inner, g.sub(target, outer.before));
  return g.squeeze(g.add(g.mul(outer.index, g.ints([CHUNK])), within.index), [1]);
}

/** u · total, the total as `firstAbove` sums it. */
function scaled(g: Graph, p: Value, u: Value): Value {
  return g.mul(u, lastOf(g, g.cumSum(p, 1)));
}

/**
 * Per row: index of the first running sum above the target [B, 1], and the running sum before it. A target that rounding left at or above
 * the last sum is held strictly below it, so that an element of positive probability is always found.
 */
function firstAbove(g: Graph, p: Value, target: Value): { index: Value; before: Value } {
  const running = g.cumSum(p, 1);
  const below = g.min(target, g.mul(lastOf(g, running), 1 - 2 ** -22));
  const index = g.reduceSum(g.cast(g.lessOrEqual(running, below), "int64"), [1], true);
  const before = g.sub(g.gatherElements(running, index, 1), g.gatherElements(p, index, 1));
  return { index, before };
}

function lastOf(g: Graph, running: Value): Value {
  return g.slice(running, 1, -1, Number.POSITIVE_INFINITY);
}
