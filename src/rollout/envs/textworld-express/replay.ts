import { z } from "zod";
import type { Replayer, Trace, TraceReplay } from "../replay.ts";
import { Comparison, readHead } from "../replay-compare.ts";
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
  const { game, params, fold, seed, envStepLimit } = readHead("textworld-express", Head, trace);
  await simulator.load(game, params);
  const comparison = new Comparison();
  const first = await simulator.generate(seed, fold, false);
  comparison.add(0, trace.initial, { ...sorted(first), reward: 0, done: false, numMoves: 0 });
  let score = 0;
  for (const [i, step] of trace.steps.entries()) {
    const state = await simulator.step(step.action);
    const numMoves = i + 1;
    const done = numMoves > envStepLimit || state.score >= 1 || state.tasksuccess || state.taskfailure;
    comparison.add(numMoves, step, { ...sorted(state), reward: state.score - score, done, numMoves });
    score = state.score;
  }
  comparison.addHead(trace, {
    version: await simulator.version(),
    taskDescription: await simulator.taskDescription(),
    generationProperties: await simulator.generationProperties(),
  });
  const title = `${trace.name ?? "episode"}: ${game} ${seed} (${params})`;
  const { compared, differences } = comparison;
  return { title, steps: trace.steps.length, compared, finalScore: score, differences };
}

function sorted(state: GameState): GameState {
  return { ...state, validActions: [...state.validActions].sort() };
}
