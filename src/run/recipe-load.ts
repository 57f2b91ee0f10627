import { dirname, resolve } from "node:path";
import { stringify } from "yaml";
import { ConfigError } from "../utils/errors.ts";
import { canonicalJson } from "../utils/hash.ts";
import { completeRecipe, crossProblems, type Recipe, RecipeSchema } from "./recipe.ts";
import { absoluteModules } from "./recipe-modules.ts";
import { type Problem, pathText, problemsOf } from "./recipe-problems.ts";
import { applyOverrides, type RecipeSource, readRecipe } from "./recipe-source.ts";

/** Changes to a recipe from the command line. */
export interface RecipeOptions {
  /** `a.b=c`, in the order given. */
  readonly set?: readonly string[];
  /** Applies the recipe's `smoke` patch: the same run in seconds. */
  readonly smoke?: boolean;
}

/**
 * Reads, patches and validates a recipe. Modules that it names are looked for in its own folder, those of `set` in the current one.
 * @throws ConfigError with one line per problem, all of them at once
 */
export async function loadRecipe(file: string, options: RecipeOptions = {}): Promise<Recipe> {
  const written = absoluteModules(await readRecipe(file), dirname(resolve(file)));
  const source = applyOverrides(written, options.set ?? []);
  return resolveRecipe(absoluteModules(source, resolve()), options.smoke ?? false);
}

/** Validates a recipe that is already in memory; the `smoke` patch is validated too, applied or not. */
export function resolveRecipe(source: RecipeSource, smoke: boolean): Recipe {
  const { data } = source;
  if (!isMapping(data))
    throw new ConfigError(`${source.locate([])} a recipe is a mapping of keys such as model, tasks, steps`);
  const named = { name: source.name, ...data };
  const plain = check(named);
  const patch = isMapping(data.smoke) ? data.smoke : {};
  const patched = check({ ...(merge(named, patch) as object), smoke: {} });
  const lines = plain.problems.map((problem) => line(source, problem));
  const seen = new Set(plain.problems.map(({ path }) => pathText(path)));
  for (const problem of patched.problems)
    if (!seen.has(pathText(problem.path))) lines.push(line(source, { ...problem, path: ["smoke", ...problem.path] }));
  if (lines.length > 0) throw new ConfigError(lines.join("\n"));
  return smoke ? patched.recipe! : plain.recipe!;
}

/** The recipe as YAML: loading it again gives an equal recipe. */
export function recipeToYaml(recipe: Recipe): string {
  return stringify(recipe, { lineWidth: 120, aliasDuplicateObjects: false });
}

/** Names of the top-level keys in which two recipes differ. */
export function recipeDifferences(a: Recipe, b: Recipe): string[] {
  return Object.keys(RecipeSchema.shape).filter(
    (key) => canonicalJson(a[key as keyof Recipe] ?? null) !== canonicalJson(b[key as keyof Recipe] ?? null),
  );
}

function check(input: unknown): { recipe?: Recipe; problems: Problem[] } {
  const result = RecipeSchema.safeParse(input);
  const problems = result.success ? [] : problemsOf(RecipeSchema, input, result.error.issues);
  const broken = new Set(problems.map(({ path }) => pathText(path)));
  problems.push(...crossProblems(input).filter(({ path }) => !broken.has(pathText(path))));
  return result.success ? { recipe: completeRecipe(result.data), problems } : { problems };
}

function line(source: RecipeSource, { path, message }: Problem): string {
  return `${source.locate(path)} ${path.length > 0 ? `${pathText(path)}: ` : ""}${message}`;
}

/** Deep merge of mappings; anything else, and a mapping with another `name` or `kind`, is replaced. */
function merge(base: unknown, patch: unknown): unknown {
  if (!isMapping(base) || !isMapping(patch)) return patch;
  for (const tag of ["name", "kind"]) if (tag in patch && tag in base && patch[tag] !== base[tag]) return patch;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) merged[key] = key in base ? merge(base[key], value) : value;
  return merged;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
