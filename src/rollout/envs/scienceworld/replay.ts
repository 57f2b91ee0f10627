import { createHash } from "node:crypto";
import { z } from "zod";
import type { Replayer, Trace, TraceReplay } from "../replay.ts";
import { Comparison, readHead } from "../replay-compare.ts";
import { isSameMenu, sameChoice } from "./menu.ts";
import { ScienceWorld, type ScienceWorldStep } from "./simulator.ts";

const Head = z.looseObject({
  task: z.string(),
  variation: z.int(),
  simplification: z.string(),
  envStepLimit: z.int(),
});

/** Starts a simulator that plays recordings of ScienceWorld. */
export async function scienceWorldReplayer(): Promise<Replayer> {
  const simulator = await ScienceWorld.start({ jar: null, java: null, callMs: 120_000 });
  return { play: (trace) => play(simulator, trace), close: () => simulator.close() };
}

async function play(simulator: ScienceWorld, trace: Trace): Promise<Omit<TraceReplay, "plays">> {
  const { task, variation, simplification, envStepLimit } = readHead("scienceworld", Head, trace);
  await simulator.load({ task, variation, simplification, goldPath: false });
  await simulator.reset();
  const comparison = new Comparison();
  let last = await simulator.step("look around");
  comparison.add(0, trace.initial, await seen(simulator, last));
  let recorded = String(trace.initial.observation);
  for (const [i, step] of trace.steps.entries()) {
    const next = await simulator.step(sameChoice(step.action, recorded, last.observation));
    recorded = String(step.observation);
    const observation = isSameMenu(recorded, next.observation) ? recorded : next.observation;
    const isCompleted = next.completed || next.moves > envStepLimit || next.score < 0;
    const reward = next.score - last.score;
    comparison.add(i + 1, step, { ...(await seen(simulator, next)), observation, reward, isCompleted });
    last = next;
  }
  comparison.addHead(trace, {
    version: await simulator.version(),
    simplificationsUsed: await simulator.simplificationsUsed(),
    taskDescription: await simulator.freeTaskDescription(),
    goalProgress: await simulator.goalProgress(),
  });
  const title = `${trace.name ?? "episode"}: ${task} ${variation}${simplification && ` (${simplification})`}`;
  const { compared, differences } = comparison;
  return { title, steps: trace.steps.length, compared, finalScore: last.score, differences };
}

/** All that a recording may say of a state. */
async function seen(simulator: ScienceWorld, step: ScienceWorldStep): Promise<Record<string, unknown>> {
  const [look, inventory, valid] = await Promise.all([
    simulator.look(),
    simulator.inventory(),
    simulator.validActions(),
  ]);
  valid.sort();
  const validSha256 = createHash("sha256").update(valid.join("\n")).digest("hex");
  return { ...step, look, inventory, valid, validCount: valid.length, validSha256 };
}
