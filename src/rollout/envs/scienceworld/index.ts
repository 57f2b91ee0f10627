import { EnvError } from "../../../utils/errors.ts";
import { canonicalJson, sha256 } from "../../../utils/hash.ts";
import { nearest } from "../../../utils/nearest.ts";
import { Simulators } from "../simulators.ts";
import type { EnvironmentDef, EnvironmentSource, EnvSplit, EpisodeStart } from "../types.ts";
import { ScienceWorldOptions } from "./options.ts";
import { findScienceWorld, ScienceWorld } from "./simulator.ts";
import { openWorld } from "./world.ts";

export { ScienceWorldOptions } from "./options.ts";

/**
 * ScienceWorld (arXiv:2203.07540): 30 tasks of school science in the real simulator, one JVM a world. Variations are seeds. An episode is a success at
 * score 100 and at nothing less: the simulator's "completed" and a positive score are not enough.
 */
export const scienceWorld: EnvironmentDef<typeof ScienceWorldOptions> = {
  name: "scienceworld",
  description: "30 tasks of school science in the ScienceWorld simulator: boil, find-plant, … (needs Java and its JAR)",
  options: ScienceWorldOptions,
  open: openSource,
};

/** The search for the gold path of boil runs out of memory with the heap that is enough to play it. */
const GOLD_HEAP_MB = 1024;
/** The same search takes up to 20 s on a processor of its own. */
const GOLD_MS = 600_000;

async function openSource(options: ScienceWorldOptions): Promise<EnvironmentSource> {
  findScienceWorld(options); // what is missing is told before anything starts
  const simulators = new Simulators(() => ScienceWorld.start(options));
  try {
    const [version, tasks] = await simulators.ask(async (one) => [await one.version(), await one.taskNames()] as const);
    return sourceOf(options, simulators, { version, tasks });
  } catch (error) {
    await simulators.close();
    throw error;
  }
}

interface Survey {
  readonly version: string;
  readonly tasks: readonly string[];
}

function sourceOf(
  options: ScienceWorldOptions,
  simulators: Simulators<ScienceWorld>,
  { version, tasks }: Survey,
): EnvironmentSource {
  const { simplification, reward, clipFailure, moveLimit } = options;
  const solvers = new Simulators(() =>
    ScienceWorld.start({ ...options, heapMb: GOLD_HEAP_MB, callMs: Math.max(options.callMs, GOLD_MS) }),
  );
  const counts = new Map<string, number>();
  const begin = async (simulator: ScienceWorld, { task, seed }: EpisodeStart, goldPath: boolean): Promise<void> => {
    requireTask(task, tasks);
    const count = counts.get(task) ?? (await simulator.variationCount(task));
    counts.set(task, count);
    if (!Number.isInteger(seed) || seed < 0 || seed >= count)
      throw new EnvError(`scienceworld: ${task} has no variation ${seed}, only 0 to ${count - 1}`);
    await simulator.load({ task, variation: seed, simplification, goldPath });
  };
  const variations = new Map<string, readonly number[]>();
  const variationsOf = async (task: string, split: EnvSplit): Promise<readonly number[]> => {
    const key = `${split} ${task}`;
    if (!variations.has(key))
      await simulators.ask(async (simulator) => {
        await begin(simulator, { task, seed: 0 }, false);
        for (const one of ["train", "dev", "test"] as const)
          variations.set(`${one} ${task}`, await simulator.variations(one));
      });
    return variations.get(key)!;
  };
  return {
    name: "scienceworld",
    version: `${version}-${sha256(canonicalJson({ simplification, reward, clipFailure, moveLimit })).slice(0, 12)}`,
    deterministic: false,
    admissibleNote: 'the simulator\'s list has actions that its own parser refuses, such as "pour sewer into sewer"',
    returnRange: reward === "success" ? [0, 1] : [clipFailure ? -1 : -2, 1],
    maxWorlds: options.worlds,
    tasks,
    async starts(split, names = tasks) {
      for (const task of names) requireTask(task, tasks);
      const starts: EpisodeStart[] = [];
      for (const task of names) for (const seed of await variationsOf(task, split)) starts.push({ task, seed });
      return starts;
    },
    goldActions: (start) =>
      solvers.ask(async (simulator) => {
        await begin(simulator, start, true);
        return simulator.goldActions();
      }),
    open: async () => {
      const simulator = await simulators.take();
      return openWorld(simulator, {
        options,
        begin: (start) => begin(simulator, start, false),
        end: () => simulators.end(simulator),
      });
    },
    close: async () => {
      await Promise.all([simulators.close(), solvers.close()]);
    },
  };
}

function requireTask(name: string, tasks: readonly string[]): void {
  if (tasks.includes(name)) return;
  const near = nearest(name, tasks);
  const hint = near ? `did you mean ${near}?` : `tasks are ${tasks.join(", ")}`;
  throw new EnvError(`scienceworld: there is no task ${JSON.stringify(name.slice(0, 80))}; ${hint}`);
}
