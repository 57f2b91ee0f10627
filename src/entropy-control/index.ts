import { z } from "zod";
import { ConfigError } from "../utils/errors.ts";
import { adaptiveEntropy } from "./adaptive-entropy.ts";
import { aepo } from "./aepo.ts";
import { clipCov } from "./clip-cov.ts";
import { entropyAdvantage } from "./entropy-advantage.ts";
import { entropyBonus } from "./entropy-bonus.ts";
import { epo } from "./epo.ts";
import { forkingTokens } from "./forking-tokens.ts";
import { klCov } from "./kl-cov.ts";
import { lpReg } from "./lp-reg.ts";
import { loadOwnControl } from "./own-control.ts";
import { siren } from "./siren.ts";
import { targetEntropy } from "./target-entropy.ts";
import type { ControlDef, EntropyControl } from "./types.ts";

export { z } from "zod";
export { type NucleusOptions, nucleus } from "./nucleus.ts";
export {
  covariances,
  largest,
  liveSlots,
  maskOf,
  meanOver,
  quantileOf,
  type Scope,
  scopes,
  shareOf,
  smallest,
} from "./stats.ts";
export * from "./types.ts";

const DEFS: readonly ControlDef[] = [
  entropyBonus,
  adaptiveEntropy,
  targetEntropy,
  clipCov,
  klCov,
  forkingTokens,
  entropyAdvantage,
  siren,
  epo,
  aepo,
  lpReg,
] as unknown as readonly ControlDef[];

const named = <N extends string, S extends z.ZodRawShape>(name: N, options: z.ZodObject<S>) =>
  options.extend({ name: z.literal(name) });

/** The built-in controls of a recipe, by name. */
export const BuiltInControlConfig = z.discriminatedUnion("name", [
  named("entropy-bonus", entropyBonus.options),
  named("adaptive-entropy", adaptiveEntropy.options),
  named("target-entropy", targetEntropy.options),
  named("clip-cov", clipCov.options),
  named("kl-cov", klCov.options),
  named("forking-tokens", forkingTokens.options),
  named("entropy-advantage", entropyAdvantage.options),
  named("siren", siren.options),
  named("epo", epo.options),
  named("aepo", aepo.options),
  named("lp-reg", lpReg.options),
]);

/** A control of the user's own: a module whose default export is made by `defineControl`. */
export const ModuleControlConfig = z.looseObject({
  module: z.string().min(1).describe("TypeScript or JavaScript file, from the folder of the recipe"),
});

/** The control of a recipe. */
export const ControlConfig = z.union([BuiltInControlConfig, ModuleControlConfig]);
export type ControlConfig = z.infer<typeof ControlConfig>;

/** A control that is ready, with the name that its metrics and state carry. */
export interface OpenControl {
  readonly name: string;
  readonly control: EntropyControl;
}

/**
 * Makes the control of a recipe; loads the module of a user's own.
 * @throws ConfigError when options are out of range, the module has another shape, or the objective does not fit the control
 */
export async function openControl(
  config: ControlConfig,
  objective: { readonly loss: { readonly name: string } },
): Promise<OpenControl> {
  const { def, options } = "module" in config ? await own(config) : builtIn(config);
  const parsed = def.options.safeParse(options);
  if (!parsed.success) throw new ConfigError(`control ${def.name}: ${z.prettifyError(parsed.error)}`);
  const problem = def.check?.(parsed.data, objective);
  if (problem) throw new ConfigError(`control ${def.name}: ${problem}`);
  return { name: def.name, control: def.create(parsed.data) };
}

function builtIn({ name, ...options }: z.infer<typeof BuiltInControlConfig>): { def: ControlDef; options: unknown } {
  const def = DEFS.find((candidate) => candidate.name === name);
  if (!def) throw new Error(`internal: control ${name} is not in the table`);
  return { def, options };
}

async function own({ module, ...options }: z.infer<typeof ModuleControlConfig>) {
  const def = await loadOwnControl(module);
  if (DEFS.some(({ name }) => name === def.name))
    throw new ConfigError(
      `control: ${module} calls itself ${def.name}, the name of a built-in control; give it another`,
    );
  return { def, options };
}
