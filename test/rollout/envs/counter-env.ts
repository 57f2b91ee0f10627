import { createServer } from "node:net";
import { EnvError } from "rlvr/utils";
import type { Environment, EnvironmentSource, EpisodeStart } from "../../../src/rollout/envs/index.ts";
import type { Json } from "../../../src/rollout/types.ts";

/** Ways to break the contract, each in one place. */
export type Breakage =
  | "two-line-name"
  | "no-test-starts"
  | "overlapping-splits"
  | "accepts-any-task"
  | "type-error-for-variation"
  | "keeps-state-over-reset"
  | "nondeterministic"
  | "shared-between-worlds"
  | "nan-reward"
  | "return-out-of-range"
  | "success-lost"
  | "gold-too-short"
  | "offers-nonsense"
  | "forgetful-snapshot"
  | "throws-on-newline"
  | "odd-text-costs-a-turn"
  | "crashes-after-done"
  | "leaks"
  | "hangs"
  | "close-leaves-server";

/** Kept by the leaking world. */
const kept: unknown[] = [];
/** Handles that the leaking close leaves open; a test ends them. */
export const leftOpen: { close(): void }[] = [];

/**
 * Count to a number between 2 and 5 with "up" and "down", within 8 moves: the smallest world that keeps every part of the contract.
 * @param breakage what it does wrong
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one world, and its faults where they are
export function counterSource(breakage?: Breakage, onClose?: () => void): EnvironmentSource {
  let shared = 0;
  const target = (seed: number): number => 2 + (seed % 4);
  const goldActions = ({ seed }: EpisodeStart): string[] =>
    Array.from({ length: target(seed) - (breakage === "gold-too-short" ? 1 : 0) }, () => "up");
  const refuse = (task: string): void => {
    if (task !== "count" && breakage !== "accepts-any-task") throw new EnvError(`counter: there is no task "${task}"`);
  };
  const open = async (): Promise<Environment> => {
    let state = { seed: 0, at: 0, moves: 0, solved: false };
    const over = (): boolean => state.solved || state.moves >= 8;
    return {
      async reset({ task, seed }) {
        refuse(task);
        if (!Number.isInteger(seed) || seed < 0 || seed >= 100) {
          if (breakage === "type-error-for-variation") throw new TypeError(`no variation ${seed}`);
          throw new EnvError(`counter: there is no variation ${seed}; they are 0 to 99`);
        }
        const at = breakage === "keeps-state-over-reset" ? state.at % 2 : 0;
        shared = 0;
        state = { seed, at, moves: 0, solved: false };
        return { instruction: `Count to ${target(seed)}.`, observation: `at ${at}`, state: `${at}` };
      },
      async step(action) {
        if (breakage === "hangs" && state.moves === 1) return new Promise(() => {});
        if (breakage === "throws-on-newline" && action.includes("\n")) throw new SyntaxError("one line, please");
        if (over() && breakage === "crashes-after-done") throw new EnvError("counter: the episode is over");
        if (breakage === "leaks") kept.push(new Array(2000).fill(action.length + kept.length));
        const valid = action === "up" || action === "down";
        const before = over();
        if (!before && (valid || breakage === "odd-text-costs-a-turn")) state.moves++;
        if (!before && valid) state.at += action === "up" ? 1 : -1;
        if (breakage === "shared-between-worlds") shared += 1;
        if (state.at === target(state.seed)) state.solved = true;
        const pays = state.solved && !before ? 1 : 0;
        const noise =
          breakage === "nondeterministic" ? performance.now() : breakage === "shared-between-worlds" ? shared : "";
        return {
          observation: `at ${state.at} ${noise}`.trim(),
          reward: breakage === "nan-reward" && pays ? Number.NaN : breakage === "return-out-of-range" ? pays * 3 : pays,
          done: over(),
          success: state.solved && !(breakage === "success-lost" && before),
          valid,
          state: `${state.at}/${state.moves}`,
        };
      },
      admissibleActions: async () => (breakage === "offers-nonsense" ? ["down", "sideways", "up"] : ["down", "up"]),
      snapshot: async () => ({ ...state }),
      async restore(snapshot: Json) {
        state = { ...(snapshot as typeof state) };
        if (breakage === "forgetful-snapshot") state.moves = 0;
      },
      async close() {
        onClose?.();
        if (breakage === "close-leaves-server") {
          leftOpen.push(createServer().listen(0, "127.0.0.1"));
        }
      },
    };
  };
  return {
    name: breakage === "two-line-name" ? "coun\nter" : "counter",
    version: "1",
    deterministic: true,
    returnRange: [0, 1],
    tasks: ["count"],
    async starts(split, tasks = ["count"]) {
      for (const task of tasks) refuse(task);
      const [from, to] = { train: [0, 60], dev: [60, 80], test: [breakage === "overlapping-splits" ? 79 : 80, 100] }[
        split
      ];
      if (breakage === "no-test-starts" && split === "test") return [];
      return Array.from({ length: to! - from! }, (_, index) => ({ task: "count", seed: from! + index }));
    },
    goldActions: async (start) => goldActions(start),
    open,
    close: async () => {},
  };
}
