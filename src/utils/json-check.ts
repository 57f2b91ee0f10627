import { Validator } from "@cfworker/json-schema";
import { nearest } from "./nearest.ts";

/** A JSON schema that is ready: says what is wrong with a value, or null. */
export type JsonCheck = (value: unknown) => string | null;

/** A JSON schema as data. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

type Rule = "schema" | "schemas" | "list" | "plain";
/** What stands under a keyword: a schema, schemas by name, a list of schemas, or anything else. */
const KEYWORDS: Readonly<Record<string, Rule>> = {
  ...under(
    "schema",
    "not if then else contains additionalProperties unevaluatedProperties propertyNames additionalItems",
  ),
  ...under("schema", "unevaluatedItems items"),
  ...under("schemas", "properties patternProperties $defs definitions dependentSchemas"),
  ...under("list", "allOf anyOf oneOf prefixItems"),
  ...under(
    "plain",
    "$schema $id $ref $anchor $comment title description default examples deprecated readOnly writeOnly",
  ),
  ...under("plain", "type const enum format required dependentRequired dependencies minProperties maxProperties"),
  ...under("plain", "minItems maxItems uniqueItems minContains maxContains minimum maximum exclusiveMinimum"),
  ...under("plain", "exclusiveMaximum multipleOf minLength maxLength pattern contentEncoding contentMediaType"),
};
const TYPES = ["null", "boolean", "object", "array", "number", "integer", "string"];
const MAX_SCHEMA_DEPTH = 64;

/**
 * Makes a check from a JSON schema (draft 2020-12; 4 and 7 when `$schema` says so).
 * @param unknownKeywords whether keywords that JSON schema does not have are passed over or are a problem
 * @returns the check, or what is wrong with the schema and where
 */
export function jsonCheck(
  schema: unknown,
  unknownKeywords: "ignored" | "refused" = "refused",
): { readonly check: JsonCheck } | { readonly problem: string } {
  const problem = schemaProblem(schema, { root: schema, unknownKeywords }, "#", 0);
  if (problem) return { problem };
  const named = String((schema as { $schema?: unknown }).$schema);
  const draft = named.includes("draft-04") ? "4" : /draft-0[67]/.test(named) ? "7" : "2020-12";
  try {
    const validator = new Validator(schema as never, draft, true);
    const check: JsonCheck = (value) => {
      const { valid, errors } = validator.validate(value as never);
      const last = errors.at(-1); // the innermost
      return valid ? null : last ? `${last.instanceLocation}: ${last.error}` : "does not fit the schema";
    };
    for (const value of [null, 0, "", [], {}]) check(value); // endless references fail here
    return { check };
  } catch (error) {
    return { problem: `can't be used: ${(error as Error).message.split("\n")[0]}` };
  }
}

function under(rule: Rule, names: string): Record<string, Rule> {
  return Object.fromEntries(names.split(" ").map((name) => [name, rule]));
}

interface Context {
  readonly root: unknown;
  readonly unknownKeywords: "ignored" | "refused";
}

function schemaProblem(node: unknown, context: Context, at: string, depth: number): string | null {
  if (depth > MAX_SCHEMA_DEPTH) return `${at} is nested deeper than ${MAX_SCHEMA_DEPTH} schemas`;
  if (typeof node === "boolean") return null;
  if (!isMapping(node)) return `${at} must be a schema: a mapping, true or false; got ${show(node)}`;
  for (const [keyword, value] of Object.entries(node)) {
    const place = `${at}/${keyword}`;
    const rule = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword]! : null;
    if (rule === null && context.unknownKeywords === "ignored") continue;
    const problem =
      rule === null
        ? unknownKeyword(keyword, place)
        : (valueProblem(keyword, value, context.root, place) ?? innerProblem(rule, value, context, place, depth));
    if (problem) return problem;
  }
  return null;
}

function unknownKeyword(keyword: string, at: string): string {
  const near = nearest(keyword, Object.keys(KEYWORDS));
  return `${at} is no keyword of JSON schema${near ? `; did you mean ${near}?` : ""}`;
}

function valueProblem(keyword: string, value: unknown, root: unknown, at: string): string | null {
  const types = Array.isArray(value) ? value : [value];
  if (keyword === "type" && !types.every((type) => TYPES.includes(type as string)))
    return `${at} must be of ${TYPES.join(", ")}; got ${show(value)}`;
  if (keyword === "required" && !(Array.isArray(value) && value.every((name) => typeof name === "string")))
    return `${at} must be a list of names, got ${show(value)}`;
  if (keyword === "enum" && !Array.isArray(value)) return `${at} must be a list of values, got ${show(value)}`;
  if (keyword === "pattern") return patternProblem(value, at);
  if (keyword === "$ref" && !refersTo(root, value)) return `${at} leads nowhere inside the schema: ${show(value)}`;
  return null;
}

function innerProblem(rule: Rule, value: unknown, context: Context, at: string, depth: number): string | null {
  if (rule === "plain") return null;
  if (rule === "list" && !Array.isArray(value)) return `${at} must be a list of schemas, got ${show(value)}`;
  if (rule === "schemas" && !isMapping(value)) return `${at} must be a mapping of schemas by name, got ${show(value)}`;
  if (rule === "schema" && !Array.isArray(value)) return schemaProblem(value, context, at, depth + 1);
  for (const [name, node] of Object.entries(value as object)) {
    const problem =
      (at.endsWith("/patternProperties") ? patternProblem(name, at) : null) ??
      schemaProblem(node, context, `${at}/${name}`, depth + 1);
    if (problem) return problem;
  }
  return null;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 60);
}

function patternProblem(pattern: unknown, at: string): string | null {
  try {
    new RegExp(pattern as string, "u");
    return typeof pattern === "string" ? null : `${at} must be a text`;
  } catch {
    return `${at} is not a regular expression: ${JSON.stringify(pattern)}`;
  }
}

/** References within the schema only: nothing is ever fetched. */
function refersTo(root: unknown, ref: unknown): boolean {
  if (typeof ref !== "string" || !ref.startsWith("#")) return false;
  if (ref === "#" || !ref.startsWith("#/"))
    return ref === "#" || JSON.stringify(root).includes(`"$anchor":${JSON.stringify(ref.slice(1))}`);
  let node = root;
  for (const part of ref.slice(2).split("/")) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, key)) return false;
    node = (node as Record<string, unknown>)[key];
  }
  return true;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
