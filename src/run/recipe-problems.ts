import { z } from "zod";
import { nearest } from "../utils/nearest.ts";

/** One thing wrong with a recipe: where in its tree, and what. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** `rollout.groupSize`, `rewards.0.weight` */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}

/**
 * Turns zod's issues into problems that name the nearest key or choice.
 * @param schema the schema that was parsed with, for the names it knows
 * @param input what was parsed, for choosing the variant of a union
 */
export function problemsOf(
  schema: z.ZodType,
  input: unknown,
  issues: readonly z.core.$ZodIssue[],
  base: readonly PropertyKey[] = [],
): Problem[] {
  const json = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  return issues.flatMap((issue) => fromIssue(issue, [...base, ...issue.path], json, input));
}

function fromIssue(
  issue: z.core.$ZodIssue,
  path: readonly PropertyKey[],
  json: JsonSchema,
  input: unknown,
  root = input,
): Problem[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const known = knownKeys(json, root, path);
        return { path: [...path, key], message: unknownKey(key, known) };
      });
    case "invalid_union": {
      if ("options" in issue) return [{ path, message: unknownChoice(at(root, path), issue.options as string[]) }];
      const best = closest(issue.errors, at(root, path));
      return best
        ? best.flatMap((inner) => fromIssue(inner, [...path, ...inner.path], json, root))
        : [{ path, message: `must be ${kinds(issue.errors)}, got ${show(at(root, path))}` }];
    }
    case "invalid_value":
      return [{ path, message: unknownChoice(at(root, path), issue.values.map(String)) }];
    default:
      return [{ path, message: simple(issue, at(root, path)) }];
  }
}

function simple(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === "invalid_type") {
    if (value === undefined) return `is missing (${article(issue.expected)})`;
    return `must be ${article(issue.expected)}, got ${show(value)}`;
  }
  const own = !/^(Too|Invalid)/.test(issue.message); // a message written in the schema
  if (own) return `${issue.message} (got ${show(value)})`;
  if (issue.code === "too_small" || issue.code === "too_big") {
    const small = issue.code === "too_small";
    const limit = small ? issue.minimum : issue.maximum;
    if (issue.origin === "array") return `must have ${small ? "at least" : "at most"} ${limit} entries`;
    if (issue.origin === "string") return "must not be empty";
    const word = small ? (issue.inclusive ? "at least" : "above") : issue.inclusive ? "at most" : "below";
    return `must be ${word} ${limit}, got ${show(value)}`;
  }
  return `${issue.message}, got ${show(value)}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return `unknown key${near ? `, did you mean "${near}"?` : ""} (known: ${known.join(", ") || "none"})`;
}

function unknownChoice(value: unknown, options: readonly string[]): string {
  if (value === undefined) return `is missing (one of ${options.join(", ")})`;
  const near = typeof value === "string" ? nearest(value, options) : undefined;
  return `must be ${options.length > 1 ? "one of " : ""}${options.join(", ")}, got ${show(value)}${near ? `; did you mean "${near}"?` : ""}`;
}

/**
 * The branch of a union whose kind fits (its first problem lies deeper than the union itself), if there is one. What names a module is meant for
 * the branch that knows modules.
 */
function closest(
  branches: readonly (readonly z.core.$ZodIssue[])[],
  value: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  const fitting = branches.filter((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code !== "invalid_type"),
  );
  const knows = (issue: z.core.$ZodIssue): boolean =>
    issue.code !== "invalid_union" && !(issue.code === "unrecognized_keys" && issue.keys.includes("module"));
  return (namesModule(value) && fitting.find((issues) => issues.every(knows))) || fitting[0];
}

function kinds(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const names = branches.map(([issue]) => (issue?.code === "invalid_type" ? article(issue.expected) : "another value"));
  return [...new Set(names)].join(" or ");
}

function article(kind: string): string {
  const names: Record<string, string> = {
    object: "a mapping",
    array: "a list",
    string: "a text",
    int: "a whole number",
    number: "a number",
    boolean: "true or false",
    null: "null",
    record: "a mapping",
  };
  return names[kind] ?? kind;
}

function show(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function at(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key], root);
}

/** A control or reward of the user's own. */
function namesModule(value: unknown): boolean {
  return typeof value === "object" && value !== null && "module" in value;
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  const?: unknown;
}

/** Keys that the schema knows at a path, following the variant of a union that the input's `name` chose. */
function knownKeys(json: JsonSchema, input: unknown, path: readonly PropertyKey[]): string[] {
  let nodes = variants(json, input);
  let value = input;
  for (const key of path) {
    value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
    nodes = nodes
      .flatMap((node) => (typeof key === "number" ? node.items : node.properties?.[String(key)]) ?? [])
      .flatMap((node) => variants(node, value));
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function variants(node: JsonSchema, value: unknown): JsonSchema[] {
  const branches = node.anyOf ?? node.oneOf;
  if (!branches) return [node];
  const hasOwn = branches.some(({ properties }) => properties?.module);
  const fits = (branch: JsonSchema): boolean => {
    if (hasOwn && (branch.properties?.module !== undefined) !== namesModule(value)) return false;
    const wanted = branch.properties?.name?.const;
    return wanted === undefined || wanted === (value as { name?: unknown } | undefined)?.name;
  };
  return branches.filter(fits).flatMap((branch) => variants(branch, value));
}
