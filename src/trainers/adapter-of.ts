import type { Adapter } from "../policy/index.ts";
import type { JobRecipe } from "./job.ts";

/** The recipe's short names ("q") as parts of weight names ("q_proj"). */
export function adapterOf(adapter: JobRecipe["adapter"]): Adapter {
  if (adapter.kind === "none") return adapter;
  const { rank, alpha, targets } = adapter;
  return { kind: "lora", rank, alpha: alpha ?? 2 * rank, targets: targets.map((target) => `${target}_proj`) };
}
