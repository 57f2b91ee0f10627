const MIB = 2 ** 20;

/** How much a pass holds at once. They bound memory whatever the batch, so that the model of memory (`trainers/memory.ts`) reads them too. */
export const LIMITS = {
  /** Attention scores of one block, where nothing else is said: 32 MB in float32. Above, queries go in chunks of half that. */
  scores: 8 * MIB,
  /** Logits of one chunk of the head: 64 tokens × 49152, or thousands of tokens of a small vocabulary. */
  logits: 3 * MIB,
  /** Bytes of layer inputs that measuring passes keep for the update; what is beyond is computed again. */
  keptInputs: 256 * MIB,
  /** Prompt tokens that are read in one run. */
  prefillTokens: 4096,
  /** Bytes of copies of prompts; for less, the gathers of shared prompts cost more than the copies. */
  promptCopies: 32 * MIB,
} as const;
