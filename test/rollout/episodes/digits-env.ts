import type { Environment, EnvironmentSource } from "../../../src/rollout/envs/index.ts";
import { EnvError } from "../../../src/utils/errors.ts";

/** How a world of {@link digitsSource} misbehaves. */
export type Fault = "throws" | "hangs" | "nan" | "malformed" | "words" | "reset";

/**
 * A world for tests: it answers an action with its number of signs and the turn, pays 1 for an action with a 7, and ends after `turns` turns.
 * @param faults by seed
 */
export function digitsSource(
  turns: number,
  faults: Readonly<Record<number, Fault>> = {},
): EnvironmentSource & {
  readonly log: { readonly opened: number; readonly closed: number };
} {
  const log = { opened: 0, closed: 0 };
  return {
    ...{ name: "digits", version: "1", deterministic: true, returnRange: [0, turns], tasks: ["count"], log },
    starts: async () => Array.from({ length: 40 }, (_, seed) => ({ task: "count", seed })),
    async open(): Promise<Environment> {
      log.opened++;
      let turn = 0;
      let seed = 0;
      return {
        async reset(start) {
          turn = 0;
          seed = start.seed;
          if (faults[seed] === "reset") throw new EnvError("the world can't be reset");
          return { instruction: `${seed % 10}?`, observation: `${seed}>`, state: `${seed}` };
        },
        async step(action) {
          turn++;
          const fault = turn === 2 ? faults[seed] : undefined;
          if (fault === "throws") throw new EnvError("the world fell apart");
          if (fault === "hangs") return new Promise(() => {});
          if (fault === "malformed") return { text: "no observation" } as never;
          const word = fault === "words" ? "four" : "";
          const reward = fault === "nan" ? Number.NaN : action.includes("7") ? 1 : 0;
          const observation = word + "8,".repeat(1 + ((action.length + turn) % 5));
          return {
            observation,
            reward,
            done: turn >= turns,
            success: turn >= turns,
            valid: action !== "",
            state: `${seed}/${turn}`,
          };
        },
        async close() {
          log.closed++;
        },
      };
    },
    close: async () => {},
  };
}
