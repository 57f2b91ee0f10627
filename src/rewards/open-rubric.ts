import { z } from "zod";
import { ConfigError } from "../utils/errors.ts";
import { BuiltInRewardConfig, builtInDef, createReward } from "./builtin.ts";
import { ModuleRewardConfig } from "./own-reward.ts";
import { openPool, type PoolOptions, type VerifierPool } from "./pool/index.ts";
import { type Rubric, type RubricTerm, rubric } from "./rubric.ts";

/** A reward of a recipe: a built-in one by its name, with its weight and its own options, or a file of the user's own. */
export const RewardConfig = z.union([BuiltInRewardConfig, ModuleRewardConfig]);
export type RewardConfig = z.infer<typeof RewardConfig>;

/** Time for one answer of a reward that does not say otherwise, ms. */
const DEADLINE_MS = 5000;

/**
 * Makes the rubric of a recipe: rewards that are not cheap and bounded run in a pool of threads that can be killed, those of the user's own always.
 * @throws ConfigError when a reward can't work on this machine, with what to install
 */
export function createRubric(configs: readonly RewardConfig[], options: PoolOptions = {}): Rubric {
  const terms = configs.map(termOf);
  return rubric(terms, terms.some((term) => "source" in term) ? { pool: openPool(options) } : {});
}

/**
 * `createRubric`, once every file of the user's own was loaded in a thread.
 * @throws ConfigError naming each file that is missing, throws, never ends loading or exports no reward, and what is expected
 */
export async function openRubric(configs: readonly RewardConfig[], options: PoolOptions = {}): Promise<Rubric> {
  const terms = configs.map(termOf);
  if (!terms.some((term) => "source" in term)) return rubric(terms);
  const pool = openPool(options);
  const problems = await moduleProblems(terms, pool);
  if (problems.length === 0) return rubric(terms, { pool });
  await pool.close();
  throw new ConfigError(problems.join("\n"));
}

async function moduleProblems(terms: readonly RubricTerm[], pool: VerifierPool): Promise<string[]> {
  const problems: string[] = [];
  for (const term of terms) {
    if (!("source" in term) || term.source.kind !== "module") continue;
    const problem = await pool.load(term.source);
    if (problem !== null)
      problems.push(
        `reward ${term.name}: ${problem.includes(term.source.path) ? "" : `${term.source.path}: `}${problem}`,
      );
  }
  return problems;
}

function termOf(config: RewardConfig): RubricTerm {
  const { name, weight } = config;
  if ("module" in config) {
    const { module: path, options, deadlineMs } = config;
    return { weight, name, source: { kind: "module", path, name, options }, deadlineMs };
  }
  const { name: _name, weight: _weight, ...options } = config;
  const def = builtInDef(name);
  const reward = createReward(config); // here, even if it runs in a thread, so that what can't work is said now
  if (def.runs?.(options) === "main") return { weight, reward };
  return { weight, name, source: { kind: "builtin", config }, deadlineMs: def.deadlineMs?.(options) ?? DEADLINE_MS };
}
