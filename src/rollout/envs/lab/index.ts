import { canonicalJson, createRng, EnvError, nearest, sha256 } from "../../../utils/index.ts";
import type { Environment, EnvironmentDef, EnvironmentSource, EnvSplit, EpisodeStart } from "../types.ts";
import { LabOptions, sizeOf } from "./options.ts";
import { admissible } from "./parse.ts";
import { act, firstSight, goldFrom, type Play, startPlay } from "./play.ts";
import { playOf, takeSnapshot } from "./snapshot.ts";
import { LAB_TASKS, type LabTask } from "./tasks/index.ts";
import { splitsOf } from "./variations.ts";

export { LabOptions } from "./options.ts";

/** Changes with every change of the rules or texts. */
const RULES = 1;

/**
 * A small world of rooms, vessels, devices, substances and living things, in the manner of ScienceWorld (arXiv:2203.07540): melt, boil, freeze,
 * find, grow, measure, circuit. Every world solves itself from any state.
 */
export const lab: EnvironmentDef<typeof LabOptions> = {
  name: "lab",
  description: "a small text world with science tasks, embedded: melt, boil, freeze, find, measure, grow, circuit",
  options: LabOptions,
  open: (options) => Promise.resolve(openLab(options)),
};

function openLab(options: LabOptions): EnvironmentSource {
  const tasks = LAB_TASKS.filter(({ name }) => options.tasks.includes(name));
  const size = sizeOf(options);
  const taskNamed = (name: string): LabTask => {
    const task = tasks.find((other) => other.name === name);
    if (task !== undefined) return task;
    const names = tasks.map((other) => other.name);
    const close = nearest(name, names);
    const hint = close === undefined ? `tasks are ${names.join(", ")}` : `did you mean ${close}?`;
    throw new EnvError(`lab: there is no task ${JSON.stringify(name.slice(0, 80))}; ${hint}`);
  };
  const begin = (task: string, seed: number): Play => startPlay(taskNamed(task), seed, size, options.reward);
  return {
    name: "lab",
    version: `${RULES}-${sha256(canonicalJson({ size, reward: options.reward })).slice(0, 12)}`,
    deterministic: true,
    returnRange: [0, 1],
    tasks: tasks.map(({ name }) => name),
    starts: async (split, names) => startsOf(split, names === undefined ? tasks : names.map(taskNamed)),
    goldActions: async ({ task, seed }) => goldFrom(begin(task, seed)) ?? [],
    open: async () => openWorld(begin),
    close: async () => {},
  };
}

/** In a fixed random order, so that the first of them are a fair sample. */
function startsOf(split: EnvSplit, tasks: readonly LabTask[]): EpisodeStart[] {
  const starts = tasks.flatMap((task) =>
    splitsOf(task).flatMap((own, seed) => (own === split ? [{ task: task.name, seed }] : [])),
  );
  return createRng("lab-order").fork(split).shuffle(starts);
}

function openWorld(begin: (task: string, seed: number) => Play): Environment {
  let play: Play | null = null;
  const playing = (call: string): Play => {
    if (play === null) throw new EnvError(`lab: ${call}() needs an episode; call reset() first`);
    return play;
  };
  return {
    reset: async ({ task, seed }) => {
      play = begin(task, seed);
      return firstSight(play);
    },
    step: async (action) => act(playing("step"), action),
    admissibleActions: async () => {
      const { world } = playing("admissibleActions");
      return world.end === "" ? admissible(world) : [];
    },
    goldActions: async () => goldFrom(playing("goldActions")),
    snapshot: async () => takeSnapshot(playing("snapshot")),
    restore: async (snapshot) => {
      play = playOf(snapshot, begin);
    },
    close: async () => {
      play = null;
    },
  };
}
