import { pythonRunner, quickJsRunner } from "../rewards/code/index.ts";
import type { RolloutConfig, ToolBox } from "../rollout/index.ts";
import { openTools } from "../rollout/tools/index.ts";

/**
 * Opens the tools of a recipe, programs in the sandboxes of the code rewards; null when it has none.
 * @throws ConfigError when one can't be had on this machine
 */
export async function openToolBox({ tools, toolLimits }: RolloutConfig): Promise<ToolBox | null> {
  if (!tools) return null;
  return openTools(tools, toolLimits, {
    folder: process.cwd(), // a recipe's paths are absolute by now
    code: (language) => (language === "python" ? pythonRunner(null) : quickJsRunner()),
  });
}
