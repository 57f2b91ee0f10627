import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { DataError } from "../../utils/errors.ts";

/** One field of a recording that came out differently. */
export interface ReplayDifference {
  /** Step of the recording, from 1; 0 is the first observation, -1 the head of the episode. */
  readonly step: number;
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** Which fields are not the same in every run: `order` has the same words in another order, `content` may be anything. */
export type Unstable = Readonly<Record<string, string>>;

/** Fields that say what was done, not what came of it. */
const GIVEN = new Set(["action", "unstable"]);

/**
 * Compares the fields of a recording with those of its replay. Every field of the recording counts; one that the replay does not know is a
 * difference.
 */
export function compareFields(
  step: number,
  expected: Readonly<Record<string, unknown>>,
  got: Readonly<Record<string, unknown>>,
): { readonly compared: number; readonly differences: readonly ReplayDifference[] } {
  const unstable = (expected.unstable ?? {}) as Unstable;
  const fields = Object.keys(expected).filter((field) => !GIVEN.has(field) && isCompared(unstable[field]));
  const differences = fields.flatMap((field): ReplayDifference[] =>
    isSame(expected[field], got[field], unstable[field])
      ? []
      : [{ step, field, expected: expected[field], got: got[field] }],
  );
  return { compared: fields.length, differences };
}

/** Compares a recording with its replay, part by part. */
export class Comparison {
  readonly differences: ReplayDifference[] = [];
  /** Fields so far. */
  compared = 0;

  /** @param step number of the step, 0 for what was seen first */
  add(step: number, expected: Readonly<Record<string, unknown>>, got: Readonly<Record<string, unknown>>): void {
    const result = compareFields(step, expected, got);
    this.differences.push(...result.differences);
    this.compared += result.compared;
  }

  /** Compares what the recording says of the episode as a whole, as far as it says it. */
  addHead(trace: Readonly<Record<string, unknown>>, got: Readonly<Record<string, unknown>>): void {
    const told = Object.keys(got).filter((field) => field in trace);
    this.add(-1, { ...Object.fromEntries(told.map((field) => [field, trace[field]])), unstable: trace.unstable }, got);
  }
}

/** Reads what a replay needs to know of a recording. @throws DataError naming the field that is missing or wrong */
export function readHead<T>(env: string, head: z.ZodType<T>, trace: unknown): T {
  const { data, error } = head.safeParse(trace);
  if (data !== undefined) return data;
  throw new DataError(`${env}: ${error?.issues[0]?.path.join(".")}: ${error?.issues[0]?.message}`);
}

function isCompared(unstable: string | undefined): boolean {
  return unstable === undefined || unstable === "order";
}

function isSame(expected: unknown, got: unknown, unstable: string | undefined): boolean {
  if (unstable === undefined) return isDeepStrictEqual(expected, got);
  return typeof got === "string" && words(String(expected)) === words(got);
}

/** The words of a text in a fixed order. */
function words(text: string): string {
  return text
    .split(/[\s,.:()]+/)
    .sort()
    .join(" ");
}
