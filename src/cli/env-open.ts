import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import type { EnvironmentDef, EnvironmentSource } from "../rollout/envs/index.ts";
import { ConfigError, messageOf } from "../utils/errors.ts";
import { nearest } from "../utils/nearest.ts";
import { importUserModule } from "../utils/user-module.ts";

/** An environment as the command line names it. */
export interface EnvChoice {
  /** A name of `rlvr env list`, or a TypeScript or JavaScript file whose default export is an `EnvironmentDef`. */
  readonly name: string;
  /** `option=value` texts. */
  readonly set?: readonly string[];
}

/** Opens an environment. @throws ConfigError naming the nearest environment or option, or what is missing */
export async function openEnvironment({ name, set = [] }: EnvChoice): Promise<EnvironmentSource> {
  const def = await definition(name);
  const options: Record<string, unknown> = {};
  for (const entry of set) {
    const at = entry.indexOf("=");
    if (at < 1) throw new ConfigError(`--set ${entry}: must look like size=small`);
    options[entry.slice(0, at)] = parseYaml(entry.slice(at + 1));
  }
  const parsed = def.options.safeParse(options);
  if (parsed.success) return await def.open(parsed.data);
  const { pathText, problemsOf } = await import("../run/recipe-problems.ts");
  const problems = problemsOf(def.options, options, parsed.error.issues);
  throw new ConfigError(
    problems.map(({ path, message }) => `environment ${def.name}: ${pathText(path)} ${message}`).join("\n"),
  );
}

async function definition(name: string): Promise<EnvironmentDef> {
  if (/\.[cm]?[jt]s$/.test(name)) return await fromFile(resolve(name));
  const [{ ENVIRONMENTS }, { environmentDef }] = await Promise.all([
    import("../rollout/envs/index.ts"),
    import("../rollout/envs/config.ts"),
  ]);
  const found = environmentDef(name);
  if (found) return found;
  const names = ENVIRONMENTS.map((def) => def.name);
  const near = nearest(name, names);
  throw new ConfigError(
    `there is no environment ${JSON.stringify(name)}: must be one of ${names.join(", ")}, or a file such as ./my-env.ts${near ? `; did you mean "${near}"?` : ""}`,
  );
}

async function fromFile(path: string): Promise<EnvironmentDef> {
  if (!existsSync(path)) throw new ConfigError(`${path}: there is no such file`);
  let def: Partial<EnvironmentDef> | undefined;
  try {
    ({ default: def } = (await importUserModule(path)) as { default?: Partial<EnvironmentDef> });
  } catch (error) {
    throw new ConfigError(`${path}: can't be loaded: ${messageOf(error)}`, { cause: error });
  }
  if (typeof def?.name === "string" && typeof def.open === "function" && typeof def.options?.safeParse === "function")
    return def as EnvironmentDef;
  throw new ConfigError(
    `${path}: the default export must be {name, description, options, open}; see docs/environments.md`,
  );
}
