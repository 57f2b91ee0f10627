import { z } from "zod";
import { DataError } from "../../../utils/errors.ts";
import type { Replayer, Trace, TraceReplay } from "../replay.ts";
import { compareFields, type ReplayDifference } from "../replay-compare.ts";
import { type GameState, TextWorldExpress } from "./simulator.ts";

const Head = z.looseObject({
  game: z.string(),
  params: z.string(),
  fold: z.string(),
  seed: z.int(),
  envStepLimit: z.int(),
});

/** Starts a simulator that plays recordings of TextWorldExpress. */
export async function textWorldExpressReplayer(): Promise<Replayer> {
  const simulator = await TextWorldExpress.start({ jar: null, java: null, callMs: 120_000 });
  return { play: (trace) => play(simulator, trace), close: () => simulator.close() };
}

async function play(simulator: TextWorldExpress, trace: Trace): Promise<Omit<TraceReplay, "plays">> {
  const { data, error } = Head.safeParse(trace);
  if (!data) throw new DataError(`textworld-express: ${error.issues[0]?.path.join(".")}: ${error.issues[0]?.message}`);
  const { game, params, fold, seed, envStepLimit } = data;
  await simulator.load(game, params);
  const differences: ReplayDifference[] = [];
  let compared = 0;
  const compare = (step: number, expected: Record<string, unknown>, got: Record<string, unknown>): void => {
    const result = compareFields(step, expected, got);
    differences.push(...result.differences);
    compared += result.compared;
  };
  const first = await simulator.generate(seed, fold, false);
  compare(0, trace.initial, { ...sorted(first), reward: 0, done: false, numMoves: 0 });
  let score = 0;
  for (const [i, step] of trace.steps.entries()) {
    const state = await simulator.step(step.action);
    const numMoves = i + 1;
    const done = numMoves > envStepLimit || state.score >= 1 || state.tasksuccess || state.taskfailure;
    compare(numMoves, step, { ...sorted(state), reward: state.score - score, done, numMoves });
    score = state.score;
  }
  compare(-1, headOf(trace), {
    version: await simulator.version(),
    taskDescription: await simulator.taskDescription(),
    generationProperties: await simulator.generationProperties(),
  });
  const title = `${trace.name ?? "episode"}: ${game} ${seed} (${params})`;
  return { title, steps: trace.steps.length, compared, finalScore: score, differences };
}

function sorted(state: GameState): GameState {
  return { ...state, validActions: [...state.validActions].sort() };
}

function headOf(trace: Trace): Record<string, unknown> {
  const fields = ["version", "taskDescription", "generationProperties"].filter((key) => key in trace);
  return { ...Object.fromEntries(fields.map((key) => [key, trace[key]])), unstable: trace.unstable };
}
