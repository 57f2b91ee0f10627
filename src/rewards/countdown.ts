import { z } from "zod";
import { RewardError } from "../utils/errors.ts";
import { afterThinking } from "../utils/thinking.ts";
import { judgeSteps } from "./countdown-steps.ts";
import { judgeExpression } from "./expression.ts";
import { lastAnswerTag } from "./extract.ts";
import type { Reward, RewardDef } from "./types.ts";
import { unparseable } from "./verdicts.ts";

const Options = z.strictObject({});

/** What a countdown task tells the verifier. */
const TaskData = z.object({ numbers: z.array(z.number()), target: z.number(), format: z.enum(["steps", "question"]) });

/** Countdown: does the answer use every number once and make the target? The task says which notation it asked for. */
export const countdownReward: RewardDef<typeof Options> = {
  name: "countdown",
  options: Options,
  runs: () => "main",
  create: (): Reward => ({
    name: "countdown",
    score({ task, text, stop }) {
      const data = TaskData.safeParse(task.data);
      if (!data.success)
        throw new RewardError(`countdown: task ${task.id} is not a countdown task: it has no numbers and target`);
      const { numbers, target, format } = data.data;
      if (format === "steps") return judgeSteps(text, numbers, target, stop);
      const answer = lastAnswerTag(afterThinking(text));
      return answer === null ? unparseable("there is no <answer>…</answer>") : judgeExpression(answer, numbers, target);
    },
  }),
};
