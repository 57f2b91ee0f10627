import { correct, defineReward, z } from "../src/rewards/index.ts";

const WORK_MS = 5;

/** A verifier that works for 5 ms, or hangs on the text `hang`. */
export default defineReward({
  options: z.strictObject({}),
  create:
    () =>
    ({ text }) => {
      const end = text === "hang" ? Number.POSITIVE_INFINITY : performance.now() + WORK_MS;
      while (performance.now() < end);
      return correct("done");
    },
});
