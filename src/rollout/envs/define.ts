import type { z } from "zod";
import type { EnvironmentDef } from "./types.ts";

/** Gives the default export of an environment's file its types; it returns what it gets. */
export function defineEnvironment<Options extends z.ZodType>(def: EnvironmentDef<Options>): EnvironmentDef<Options> {
  return def;
}
