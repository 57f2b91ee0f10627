import { countdownTurns } from "./countdown-turns.ts";
import { http } from "./http/index.ts";
import { lab } from "./lab/index.ts";
import { scienceWorld } from "./scienceworld/index.ts";
import { textWorldExpress } from "./textworld-express/index.ts";
import type { EnvironmentDef } from "./types.ts";

export { defineEnvironment } from "./define.ts";
export type { EnvPool, EnvPoolStats } from "./pool.ts";
export { envPool } from "./pool.ts";
export type {
  Environment,
  EnvironmentDef,
  EnvironmentSource,
  EnvReset,
  EnvSplit,
  EnvStep,
  EpisodeStart,
} from "./types.ts";

/** Every kind of environment that a recipe can name. */
export const ENVIRONMENTS: readonly EnvironmentDef[] = [lab, countdownTurns, scienceWorld, textWorldExpress, http];
