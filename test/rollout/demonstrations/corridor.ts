import type { Environment, EnvironmentSource, EnvStep } from "../../../src/rollout/envs/index.ts";

/** Rooms 0 to 4 in a row; the agent starts in room `seed % 4` and is to reach room 4. `jump` ends an episode without success. */
const LAST = 4;
const ACTIONS = ["jump", "left", "right"];

/** What to do from a room. */
export function pathFrom(room: number): string[] {
  return new Array<string>(LAST - room).fill("right");
}

/** A world for tests. @param canSolve whether it finds the way from any room, or only from the start */
export function corridor({ canSolve }: { canSolve: boolean }): EnvironmentSource {
  return {
    name: "corridor",
    version: "1",
    deterministic: true,
    returnRange: [0, 1],
    tasks: ["walk", "run"],
    starts: (_split, tasks = ["walk", "run"]) =>
      Promise.resolve(tasks.flatMap((task) => [0, 1, 2, 3].map((seed) => ({ task, seed })))),
    goldActions: ({ seed }) => Promise.resolve(pathFrom(seed % LAST)),
    open: () => Promise.resolve(world(canSolve)),
    close: () => Promise.resolve(),
  };
}

function world(canSolve: boolean): Environment {
  let room = 0;
  const at = (): string => `You are in room ${room}.`;
  return {
    reset({ task, seed }) {
      room = seed % LAST;
      return Promise.resolve({ instruction: `${task} to room ${LAST}`, observation: at() });
    },
    async step(action): Promise<EnvStep> {
      await Promise.resolve();
      if (action === "jump") return { observation: "You fall.", reward: 0, done: true, success: false, valid: true };
      if (action === "left") room = Math.max(0, room - 1);
      if (action === "right") room++;
      const success = room === LAST;
      return { observation: at(), reward: success ? 1 : 0, done: success, success, valid: ACTIONS.includes(action) };
    },
    admissibleActions: () => Promise.resolve(ACTIONS),
    ...(canSolve ? { goldActions: () => Promise.resolve(pathFrom(room)) } : {}),
    close: () => Promise.resolve(),
  };
}
