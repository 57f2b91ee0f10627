import { z } from "zod";
import { countdownTraces } from "./countdown-traces.ts";
import { episodes } from "./episodes.ts";
import type { DemonstrationDef, DemonstrationSet } from "./types.ts";

export type { EncodedDemonstration } from "./encode.ts";
export { encodeDemonstration, encodeEpisode } from "./encode.ts";
export { playConfigured } from "./episodes.ts";
export type { PlayOptions } from "./play-episode.ts";
export { playEpisode } from "./play-episode.ts";
export type { RecordedTurn } from "./recording.ts";
export { RecordedEpisode, readRecordings, textsOf } from "./recording.ts";
export type {
  DemonstratedTurn,
  Demonstration,
  DemonstrationDef,
  DemonstrationSet,
  EpisodeDemonstration,
} from "./types.ts";

const DEFS: readonly DemonstrationDef[] = [countdownTraces, episodes];

/** What supervised training imitates: a name and its own options. */
export const DemonstrationConfig = z.discriminatedUnion("name", [
  countdownTraces.options.extend({ name: z.literal(countdownTraces.name as "countdown-traces") }),
  episodes.options.extend({ name: z.literal(episodes.name as "episodes") }),
]);
export type DemonstrationConfig = z.infer<typeof DemonstrationConfig>;

/** Opens a source of demonstrations. */
export function openDemonstrations(config: DemonstrationConfig): Promise<DemonstrationSet> {
  const { name, ...options } = config;
  const def = DEFS.find((candidate) => candidate.name === name);
  if (!def) throw new Error(`internal: demonstrations ${name} are not in the table`);
  return def.open(options);
}
