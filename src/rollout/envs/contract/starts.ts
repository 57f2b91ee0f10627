import { messageOf } from "../../../utils/errors.ts";
import type { EnvSplit, EpisodeStart } from "../types.ts";
import { type Bench, demand, named, shown } from "./bench.ts";

const SPLITS: readonly EnvSplit[] = ["train", "dev", "test"];

/** What a source says of itself. */
export async function checkNames({ source }: Bench): Promise<string> {
  for (const field of ["name", "version"] as const)
    demand(
      typeof source[field] === "string" && /^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$/u.test(source[field]),
      () => `${field} is ${shown(source[field])}; it must be a text of one line`,
    );
  demand(typeof source.deterministic === "boolean", () => `deterministic is ${shown(source.deterministic)}`);
  const [low, high] = source.returnRange;
  demand(
    Number.isFinite(low) && Number.isFinite(high) && low < high,
    () => `returnRange is [${low}, ${high}]; it must be two finite numbers, the lower one first`,
  );
  demand(source.tasks.length > 0, () => "tasks is empty; an environment has at least one");
  const twice = source.tasks.find((task, index) => source.tasks.indexOf(task) !== index);
  demand(twice === undefined, () => `tasks names ${shown(twice)} twice`);
  const odd = source.tasks.find((task) => typeof task !== "string" || task.trim() === "");
  demand(odd === undefined, () => `tasks contains ${shown(odd)}; names are texts`);
  return `${source.name} ${source.version}, ${source.tasks.length} tasks, returns in [${low}, ${high}]`;
}

/** Starts exist, are of known tasks, come in the same order again, and can be chosen by task. */
export async function checkStarts(bench: Bench): Promise<string> {
  const { source } = bench;
  const counts: string[] = [];
  const played = new Set<string>();
  for (const split of SPLITS) {
    const starts = await bench.call(`starts(${split})`, source.starts(split));
    const again = await bench.call(`starts(${split})`, source.starts(split));
    const moved = starts.findIndex((start, index) => key(start) !== (again[index] && key(again[index])));
    demand(moved < 0 && starts.length === again.length, () => `starts(${split}) gave another order the second time`);
    for (const start of starts) {
      demand(
        source.tasks.includes(start.task) && Number.isSafeInteger(start.seed),
        () => `starts(${split}) contains ${shown(start)}; the task must be one of tasks, the seed a whole number`,
      );
      played.add(start.task);
    }
    counts.push(`${starts.length} ${split}`);
    demand(starts.length > 0 || split === "dev", () => `starts(${split}) is empty`);
    await checkChoice(bench, split, starts);
  }
  const idle = source.tasks.filter((task) => !played.has(task));
  demand(idle.length === 0, () => `no split has a start of ${idle.slice(0, 5).map(shown).join(", ")}`);
  return `${counts.join(", ")} starts`;
}

async function checkChoice(bench: Bench, split: EnvSplit, starts: readonly EpisodeStart[]): Promise<void> {
  const task = starts[0]?.task;
  if (task === undefined) return;
  const chosen = await bench.call(`starts(${split}, …)`, bench.source.starts(split, [task]));
  const wanted = starts.filter((start) => start.task === task).map(key);
  demand(
    chosen.length === wanted.length && new Set([...wanted, ...chosen.map(key)]).size === new Set(wanted).size,
    () =>
      `starts(${split}, [${shown(task)}]) gave ${chosen.length} starts, of which the whole list has ${wanted.length}; they must be the same`,
  );
}

/** No start is in two splits, or twice in one. */
export async function checkSplits(bench: Bench): Promise<string> {
  const home = new Map<string, EnvSplit>();
  for (const split of SPLITS)
    for (const start of await bench.call(`starts(${split})`, bench.source.starts(split))) {
      const other = home.get(key(start));
      demand(other === undefined, () => `${shown(start)} is in ${other} and again in ${split}`);
      home.set(key(start), split);
    }
  return `${home.size} starts, none twice`;
}

/** What does not exist is refused with an EnvError that names it, and the world can be used afterwards. */
export async function checkUnknown(bench: Bench): Promise<string> {
  const task = "no such task";
  const known = bench.starts[0]!;
  const world = await bench.world();
  await refuses(bench, `starts("train", ["${task}"])`, task, bench.source.starts("train", [task]));
  await refuses(bench, `reset of the task "${task}"`, task, world.reset({ task, seed: 0 }));
  for (const seed of [-1, 0.5])
    await refuses(bench, `reset of variation ${seed}`, String(seed), world.reset({ task: known.task, seed }));
  const fresh = await bench.reset(world, known);
  demand(typeof fresh?.observation === "string", () => `reset after a refusal returned ${shown(fresh)}`);
  return "an unknown task, variations -1 and 0.5 are refused by name";
}

async function refuses(bench: Bench, what: string, name: string, work: Promise<unknown>): Promise<void> {
  const outcome = await bench.call(
    what,
    work.then(
      () => "succeeded",
      (error: unknown) =>
        error instanceof Error && error.name === "EnvError" && messageOf(error).includes(name)
          ? null
          : `threw ${named(error)}`,
    ),
  );
  demand(outcome === null, () => `${what} ${outcome}; it must throw an EnvError that names ${name}`);
}

function key({ task, seed }: EpisodeStart): string {
  return `${seed} ${task}`;
}
