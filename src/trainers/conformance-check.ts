import { messageOf, RlvrError } from "../utils/errors.ts";
import { runCase } from "./conformance.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import { type Difference, largestDifference } from "./conformance-compare.ts";

/** Largest error that passes, relative to max(1, |expected|), by element type of the graph. */
export const CONFORMANCE_TOLERANCE = { float64: 1e-9, float32: 2e-5 } as const;

/** Element types that every case runs in. */
export const CONFORMANCE_TYPES = ["float64", "float32"] as const;

/** How a case did in one element type. */
export interface CheckedType {
  readonly passed: boolean;
  /** The largest difference; null when all values are equal, or when the case failed. */
  readonly worst: Difference | null;
  /** Why it could not be computed; null when it was. */
  readonly failure: string | null;
}

/** How a case did. */
export interface CheckedCase {
  readonly name: string;
  readonly passed: boolean;
  readonly types: Readonly<Record<(typeof CONFORMANCE_TYPES)[number], CheckedType>>;
}

/** Runs a case through the graph code that trains, in both element types, and compares it with what it expects. */
export async function checkCase(given: ConformanceCase): Promise<CheckedCase> {
  const [float64, float32] = [await checkType(given, "float64"), await checkType(given, "float32")];
  return { name: given.name, passed: float64.passed && float32.passed, types: { float64, float32 } };
}

async function checkType(given: ConformanceCase, type: (typeof CONFORMANCE_TYPES)[number]): Promise<CheckedType> {
  try {
    const worst = largestDifference(given.expect, await runCase(given, type));
    return { passed: !worst || worst.error <= CONFORMANCE_TOLERANCE[type], worst, failure: null };
  } catch (error) {
    if (!(error instanceof RlvrError)) throw error;
    return { passed: false, worst: null, failure: messageOf(error) };
  }
}
