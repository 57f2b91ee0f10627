import { z } from "zod";
import { ConfigError } from "../../utils/errors.ts";
import type { Json } from "../types.ts";

/** What a running tool gets besides its arguments. */
export interface ToolContext {
  /** Ends when the deadline has passed: what comes afterwards is not used. */
  readonly signal: AbortSignal;
}

/** A tool as chat templates take it. */
export interface ToolDefinition {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description: string; readonly parameters: JsonObject };
}

/** A JSON schema, or any other object of JSON. */
export type JsonObject = { readonly [key: string]: Json };

/** Something that the policy can call. */
export interface Tool {
  readonly name: string;
  /** For the model: what it does, and when it is of use. */
  readonly description: string;
  /** JSON schema of the arguments. */
  readonly parameters: JsonObject;
  /** The arguments in the form that `run` takes, or what is wrong with them. */
  read(given: { readonly [name: string]: unknown }): { readonly value: unknown } | { readonly problem: string };
  /** @returns text for the model; anything else is shown as JSON @throws what went wrong; its message is shown to the model */
  run(value: unknown, context: ToolContext): Promise<unknown> | unknown;
}

/** A tool of the user's own. */
export interface OwnTool<Parameters extends z.ZodObject> {
  readonly name: string;
  readonly description: string;
  /** Schema of the arguments; what it describes is shown to the model. */
  readonly parameters: Parameters;
  run(args: z.output<Parameters>, context: ToolContext): Promise<unknown> | unknown;
}

/**
 * Makes a tool from a function and the schema of its arguments.
 * @throws ConfigError when the name is none or the schema has no form in JSON schema
 */
export function defineTool<Parameters extends z.ZodObject>(own: OwnTool<Parameters>): Tool {
  const { name, description, parameters } = own;
  if (!/^[A-Za-z_][\w.-]{0,63}$/.test(name))
    throw new ConfigError(
      `defineTool(): the name ${JSON.stringify(name)} must be letters, digits, _, . or -, at most 64`,
    );
  return {
    name,
    description,
    parameters: jsonSchemaOf(name, parameters),
    read(given) {
      const read = parameters.safeParse(given);
      return read.success ? { value: read.data } : { problem: problemOf(read.error) };
    },
    run: (value, context) => own.run(value as z.output<Parameters>, context),
  };
}

/** As chat templates take it. */
export function definitionOf({ name, description, parameters }: Tool): ToolDefinition {
  return { type: "function", function: { name, description, parameters } };
}

function jsonSchemaOf(name: string, parameters: z.ZodObject): JsonObject {
  try {
    const { $schema: _, ...schema } = z.toJSONSchema(parameters, { io: "input" });
    return schema as unknown as JsonObject;
  } catch (error) {
    throw new ConfigError(`defineTool(): the parameters of ${name} have no form in JSON schema: ${String(error)}`);
  }
}

function problemOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message))
    .join("; ");
}
