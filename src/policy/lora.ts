import type { ModelConfig } from "./config.ts";
import { layerShapes } from "./families.ts";

/** Which weights train: all of them, or low-rank additions to the linear maps (LoRA, arXiv:2106.09685). */
export type Adapter =
  | { readonly kind: "none" }
  | {
      readonly kind: "lora";
      readonly rank: number;
      /** The addition is scaled by alpha / rank. */
      readonly alpha: number;
      /** Last part of the names of the linear maps that get one, such as "q_proj". */
      readonly targets: readonly string[];
    };

/** All linear maps of a layer: the usual choice of targets. */
export const ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;

/** Name of an adapter matrix of a linear map: A is [rank, in], B is [out, rank]. */
export function loraName(linear: string, part: "A" | "B"): string {
  return `${linear.replace(/\.weight$/, "")}.lora_${part}.weight`;
}

/** Shapes of one layer's adapter matrices by suffix; empty without an adapter. */
export function loraShapes(config: ModelConfig, adapter: Adapter): Map<string, readonly [number, number]> {
  const shapes = new Map<string, readonly [number, number]>();
  if (adapter.kind === "none") return shapes;
  for (const [name, [out, inner]] of layerShapes(config)) {
    if (out === undefined || inner === undefined) continue; // biases and norms are vectors
    if (!adapter.targets.some((target) => name.endsWith(`${target}.weight`))) continue;
    shapes.set(loraName(name, "A"), [adapter.rank, inner]);
    shapes.set(loraName(name, "B"), [out, adapter.rank]);
  }
  return shapes;
}
