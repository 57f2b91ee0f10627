import type { SequenceBatch } from "../policy/index.ts";

/** Tokens that a policy reads in one go, and where it is asked for the next one. */
export interface Sequence {
  readonly ids: readonly number[];
  /** Position whose hidden state predicts each scored token. */
  readonly places: readonly number[];
}

/** A row with the sequences in which it is read; the first one begins with the row's prompt. */
export interface LaidRow {
  readonly prompt: readonly number[];
  readonly sequences: readonly Sequence[];
}

type Packed = Pick<SequenceBatch, "ids" | "prefixes" | "tails" | "parents" | "positions">;

/** Rows by equal prompts, in the order of the first of each; rows without a prompt share nothing. */
export function byPrompt(rows: readonly LaidRow[], members: readonly number[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const member of members) {
    const { prompt } = rows[member]!;
    const key = prompt.length > 0 ? prompt.join() : `row ${member}`;
    const group = groups.get(key);
    if (group) group.push(member);
    else groups.set(key, [member]);
  }
  return [...groups.values()];
}

/** What a group of rows with one prompt adds to the attention's blocks. */
interface Extent {
  readonly prefixes: number;
  readonly longestPrefix: number;
  readonly tails: number;
  readonly longestTail: number;
}

function extentOf(rows: readonly LaidRow[], group: readonly number[]): Extent {
  const shared = group.length > 1;
  const prompt = rows[group[0]!]!.prompt.length;
  const first = group.map((row) => rows[row]!.sequences[0]?.ids.length ?? 0);
  const alone = group.flatMap((row) => rows[row]!.sequences.slice(shared ? 1 : 0).map(({ ids }) => ids.length));
  return {
    prefixes: alone.length + (shared ? 1 : 0),
    longestPrefix: Math.max(shared ? prompt : 0, ...alone),
    tails: shared ? group.length : 0,
    longestTail: shared ? Math.max(...first) - prompt : 0,
  };
}

/** Places that groups need in the attention's blocks, gaps included: what a micro-batch is measured by. */
export function blockSize(rows: readonly LaidRow[], groups: readonly (readonly number[])[]): number {
  let [prefixes, longestPrefix, mostTails, longestTail] = [0, 0, 0, 0];
  for (const group of groups) {
    const extent = extentOf(rows, group);
    prefixes += extent.prefixes;
    longestPrefix = Math.max(longestPrefix, extent.longestPrefix);
    mostTails = Math.max(mostTails, extent.tails);
    longestTail = Math.max(longestTail, extent.longestTail);
  }
  return prefixes * (longestPrefix + mostTails * longestTail);
}

/** Where a sequence is: its first tokens in a prefix, those from `before` on in a tail. */
interface Home {
  readonly prefix: number;
  readonly before: number;
  readonly tail: number;
}

/** Sequences of rows as one batch: a prompt of several rows is a prefix that is computed once. Scored tokens are in the order of `members`. */
export function packSequences(rows: readonly LaidRow[], members: readonly number[]): Packed {
  const prefixes: (readonly number[])[] = [];
  const tails: { readonly ids: readonly number[]; readonly parent: number }[] = [];
  const homes = new Map<number, Home[]>(members.map((row) => [row, []]));
  const groups = byPrompt(rows, members);
  for (const group of groups.filter(({ length }) => length > 1)) {
    const { prompt } = rows[group[0]!]!;
    const prefix = prefixes.push(prompt) - 1;
    for (const row of group) {
      const rest = rows[row]!.sequences[0]!.ids.slice(prompt.length);
      homes.get(row)!.push({ prefix, before: prompt.length, tail: tails.length });
      if (rest.length > 0) tails.push({ ids: rest, parent: prefix });
    }
  }
  for (const group of groups)
    for (const row of group)
      for (const { ids } of rows[row]!.sequences.slice(group.length > 1 ? 1 : 0))
        homes.get(row)!.push({ prefix: prefixes.push(ids) - 1, before: ids.length, tail: -1 });
  const starts = startsOf([...prefixes, ...tails.map(({ ids }) => ids)]);
  const positions = members.flatMap((row) =>
    rows[row]!.sequences.flatMap(({ places }, i) => {
      const { prefix, before, tail } = homes.get(row)![i]!;
      return places.map((place) =>
        place < before ? starts[prefix]! + place : starts[prefixes.length + tail]! + place - before,
      );
    }),
  );
  return {
    ids: Int32Array.from([...prefixes, ...tails.map(({ ids }) => ids)].flat()),
    prefixes: Int32Array.from(prefixes, ({ length }) => length),
    tails: Int32Array.from(tails, ({ ids }) => ids.length),
    parents: Int32Array.from(tails, ({ parent }) => parent),
    positions: Int32Array.from(positions),
  };
}

function startsOf(parts: readonly (readonly number[])[]): number[] {
  let next = 0;
  return parts.map(({ length }) => {
    next += length;
    return next - length;
  });
}
