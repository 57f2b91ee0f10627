import { resolve } from "node:path";
import type { z } from "zod";
import { ConfigError, messageOf } from "../utils/errors.ts";
import { importUserModule } from "../utils/user-module.ts";
import { guardControl } from "./guard.ts";
import type { ControlDef, EntropyControl } from "./types.ts";

/**
 * Loads the control that a user's file exports. What its functions return is checked at every call, and what they throw is named.
 * @param module path of the file; relative to the current folder
 * @throws ConfigError when the file cannot be loaded or its default export is no control
 */
export async function loadOwnControl(module: string): Promise<ControlDef> {
  const path = resolve(module);
  let loaded: { readonly default?: unknown };
  try {
    loaded = await importUserModule(path);
  } catch (error) {
    throw new ConfigError(`control: ${path} cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
  const def = loaded.default as Partial<ControlDef> | undefined;
  if (
    typeof def?.name !== "string" ||
    typeof def.create !== "function" ||
    typeof def.options?.safeParse !== "function"
  ) {
    throw new ConfigError(
      `control: the default export of ${path} must be a control, made by defineControl({name, options, create}); got ${describe(def)}`,
    );
  }
  return guarded(def as ControlDef, path);
}

function guarded(def: ControlDef, path: string): ControlDef {
  const where = `control ${def.name} (${path})`;
  const create = (options: z.output<ControlDef["options"]>): EntropyControl => {
    let control: EntropyControl;
    try {
      control = def.create(options);
    } catch (error) {
      throw new ConfigError(`${where}: create() failed: ${messageOf(error)}`, { cause: error });
    }
    return guardControl(control, where);
  };
  const check: ControlDef["check"] = (options, objective) => {
    let problem: unknown;
    try {
      problem = def.check?.(options, objective) ?? null;
    } catch (error) {
      throw new ConfigError(`${where}: check() failed: ${messageOf(error)}`, { cause: error });
    }
    if (problem === null || typeof problem === "string") return problem;
    throw new ConfigError(`${where}: check() must return the problem in words, or null; got ${describe(problem)}`);
  };
  return { ...def, create, check };
}

function describe(value: unknown): string {
  if (value === undefined) return "none";
  if (value === null || typeof value !== "object") return `a ${typeof value}`;
  const keys = Object.keys(value);
  return keys.length === 0 ? "an empty object" : `an object with ${keys.join(", ")}`;
}
