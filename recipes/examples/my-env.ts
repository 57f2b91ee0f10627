// An environment of one's own: guess a number from 1 to 7 within a few tries. npx rlvr env play recipes/examples/my-env.ts
import { defineEnvironment, type Environment, z } from "rlvr/rollout";
import { EnvError } from "rlvr/utils";

export default defineEnvironment({
  name: "guess",
  description: "guess a number, with higher and lower",
  options: z.strictObject({ tries: z.int().min(1).default(5).describe("guesses; what is no number costs none") }),
  open: async ({ tries }) => ({
    name: "guess",
    version: `1-${tries}`, // changes when the same actions may lead elsewhere
    deterministic: true,
    returnRange: [0, 1],
    tasks: ["guess"],
    async starts(split, tasks = ["guess"]) {
      tasks.forEach(requireTask);
      const [from, to] = { train: [0, 80], dev: [80, 90], test: [90, 100] }[split] as [number, number];
      return Array.from({ length: to - from }, (_, index) => ({ task: "guess", seed: from + index })); // splits share none
    },
    open: async () => newWorld(tries),
    close: async () => {},
  }),
});

function requireTask(task: string): void {
  if (task !== "guess") throw new EnvError(`guess: there is no task ${JSON.stringify(task)}; the task is guess`);
}

function newWorld(tries: number): Environment {
  let secret = 0;
  let left = 0;
  let isSolved = false;
  return {
    async reset({ task, seed }) {
      requireTask(task);
      if (!Number.isInteger(seed) || seed < 0 || seed > 99)
        throw new EnvError(`guess: there is no variation ${seed}; they are 0 to 99`);
      [secret, left, isSolved] = [1 + ((seed * 31) % 7), tries, false];
      return { instruction: "Guess my number, 1 to 7.", observation: `You have ${left} tries.` };
    },
    async step(action) {
      const nothing = { reward: 0, done: isSolved || left === 0, success: isSolved, valid: false };
      if (nothing.done) return { observation: "The game is over.", ...nothing };
      if (!/^[1-7]$/.test(action)) return { observation: "Say a number from 1 to 7.", ...nothing };
      left--;
      isSolved = Number(action) === secret;
      const observation = isSolved ? "Yes." : Number(action) < secret ? "Higher." : "Lower.";
      return { observation, reward: isSolved ? 1 : 0, done: isSolved || left === 0, success: isSolved, valid: true };
    },
    async close() {},
  };
}
