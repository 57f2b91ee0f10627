import type { TokenizerFiles } from "./tokenizer.ts";

/** The 28 symbols of seedling's world, by id: three special tokens, digits, signs, and three words that carry their space. */
export const SEEDLING_SYMBOLS: readonly string[] = [
  ...["<pad>", "<bos>", "<eos>"],
  ...["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
  ...["+", "-", "*", "/", "(", ")", "=", ",", ">", ":", ";", "?"],
  ...[" no", " yes", "answer "],
];

/** Ids of seedling's special tokens. */
export const SEEDLING_IDS = { pad: 0, bos: 1, eos: 2 } as const;

const SPECIAL = 3;

/**
 * tokenizer.json and tokenizer_config.json of seedling's vocabulary. The text is split into symbols by one pattern and each piece is looked up whole
 * (`ignore_merges` with no merges), longer symbols first; the decoder joins without spaces. Python's tokenizers reads the same files.
 */
export function seedlingTokenizerFiles(): TokenizerFiles {
  const added = SEEDLING_SYMBOLS.slice(0, SPECIAL).map((content, id) => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  }));
  const pieces = SEEDLING_SYMBOLS.slice(SPECIAL).sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const pattern = pieces.map((piece) => piece.replace(/[+\-*/()?]/g, "\\$&")).join("|");
  const tokenizer = {
    ...{ version: "1.0", truncation: null, padding: null, added_tokens: added, normalizer: null },
    pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
    post_processor: null,
    decoder: { type: "Fuse" },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: true },
      vocab: Object.fromEntries(SEEDLING_SYMBOLS.map((symbol, id) => [symbol, id])),
      merges: [],
    },
  };
  const config = {
    ...{ tokenizer_class: "PreTrainedTokenizerFast", clean_up_tokenization_spaces: false },
    ...{ bos_token: "<bos>", eos_token: "<eos>", pad_token: "<pad>" },
  };
  return {
    tokenizerJson: `${JSON.stringify(tokenizer, null, 2)}\n`,
    tokenizerConfigJson: `${JSON.stringify(config, null, 2)}\n`,
  };
}
