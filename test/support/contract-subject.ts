import { type ComputedCase, computeCase } from "../../src/trainers/conformance.ts";
import { createRng } from "../../src/utils/rng.ts";
import { type CaseOptions, type CaseRow, caseOf } from "./objective-case.ts";

/** An objective with what it declares about itself. */
export interface Subject {
  readonly name: string;
  readonly objective?: object;
  readonly control?: object | null;
  /** State in which the control does something. */
  readonly state?: unknown;
  /** Its form that is switched off, and what that must equal to the last bit. */
  readonly off?: {
    readonly control: object | null;
    readonly state?: unknown;
    readonly objective?: object;
    readonly base?: object;
  };
  /** Whether the split into micro-batches changes the result. */
  readonly split: "invariant" | "differs";
  /** Rows sampled besides the groups. */
  readonly auxiliary?: boolean;
  /** What each method needs more on a bandit: sensible options. */
  readonly bandit?: { readonly objective?: object; readonly control?: object };
}

const STEP = { step: 1, totalSteps: 4 };

/** Seven rows in two groups: different lengths, one of one token, one without a live token; every policy differs from the current one. */
export function contractRows(auxiliary = false): CaseRow[] {
  const rng = createRng("contract");
  const logits = (): number[] => Array.from({ length: 5 }, () => 1.5 * rng.normal());
  const moved = (z: readonly number[]): number[] => z.map((x) => x + 0.25 * rng.normal());
  return [3, 5, 1, 4, 2, 6, 2].map((length, i) => ({
    ...{ group: i < 3 ? 0 : 1, reward: [1, 0, 0, 1, 0.5, 0, 0][i]! },
    ...(auxiliary && (i === 0 || i === 3) ? { auxiliary: true } : {}),
    tokens: Array.from({ length }, (_, t) => {
      const z = logits();
      return {
        ...{ z, o: rng.int(0, 4), old: moved(z), reference: moved(z) },
        ...{ mismatch: 0.4 * rng.normal(), turn: Math.floor(t / 2), live: i !== 6 },
      };
    }),
  }));
}

/** The subject as a case, `advantage: grpo` unless it says otherwise. */
export const optionsOf = ({ objective = {}, control = null, state }: Subject, more: CaseOptions = {}): CaseOptions => ({
  ...STEP,
  objective: { advantage: { name: "grpo" }, ...objective },
  control,
  ...(state === undefined ? {} : { state }),
  ...more,
});

/** The subject on the batch of the contract. */
export const compute = (subject: Subject, more: CaseOptions = {}): Promise<ComputedCase> =>
  computeCase(caseOf(contractRows(subject.auxiliary), optionsOf(subject, more)), "float64");
