import type { Tokenizer } from "../policy/index.ts";
import type { RubricResult, ScoredTerm } from "../rewards/index.ts";
import { type Completion, type Episode, type Insert, ledgerOf } from "../rollout/index.ts";
import type { CompletionUse } from "./group-filter.ts";
import type { SampleRow } from "./types.ts";

/** A completion with its score and advantage, as it is kept in the samples file. */
export function toSampleRow(
  row: {
    completion: Completion;
    scored: RubricResult;
    advantage: number;
    tokenAdvantages?: Float64Array;
    use?: CompletionUse;
  },
  options: { step: number; tokenizer: Tokenizer; flags?: Readonly<Record<string, string>> | undefined },
): SampleRow {
  const { completion, scored, advantage, tokenAdvantages, use } = row;
  const { task, group, member, promptIds, ids, text, stop } = completion;
  return {
    step: options.step,
    task: task.id,
    ...{ group, member },
    prompt: options.tokenizer.decode(promptIds),
    text,
    ...{ promptIds, ids },
    provenance: ledgerOf(completion).runs.map(({ provenance, start, end }) => [provenance, end - start] as const),
    ...(completion.inserts && completion.inserts.length > 0 ? { inserts: completion.inserts.map(toRow) } : {}),
    ...(completion.episode ? { episode: withoutClocks(completion.episode) } : {}),
    logp: round(completion.logp),
    entropy: round(completion.entropy),
    rewards: Object.fromEntries(Object.entries(scored.terms).map(([name, term]) => [name, withoutClock(term)])),
    reward: scored.reward,
    advantage,
    ...(tokenAdvantages ? { tokenAdvantages: Array.from(tokenAdvantages, (x) => Number(x.toPrecision(7))) } : {}),
    stop,
    ...(use === undefined || use === "trained" ? {} : { use }),
    ...(options.flags && Object.keys(options.flags).length > 0 ? { flags: options.flags } : {}),
  };
}

/** What stood between two turns: place, provenances and ids. */
function toRow({ at, segments, restart }: Insert): NonNullable<SampleRow["inserts"]>[number] {
  return {
    at,
    segments: segments.map(({ provenance, ids }) => ({ provenance, ids })),
    ...(restart ? { restart } : {}),
  };
}

function withoutClocks({ turns, resetMs: _reset, ...rest }: Episode): NonNullable<SampleRow["episode"]> {
  return { ...rest, turns: turns.map(({ ms: _ms, ...turn }) => turn) };
}

/** What a reward said, without how long it took: a run that is resumed ends with the same bytes. */
function withoutClock({ outcome, score, reason, parsed, weight }: ScoredTerm): Omit<ScoredTerm, "ms"> {
  return { outcome, score, reason, ...(parsed === undefined ? {} : { parsed }), weight };
}

/** Seven significant digits: what float32 holds. */
function round(values: Float32Array): number[] {
  return Array.from(values, (x) => Number(x.toPrecision(7)));
}
