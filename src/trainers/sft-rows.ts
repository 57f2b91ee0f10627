import type { Learner } from "../policy/index.ts";
import {
  type DemonstrationSet,
  type EncodedDemonstration,
  encodeDemonstration,
  encodeEpisode,
} from "../rollout/demonstrations/index.ts";
import type { Dialogue } from "../rollout/types.ts";
import { DataError } from "../utils/errors.ts";
import type { Rng } from "../utils/rng.ts";
import type { SftConfig } from "./config.ts";
import { inputLength, type TrainingRow } from "./micro-batch.ts";

/** What demonstrations become rows with. */
export interface DemonstrationSource {
  readonly demonstrations: DemonstrationSet;
  readonly learner: Pick<Learner, "tokenizer" | "config">;
  /** How the learner reads episodes; null where there are none. */
  readonly dialogue: Dialogue | null;
}

/** Demonstrations without a token to imitate that may come one after the other. */
const MAX_EMPTY = 1000;

/** Draws enough rows for a whole bucket of batches, sorts them by length and cuts them into batches of about equal size, in random order. */
export function drawBucket(
  source: DemonstrationSource,
  { bucket, tokensPerStep }: SftConfig,
  rng: Rng,
): TrainingRow[][] {
  const rows: { readonly row: TrainingRow; readonly length: number }[] = [];
  const needed = bucket * tokensPerStep;
  let empty = 0;
  for (let total = 0; total < needed; ) {
    const row = drawRow(source, rng);
    if (!marksOf(row).some(Boolean)) {
      if (++empty > MAX_EMPTY)
        throw new DataError(
          `sft: ${empty} demonstrations in a row have no token to imitate: their openings are longer than the model's context of ${source.learner.config.maxPositions}; shorten observations or make maxPositions larger`,
        );
      continue;
    }
    empty = 0;
    const length = inputLength(row);
    rows.push({ row, length });
    total += length;
  }
  rows.sort((a, b) => a.length - b.length);
  const share = rows.reduce((sum, { length }) => sum + length, 0) / bucket;
  const batches = Array.from({ length: bucket }, (): TrainingRow[] => []);
  let before = 0;
  for (const { row, length } of rows) {
    batches[Math.min(bucket - 1, Math.floor(before / share))]!.push(row);
    before += length;
  }
  return rng.fork("order").shuffle(batches);
}

/** Shares the loss out: every token that is imitated weighs 1 / (their number in the batch), the others nothing. */
export function weighTokens(rows: readonly TrainingRow[]): TrainingRow[] {
  const marks = rows.map(marksOf);
  const tokens = marks.reduce((sum, mark) => mark.reduce((inner, value) => inner + value, sum), 0);
  return rows.map((row, i) => ({ ...row, features: { weight: marks[i]!.map((mark) => mark / tokens) } }));
}

/** 1 for each token that is imitated. */
function marksOf({ features, ids }: TrainingRow): number[] {
  return features.imitated ? Array.from(features.imitated) : new Array<number>(ids.length).fill(1);
}

function drawRow({ demonstrations, learner, dialogue }: DemonstrationSource, rng: Rng): TrainingRow {
  const drawn = demonstrations.draw(rng);
  const { tokenizer, config } = learner;
  const { imitated, ...row }: EncodedDemonstration =
    "turns" in drawn
      ? encodeEpisode(drawn, tokenizer, dialogue!, config.maxPositions)
      : encodeDemonstration(drawn, tokenizer);
  return { ...row, features: imitated ? { imitated: imitated.map(Number) } : {} };
}
