import { type ModelFiles, openModel, openPolicy, type Tokenizer } from "../../policy/index.ts";
import { DataError } from "../../utils/errors.ts";
import { verifyGradient } from "./gradient.ts";
import { verifyPrompts } from "./prompts.ts";
import { type Reference, readReference } from "./reference.ts";
import { type CheckResult, createTally, type Storage, type Tally } from "./tally.ts";
import { needsTokenizer, promptIdsOf, verifyText } from "./text.ts";
import { roundingOf, verifyWeights } from "./weights.ts";

/** What {@link verifyModel} needs. */
export interface VerifyOptions {
  /** Name, folder or GGUF file. */
  readonly model: string;
  /** Reference files. */
  readonly files: readonly string[];
  readonly threads?: number;
  readonly onProgress?: (text: string) => void;
}

/** Largest difference of each kind between a model and reference files. */
export interface VerifyReport {
  readonly model: string;
  readonly path: string;
  readonly files: readonly string[];
  /** The type to which the reference's weights were rounded in this model; `float32` when they were not: then the exact bounds hold. */
  readonly rounding: Storage;
  readonly checks: readonly CheckResult[];
  readonly passed: boolean;
}

/**
 * Compares a model with reference numbers made elsewhere: weights tensor by tensor, texts by its tokenizer, then greedy tokens, log-probs and
 * gradients by the sessions that sample and train. The engine is loaded only when a file has numbers for it.
 * @throws DataError when the model or a file cannot be read, or the reference cannot belong to the model
 */
export async function verifyModel({
  model,
  files,
  threads,
  onProgress = () => {},
}: VerifyOptions): Promise<VerifyReport> {
  const references = files.map(readReference);
  const tally = createTally();
  const opened = openModel(model, { tokenizer: "optional" });
  let rounding: Storage;
  try {
    rounding = verifyFiles(opened, references, tally, onProgress);
  } finally {
    opened.close();
  }
  const { name, path, tokenizer } = opened;
  if (references.some(({ prompts, gradient }) => prompts.length > 0 || gradient))
    await verifyEngine({
      path,
      tokenizer,
      references,
      tally,
      onProgress,
      ...(threads === undefined ? {} : { threads }),
    });
  const checks = tally.results(rounding);
  if (checks.length === 0) throw new DataError(`${files.join(", ")}: hold no numbers to compare`);
  return { model: name, path, files, rounding, checks, passed: checks.every(({ passed }) => passed) };
}

/** What needs no computation by the engine; returns how the weights were rounded. */
function verifyFiles(
  opened: ModelFiles<Tokenizer | null>,
  references: readonly Reference[],
  tally: Tally,
  onProgress: (text: string) => void,
): Storage {
  const { tokenizer, path } = opened;
  for (const reference of references) {
    if (!tokenizer && needsTokenizer(reference))
      throw new DataError(`${reference.path}: has texts to compare, but ${path} has no tokenizer`);
    if (tokenizer) verifyText(tokenizer, reference, tally);
  }
  onProgress("weights");
  const rounding = roundingOf(
    opened,
    references.map(({ weights }) => weights),
  );
  for (const { weights } of references) verifyWeights(opened, weights, rounding, tally);
  return rounding;
}

interface EngineWork {
  readonly path: string;
  readonly tokenizer: Tokenizer | null;
  readonly references: readonly Reference[];
  readonly tally: Tally;
  readonly threads?: number;
  readonly onProgress: (text: string) => void;
}

async function verifyEngine({ path, tokenizer, references, tally, onProgress, ...options }: EngineWork): Promise<void> {
  onProgress("loading the model");
  const origin = { kind: "files", path } as const;
  const policy = await openPolicy({ origin, adapter: { kind: "none" }, seed: 0, ...options });
  try {
    for (const { path: file, prompts, gradient } of references) {
      const withIds = prompts.map((reference) => ({ reference, ids: promptIdsOf(tokenizer, reference) }));
      if (withIds.length > 0) await verifyPrompts(policy, withIds, tally, onProgress);
      if (!gradient) continue;
      onProgress(`gradient: ${file}`);
      const ids = gradient.ids ?? tokenizer?.encode(gradient.text!);
      if (!ids || ids.length < 2) throw new DataError(`${file}: the gradient's text has fewer than 2 tokens`);
      await verifyGradient(policy, ids, gradient, tally);
    }
  } finally {
    await policy.close();
  }
}
