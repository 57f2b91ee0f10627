import type { Graph, Value } from "../graph/index.ts";
import { sumOfRows } from "../policy/index.ts";

const EXCLUDED = -1e30; // its exponential is 0 in both float types
const FIRST_TRIES = [12, 128, 1024]; // tokens sorted at first: enough unless a distribution is very flat

/** Which tokens a nucleus keeps. */
export interface NucleusOptions {
  /** Tokens by falling probability are kept while the mass is below this; above 1 all are. */
  readonly topP: number;
  /** At most so many. */
  readonly topK: number;
  /** Whether the token that crosses topP is kept. Without it the set may be empty. */
  readonly crossing: boolean;
}

/**
 * Entropy of the nucleus' own softmax. Equal probabilities rank by rising id. The set is a constant to differentiation; sets of none or one
 * token have entropy exactly 0 and no gradient.
 * @param logits [c, V]; @param logProbabilities [c, V]
 * @returns entropy [c] in nats; size [c] of the set
 */
export function nucleus(
  g: Graph,
  logits: Value,
  logProbabilities: Value,
  options: NucleusOptions,
): { entropy: Value; size: Value } {
  const vocab = logits.shape[1] as number;
  const { count, lastLogp, lastId } = boundary(g, g.stopGradient(logProbabilities), options);
  const kept = g.scope("nucleus", () => {
    const logp = g.stopGradient(logProbabilities);
    const ids = g.reshape(g.ints(Array.from({ length: vocab }, (_, v) => v)), [1, vocab]);
    const tied = g.and(g.equal(logp, lastLogp), g.lessOrEqual(ids, lastId));
    return g.or(g.greater(logp, lastLogp), tied); // of an empty set the first token: its entropy is 0 as well
  });
  const own = g.logSoftmax(g.where(kept, logits, EXCLUDED));
  const entropy = g.neg(sumOfRows(g, g.where(kept, g.mul(g.exp(own), own), 0)));
  return { entropy, size: g.cast(g.squeeze(count, [1]), logits.dtype) };
}

/** Size of the set [c, 1] int64, and log-prob and id [c, 1] of its last token (of the most probable one where the set is empty). */
interface Boundary {
  readonly count: Value;
  readonly lastLogp: Value;
  readonly lastId: Value;
}

/** Sorts as few tokens as the nuclei of the chunk have, and more only where they are larger: sorting is what a nucleus costs. */
function boundary(g: Graph, logp: Value, options: NucleusOptions, tries: readonly number[] = FIRST_TRIES): Boundary {
  const limit = Math.min(options.topK, logp.shape[1] as number);
  const [first = limit, ...more] = tries.filter((count) => count < limit);
  const top = g.topK(logp, first);
  if (first === limit) return boundaryWithin(g, top, options);
  const mass = g.reduceSum(g.exp(top.values), [-1]); // [c]
  const enough = g.greaterOrEqual(g.neg(g.reduceMax(g.neg(mass), [0])), options.topP); // in every row
  const [count, lastLogp, lastId] = g.branch(
    enough,
    (body) => tuple(boundaryWithin(body, top, options)),
    (body) => tuple(boundary(body, logp, options, more)),
  );
  return { count: count!, lastLogp: lastLogp!, lastId: lastId! };
}

/** @param top the most probable tokens by falling probability */
function boundaryWithin(
  g: Graph,
  { values, indices }: { readonly values: Value; readonly indices: Value },
  { topP, crossing }: NucleusOptions,
): Boundary {
  const p = g.exp(values);
  const upTo = g.cumSum(p, -1);
  const mass = crossing ? g.sub(upTo, p) : upTo;
  const inside = g.cast(g.less(mass, topP), "int64");
  const counted = g.reduceSum(inside, [-1], true);
  const count = crossing ? g.max(counted, 1) : counted; // rounding must not empty a set that keeps its first token
  const last = g.max(g.sub(count, 1), 0);
  return { count, lastLogp: g.gatherElements(values, last, 1), lastId: g.gatherElements(indices, last, 1) };
}

function tuple({ count, lastLogp, lastId }: Boundary): Value[] {
  return [count, lastLogp, lastId];
}
