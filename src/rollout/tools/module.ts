import { resolve } from "node:path";
import { ConfigError, messageOf } from "../../utils/errors.ts";
import { importUserModule } from "../../utils/user-module.ts";
import type { Tool } from "./tool.ts";

/**
 * Loads tools of the user's own from a file whose default export is a tool, or a list of tools, made by `defineTool`.
 * @param folder that the path starts from
 * @throws ConfigError when there is no such file, it fails, or it exports something else
 */
export async function moduleTools(path: string, folder: string): Promise<readonly Tool[]> {
  let exported: unknown;
  try {
    exported = (await importUserModule(resolve(folder, path))).default;
  } catch (error) {
    throw new ConfigError(`tools: module ${path} could not be loaded: ${messageOf(error)}`, { cause: error });
  }
  const tools = Array.isArray(exported) ? exported : [exported];
  if (tools.length > 0 && tools.every(isTool)) return tools;
  throw new ConfigError(
    `tools: the default export of ${path} must be a tool, or a list of tools, made by defineTool of "rlvr/rollout"`,
  );
}

function isTool(value: unknown): value is Tool {
  if (value === null || typeof value !== "object") return false;
  const { name, description, parameters, read, run } = value as Partial<Tool>;
  return (
    typeof name === "string" &&
    typeof description === "string" &&
    typeof parameters === "object" &&
    typeof read === "function" &&
    typeof run === "function"
  );
}
