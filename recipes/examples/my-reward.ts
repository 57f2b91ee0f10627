// A reward of one's own for countdown: an answer whose last result misses the target by d has the score 1 / (1 + d / scale), so that a group without
// a right answer has a signal, too. It takes the answer's arithmetic on trust: the built-in reward beside it does not.
import { defineReward, graded, z } from "rlvr/rewards";

const TaskData = z.object({ target: z.number() });

export default defineReward({
  options: z.strictObject({ scale: z.number().positive().default(10).describe("miss at which the score is one half") }),
  create: ({ scale }) => {
    return ({ task, text, stop }) => {
      const { target } = TaskData.parse(task.data); // what throws is an error, never a score of 0
      if (stop === "length") return graded(0, "was cut off before it ended");
      const result = /=(\d{1,6})(?: yes| no)?$/.exec(text)?.[1];
      if (result === undefined) return graded(0, "ends with no result");
      const miss = Math.abs(Number(result) - target);
      return graded(1 / (1 + miss / scale), `misses ${target} by ${miss}`, result);
    };
  },
});
