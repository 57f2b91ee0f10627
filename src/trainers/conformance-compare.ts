/** A difference between a result and what a case expects. */
export interface Difference {
  /** Where, such as `terms.policy` or `dLogits[0][2][1]`. */
  readonly path: string;
  readonly expected: unknown;
  readonly got: unknown;
  /** |expected − got| / max(1, |expected|); infinite for what is no number */
  readonly error: number;
}

/**
 * The largest difference between a result and an expectation; keys that are not expected are not compared.
 * @returns null when all values are equal
 */
export function largestDifference(expected: unknown, got: unknown, path = ""): Difference | null {
  if (typeof expected === "number") {
    const error =
      typeof got === "number" ? Math.abs(expected - got) / Math.max(1, Math.abs(expected)) : Number.POSITIVE_INFINITY;
    if (Number.isNaN(error)) return { path, expected, got, error: Number.POSITIVE_INFINITY };
    return error === 0 ? null : { path, expected, got, error };
  }
  if (expected === null || typeof expected !== "object") {
    return expected === got ? null : { path, expected, got, error: Number.POSITIVE_INFINITY };
  }
  if (
    got === null ||
    typeof got !== "object" ||
    (Array.isArray(expected) && expected.length !== (got as unknown[]).length)
  ) {
    return { path, expected, got, error: Number.POSITIVE_INFINITY };
  }
  let worst: Difference | null = null;
  for (const [key, value] of Object.entries(expected)) {
    const name = Array.isArray(expected) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const found = largestDifference(value, (got as Record<string, unknown>)[key], name);
    if (found && (!worst || found.error > worst.error)) worst = found;
  }
  return worst;
}
