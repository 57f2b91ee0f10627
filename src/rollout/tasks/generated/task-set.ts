import { z } from "zod";
import { ConfigError } from "../../../utils/errors.ts";
import { createRng, type Rng } from "../../../utils/rng.ts";
import type { Task, TaskSet, TaskSetDef } from "../../types.ts";
import { type AdaptiveTaskSet, CurriculumConfig } from "../curriculum.ts";
import { listTaskSet } from "../list.ts";
import { isTestContent } from "../split.ts";
import { adaptiveTasks } from "./adaptive.ts";
import { drawLevel, quotas } from "./draws.ts";
import { type Level, makeItem } from "./families.ts";
import { FAMILY_NAMES, type FamilyName, type Item, LEVELS } from "./family.ts";

const Name = z.enum(FAMILY_NAMES);
const Share = z.number().min(0).max(1);

const Options = z.strictObject({
  split: z.enum(["train", "test"]).default("train").describe("disjoint, decided by a hash of the problem"),
  family: z
    .union([z.literal("all"), Name, z.partialRecord(Name, z.number().positive())])
    .default("all")
    .describe("one family, all, or a mixture: families with their weights"),
  difficulty: z
    .union([z.literal("default"), Share, z.partialRecord(Name, Share)])
    .default("default")
    .describe("0 to 1, for all or by family; default: reasoning-gym's default configuration"),
  size: z.int().min(1).max(1_000_000).default(2000).describe("different problems; fewer where a family has no more"),
  seed: z.int().min(0).default(0).describe("which problems are drawn"),
  instruction: z
    .string()
    .default("Give the final answer inside <answer> and </answer>.")
    .describe("follows the question: how the answer is to be written"),
  limit: z.int().min(1).nullable().default(null).describe("use only so many problems"),
  curriculum: CurriculumConfig.nullable()
    .default(null)
    .describe(
      "difficulty of each family follows its measured pass rate, in the place of difficulty; for training only",
    ),
});
type Options = z.infer<typeof Options>;

/** Share of all problems that are test problems: the same for all sets, so that no options make the splits overlap. */
const HELD_OUT = 0.15;

/** Draws without a new problem after which a family counts as used up. */
const TRIES = 200;

/** A problem and how it was drawn. */
interface Drawn {
  readonly family: FamilyName;
  readonly level: Level;
  readonly seed: bigint;
  readonly item: Item;
}

/** Problems of sixteen families of reasoning-gym, made from a seed: arithmetic, number theory, letters, sorting, puzzles. */
export const generated: TaskSetDef<typeof Options> = {
  name: "generated",
  options: Options,
  open: async (options) => openGenerated(options),
};

function openGenerated(options: Options): TaskSet {
  const { split, seed, size, limit, instruction } = options;
  if (options.curriculum) return openAdaptive(options, options.curriculum);
  const problems = quotas(familyWeights(options), size).flatMap(([family, count]) =>
    drawFamily(family, count, options, levelsOf(difficultyOf(family, options.difficulty))),
  );
  if (problems.length === 0) throw new ConfigError(`generated: no problem fits these options in the ${split} split`);
  const mixed = createRng(seed).fork("generated-order", split).shuffle(problems);
  return listTaskSet("generated", split, mixed.slice(0, limit ?? mixed.length), (drawn) => toTask(drawn, instruction));
}

/** Problems of every level between the bounds of the curriculum, each level with its share of `size`. */
function openAdaptive(options: Options, config: CurriculumConfig): TaskSet {
  const { split, size, instruction, seed } = options;
  refuseBesideCurriculum(options);
  const [lowest, highest] = [Math.floor(config.min * (LEVELS - 1)), Math.ceil(config.max * (LEVELS - 1))];
  const levels = Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);
  const weights = familyWeights(options);
  const pools = quotas(weights, size).flatMap(([family, count]) =>
    levels.map((level) => {
      const drawn = drawFamily(family, Math.max(1, Math.ceil(count / levels.length)), options, () => level, level);
      if (drawn.length > 0) return { family, level, tasks: drawn.map((one) => toTask(one, instruction)) };
      throw new ConfigError(
        `generated: curriculum: ${family} has no problem of level ${level} in the ${split} split; change curriculum.min or max, or leave the family out`,
      );
    }),
  );
  const all = pools.flatMap(({ tasks }) => tasks);
  return {
    ...listTaskSet("generated", split, all, (task) => task),
    adaptive: adaptiveTasks({ config, weights, pools, rng: createRng(seed).fork("generated-curriculum") }),
  } as AdaptiveTaskSet;
}

function refuseBesideCurriculum({ split, difficulty, limit }: Options): void {
  const problem =
    split === "test"
      ? "split: test holds still: a curriculum is for training"
      : difficulty !== "default"
        ? "difficulty is given too: it starts at curriculum.start, remove difficulty"
        : limit !== null
          ? "limit is given too: use size"
          : null;
  if (problem) throw new ConfigError(`generated: curriculum: ${problem}`);
}

function familyWeights({ family, difficulty }: Options): [FamilyName, number][] {
  const names: readonly FamilyName[] = family === "all" ? FAMILY_NAMES : typeof family === "string" ? [family] : [];
  const weights =
    typeof family === "object"
      ? FAMILY_NAMES.flatMap((name): [FamilyName, number][] => {
          const weight = family[name];
          return weight === undefined ? [] : [[name, weight]];
        })
      : names.map((name): [FamilyName, number] => [name, 1]);
  if (weights.length === 0) throw new ConfigError("generated: family: the mixture is empty; name at least one family");
  const stray =
    typeof difficulty === "object" &&
    FAMILY_NAMES.find((name) => name in difficulty && !weights.some(([n]) => n === name));
  if (stray) throw new ConfigError(`generated: difficulty: ${stray} is not in the mixture; name it under family too`);
  return weights;
}

function difficultyOf(family: FamilyName, difficulty: Options["difficulty"]): number | "default" {
  const own = typeof difficulty === "object" ? difficulty[family] : difficulty;
  if (own === undefined)
    throw new ConfigError(`generated: difficulty: ${family} has no value; give it one from 0 to 1`);
  return own;
}

/** The level of each draw. */
function levelsOf(difficulty: number | "default"): (rng: Rng) => Level {
  return difficulty === "default" ? () => difficulty : (rng) => drawLevel(difficulty, rng.uniform());
}

/** Different, well-posed problems of one family in the split. Nearby seeds give unrelated problems. */
function drawFamily(
  family: FamilyName,
  count: number,
  { split, seed }: Options,
  levelOf: (rng: Rng) => Level,
  ...stream: readonly number[]
): Drawn[] {
  const rng = createRng(seed).fork("generated", split, family, ...stream);
  const found = new Map<string, Drawn>();
  for (let misses = 0; found.size < count && misses < TRIES; ) {
    const itemSeed = (BigInt(rng.uint32()) << 32n) | BigInt(rng.uint32());
    const level = levelOf(rng);
    const item = makeItem(family, itemSeed, level);
    const key = item && !item.flaw ? `${family}:${item.key}` : null;
    if (key === null || found.has(key) || isTestContent("generated", key, HELD_OUT) !== (split === "test")) misses++;
    else {
      found.set(key, { family, level, seed: itemSeed, item: item! });
      misses = 0;
    }
  }
  return [...found.values()];
}

function toTask({ family, level, seed, item }: Drawn, instruction: string): Task {
  return generatedTask(`generated/${family}/${level}/${seed}`, family, item, instruction);
}

/** The task of a problem: a chat question, the gold answer, and what the reward `reasoning-task` needs. */
export function generatedTask(
  id: string,
  family: FamilyName,
  { question, answer, metadata }: Pick<Item, "question" | "answer" | "metadata">,
  instruction: string,
): Task {
  return {
    id,
    set: "generated",
    kind: family,
    prompt: [{ role: "user", content: `${question.trimEnd()}\n${instruction}`.trimEnd() }],
    answer,
    data: { family, metadata },
  };
}
