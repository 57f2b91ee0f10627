import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ConfigError, DataError, messageOf } from "../../utils/errors.ts";
import type { ReplayDifference } from "./replay-compare.ts";
import { scienceWorldReplayer } from "./scienceworld/replay.ts";
import { textWorldExpressReplayer } from "./textworld-express/replay.ts";

/** A recorded episode: what was loaded, what was done and what came of it. */
export const Trace = z.looseObject({
  env: z.string(),
  name: z.string().optional(),
  actions: z.array(z.string()),
  initial: z.record(z.string(), z.unknown()),
  steps: z.array(z.looseObject({ action: z.string() })),
});
export type Trace = z.infer<typeof Trace>;

/** How the replay of one trace went. */
export interface TraceReplay {
  /** What was played, in words. */
  readonly title: string;
  readonly steps: number;
  /** Fields that were compared. */
  readonly compared: number;
  readonly finalScore: number;
  /** How often it was played until everything was as recorded. */
  readonly plays: number;
  readonly differences: readonly ReplayDifference[];
}

/** Plays recorded episodes in one simulator. */
export interface Replayer {
  /** @throws DataError when the trace lacks what must be loaded @throws EnvError when the simulator refuses or breaks */
  play(trace: Trace): Promise<Omit<TraceReplay, "plays">>;
  close(): Promise<void>;
}

/** Replayers by environment; each starts a simulator. */
const REPLAYERS: Readonly<Record<string, () => Promise<Replayer>>> = {
  scienceworld: scienceWorldReplayer,
  "textworld-express": textWorldExpressReplayer,
};

/** Environments whose recordings can be played again. */
export const REPLAYABLE: readonly string[] = Object.keys(REPLAYERS);

/** How to start a simulator that plays recordings. @throws ConfigError for an environment that has none */
export function replayerOf(name: string): () => Promise<Replayer> {
  const open = Object.hasOwn(REPLAYERS, name) ? REPLAYERS[name] : undefined;
  if (open) return open;
  throw new ConfigError(`recordings of ${JSON.stringify(name)} can't be played; of ${REPLAYABLE.join(", ")} they can`);
}

/**
 * Plays a trace until every field is as recorded, at most `most` times: a simulator that draws at random shows some recordings now and then only.
 * Without success, the play with the fewest differences counts.
 */
export async function replayTrace(replayer: Replayer, trace: Trace, most: number): Promise<TraceReplay> {
  let best: Omit<TraceReplay, "plays"> | null = null;
  for (let plays = 1; ; plays++) {
    const replay = await replayer.play(trace);
    if (!best || replay.differences.length < best.differences.length) best = replay;
    if (best.differences.length === 0 || plays >= most) return { ...best, plays };
  }
}

/** Reads a file of traces, one JSON object a line. @throws DataError naming the line */
export async function readTraces(path: string, env: string): Promise<Trace[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new DataError(`${path}: can't be read (${messageOf(error)})`);
  });
  const rows = text
    .split("\n")
    .flatMap((line, i) => (line.trim() === "" ? [] : [readTrace(line, `${path}:${i + 1}`, env)]));
  if (rows.length === 0) throw new DataError(`${path}: there is no trace in it`);
  return rows;
}

function readTrace(line: string, place: string, env: string): Trace {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new DataError(`${place}: no JSON (${messageOf(error)})`);
  }
  const { data, error } = Trace.safeParse(value);
  const issue = error?.issues[0];
  if (!data) throw new DataError(`${place}: no trace of an episode; ${issue?.path.join(".")}: ${issue?.message}`);
  if (data.env !== env) throw new DataError(`${place}: a trace of ${JSON.stringify(data.env)}, expected ${env}`);
  return data;
}
