import { EnvError } from "../../../utils/errors.ts";
import { canonicalJson, sha256 } from "../../../utils/hash.ts";
import { nearest } from "../../../utils/nearest.ts";
import { createRng } from "../../../utils/rng.ts";
import { Simulators } from "../simulators.ts";
import type { Environment, EnvironmentDef, EnvironmentSource, EnvSplit, EnvStep, EpisodeStart } from "../types.ts";
import { TextWorldExpressOptions } from "./options.ts";
import { findTextWorldExpress, type GameState, TextWorldExpress } from "./simulator.ts";

export { TextWorldExpressOptions } from "./options.ts";

/** The text games of TextWorldExpress (arXiv:2208.01174), played in the real simulator: one JVM a world. Tasks are games, variations are seeds. */
export const textWorldExpress: EnvironmentDef<typeof TextWorldExpressOptions> = {
  name: "textworld-express",
  description:
    "the eight text games of the TextWorldExpress simulator: coin, twc, cookingworld, … (needs Java and its JAR)",
  options: TextWorldExpressOptions,
  open: openSource,
};

const SPLITS: readonly EnvSplit[] = ["train", "dev", "test"];
/** What is told when no action has this text. */
const UNKNOWN = /^Unknown action/;

async function openSource(options: TextWorldExpressOptions): Promise<EnvironmentSource> {
  findTextWorldExpress(options); // what is missing is told before anything starts
  const simulators = new Simulators(() => TextWorldExpress.start(options));
  try {
    const { version, seeds } = await simulators.ask((simulator) => survey(simulator, options));
    return sourceOf(options, simulators, { version, seeds });
  } catch (error) {
    await simulators.close();
    throw error;
  }
}

interface Survey {
  readonly version: string;
  readonly seeds: ReadonlyMap<EnvSplit, readonly number[]>;
}

/** What the simulator says of itself; also tries the parameters of every game. */
async function survey(simulator: TextWorldExpress, { games, params }: TextWorldExpressOptions): Promise<Survey> {
  for (const game of games) await simulator.load(game, params[game] ?? "");
  const seeds = new Map<EnvSplit, readonly number[]>();
  for (const split of SPLITS) seeds.set(split, await simulator.seeds(split));
  return { version: await simulator.version(), seeds };
}

function sourceOf(
  options: TextWorldExpressOptions,
  simulators: Simulators<TextWorldExpress>,
  { version, seeds }: Survey,
): EnvironmentSource {
  const { games, params, reward, moveLimit } = options;
  const begin = async (simulator: TextWorldExpress, start: EpisodeStart, goldPath: boolean): Promise<GameState> => {
    const game = gameNamed(start.task, games);
    const fold = SPLITS.find((split) => seeds.get(split)?.includes(start.seed));
    if (!fold) throw new EnvError(`textworld-express: ${game} has no seed ${start.seed}; ${rangesOf(seeds)}`);
    await simulator.load(game, params[game] ?? "");
    return simulator.generate(start.seed, fold, goldPath);
  };
  return {
    name: "textworld-express",
    version: `${version}-${sha256(canonicalJson({ games, params, reward, moveLimit })).slice(0, 12)}`,
    deterministic: true,
    returnRange: [0, 1],
    maxWorlds: options.worlds,
    tasks: games,
    starts: async (split, names = games) =>
      startsOf(
        split,
        seeds,
        names.map((name) => gameNamed(name, games)),
      ),
    goldActions: (start) =>
      simulators.ask(async (simulator) => {
        await begin(simulator, start, true);
        return simulator.goldActions();
      }),
    open: async () => openWorld(await simulators.take(), { begin, options, end: (one) => simulators.end(one) }),
    close: () => simulators.close(),
  };
}

/** In a fixed random order, so that the first of them are a fair sample. */
function startsOf(split: EnvSplit, seeds: Survey["seeds"], games: readonly string[]): readonly EpisodeStart[] {
  const starts = games.flatMap((task) => (seeds.get(split) ?? []).map((seed) => ({ task, seed })));
  return createRng("textworld-express-order").fork(split).shuffle(starts);
}

function gameNamed(name: string, games: TextWorldExpressOptions["games"]): TextWorldExpressOptions["games"][number] {
  const game = games.find((other) => other === name);
  if (game) return game;
  const near = nearest(name, games);
  const hint = near ? `did you mean ${near}?` : `games are ${games.join(", ")}`;
  throw new EnvError(`textworld-express: there is no game ${JSON.stringify(name.slice(0, 80))}; ${hint}`);
}

function rangesOf(seeds: Survey["seeds"]): string {
  return SPLITS.map((split) => `${split} has ${seeds.get(split)?.[0]} to ${seeds.get(split)?.at(-1)}`).join(", ");
}

interface WorldParts {
  readonly begin: (simulator: TextWorldExpress, start: EpisodeStart, goldPath: boolean) => Promise<GameState>;
  readonly options: TextWorldExpressOptions;
  readonly end: (simulator: TextWorldExpress) => Promise<void>;
}

function openWorld(simulator: TextWorldExpress, { begin, options, end }: WorldParts): Environment {
  let state: GameState | null = null;
  let moves = 0;
  let isSolved = false;
  const playing = (call: string): GameState => {
    if (state) return state;
    throw new EnvError(`textworld-express: ${call}() needs an episode; call reset() first`);
  };
  return {
    get isAlive() {
      return simulator.isAlive;
    },
    async reset(start) {
      state = null;
      state = await begin(simulator, start, false);
      moves = 0;
      isSolved = false;
      return {
        instruction: await simulator.taskDescription(),
        observation: state.observation,
        state: nameOf(state),
        info: { score: state.score },
      };
    },
    async step(action) {
      const before = playing("step");
      state = await simulator.step(action);
      moves++;
      const isFirst = !isSolved && isSuccess(state);
      isSolved ||= isFirst;
      const reward = options.reward === "success" ? Number(isFirst) : gain(before, state);
      return stepOf(state, { reward, moves, isSolved, isOver: moves > options.moveLimit });
    },
    async admissibleActions() {
      return [...playing("admissibleActions").validActions].sort();
    },
    close: () => end(simulator),
  };
}

interface Tally {
  readonly reward: number;
  readonly moves: number;
  readonly isSolved: boolean;
  readonly isOver: boolean;
}

function stepOf(state: GameState, { reward, moves, isSolved, isOver }: Tally): EnvStep {
  return {
    observation: state.observation,
    reward,
    done: isSolved || state.taskfailure || isOver,
    success: isSolved,
    valid: !UNKNOWN.test(state.observation),
    state: nameOf(state),
    info: { score: state.score, moves, failed: state.taskfailure },
  };
}

/** Change of the score, each taken as 0 to 1, so that an episode's rewards add up to no more than 1. */
function gain(before: GameState, after: GameState): number {
  const clip = (score: number): number => Math.min(Math.max(score, 0), 1);
  return clip(after.score) - clip(before.score);
}

function isSuccess({ tasksuccess, score }: GameState): boolean {
  return tasksuccess || score >= 1;
}

/** What an agent could see without an action. */
function nameOf({ look, inventory, observation }: GameState): string {
  return look === "" ? observation : `${look}\n${inventory}`;
}
