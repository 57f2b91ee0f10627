import { type ModelFiles, openModel, openPolicy, type Policy, type Tokenizer } from "../../policy/index.ts";
import { DataError } from "../../utils/errors.ts";
import { verifyGradient } from "./gradient.ts";
import { verifyPrompts } from "./prompts.ts";
import { type Reference, readReference } from "./reference.ts";
import { type EngineWork, planWork } from "./sequence.ts";
import { type CheckResult, createTally, type Storage, type Tally } from "./tally.ts";
import { needsTokenizer, verifyText } from "./text.ts";
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
  let work: EngineWork[];
  try {
    work = references.map((reference) => planWork(reference, opened.config, tokenizerFor(opened, reference)));
    rounding = verifyFiles(opened, references, tally, onProgress);
  } finally {
    opened.close();
  }
  const { name, path } = opened;
  if (work.some(({ prompts, gradientIds }) => prompts.length > 0 || gradientIds)) {
    onProgress("loading the model");
    const options = threads === undefined ? {} : { threads };
    const policy = await openPolicy({
      origin: { kind: "files", path },
      adapter: { kind: "none" },
      seed: 0,
      ...options,
    });
    try {
      for (const [i, part] of work.entries()) await verifyNumbers(policy, part, references[i]!, tally, onProgress);
    } finally {
      await policy.close();
    }
  }
  const checks = tally.results(rounding);
  if (checks.length === 0) throw new DataError(`${files.join(", ")}: hold no numbers to compare`);
  return { model: name, path, files, rounding, checks, passed: checks.every(({ passed }) => passed) };
}

/** The model's tokenizer. @throws DataError when it has none and the reference has texts */
function tokenizerFor({ tokenizer, path }: ModelFiles<Tokenizer | null>, reference: Reference): Tokenizer | null {
  if (!tokenizer && needsTokenizer(reference))
    throw new DataError(`${reference.path}: has texts to compare, but ${path} has no tokenizer`);
  return tokenizer;
}

/** What needs no computation by the engine; returns how the weights were rounded. */
function verifyFiles(
  opened: ModelFiles<Tokenizer | null>,
  references: readonly Reference[],
  tally: Tally,
  onProgress: (text: string) => void,
): Storage {
  if (opened.tokenizer) for (const reference of references) verifyText(opened.tokenizer, reference, tally);
  onProgress("weights");
  const all = references.map(({ weights }) => weights);
  const rounding = roundingOf(opened, all);
  for (const weights of all) verifyWeights(opened, weights, rounding, tally);
  return rounding;
}

async function verifyNumbers(
  policy: Policy,
  { prompts, gradientIds }: EngineWork,
  { path, gradient }: Reference,
  tally: Tally,
  onProgress: (text: string) => void,
): Promise<void> {
  if (prompts.length > 0) await verifyPrompts(policy, prompts, tally, onProgress);
  if (!gradient || !gradientIds) return;
  onProgress(`gradient: ${path}`);
  await verifyGradient(policy, gradientIds, gradient, tally);
}
