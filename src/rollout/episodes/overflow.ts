import type { EpisodeConfig } from "../config.ts";
import { idsOf } from "../ledger.ts";
import type { Dialogue, DialogueMessage, Insert, Segment, TurnRecord } from "../types.ts";

/** An episode whose next turn does not fit its context. */
export interface FullContext {
  readonly dialogue: Dialogue;
  readonly episode: Pick<EpisodeConfig, "overflow" | "keepTurns">;
  /** Tokens that the new context may have. */
  readonly room: number;
  /** How the episode began. */
  readonly messages: readonly DialogueMessage[];
  /** All turns so far. */
  readonly records: readonly TurnRecord[];
  /** What stood between them. */
  readonly inserts: readonly Insert[];
  /** What came back to the last turn. */
  readonly bridge: readonly Segment[];
  /** All sampled tokens. */
  readonly ids: readonly number[];
}

/**
 * A context that begins anew: the opening, one message that stands for the turns that are left out and ends with the observation after them, and the
 * newest turns in their own tokens. As many of `keepTurns` stay as fit.
 * @returns null when the strategy is to stop, or not even the opening fits
 */
export function newContext(full: FullContext): Segment[] | null {
  const { episode, records, room } = full;
  if (episode.overflow === "stop") return null;
  const fits = (segments: readonly Segment[]): boolean => idsOf(segments).length <= room;
  for (let kept = Math.min(episode.keepTurns, records.length - 1); kept >= 0; kept--) {
    const segments = contextWith(full, records.length - kept, records.length);
    if (fits(segments)) return segments;
  }
  if (episode.overflow === "slide") return null;
  for (let told = records.length >> 1; told > 0; told >>= 1) {
    const segments = contextWith(full, records.length, told);
    if (fits(segments)) return segments;
  }
  return null;
}

/**
 * @param left number of turns that are left out, at least 1
 * @param told number of actions that a summary tells at most, the newest ones
 */
function contextWith(full: FullContext, left: number, told: number): Segment[] {
  const { dialogue, episode, messages, records, inserts, bridge, ids } = full;
  const gone = records.slice(0, left);
  const actions = gone.slice(-told).map(({ action }) => action ?? "?");
  const note =
    episode.overflow === "slide"
      ? `[${left} earlier turns are left out]`
      : `[earlier turns: ${[...(told < left ? ["…"] : []), ...actions].join("; ")}]`;
  const content = `${note}\n${gone.at(-1)!.observation}`;
  const segments: Segment[] = [...dialogue.open([...messages, { role: "user", content, from: "environment" }])];
  for (const [i, { start, end }] of records.slice(left).entries()) {
    const isLast = left + i === records.length - 1;
    segments.push({ provenance: "history", ids: ids.slice(start, end) });
    segments.push(...(isLast ? bridge : behind(inserts, end)));
  }
  return segments;
}

/** What stood behind a turn; of a context that began anew there, only what came back to the turn is asked for, which is its end. */
function behind(inserts: readonly Insert[], at: number): readonly Segment[] {
  const found = inserts.find((insert) => insert.at === at);
  return found?.bridge ?? found?.segments ?? [];
}
