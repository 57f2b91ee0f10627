import type { Policy } from "../policy/index.ts";
import type { Completion } from "../rollout/index.ts";
import { TrainingError } from "../utils/errors.ts";
import type { SampleRow } from "./types.ts";

/** Largest allowed difference between a token's log-prob at rollout and in the first update, in nats, float32. */
export const MAX_LOGP_DIFFERENCE = 2e-4;

/** A step that had to stop; the run layer saves the batch that shows why. */
export class StepError extends TrainingError {
  readonly samples: readonly SampleRow[];
  /** The cause may lie outside (a server, a program): the same step may succeed once that is repaired. */
  readonly isOutside: boolean;

  constructor(message: string, samples: readonly SampleRow[], { isOutside = false } = {}) {
    super(message);
    this.samples = samples;
    this.isOutside = isOutside;
  }
}

/** @throws StepError naming the first bad tensor when the loss or the gradient of an update is not finite */
export async function requireFinite(
  { loss, nonFinite }: { loss: number; nonFinite: string | null },
  policy: Pick<Policy, "firstBadTensor">,
  samples: readonly SampleRow[],
): Promise<void> {
  if (Number.isFinite(loss) && nonFinite === null) return;
  const bad = nonFinite === null ? await policy.firstBadTensor() : `gradient of ${nonFinite}`;
  const where =
    bad === null
      ? "all weights are finite: a log-prob, reward or advantage is not"
      : `the first bad tensor is the ${bad}`;
  throw new StepError(
    `NaN or infinity in the update (loss ${loss}): ${where}. A lower learning rate or a larger epsilon is the usual cure`,
    samples,
  );
}

/** Agreement of sampler and trainer before any weight changed. */
export interface Identity {
  /** max |ℓ − ℓ_roll|, nats */
  readonly maxDifference: number;
  /** mean of ℓ_roll − ℓ, nats */
  readonly kl: number;
  /** "task, completion, token, ℓ_roll → ℓ" of the largest difference */
  readonly worst: string;
}

/**
 * Compares each token's log-prob at rollout with the one the first update computes.
 * @param logps one array of log-probs per completion
 */
export function checkIdentity(completions: readonly Completion[], logps: readonly ArrayLike<number>[]): Identity {
  let maxDifference = 0;
  let worst = "";
  let sum = 0;
  let count = 0;
  completions.forEach(({ policyLogp, task, member, ids }, i) => {
    policyLogp.forEach((rolled, t) => {
      const trained = logps[i]![t]!;
      sum += rolled - trained;
      count++;
      const distance = Math.abs(rolled - trained);
      const difference = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance; // NaN is no agreement
      if (difference <= maxDifference) return;
      maxDifference = difference;
      worst = `task ${task.id}, completion ${member}, token ${t} (id ${ids[t]}): ${rolled} when sampled, ${trained} in the update`;
    });
  });
  return { maxDifference, kl: count === 0 ? 0 : sum / count, worst };
}

/** @throws StepError when sampler and trainer disagree */
export function requireIdentity({ maxDifference, worst }: Identity, rows: readonly SampleRow[]): void {
  if (maxDifference <= MAX_LOGP_DIFFERENCE) return;
  throw new StepError(
    `sampler and trainer disagree: log-probs differ by up to ${maxDifference.toExponential(2)} nats, allowed are ${MAX_LOGP_DIFFERENCE}. ` +
      `Worst: ${worst}. The gradient would be of another policy than the one that was sampled; ` +
      "this is a bug of rlvr or a model whose numbers overflow float32, please report it with the saved batch",
    rows,
  );
}
