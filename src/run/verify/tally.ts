/** How weights are stored: what a comparison with the exact ones can expect. */
export type Storage = "float32" | "bfloat16" | "float16";

/** Unit roundoff: largest relative error of rounding a normal number to the nearest. */
export const ROUNDOFF: Readonly<Record<Storage, number>> = { float32: 0, bfloat16: 2 ** -8, float16: 2 ** -11 };

/** One kind of comparison. */
interface KindRow {
  readonly label: string;
  /** `different`: cases that are not equal are counted; else the largest difference counts. */
  readonly unit: "different" | "nats" | "relative";
  readonly allowed: number;
  /** Allowed where the model's weights are the reference's rounded to a type of unit roundoff u. */
  readonly rounded: (u: number) => number;
}

const equal = { unit: "different", allowed: 0, rounded: () => 0 } as const;
const nats = { unit: "nats", allowed: 1e-4, rounded: (u: number) => 64 * u } as const;
const relative = { unit: "relative", allowed: 1e-3, rounded: (u: number) => 32 * u } as const;

/**
 * What is compared, in the order of printing. Sums and single values of a gradient may be off by four standard deviations of an error whose
 * norm is a thousandth of the gradient's: its signs are as good as random. With rounded weights the bounds grow with the roundoff, with room
 * above what was measured: a bfloat16 copy of SmolLM2-135M moves log-probs by at most 0.09 nats, gradient norms by 5 % and single sums by 11 %.
 */
export const KINDS = {
  weightHashes: { ...equal, label: "weight hashes" },
  weightValues: { unit: "relative", allowed: 0, rounded: (u) => u, label: "weight values" },
  weightSums: { unit: "relative", allowed: 1e-9, rounded: (u) => u, label: "weight sums" },
  tokenIds: { ...equal, label: "token ids" },
  decodedText: { ...equal, label: "decoded text" },
  chatTemplates: { ...equal, label: "chat templates" },
  greedyTokens: { ...equal, rounded: () => Number.POSITIVE_INFINITY, label: "greedy tokens" },
  greedyMargin: { ...nats, label: "greedy tokens: below the most probable one" },
  decodedLogprobs: { ...nats, label: "log-probs, decoding" },
  logprobs: { ...nats, label: "log-probs, whole sequence" },
  promptLogprobs: { ...nats, label: "log-probs of the prompt" },
  entropies: { ...nats, label: "entropies" },
  logitGaps: { ...nats, allowed: 2e-4, label: "gaps between the best logits" },
  loss: { ...nats, label: "loss" },
  gradientNorms: { ...relative, label: "gradient norms" },
  gradientRows: { ...relative, label: "gradient norms of embedding rows" },
  gradientSums: { ...relative, allowed: 4e-3, rounded: (u) => 64 * u, label: "gradient sums" },
  gradientValues: { ...relative, allowed: 4e-3, rounded: (u) => 64 * u, label: "first gradient values" },
} as const satisfies Record<string, KindRow>;

/** Name of a kind of comparison. */
export type Kind = keyof typeof KINDS;

/** Outcome of all comparisons of one kind. */
export interface CheckResult {
  readonly kind: Kind;
  readonly label: string;
  readonly unit: KindRow["unit"];
  readonly cases: number;
  /** Number of cases that differ, or the largest difference; null when one is not a number. */
  readonly largest: number | null;
  /** What the largest may be; null when there is no bound. */
  readonly allowed: number | null;
  /** The case with the largest difference; empty when all are equal. */
  readonly where: string;
  readonly passed: boolean;
  /** Sentences about the first cases that differ by more than is allowed. */
  readonly problems: readonly string[];
}

/** Collects comparisons. */
export interface Tally {
  /** A case that must be equal. @param problem says what differs; asked for only when it does */
  same(kind: Kind, isEqual: boolean, where: string, problem: () => string): void;
  /** A measured difference >= 0. NaN is beyond every bound. */
  measure(kind: Kind, difference: number, where: string): void;
  results(storage: Storage): CheckResult[];
}

interface Entry {
  cases: number;
  differing: number;
  largest: number;
  where: string;
  readonly problems: string[];
}

const SHOWN = 5;

/** An empty {@link Tally}. */
export function createTally(): Tally {
  const entries = new Map<Kind, Entry>();
  const entryOf = (kind: Kind): Entry => {
    const found = entries.get(kind) ?? { cases: 0, differing: 0, largest: 0, where: "", problems: [] };
    entries.set(kind, found);
    found.cases++;
    return found;
  };
  return {
    same(kind, isEqual, where, problem) {
      const entry = entryOf(kind);
      if (isEqual) return;
      if (entry.differing++ === 0) entry.where = where;
      if (entry.problems.length < SHOWN) entry.problems.push(`${where}: ${problem()}`);
    },
    measure(kind, difference, where) {
      const entry = entryOf(kind);
      const size = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
      if (size > entry.largest) Object.assign(entry, { largest: size, where });
    },
    results: (storage) =>
      (Object.keys(KINDS) as Kind[]).flatMap((kind) => {
        const entry = entries.get(kind);
        return entry ? [resultOf(kind, entry, storage)] : [];
      }),
  };
}

function resultOf(kind: Kind, entry: Entry, storage: Storage): CheckResult {
  const { label, unit, allowed: exact, rounded } = KINDS[kind];
  const allowed = storage === "float32" ? exact : rounded(ROUNDOFF[storage]);
  const largest = unit === "different" ? entry.differing : entry.largest;
  const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
  return {
    ...{ kind, label, unit, cases: entry.cases, where: entry.where, problems: entry.problems },
    largest: finite(largest),
    allowed: finite(allowed),
    passed: largest <= allowed && (unit === "different" || Number.isFinite(largest)),
  };
}

/** |a − b| relative to `scale`; 0 when both are equal. */
export function relativeDifference(a: number, b: number, scale = Math.abs(b)): number {
  return a === b ? 0 : Math.abs(a - b) / scale;
}
