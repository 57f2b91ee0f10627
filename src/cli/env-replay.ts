import { Command } from "commander";
import type { TraceReplay } from "../rollout/envs/replay.ts";
import { wholeNumber, withExample, withJson } from "./options.ts";
import { EXIT, Exit, result, tell } from "./output.ts";

interface Options {
  readonly json?: boolean;
  readonly plays: number;
}

/** Differences that are shown of each trace. */
const SHOWN = 5;

/** Adds `rlvr env replay` */
export function addReplay(env: Command): void {
  const replay = new Command("replay")
    .description(
      "Play recorded actions again in the real simulator and compare every field that the recording does not call unstable. Exit code 1 when any differs.",
    )
    .argument("<name>", "scienceworld or textworld-express")
    .argument("<traces...>", "files of recordings, one episode a line")
    .option("--plays <n>", "a recording counts as reproduced when one of so many plays shows it", wholeNumber(1), 8)
    .action(replayAction);
  env.addCommand(withExample(withJson(replay), "rlvr env replay scienceworld traces/boil.jsonl"));
}

async function replayAction(name: string, paths: readonly string[], { json, plays }: Options): Promise<void> {
  const { readTraces, replayerOf, replayTrace } = await import("../rollout/envs/replay.ts");
  const open = replayerOf(name);
  const files: { path: string; traces: Awaited<ReturnType<typeof readTraces>> }[] = [];
  for (const path of paths) files.push({ path, traces: await readTraces(path, name) });
  const replayer = await open();
  const replays: (TraceReplay & { path: string })[] = [];
  try {
    for (const { path, traces } of files)
      for (const trace of traces) {
        const replay = { path, ...(await replayTrace(replayer, trace, plays)) };
        replays.push(replay);
        if (!json) result(false, replay, () => lineOf(replay));
      }
  } finally {
    await replayer.close();
  }
  const bad = replays.filter(({ differences }) => differences.length > 0).length;
  if (json) result(true, replays, () => "");
  tell(`${replays.length - bad} of ${replays.length} traces reproduced`);
  if (bad > 0) throw new Exit(EXIT.failed);
}

function lineOf({ title, steps, compared, finalScore, plays, differences }: TraceReplay): string {
  const often = plays > 1 ? `, play ${plays}` : "";
  const head = `${differences.length === 0 ? "same" : "DIFFERS"}  ${title}: ${steps} steps, ${compared} fields, final score ${finalScore}${often}`;
  const lines = differences
    .slice(0, SHOWN)
    .flatMap(({ step, field, expected, got }) => [
      `  ${step < 0 ? "episode" : step === 0 ? "start" : `step ${step}`} ${field}`,
      `    recorded: ${shown(expected, got)}`,
      `    played:   ${shown(got, expected)}`,
    ]);
  const more = differences.length > SHOWN ? [`  and ${differences.length - SHOWN} more`] : [];
  return [head, ...lines, ...more].join("\n");
}

/** A value around the place where it begins to differ from another. */
function shown(value: unknown, other: unknown): string {
  const [text, against] = [value, other].map((one) => JSON.stringify(one) ?? "nothing") as [string, string];
  let at = 0;
  while (at < text.length && text[at] === against[at]) at++;
  const from = Math.max(0, at - 40);
  return `${from > 0 ? "…" : ""}${text.slice(from, from + 160)}${text.length > from + 160 ? "…" : ""}`;
}
