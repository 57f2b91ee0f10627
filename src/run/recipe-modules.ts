import { resolve } from "node:path";
import type { RecipeSource } from "./recipe-source.ts";

/**
 * Makes the paths of a user's own modules (every key `module`) and of the judge's cache absolute, so that a resolved recipe finds them from any folder.
 * @param folder where relative paths start
 */
export function absoluteModules(source: RecipeSource, folder: string): RecipeSource {
  return { ...source, data: withModules(source.data, folder) };
}

function withModules(node: unknown, folder: string): unknown {
  if (Array.isArray(node)) return node.map((inner) => withModules(inner, folder));
  if (typeof node !== "object" || node === null) return node;
  const isJudge = "name" in node && node.name === "llm-judge";
  const isOwn = "module" in node && typeof node.module === "string" && node.module !== "";
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key === "cache" && isJudge && typeof value === "string" && !/^~|^$/.test(value))
        return [key, resolve(folder, value)];
      if (isOwn && key === "module") return [key, resolve(folder, node.module as string)];
      return [key, isOwn && key === "options" ? value : withModules(value, folder)]; // options belong to the module
    }),
  );
}
