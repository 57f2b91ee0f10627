import type { Tokenizer } from "../../policy/index.ts";
import { idsOf, ledgerOf } from "../ledger.ts";
import type { Dialogue, Insert } from "../types.ts";
import type { Demonstration, EpisodeDemonstration } from "./types.ts";

/** A demonstration as token ids, laid out as a completion is. */
export interface EncodedDemonstration {
  readonly promptIds: readonly number[];
  /** What the policy is to write: completion and end-of-sequence token, or all turns with their ends. */
  readonly ids: readonly number[];
  /** Tokens between the turns. */
  readonly inserts?: readonly Insert[];
  /** Which of `ids` train; absent: all. */
  readonly imitated?: readonly boolean[];
}

/** Encodes a prompt and its completion, which the end-of-sequence token closes. */
export function encodeDemonstration({ prompt, completion }: Demonstration, tokenizer: Tokenizer): EncodedDemonstration {
  return { promptIds: tokenizer.encode(prompt), ids: [...tokenizer.encode(completion), tokenizer.eosIds[0]!] };
}

/**
 * Encodes an episode turn by turn, as a rollout meets it: the text of a turn by itself, then its end, then what the dialogue puts before the next.
 * The replies to the last turn are nobody's context and are left out. A demonstration that is a text becomes one completion of its first token.
 * @param maxTokens the episode is cut before the first turn that does not fit
 */
export function encodeEpisode(
  { messages, turns, isText }: EpisodeDemonstration,
  tokenizer: Tokenizer,
  dialogue: Dialogue,
  maxTokens: number,
): EncodedDemonstration {
  const promptIds = idsOf(dialogue.open(messages));
  const ids: number[] = [];
  const imitated: boolean[] = [];
  const inserts: Insert[] = [];
  const end = turnEnd(tokenizer, dialogue);
  let length = promptIds.length;
  for (const [i, { text, isImitated }] of turns.entries()) {
    const segments = i === 0 ? [] : dialogue.bridge(ids.at(-1)!, turns[i - 1]!.replies);
    const turn = [...tokenizer.encode(text), ...end];
    length += idsOf(segments).length + turn.length;
    if (length > maxTokens) break;
    if (i > 0) inserts.push({ at: ids.length, segments });
    ids.push(...turn);
    while (imitated.length < ids.length) imitated.push(isImitated);
  }
  return isText ? asText({ promptIds, ids, inserts }) : { promptIds, ids, inserts, imitated };
}

/** The same tokens without turns: all but the first are to be written. */
function asText(parts: Required<Omit<EncodedDemonstration, "imitated">>): EncodedDemonstration {
  const { ids } = ledgerOf(parts);
  return { promptIds: ids.slice(0, 1), ids: ids.slice(1) };
}

/** What a policy writes to end its turn: the token for it, or the text. */
function turnEnd(tokenizer: Tokenizer, { turnEndIds, turnEndTexts }: Dialogue): readonly number[] {
  const [id] = turnEndIds;
  return id === undefined ? tokenizer.encode(turnEndTexts[0] ?? "") : [id];
}
