import { type LoraAdapter, openAdapterFile, peftName } from "./adapter-files.ts";
import { loraName } from "./lora.ts";
import type { WeightSource } from "./weights.ts";

/**
 * A base model's weights with the adapter of a folder added to them: W + alpha / rank · B·A, each sum in float64 and rounded once.
 */
export function mergedSource(base: WeightSource, adapter: LoraAdapter, folder: string): WeightSource {
  const file = openAdapterFile(folder);
  const has = (name: string): boolean => file.tensors.has(peftName(loraName(name, "A")));
  return {
    files: [...base.files, file.path],
    names: base.names,
    shape: base.shape,
    read(name) {
      const weight = base.read(name);
      if (!has(name)) return weight;
      const [a, b] = [file.read(peftName(loraName(name, "A"))), file.read(peftName(loraName(name, "B")))];
      return addProduct(weight, a, b, adapter);
    },
    close() {
      base.close();
      file.close();
    },
  };
}

/** Adds alpha / rank · B·A to a weight in place: A is [rank, in], B is [out, rank]. */
export function addProduct<T extends Float32Array | Float64Array>(
  weight: T,
  a: Float32Array | Float64Array,
  b: Float32Array | Float64Array,
  { rank, alpha }: Pick<LoraAdapter, "rank" | "alpha">,
): T {
  const inner = a.length / rank;
  const row = new Float64Array(inner);
  for (let out = 0; out < b.length / rank; out++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = b[out * rank + k]!;
      for (let i = 0; i < inner; i++) row[i]! += factor * a[k * inner + i]!;
    }
    for (let i = 0; i < inner; i++) weight[out * inner + i]! += (alpha / rank) * row[i]!;
  }
  return weight;
}
