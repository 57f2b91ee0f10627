import type { ModelFiles } from "../../policy/index.ts";
import { f16Table, toF16 } from "../../utils/f16.ts";
import { sha256 } from "../../utils/hash.ts";
import type { WeightReference } from "./reference.ts";
import { relativeDifference, type Storage, type Tally } from "./tally.ts";

type Files = Pick<ModelFiles, "names" | "shape" | "read" | "config">;
const EMBEDDING = "model.embed_tokens.weight";
const F16_SMALLEST_NORMAL = 2 ** -14;

/** A tensor's name in the model: a tied head is the embedding. */
export function tensorName(name: string, { tied }: { readonly tied: boolean }): string {
  return tied && name === "lm_head.weight" ? EMBEDDING : name;
}

/**
 * The type whose rounding separates this model from the reference: `float32` (none) when it has exact weights, or when the reference's own
 * weights are as narrow (their hashes are equal). Decided by the matrices; without weights in the reference, by the model alone.
 */
export function roundingOf(files: Files, references: readonly Readonly<Record<string, WeightReference>>[]): Storage {
  const matrices = files.names().filter((name) => files.shape(name).length === 2);
  const storage = storageOf(files, matrices);
  if (storage === "float32") return storage;
  const hashed = references
    .flatMap((weights) => Object.entries(weights))
    .map(([name, { sha256: hash }]) => ({ name: tensorName(name, files.config), hash: hash?.toLowerCase() }))
    .filter(({ name, hash }) => hash !== undefined && matrices.includes(name));
  const isExact = hashed.length > 0 && hashed.every(({ name, hash }) => sha256(files.read(name)) === hash);
  return isExact ? "float32" : storage;
}

/** The narrowest type that holds every value of these tensors; one tensor is in memory at a time. */
function storageOf(files: Files, names: readonly string[]): Storage {
  let candidates: Storage[] = ["bfloat16", "float16"];
  for (const name of names) {
    const values = files.read(name);
    candidates = candidates.filter((type) => (type === "bfloat16" ? isBf16(values) : isF16(values)));
    if (candidates.length === 0) return "float32";
  }
  return candidates[0]!;
}

function isBf16(values: Float32Array): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return bits.every((word) => (word & 0xffff) === 0);
}

function isF16(values: Float32Array): boolean {
  const table = f16Table();
  return values.every((value) => Object.is(table[toF16(value)], value));
}

/** Compares hashes, first values and sums of tensors; one is in memory at a time. */
export function verifyWeights(
  files: Files,
  weights: Readonly<Record<string, WeightReference>>,
  rounding: Storage,
  tally: Tally,
): void {
  const known = new Set(files.names());
  for (const [name, reference] of Object.entries(weights)) {
    const own = tensorName(name, files.config);
    if (!known.has(own)) {
      tally.same("weightHashes", false, name, () => "the model has no such tensor");
      continue;
    }
    const shape = files.shape(own);
    if (reference.shape && String(reference.shape) !== String(shape)) {
      tally.same("weightHashes", false, name, () => `has shape [${shape}], expected [${reference.shape}]`);
      continue;
    }
    verifyTensor(name, files.read(own), reference, rounding, tally);
  }
}

function verifyTensor(
  name: string,
  values: Float32Array,
  { sha256: expected, first4, sum64 }: WeightReference,
  rounding: Storage,
  tally: Tally,
): void {
  if (expected !== undefined) {
    const hash = sha256(values);
    const isSame = hash === expected.toLowerCase();
    if (isSame || rounding === "float32")
      tally.same("weightHashes", isSame, name, () => `sha256 ${hash}, expected ${expected}`);
  }
  first4?.forEach((value, i) => {
    const scale = rounding === "float16" ? Math.max(Math.abs(value), F16_SMALLEST_NORMAL) : Math.abs(value);
    tally.measure("weightValues", relativeDifference(values[i] ?? Number.NaN, value, scale), `${name}[${i}]`);
  });
  if (sum64 === undefined) return;
  let [sum, sizes] = [0, 0];
  for (const value of values) {
    sum += value;
    sizes += Math.abs(value);
  }
  tally.measure("weightSums", relativeDifference(sum, sum64, sizes), name);
}
