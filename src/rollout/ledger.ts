import { TrainingError } from "../utils/errors.ts";
import type { Completion, Insert, Provenance, Segment } from "./types.ts";

/** All ids of segments, in order. */
export function idsOf(segments: readonly Segment[]): number[] {
  return segments.flatMap(({ ids }) => ids);
}

/** Neighbouring tokens of one provenance. */
export interface LedgerRun {
  readonly provenance: Provenance;
  /** Range in the ledger's ids, the end excluded. */
  readonly start: number;
  readonly end: number;
  /** Everything before it is out of sight from here on. */
  readonly restart?: true;
}

/** All tokens of a completion in the order in which the policy read and wrote them. */
export interface Ledger {
  readonly ids: readonly number[];
  /** Covers `ids`, in order, without gaps. */
  readonly runs: readonly LedgerRun[];
  /** Place of each of the completion's sampled ids among `ids`. */
  readonly sampledAt: Int32Array;
}

/** What a ledger is made of: a completion, or as much of one as is there. */
export type LedgerParts = Pick<Completion, "promptIds" | "ids" | "promptSegments" | "inserts">;

/**
 * Says of every token of a completion where it comes from.
 * @throws TrainingError when the record contradicts itself: segments that are not the prompt, inserts out of order or outside
 */
export function ledgerOf(completion: LedgerParts): Ledger {
  const { promptIds, ids: sampled, promptSegments, inserts = [] } = completion;
  const writer = new LedgerWriter();
  const prompt: readonly Segment[] = promptSegments ?? [{ provenance: "user", ids: promptIds }];
  for (const { provenance, ids } of prompt) writer.add(provenance, ids);
  if (writer.ids.length !== promptIds.length || writer.ids.some((id, i) => id !== promptIds[i]))
    throw new TrainingError("ledgerOf(): the prompt's segments are not the prompt's ids");
  let at = 0;
  for (const insert of inserts) {
    checkInsert(insert, at, sampled.length);
    writer.addSampled(sampled.slice(at, insert.at));
    at = insert.at;
    if (insert.restart) writer.restart();
    for (const { provenance, ids } of insert.segments) writer.add(provenance, ids);
  }
  writer.addSampled(sampled.slice(at));
  return { ids: writer.ids, runs: writer.runs(), sampledAt: Int32Array.from(writer.sampledAt) };
}

/** 1 for each id of a ledger that the policy sampled, else 0: what may train. */
export function sampledMask({ ids, sampledAt }: Pick<Ledger, "ids" | "sampledAt">): Uint8Array {
  const mask = new Uint8Array(ids.length);
  for (const place of sampledAt) mask[place] = 1;
  return mask;
}

/**
 * Checks that every token that is to train was sampled, and is the one that was sampled.
 * @param trained the token at each place of the ledger that is to train
 * @throws TrainingError naming the first token that is not
 */
export function requireSampled(
  ledger: Ledger,
  trained: Iterable<{ readonly place: number; readonly id: number }>,
  where: string,
): void {
  const mask = sampledMask(ledger);
  for (const { place, id } of trained) {
    if (!mask[place]) {
      const run = ledger.runs.find(({ start, end }) => start <= place && place < end);
      const source = run ? `comes from ${run.provenance}` : `is outside of the ${ledger.ids.length} that there are`;
      throw new TrainingError(
        `${where}: token ${place} (id ${id}) ${source}: only sampled tokens train; the mask of the loss is wrong`,
      );
    }
    if (ledger.ids[place] !== id)
      throw new TrainingError(
        `${where}: token ${place} was sampled as id ${ledger.ids[place]}, but id ${id} is to train: was text encoded again?`,
      );
  }
}

function checkInsert({ at }: Insert, from: number, length: number): void {
  if (Number.isInteger(at) && at >= from && at <= length) return;
  throw new TrainingError(
    `ledgerOf(): an insert stands at ${at}; inserts must stand in rising order within the ${length} sampled tokens`,
  );
}

class LedgerWriter {
  readonly ids: number[] = [];
  readonly sampledAt: number[] = [];
  readonly #runs: { provenance: Provenance; start: number; end: number; restart?: true }[] = [];
  #isNew = false;

  add(provenance: Provenance, ids: readonly number[]): void {
    if (ids.length === 0) return;
    const start = this.ids.length;
    for (const id of ids) this.ids.push(id);
    const last = this.#runs.at(-1);
    if (!this.#isNew && last?.provenance === provenance) last.end = this.ids.length;
    else this.#runs.push({ provenance, start, end: this.ids.length, ...(this.#isNew && { restart: true as const }) });
    this.#isNew = false;
  }

  addSampled(ids: readonly number[]): void {
    for (let i = 0; i < ids.length; i++) this.sampledAt.push(this.ids.length + i);
    this.add("sampled", ids);
  }

  restart(): void {
    this.#isNew = true;
  }

  runs(): LedgerRun[] {
    return this.#runs;
  }
}
