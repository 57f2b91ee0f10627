import { createInterface } from "node:readline/promises";
import { type Command, Option } from "commander";
import type {
  Environment,
  EnvironmentSource,
  EnvReset,
  EnvSplit,
  EnvStep,
  EpisodeStart,
} from "../rollout/envs/index.ts";
import type { Json } from "../rollout/types.ts";
import { ConfigError, EnvError } from "../utils/errors.ts";
import { openEnvironment } from "./env-open.ts";
import { collect, wholeNumber, withExample, withJson } from "./options.ts";
import { tell } from "./output.ts";

interface PlayOptions {
  readonly task?: string;
  readonly variation?: number;
  readonly split: EnvSplit;
  readonly set?: string[];
  readonly actions?: boolean;
  readonly json?: boolean;
}

/** Adds `rlvr env play`. */
export function addPlay(parent: Command): void {
  const command = parent
    .command("play")
    .argument("<name>", "name of the environment, or a file of your own (docs/environments.md)")
    .description("Play an episode by hand: one action a line; :actions, :gold, :undo, :quit.")
    .option("--task <name>", "task; the first of the split otherwise")
    .option("--variation <n>", "variation of the task; the first of the split otherwise", wholeNumber(0))
    .addOption(new Option("--split <name>", "which starts").choices(["train", "dev", "test"]).default("train"))
    .option("--set <option=value>", "an option of the environment; may be repeated", collect)
    .option("--actions", "show the possible actions each time, where the environment knows them");
  withExample(
    withJson(command),
    "rlvr env play lab",
    "rlvr env play lab --task melt --split test --actions",
    "printf 'look around\\n:gold\\n' | rlvr env play lab --json",
  );
  command.action(runPlay);
}

/** Where one game is. */
interface Game {
  readonly source: EnvironmentSource;
  readonly world: Environment;
  readonly start: EpisodeStart;
  readonly say: Say;
  score: number;
  turn: number;
  done: boolean;
  /** States before each action, where the environment has snapshots. */
  readonly past: { snapshot: Json; score: number; turn: number }[];
}

/** Prints something for people or, with --json, as a line. */
type Say = (kind: string, value: object, text: string) => void;

async function runPlay(name: string, options: PlayOptions): Promise<void> {
  const source = await openEnvironment({ name, ...(options.set ? { set: options.set } : {}) });
  try {
    const start = await chooseStart(source, options);
    const world = await source.open();
    const say: Say = (kind, value, text) =>
      void process.stdout.write(options.json ? `${JSON.stringify({ kind, ...value })}\n` : `${text}\n`);
    const game: Game = { source, world, start, say, score: 0, turn: 0, done: false, past: [] };
    const reset = await world.reset(start);
    say("reset", { ...start, ...reset }, resetText(start, reset));
    await playLines(game, options);
  } finally {
    await source.close();
  }
}

async function chooseStart(source: EnvironmentSource, { task, variation, split }: PlayOptions): Promise<EpisodeStart> {
  if (task !== undefined && variation !== undefined) return { task, seed: variation };
  const starts = await source.starts(split, task === undefined ? undefined : [task]);
  const first = starts.find(({ seed }) => variation === undefined || seed === variation);
  if (first) return first;
  throw new ConfigError(
    `environment ${source.name}: ${split} has no start${variation === undefined ? "" : ` with variation ${variation}`}; leave --variation out, or give --task as well`,
  );
}

async function playLines(game: Game, { actions, json }: PlayOptions): Promise<void> {
  const isTerminal = process.stdin.isTTY === true && !json;
  const lines = createInterface({
    input: process.stdin,
    ...(isTerminal ? { output: process.stdout } : {}),
    prompt: "> ",
  });
  try {
    if (actions) await showActions(game);
    if (isTerminal) lines.prompt();
    for await (const line of lines) {
      const input = line.trim();
      if (input === ":quit") break;
      if (input.startsWith(":")) await special(game, input);
      else await act(game, input);
      if (actions && !game.done) await showActions(game);
      if (isTerminal) lines.prompt();
    }
  } finally {
    lines.close();
  }
}

async function special(game: Game, input: string): Promise<void> {
  if (input === ":actions") return await showActions(game);
  if (input === ":gold") return await showGold(game);
  if (input === ":undo") return await undo(game);
  tell(`rlvr: there is no ${input}; there are :actions, :gold, :undo, :quit`);
}

async function act(game: Game, action: string): Promise<void> {
  const { world, say, past } = game;
  if (game.done) return tell("rlvr: the episode is over; :undo goes back, :quit ends");
  if (world.snapshot && world.restore)
    past.push({ snapshot: await world.snapshot(), score: game.score, turn: game.turn });
  const step = await world.step(action);
  game.turn++;
  game.score += step.reward;
  game.done = step.done;
  say("step", { turn: game.turn, action, ...step, score: game.score }, stepText(game, step));
}

async function showActions({ world, say }: Game): Promise<void> {
  if (!world.admissibleActions) return tell("rlvr: this environment does not name its actions");
  const actions = await world.admissibleActions();
  say("actions", { actions }, `${actions.length} actions: ${actions.join("; ")}`);
}

/** From the state that there is now where the world can say it, else from the start. */
async function showGold({ source, world, start, turn, say }: Game): Promise<void> {
  const isFromHere = world.goldActions !== undefined;
  const actions = await (world.goldActions?.() ?? source.goldActions?.(start));
  if (actions === undefined) return tell("rlvr: this environment does not know actions that solve it");
  const from = isFromHere || turn === 0 ? "" : " (from the start)";
  say(
    "gold",
    { actions, fromStart: !isFromHere },
    actions ? `gold${from}: ${actions.join("; ")}` : "can't be solved any more",
  );
}

async function undo(game: Game): Promise<void> {
  const { world, past, say } = game;
  if (!world.restore) return tell("rlvr: this environment has no snapshots, so nothing can be undone");
  const before = past.pop();
  if (!before) return tell("rlvr: there is nothing to undo");
  await world.restore(before.snapshot);
  Object.assign(game, { score: before.score, turn: before.turn, done: false });
  say(
    "undo",
    { turn: before.turn, score: before.score },
    `back at turn ${before.turn}, score ${numberText(before.score)}`,
  );
}

function resetText({ task, seed }: EpisodeStart, { instruction, observation }: EnvReset): string {
  return `${task}, variation ${seed}\n\n${instruction}\n\n${observation}\n`;
}

function stepText({ turn, score }: Game, { observation, reward, done, success, valid }: EnvStep): string {
  const marks = [
    `turn ${turn}`,
    `reward ${numberText(reward)}`,
    `score ${numberText(score)}`,
    ...(valid === false ? ["not understood"] : []),
    ...(done ? [success ? "done, solved" : "done, not solved"] : []),
  ];
  return `${observation}\n[${marks.join(", ")}]\n`;
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new EnvError(`the environment returned the reward ${value}`);
  return String(Number(value.toFixed(4)));
}
