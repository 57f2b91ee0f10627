/** GPT-2's pattern, in the notation of tokenizer.json. */
export const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** A splitting step of tokenizer.json that keeps both the matches and what lies between them. */
export function splitBy(pattern: string): Record<string, unknown> {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

/** The step that spells bytes as letters, without a pattern of its own. */
export const BYTE_LETTERS = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };

/**
 * Says two steps of tokenizer.json in other words where `@huggingface/tokenizers` (JavaScript) departs from the Rust original that defined the format:
 * `Digits` there means every numeric character (`\p{N}`, so "½" and "٣" too), here only ASCII digits; white space in the pattern of `ByteLevel` is Unicode's
 * there (U+0085 is, U+FEFF is not), here JavaScript's.
 */
export function exactPreTokenizer(step: unknown): unknown {
  if (!isStep(step)) return step;
  if (step.type === "Sequence" && Array.isArray(step.pretokenizers))
    return { ...step, pretokenizers: step.pretokenizers.map(exactPreTokenizer) };
  if (step.type === "Digits") return splitBy(step.individual_digits === true ? "\\p{N}" : "\\p{N}+");
  if (step.type === "ByteLevel" && step.use_regex !== false && step.add_prefix_space === false)
    return { type: "Sequence", pretokenizers: [splitBy(GPT2_PATTERN), { ...step, use_regex: false }] };
  return step;
}

/**
 * Adds a step that leaves out the bytes which a byte-level vocabulary has no token for (SmolLM2's lacks 21, U+001D among them). The Rust original drops
 * them before it merges, so that what stood on their two sides may become one token; `@huggingface/tokenizers` drops them after merging.
 */
export function withoutUnknownBytes(step: unknown, vocab: Readonly<Record<string, unknown>>): unknown {
  const unknown = byteLetters().filter((letter) => !Object.hasOwn(vocab, letter));
  if (unknown.length === 0) return step;
  const letters = unknown.join("").replace(/[[\]\\^-]/g, "\\$&");
  return {
    type: "Sequence",
    pretokenizers: [step, { type: "Replace", pattern: { Regex: `[${letters}]` }, content: "" }],
  };
}

/** The letter that spells each byte: visible characters of Latin-1 stand for themselves, U+0100 and on for the others in order. */
export function byteLetters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isVisible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(isVisible ? byte : next++);
  });
}

function isStep(value: unknown): value is { type: string; [key: string]: unknown } {
  return value !== null && typeof value === "object" && "type" in value && typeof value.type === "string";
}
