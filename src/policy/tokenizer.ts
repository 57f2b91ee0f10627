import { Tokenizer as Library } from "@huggingface/tokenizers";
import { z } from "zod";
import { ConfigError, DataError, messageOf } from "../utils/errors.ts";
import {
  type ChatMessage,
  type ChatOptions,
  type ChatTemplate,
  compileChatTemplate,
  templateOf,
} from "./chat-template.ts";
import { exactPreTokenizer, withoutUnknownBytes } from "./pre-tokenizer.ts";

/** Text to token ids and back. */
export interface Tokenizer {
  /** Largest id + 1; the embedding may have more rows. */
  readonly vocabSize: number;
  readonly bosId: number | null;
  /** Ids that end a completion. */
  readonly eosIds: readonly number[];
  readonly padId: number;
  /** Special tokens in the text are recognised, nothing is added. @throws DataError for text that the vocabulary cannot express */
  encode(text: string): number[];
  /** As `encode`, but texts of special and other added tokens are ordinary text: for what strangers wrote. @throws DataError as `encode` */
  encodePlain(text: string): number[];
  /** Tokens that are recognised in a text before it is split, longest first. */
  readonly addedTokens: readonly AddedToken[];
  /** The exact text: no spaces are cleaned up. Ids without a token (padding rows of the embedding) give no text. */
  decode(ids: readonly number[], options?: { readonly skipSpecial?: boolean }): string;
  readonly hasChatTemplate: boolean;
  /** @throws ConfigError when the model has no chat template */
  renderChat(messages: readonly ChatMessage[], options: ChatOptions): string;
  /** Ids of the rendered conversation. */
  encodeChat(messages: readonly ChatMessage[], options: ChatOptions): number[];
}

/** A token that stands outside of the vocabulary's splitting: `<|im_end|>`, `<think>`, … */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out of texts that are decoded without special tokens. */
  readonly special: boolean;
  /** White space before it, or after it, belongs to it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** Text of the two files that make a tokenizer; the chat template is a key of the second. */
export interface TokenizerFiles {
  readonly tokenizerJson: string;
  readonly tokenizerConfigJson: string;
}

/** Special ids that the model's configuration names; those of the tokenizer are added. */
export interface SpecialIds {
  readonly bosId: number | null;
  readonly eosIds: readonly number[];
  readonly padId: number;
}

const TokenText = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)])
  .nullish();
const TokenizerConfig = z.looseObject({
  bos_token: TokenText,
  eos_token: TokenText,
  pad_token: TokenText,
  unk_token: TokenText,
});
/** Far above any vocabulary; a forged id must not become the length of a list. */
const MAX_ID = 2 ** 24;
/** Ids by token, or (unigram models) a list of tokens with their scores. */
type Vocabulary = Readonly<Record<string, number>> | readonly unknown[];
const TokenizerJson = z.looseObject({
  model: z.looseObject({
    vocab: z.custom<Vocabulary>(
      (vocab) => Array.isArray(vocab) || isIdTable(vocab),
      "must give every token an id from 0 up",
    ),
  }),
  added_tokens: z
    .array(
      z.looseObject({
        id: z.int().nonnegative().max(MAX_ID),
        content: z.string(),
        special: z.boolean().default(false),
        normalized: z.boolean().default(false),
        lstrip: z.boolean().default(false),
        rstrip: z.boolean().default(false),
      }),
    )
    .default([]),
});

/**
 * Makes a tokenizer from the text of tokenizer.json and tokenizer_config.json.
 * @param where their folder or file, for messages
 * @throws DataError when they are malformed or name a kind of tokenizer that is not known
 */
export function createTokenizer(files: TokenizerFiles, ids: SpecialIds, where: string): Tokenizer {
  const json = parse(files.tokenizerJson, TokenizerJson, `${where}: tokenizer.json`);
  const config = parse(files.tokenizerConfigJson, TokenizerConfig, `${where}: tokenizer_config.json`);
  const library = open(json, where);
  const special = specialTexts(config);
  const source = templateOf(config.chat_template, `${where}: tokenizer_config.json`);
  const template = source === null ? null : compileChatTemplate(source, special, where);
  const idOf = (name: string): number | null =>
    special[name] === undefined ? null : (library.token_to_id(special[name]) ?? null);
  const eosIds = [...new Set([...ids.eosIds, idOf("eos_token")])].filter((id) => id !== null);
  return build(library, template, json, where, {
    bosId: ids.bosId ?? idOf("bos_token"),
    eosIds,
    padId: idOf("pad_token") ?? ids.padId,
  });
}

function build(
  library: Library,
  template: ChatTemplate | null,
  json: z.output<typeof TokenizerJson>,
  where: string,
  ids: SpecialIds,
): Tokenizer {
  const lossless = isLossless(json);
  const addedTokens = json.added_tokens
    .map(({ id, content, special, lstrip, rstrip }) => ({ id, content, special, lstrip, rstrip }))
    .sort((a, b) => b.content.length - a.content.length);
  const vocab = library.get_vocab();
  const vocabSize = [...vocab.values()].reduce((largest, id) => Math.max(largest, id), -1) + 1;
  const decode = (tokens: readonly number[], skipSpecial = false): string => {
    const known = tokens.filter((id) => library.id_to_token(id) !== undefined);
    if (known.length === 0) return "";
    return library.decode(known, { skip_special_tokens: skipSpecial, clean_up_tokenization_spaces: false });
  };
  const encodeWith = (chosen: Library, text: string): number[] => {
    if (text === "") return [];
    const tokens = chosen.encode(text, { add_special_tokens: false }).ids;
    if (!lossless) refuseLoss(text, decode(tokens), where);
    return tokens;
  };
  const encode = (text: string): number[] => encodeWith(library, text);
  let plain: Library | undefined; // as large as the first; needed only for texts that name an added token
  const isRaw = json.normalizer == null || !json.added_tokens.some(({ normalized }) => normalized);
  const isPlain = (text: string): boolean => isRaw && !addedTokens.some(({ content }) => text.includes(content));
  const renderChat = (messages: readonly ChatMessage[], options: ChatOptions): string => {
    if (template === null)
      throw new ConfigError(`${where}: the model has no chat template: give prompts as plain text`);
    return template.render(messages, options);
  };
  return {
    vocabSize,
    ...ids,
    encode,
    encodePlain(text) {
      if (isPlain(text)) return encode(text);
      plain ??= open({ ...json, added_tokens: [] }, where);
      return encodeWith(plain, text);
    },
    addedTokens,
    decode: (tokens, options) => decode(tokens, options?.skipSpecial),
    hasChatTemplate: template !== null,
    renderChat,
    encodeChat: (messages, options) => encode(renderChat(messages, options)),
  };
}

/** Text of the special tokens that tokenizer_config.json names: `bos_token`, `eos_token`, `pad_token`, `unk_token`. */
function specialTexts(config: z.output<typeof TokenizerConfig>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const name of ["bos_token", "eos_token", "pad_token", "unk_token"] as const) {
    const text = config[name];
    if (typeof text === "string") texts[name] = text;
  }
  return texts;
}

/** Byte-level vocabularies (but for rare bytes), byte fallback and an unknown token express any text; others silently lose characters. */
function isLossless(json: z.output<typeof TokenizerJson>): boolean {
  return isByteLevel(json) || hasUnknownToken(json);
}

function isByteLevel(json: z.output<typeof TokenizerJson>): boolean {
  return JSON.stringify(json.pre_tokenizer ?? null).includes('"ByteLevel"');
}

function hasUnknownToken({ model }: z.output<typeof TokenizerJson>): boolean {
  return model.byte_fallback === true || typeof model.unk_token === "string";
}

function isIdTable(vocab: unknown): vocab is Readonly<Record<string, number>> {
  if (vocab === null || typeof vocab !== "object") return false;
  return Object.values(vocab).every((id) => Number.isInteger(id) && id >= 0 && id <= MAX_ID);
}

function refuseLoss(text: string, back: string, where: string): void {
  if (back === text) return;
  let at = 0;
  while (at < text.length && text[at] === back[at]) at++;
  const place = JSON.stringify(text.slice(Math.max(0, at - 10), at + 10));
  throw new DataError(
    `${where}: the vocabulary cannot express ${JSON.stringify(text[at] ?? "")} at character ${at} (near ${place})`,
  );
}

function open(json: z.output<typeof TokenizerJson>, where: string): Library {
  const complete = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...json };
  const { vocab } = json.model;
  const splitting = exactPreTokenizer(complete.pre_tokenizer);
  const isSilent = isByteLevel(json) && !hasUnknownToken(json);
  const pre_tokenizer = isSilent && isIdTable(vocab) ? withoutUnknownBytes(splitting, vocab) : splitting;
  try {
    return new Library({ ...complete, pre_tokenizer }, {});
  } catch (error) {
    throw new DataError(`${where}: tokenizer.json cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

function parse<T>(text: string, schema: z.ZodType<T>, where: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${where} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new DataError(`${where} is malformed\n${z.prettifyError(parsed.error).slice(0, 2000)}`);
  return parsed.data;
}
