import { z } from "zod";
import { type JsonCheck, jsonCheck } from "../../utils/json-check.ts";

const Named = z.looseObject({ name: z.string().min(1), parameters: z.unknown().optional() });
const Tool = z.union([z.looseObject({ type: z.literal("function"), function: Named }), Named]);

/** Checks of the arguments, by name of the tool. */
export type ToolList = ReadonlyMap<string, JsonCheck>;

/**
 * Reads tools as chat templates take them: `{type: function, function: {name, parameters}}`, or only the inner part; `parameters` is a JSON
 * schema. Data files often hold the list as JSON text.
 * @returns the tools, or what is wrong with them
 */
export function readTools(given: unknown): { readonly tools: ToolList } | { readonly problem: string } {
  const list = z
    .array(Tool)
    .min(1)
    .safeParse(typeof given === "string" ? parsed(given) : given);
  if (!list.success)
    return { problem: 'must be a list of tools such as {"name": "search", "parameters": {JSON schema}}, at least one' };
  const tools = new Map<string, JsonCheck>();
  for (const tool of list.data) {
    const { name, parameters = {} } = "function" in tool ? (tool.function as z.infer<typeof Named>) : tool;
    if (tools.has(String(name))) return { problem: `has two tools named ${name}` };
    const made = jsonCheck(parameters ?? {}, "ignored");
    if ("problem" in made) return { problem: `parameters of ${name}: ${made.problem}` };
    tools.set(String(name), made.check);
  }
  return { tools };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
