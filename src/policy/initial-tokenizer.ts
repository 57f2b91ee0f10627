import { DataError } from "../utils/errors.ts";
import { sha256 } from "../utils/hash.ts";
import { folderTokenizerFiles } from "./model-files.ts";
import { SEEDLING_IDS, seedlingTokenizerFiles } from "./seedling-tokenizer.ts";
import { createTokenizer, type Tokenizer, type TokenizerFiles } from "./tokenizer.ts";

/** Vocabulary of a model that starts from random weights: seedling's, or a folder with tokenizer.json and tokenizer_config.json. */
export type InitialTokenizer = "seedling" | { readonly file: string };

/**
 * Opens the vocabulary of a model that starts from random weights.
 * @returns `hash` is the SHA-256 of a folder's two files; null for seedling's vocabulary, which is part of the program
 * @throws DataError when the folder has no tokenizer, or one that cannot end a text
 */
export function openInitialTokenizer(choice: InitialTokenizer = "seedling"): {
  readonly tokenizer: Tokenizer;
  readonly files: TokenizerFiles;
  readonly hash: string | null;
} {
  if (choice === "seedling") {
    const files = seedlingTokenizerFiles();
    const { pad, bos, eos } = SEEDLING_IDS;
    const tokenizer = createTokenizer(files, { padId: pad, bosId: bos, eosIds: [eos] }, "seedling");
    return { tokenizer, files, hash: null };
  }
  const files = folderTokenizerFiles(choice.file);
  if (files === null)
    throw new DataError(
      `${choice.file}: has no tokenizer: tokenizer.json is missing; scripts/train-tokenizer.mjs makes one`,
    );
  const tokenizer = createTokenizer(files, { padId: 0, bosId: null, eosIds: [] }, choice.file);
  if (tokenizer.eosIds.length === 0)
    throw new DataError(`${choice.file}: tokenizer_config.json names no eos_token: nothing could end a text`);
  return { tokenizer, files, hash: sha256(files.tokenizerJson, files.tokenizerConfigJson) };
}
