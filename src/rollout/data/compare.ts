import { HashTable, textHash } from "./hash-table.ts";
import { questionColumn, questionOf, rowsOf } from "./inspect.ts";
import { NgramIndex } from "./ngram-index.ts";
import { sameQuestion, wordsOf } from "./question-text.ts";

/** Two questions that share words. */
export interface OverlapPair {
  /** Share of the first one's n-grams that occur in the other collection. */
  readonly share: number;
  readonly where: string;
  readonly text: string;
  /** The question over there that most of them are of. */
  readonly other: string;
  readonly otherText: string;
}

/** How much of a collection of questions occurs in another one. */
export interface OverlapReport {
  /** Questions that were looked at, and those of the other collection. */
  readonly rows: number;
  readonly otherRows: number;
  /** Questions that are in both; blanks and capital letters make no difference. */
  readonly exact: { readonly count: number; readonly first: readonly OverlapPair[] };
  readonly n: number;
  /** One of so many n-grams was looked at. */
  readonly stride: number;
  /** Share of all n-grams that occur in the other collection; instructions that many questions over there share do not count. */
  readonly ngramShare: number;
  /** Questions, the same ones included, of whose n-grams at least half occur there. */
  readonly halfCovered: number;
  /** The pairs that share most, without those that are the same. */
  readonly worst: readonly OverlapPair[];
}

/** A question on its way through the comparison. */
export interface ComparedQuestion {
  readonly where: string;
  readonly text: string;
}

/** Pairs that are kept of each kind. */
const PAIRS = 5;
/** Longest excerpt of a question, characters. */
const EXCERPT = 160;
/** From this share on a question counts as covered. */
const COVERED = 0.5;

/**
 * Compares questions with those of another collection: equal ones, and runs of n words in common (after Brown et al., arXiv:2005.14165, appendix C). Memory is bounded but
 * for 16 to 32 bytes for each question of the other collection.
 * @param questions are read once
 * @param others are read twice: the second time for the text of a few
 */
export async function compareQuestions(
  questions: () => AsyncIterable<ComparedQuestion>,
  others: () => AsyncIterable<ComparedQuestion>,
  n: number,
): Promise<OverlapReport> {
  const index = new NgramIndex(n);
  const same = new HashTable();
  let otherRows = 0;
  for await (const { text } of others()) {
    const hash = textHash(sameQuestion(text));
    if (same.get(hash) === -1) {
      same.set(hash, otherRows);
      index.add(wordsOf(text), otherRows);
    }
    otherRows++;
  }
  const exact: Found[] = [];
  const worst: Found[] = [];
  let [rows, exactCount, halfCovered, total, hits] = [0, 0, 0, 0, 0];
  for await (const { where, text } of questions()) {
    rows++;
    const overlap = index.overlap(wordsOf(text));
    total += overlap.total;
    hits += overlap.hits;
    const twin = same.get(textHash(sameQuestion(text)));
    const share = twin === -1 ? overlap.hits / Math.max(overlap.total, 1) : 1;
    if (share >= COVERED) halfCovered++;
    const found = {
      share,
      weight: overlap.hits,
      where,
      text: excerpt(text),
      source: twin === -1 ? overlap.source : twin,
    };
    if (twin === -1) keepWorst(worst, found);
    else if (exactCount++ < PAIRS) exact.push(found);
  }
  const named = await withOthers([...exact, ...worst], others);
  return {
    ...{ rows, otherRows, n, stride: index.stride, halfCovered },
    exact: { count: exactCount, first: named.slice(0, exact.length) },
    ngramShare: hits / Math.max(total, 1),
    worst: named.slice(exact.length),
  };
}

interface Found {
  readonly share: number;
  readonly weight: number;
  readonly where: string;
  readonly text: string;
  readonly source: number;
}

function keepWorst(worst: Found[], found: Found): void {
  if (found.weight === 0) return;
  worst.push(found);
  worst.sort((left, right) => right.share - left.share || right.weight - left.weight);
  worst.length = Math.min(worst.length, PAIRS);
}

async function withOthers(
  found: readonly Found[],
  others: () => AsyncIterable<ComparedQuestion>,
): Promise<OverlapPair[]> {
  const wanted = new Set(found.map(({ source }) => source));
  const texts = new Map<number, ComparedQuestion>();
  let i = 0;
  if (wanted.size > 0)
    for await (const question of others()) {
      if (wanted.has(i)) texts.set(i, question);
      i++;
      if (texts.size === wanted.size) break;
    }
  return found.map(({ share, where, text, source }) => {
    const other = texts.get(source);
    return { share, where, text, other: other?.where ?? "", otherText: excerpt(other?.text ?? "") };
  });
}

function excerpt(text: string): string {
  const line = text.trim().split(/\s+/u).join(" ");
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT - 1)}…` : line;
}

/** Compares two data files by their questions. Rows that cannot be read are passed over. @throws ConfigError, DataError */
export async function compareFiles(
  path: string,
  against: string,
  { n = 8, column }: { readonly n?: number; readonly column?: string } = {},
): Promise<OverlapReport> {
  const [own, other] = [
    await questionColumn(path, column),
    await questionColumn(against, undefined).catch(() => questionColumn(against, column)),
  ];
  return compareQuestions(
    () => questionsOf(path, own),
    () => questionsOf(against, other),
    n,
  );
}

async function* questionsOf(path: string, column: string): AsyncGenerator<ComparedQuestion> {
  for await (const row of rowsOf(path, () => {})) {
    const text = questionOf(row, column);
    if (text !== null) yield { where: row.where, text };
  }
}
