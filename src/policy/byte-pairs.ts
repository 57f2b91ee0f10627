import { ConfigError } from "../utils/errors.ts";
import { byteLetters, GPT2_PATTERN, splitBy } from "./pre-tokenizer.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/** Special tokens of a trained vocabulary, by id. */
export const BYTE_PAIR_SPECIALS = ["<pad>", "<bos>", "<eos>"] as const;

/** How large a vocabulary gets. */
export interface BytePairOptions {
  /** Most tokens: three special ones, the 256 bytes, and what is merged. Fewer when nothing occurs often enough. */
  readonly vocab: number;
  /** A pair that occurs less often is not merged. */
  readonly minCount?: number;
}

const NEWLINE = "\n";
/** A pair of ids as one number: ids stay below this. */
const BASE = 2 ** 24;

/**
 * Learns a byte-level vocabulary from texts by merging the most frequent pair again and again (Sennrich et al., arXiv:1508.07909), and writes it as
 * tokenizer.json. Pieces are those of GPT-2, so that a word with the space before it can be one token; a newline is always a token of its own, since it
 * ends a turn. Any text can be expressed. Among equally frequent pairs the one with the smaller ids wins, as in the `tokenizers` library of Rust.
 */
export function trainBytePairs(texts: Iterable<string>, { vocab, minCount = 2 }: BytePairOptions): TokenizerFiles {
  const letters = byteLetters().sort(); // ids in the order of the letters
  const symbols: string[] = [...BYTE_PAIR_SPECIALS, ...letters];
  if (vocab < symbols.length || vocab >= BASE)
    throw new ConfigError(
      `trainBytePairs(): vocab must be at least ${symbols.length} (special tokens and bytes), got ${vocab}`,
    );
  const ids = new Map(symbols.map((symbol, id) => [symbol, id]));
  const pairs = new PairTable(wordsOf(texts, ids));
  const merges: string[] = [];
  while (symbols.length < vocab) {
    const best = pairs.best(minCount);
    if (best === null) break;
    const [left, right] = [symbols[best[0]]!, symbols[best[1]]!];
    merges.push(`${left} ${right}`);
    // The same text can come of two merges: it stays one token.
    const known = ids.get(left + right);
    if (known === undefined) ids.set(left + right, symbols.push(left + right) - 1);
    pairs.merge(best[0], best[1], known ?? symbols.length - 1);
  }
  return tokenizerFiles(symbols, merges);
}

interface Word {
  ids: number[];
  readonly count: number;
}

/** Different pieces of the texts with how often they occur, spelled in bytes. */
function wordsOf(texts: Iterable<string>, ids: ReadonlyMap<string, number>): Word[] {
  const pattern = new RegExp(GPT2_PATTERN, "gu");
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const line of text.split(NEWLINE))
      for (const [piece] of line.matchAll(pattern)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const letters = byteLetters();
  return [...counts].map(([piece, count]) => ({
    ids: Array.from(Buffer.from(piece, "utf8"), (byte) => ids.get(letters[byte]!)!),
    count,
  }));
}

/** How often each pair of neighbours occurs, and where. */
class PairTable {
  private readonly counts = new Map<number, number>();
  private readonly places = new Map<number, Set<Word>>();

  constructor(words: readonly Word[]) {
    for (const word of words) this.add(word, 1);
  }

  /** The most frequent pair, smaller ids first; null when none occurs `minCount` times. */
  best(minCount: number): [left: number, right: number] | null {
    let [found, most] = [-1, 0];
    for (const [pair, count] of this.counts) {
      if (count > most || (count === most && pair < found)) [found, most] = [pair, count];
    }
    return most < Math.max(1, minCount) ? null : [Math.floor(found / BASE), found % BASE];
  }

  /** Replaces the pair by one id wherever it stands, from left to right. */
  merge(left: number, right: number, id: number): void {
    for (const word of [...(this.places.get(left * BASE + right) ?? [])]) {
      this.add(word, -1);
      word.ids = mergeIn(word.ids, left, right, id);
      this.add(word, 1);
    }
  }

  private add(word: Word, sign: 1 | -1): void {
    for (let i = 1; i < word.ids.length; i++) {
      const pair = word.ids[i - 1]! * BASE + word.ids[i]!;
      const count = (this.counts.get(pair) ?? 0) + sign * word.count;
      if (count === 0) this.counts.delete(pair);
      else this.counts.set(pair, count);
      const places = this.places.get(pair) ?? new Set();
      if (sign === 1) this.places.set(pair, places.add(word));
      else places.delete(word);
    }
  }
}

function mergeIn(ids: readonly number[], left: number, right: number, id: number): number[] {
  const merged: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      merged.push(id);
      i++;
    } else merged.push(ids[i]!);
  }
  return merged;
}

function tokenizerFiles(symbols: readonly string[], merges: readonly string[]): TokenizerFiles {
  const added = BYTE_PAIR_SPECIALS.map((content, id) => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  }));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const tokenizer = {
    ...{ version: "1.0", truncation: null, padding: null, added_tokens: added, normalizer: null },
    pre_tokenizer: { type: "Sequence", pretokenizers: [splitBy(NEWLINE), byteLevel] },
    post_processor: null,
    decoder: byteLevel,
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries(symbols.map((symbol, id) => [symbol, id])),
      merges,
    },
  };
  const [pad, bos, eos] = BYTE_PAIR_SPECIALS;
  const config = {
    ...{ tokenizer_class: "PreTrainedTokenizerFast", clean_up_tokenization_spaces: false },
    ...{ bos_token: bos, eos_token: eos, pad_token: pad },
  };
  return {
    tokenizerJson: `${JSON.stringify(tokenizer, null, 1)}\n`,
    tokenizerConfigJson: `${JSON.stringify(config, null, 2)}\n`,
  };
}
