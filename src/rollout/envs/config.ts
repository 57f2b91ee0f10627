import { z } from "zod";
import { ConfigError } from "../../utils/errors.ts";
import { nearest } from "../../utils/nearest.ts";
import { ENVIRONMENTS, type EnvironmentDef, type EnvironmentSource } from "./index.ts";

/** A kind of environment by its name. */
export function environmentDef(name: string): EnvironmentDef | undefined {
  return ENVIRONMENTS.find((def) => def.name === name);
}

/** An environment of a recipe: its name and its own options. */
export const EnvConfig = z
  .looseObject({ name: z.string().min(1).describe("kind of environment; `rlvr env list` shows all") })
  .superRefine(({ name, ...options }, context) => {
    const def = environmentDef(name);
    if (!def) {
      const known = ENVIRONMENTS.map((one) => one.name);
      const near = nearest(name, known);
      context.addIssue({
        code: "custom",
        path: ["name"],
        message: `must be one of ${known.join(", ")}${near ? `; did you mean "${near}"?` : ""}`,
      });
      return;
    }
    for (const issue of def.options.safeParse(options).error?.issues ?? [])
      context.addIssue({ code: "custom", path: [...issue.path], message: `environment ${name}: ${issue.message}` });
  })
  .overwrite(({ name, ...options }) => {
    const parsed = environmentDef(name)?.options.safeParse(options);
    return parsed?.success ? { name, ...(parsed.data as object) } : { name, ...options };
  });
export type EnvConfig = z.infer<typeof EnvConfig>;

/** Opens the environment of a recipe. @throws ConfigError when there is none of that name, or something is missing that it needs */
export async function openSource({ name, ...options }: EnvConfig): Promise<EnvironmentSource> {
  const def = environmentDef(name);
  if (!def) throw new ConfigError(`there is no environment ${JSON.stringify(name)}`);
  return def.open(def.options.parse(options));
}
