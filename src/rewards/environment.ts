import { z } from "zod";
import { RewardError } from "../utils/errors.ts";
import type { Reward, RewardDef, Verdict } from "./types.ts";
import { correct, wrong } from "./verdicts.ts";

const Options = z.strictObject({
  mode: z
    .enum(["success", "return"])
    .default("success")
    .describe(
      "success: 1 for a solved task, else 0; return: the sum of the environment's rewards, from its lowest (0) to its highest (1)",
    ),
});

/**
 * What came of an episode. Right is a task that the environment calls solved; an end by a limit of the rollout is wrong. An environment that broke is an
 * error before any reward is asked.
 */
export const environmentReward: RewardDef<typeof Options> = {
  name: "environment",
  options: Options,
  runs: () => "main",
  create: ({ mode }): Reward => ({
    name: "environment",
    score({ task, episode }): Verdict {
      if (!episode) throw new RewardError(`environment: task ${task.id} was not played in an environment`);
      const { success, end, turns } = episode;
      const how = end === "environment" ? "" : `, ended by the limit of ${end}`;
      const parsed = `return ${Number(episode.return.toPrecision(6))}`;
      if (success) return correct(`solved in ${turns.length} turns`, parsed);
      const failure = wrong(`not solved in ${turns.length} turns${how}`, parsed);
      if (mode === "success") return failure;
      const [low, high] = task.data.returnRange as unknown as readonly [number, number];
      return { ...failure, score: Math.min(1, Math.max(0, (episode.return - low) / (high - low))) };
    },
  }),
};

/** Share of the turns whose action the environment did not understand: give it a negative weight. */
export const invalidActionsReward: RewardDef<z.ZodObject<Record<never, never>>> = {
  name: "invalid-actions",
  options: z.strictObject({}),
  runs: () => "main",
  create: (): Reward => ({
    name: "invalid-actions",
    score({ task, episode }): Verdict {
      if (!episode) throw new RewardError(`invalid-actions: task ${task.id} was not played in an environment`);
      const told = episode.turns.filter(({ valid }) => valid !== null);
      const bad = told.filter(({ valid }) => !valid).length;
      if (bad === 0) return wrong("every action was understood");
      return { ...wrong(`${bad} of ${told.length} actions were not understood`), score: bad / told.length };
    },
  }),
};
