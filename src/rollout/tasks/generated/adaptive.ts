import { z } from "zod";
import { DataError } from "../../../utils/errors.ts";
import type { Rng } from "../../../utils/rng.ts";
import type { Json, Task } from "../../types.ts";
import {
  type AdaptiveTasks,
  CurriculumConfig,
  type CurriculumState,
  difficulty,
  observe,
  startCurriculum,
  type TaskResult,
} from "../curriculum.ts";
import { drawLevel, quotas } from "./draws.ts";
import { type FamilyName, LEVELS } from "./family.ts";

/** Problems of one family and level. */
interface Pool {
  readonly family: FamilyName;
  readonly level: number;
  readonly tasks: readonly Task[];
}

/** What a curriculum over families draws from. */
interface Parts {
  readonly config: CurriculumConfig;
  readonly weights: readonly [FamilyName, number][];
  /** One for each family and each level that the config allows; none is empty. */
  readonly pools: readonly Pool[];
  readonly rng: Rng;
}

/** Difficulty of each family and its pass rates since it changed. */
const State = z.strictObject({
  config: CurriculumConfig,
  families: z.record(
    z.string(),
    z.strictObject({ difficulty: z.number().min(0).max(1), recent: z.array(z.number().min(0).max(1)) }),
  ),
});
type State = z.infer<typeof State>;

/** Positions in which every family has its share, when weights differ. */
const BLOCK = 64;

/**
 * A curriculum for each family by itself. Families come in blocks in which each has its share, in random order; the level of a task lies around
 * its family's difficulty; the problems of a level come without replacement as long as there are new ones.
 */
export function adaptiveTasks(parts: Parts): AdaptiveTasks {
  const { config, weights } = parts;
  const poolOf = new Map(parts.pools.map((pool) => [`${pool.family}:${pool.level}`, pool]));
  const place = placer(parts);
  return {
    start: () => asJson({ config, families: Object.fromEntries(weights.map(([family]) => [family, fresh(config)])) }),
    restore: (state) => asJson(restored(state, config, weights)),
    task(position, state) {
      const { family, ordinal } = place(position);
      const current = difficulty(curriculumOf(asState(state), family));
      const level = drawLevel(current, parts.rng.fork("level", position).uniform());
      const { tasks } = poolOf.get(`${family}:${level}`)!;
      const epoch = parts.rng.fork("pool", family, level, Math.floor(ordinal / tasks.length));
      return epoch.shuffle([...tasks])[ordinal % tasks.length]!;
    },
    next(state, results) {
      const { families, ...rest } = asState(state);
      const rates = passRates(results);
      const moved = Object.keys(families).map((family): [string, State["families"][string]] => {
        const rate = rates.get(family);
        const before = curriculumOf(asState(state), family);
        const { difficulty, recent } = rate === undefined ? before : observe(before, rate);
        return [family, { difficulty, recent: [...recent] }];
      });
      return asJson({ ...rest, families: Object.fromEntries(moved) });
    },
    metrics(state, results) {
      const rates = [...passRates(results)].map(([family, rate]) => [`curriculum/${family}/pass_rate`, rate] as const);
      const levels = Object.entries(asState(state).families).map(
        ([family, { difficulty }]) => [`curriculum/${family}/level`, difficulty * (LEVELS - 1)] as const,
      );
      return Object.fromEntries([...levels, ...rates]);
    },
  };
}

/** Which family stands at a position, and how many of it stood before. */
function placer({ weights, rng }: Parts): (position: number) => { family: FamilyName; ordinal: number } {
  const isEven = weights.every(([, weight]) => weight === weights[0]![1]);
  const counts = quotas(weights, isEven ? weights.length : BLOCK).map(
    ([family, count]): [FamilyName, number] => [family, Math.max(1, count)], // the rarest family comes, too
  );
  const block = counts.flatMap(([family, count]) => new Array<FamilyName>(count).fill(family));
  return (position) => {
    const index = Math.floor(position / block.length);
    const order = rng.fork("families", index).shuffle([...block]);
    const family = order[position % block.length]!;
    const rank = order.slice(0, position % block.length).filter((name) => name === family).length;
    return { family, ordinal: index * counts.find(([name]) => name === family)![1] + rank };
  };
}

/** Share of right completions by family, of those that occurred. */
function passRates(results: readonly TaskResult[]): Map<string, number> {
  const sums = new Map<string, { passed: number; count: number }>();
  for (const { task, passed } of results) {
    const family = String(task.data.family);
    const sum = sums.get(family) ?? { passed: 0, count: 0 };
    sums.set(family, { passed: sum.passed + (passed ? 1 : 0), count: sum.count + 1 });
  }
  return new Map([...sums].map(([family, { passed, count }]) => [family, passed / count]));
}

function fresh(config: CurriculumConfig): State["families"][string] {
  return { difficulty: startCurriculum(config).difficulty, recent: [] };
}

function curriculumOf({ config, families }: State, family: string): CurriculumState {
  return { config, ...families[family]! };
}

/** @throws DataError when the state is not one, or of other options or families */
function restored(saved: Json, config: CurriculumConfig, weights: Parts["weights"]): State {
  const { success, data, error } = State.safeParse(saved);
  if (!success) throw new DataError(`the state of the curriculum cannot be read: ${z.prettifyError(error)}`);
  const changed = (Object.keys(config) as (keyof CurriculumConfig)[]).find((key) => data.config[key] !== config[key]);
  if (changed)
    throw new DataError(
      `holds the state of another curriculum: its ${changed} is ${data.config[changed]}, this run's ${config[changed]}`,
    );
  const [had, has] = [Object.keys(data.families).sort(), weights.map(([family]) => family).sort()];
  if (had.join() !== has.join())
    throw new DataError(
      `holds the state of another curriculum: its families are ${had.join(", ")}, this run's ${has.join(", ")}`,
    );
  const outside = Object.entries(data.families).find(
    ([, family]) => !(family.difficulty >= config.min && family.difficulty <= config.max),
  );
  if (outside)
    throw new DataError(
      `the state of the curriculum is damaged: ${outside[0]} has difficulty ${outside[1].difficulty}, outside ${config.min} to ${config.max}`,
    );
  return data;
}

const asState = (state: Json): State => state as unknown as State;
const asJson = (state: State): Json => state as unknown as Json;
