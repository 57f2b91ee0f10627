import { existsSync, readFileSync } from "node:fs";
import { basename, extname, relative } from "node:path";
import { isMap, isPair, LineCounter, type Node, parse, parseDocument } from "yaml";
import { ConfigError, messageOf } from "../utils/errors.ts";
import { importUserModule } from "../utils/user-module.ts";
import { pathText } from "./recipe-problems.ts";

/** A recipe as written: plain data, and where each part of it stands. */
export interface RecipeSource {
  /** File name without extension. */
  readonly name: string;
  readonly data: unknown;
  /** `recipe.yaml:12` for a YAML file, the file's name otherwise. */
  locate(path: readonly PropertyKey[]): string;
}

/**
 * Reads a recipe file: `.yaml`, `.yml`, `.json`, or a TypeScript or JavaScript module with a default export.
 * @throws ConfigError when it is missing or not readable
 */
export async function readRecipe(file: string): Promise<RecipeSource> {
  if (!existsSync(file)) throw new ConfigError(`${file}: no such recipe file`);
  const extension = extname(file).toLowerCase();
  const name = basename(file, extname(file));
  if ([".yaml", ".yml", ".json"].includes(extension)) return { name, ...fromYaml(readFileSync(file, "utf8"), file) };
  if (![".ts", ".mts", ".js", ".mjs"].includes(extension))
    throw new ConfigError(`${file}: a recipe is a .yaml, .json, .ts or .js file, not "${extension}"`);
  return { name, data: await fromModule(file), locate: () => file };
}

/** Parses YAML text, keeping lines. @throws ConfigError listing every syntax error */
export function fromYaml(text: string, file: string): Omit<RecipeSource, "name"> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const line = (offset: number): number => lineCounter.linePos(offset).line;
  if (document.errors.length > 0)
    throw new ConfigError(document.errors.map((error) => `${file}:${line(error.pos[0])} ${error.message}`).join("\n"));
  const locate = (path: readonly PropertyKey[]): string => {
    let offset = document.contents?.range?.[0] ?? 0;
    for (let depth = 1; depth <= path.length; depth++) offset = offsetOf(document, path.slice(0, depth)) ?? offset;
    return `${file}:${line(offset)}`;
  };
  return { data: document.toJS(), locate };
}

function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number | undefined {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const key = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && String(item.key) === String(key));
    return (pair?.key as Node | undefined)?.range?.[0];
  }
  return (document.getIn(path, true) as Node | undefined)?.range?.[0];
}

async function fromModule(file: string): Promise<unknown> {
  try {
    const module = await importUserModule(file);
    const outer = module.default as { __esModule?: true; default?: unknown } | undefined;
    const recipe = outer?.__esModule ? outer.default : outer; // CommonJS, where no package.json says "type": "module"
    if (recipe === undefined) throw new Error("it has no default export");
    return structuredClone(recipe);
  } catch (error) {
    throw new ConfigError(`${relative(".", file)}: cannot load the module: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Applies `a.b=c` overrides (the value is YAML) on a copy.
 * @throws ConfigError listing every override that is not of this form or goes through a value
 */
export function applyOverrides(source: RecipeSource, overrides: readonly string[]): RecipeSource {
  const data = structuredClone(source.data ?? {}) as Record<string, unknown>;
  const problems: string[] = [];
  const paths: { path: string[]; text: string }[] = [];
  for (const text of overrides) {
    const split = text.indexOf("=");
    const path = text.slice(0, split).split(".");
    if (split < 1 || path.some((key) => key === "")) {
      problems.push(`--set ${text}: must look like rollout.groupSize=8`);
      continue;
    }
    const problem = assign(data, path, readValue(text.slice(split + 1)));
    if (problem) problems.push(`--set ${text}: ${problem}`);
    paths.push({ path, text });
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  const locate = (path: readonly PropertyKey[]): string => {
    const full = pathText(path);
    const found = paths.findLast((entry) => `${full}.`.startsWith(`${entry.path.join(".")}.`));
    return found ? `--set ${found.text}:` : source.locate(path);
  };
  return { ...source, data, locate };
}

function readValue(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}

/** Sets a value deep inside; returns what is wrong with the path, if anything. */
function assign(root: Record<string, unknown>, path: readonly string[], value: unknown): string | undefined {
  if (path.some((key) => key === "__proto__")) return "is no key of a recipe";
  let node: Record<string, unknown> = root;
  for (const [depth, key] of path.slice(0, -1).entries()) {
    if (node[key] === undefined || node[key] === null) node[key] = {};
    const inner = node[key];
    if (typeof inner !== "object" || inner === null)
      return `${path.slice(0, depth + 1).join(".")} is ${JSON.stringify(inner)}, it has no keys`;
    node = inner as Record<string, unknown>;
  }
  node[path.at(-1)!] = value;
  return undefined;
}
