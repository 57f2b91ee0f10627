import type { Reward, Scorable, Verdict } from "rlvr/rewards";

/** A verifier that does what the answer says: everything that a verifier of a user's may do wrong. */
const deeds: Record<string, (completion: Scorable) => unknown> = {
  right: ({ task }) => ({ outcome: "correct", score: 1, reason: `right: ${task.id}`, parsed: "1" }),
  later: async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { outcome: "wrong", score: 0.25, reason: "a quarter" };
  },
  spin: () => {
    for (;;);
  },
  never: () => new Promise(() => {}),
  backtrack: () => /^(a+)+$/.test(`${"a".repeat(60)}b`),
  heap: () => {
    const kept: number[][] = [];
    for (;;) kept.push(new Array(1000).fill(Math.random()));
  },
  buffers: () => {
    const kept: Buffer[] = [];
    for (;;) kept.push(Buffer.alloc(2 ** 24, 1));
  },
  deep: () => {
    const down = (n: number): number => 1 + down(n + 1);
    return down(0);
  },
  exit: () => process.exit(3),
  throw: () => {
    throw new Error("a bug of the verifier");
  },
  "throw-later": () => {
    setTimeout(() => {
      throw new Error("thrown from a timer");
    }, 1);
    return new Promise(() => {});
  },
  nan: () => ({ outcome: "correct", score: Number.NaN, reason: "" }),
  two: () => ({ outcome: "correct", score: 2, reason: "" }),
  nothing: () => undefined,
  number: () => 1,
  outcome: () => ({ outcome: "maybe", score: 1, reason: "" }),
  function: () => ({ outcome: "correct", score: 1, reason: "", extra: () => 1 }),
};

export default {
  name: "obedient",
  score: (completion) => deeds[completion.text]!(completion) as Verdict,
} satisfies Reward;
