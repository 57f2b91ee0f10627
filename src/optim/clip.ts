import type { ParameterTree } from "./types.ts";

/** Global L2 norm of all arrays, summed in float64 in the order of the tree. */
export function globalNorm(tree: ParameterTree): number {
  let sum = 0;
  for (const array of tree.values()) for (let i = 0; i < array.length; i++) sum += array[i]! * array[i]!;
  return Math.sqrt(sum);
}

/**
 * Scales all arrays in place so that their global norm is at most `limit` (arXiv:1211.5063).
 * @returns the norm before scaling
 */
export function clipByGlobalNorm(tree: ParameterTree, limit: number): number {
  const norm = globalNorm(tree);
  if (norm > limit) {
    const factor = limit / norm;
    for (const array of tree.values()) for (let i = 0; i < array.length; i++) array[i] = array[i]! * factor;
  }
  return norm;
}

/** Name of the first array that holds a NaN or an infinity, if any. */
export function firstNonFinite(tree: ParameterTree): string | undefined {
  for (const [name, array] of tree) {
    for (let i = 0; i < array.length; i++) if (!Number.isFinite(array[i]!)) return name;
  }
  return undefined;
}
