import { type ModelConfig, oneSequence, type SequenceBatch, type Tokenizer } from "../../policy/index.ts";
import { DataError } from "../../utils/errors.ts";
import type { PromptReference, Reference } from "./reference.ts";
import { promptIdsOf } from "./text.ts";

/** A prompt with its ids. */
export interface IdPrompt {
  readonly reference: PromptReference;
  readonly ids: readonly number[];
}

/** What the engine has to compute for one reference file. */
export interface EngineWork {
  /** Those with numbers to compare. */
  readonly prompts: readonly IdPrompt[];
  /** Ids of the gradient's text; null when there is no gradient to compare. */
  readonly gradientIds: readonly number[] | null;
}

/**
 * Ids of everything that the engine has to compute.
 * @throws DataError when ids lie outside the vocabulary or a sequence outside the context: a reference of another model
 */
export function planWork(reference: Reference, config: ModelConfig, tokenizer: Tokenizer | null): EngineWork {
  const { path, gradient } = reference;
  const prompts = reference.prompts.filter(hasNumbers).map((prompt) => {
    const ids = promptIdsOf(tokenizer, prompt);
    checkSequence(config, [...ids, ...prompt.greedyIds], `${path}: ${prompt.name}`);
    checkIds(config, prompt.scores.top5?.map(({ id }) => id) ?? [], `${path}: ${prompt.name}, top5`);
    return { reference: prompt, ids };
  });
  if (!gradient || Object.keys(gradient.numbers).length === 0) return { prompts, gradientIds: null };
  const gradientIds = gradient.ids ?? tokenizer?.encode(gradient.text!) ?? [];
  if (gradientIds.length < 2) throw new DataError(`${path}: the gradient's text has fewer than 2 tokens`);
  checkSequence(config, gradientIds, `${path}: the gradient's text`);
  checkIds(config, Object.keys(gradient.numbers.embedRowNorms ?? {}).map(Number), `${path}: embedRowNorms`);
  return { prompts, gradientIds };
}

function hasNumbers({ greedyIds, scores }: PromptReference): boolean {
  return greedyIds.length > 0 || scores.promptLogprobs !== undefined || scores.top5 !== undefined;
}

function checkSequence(config: ModelConfig, ids: readonly number[], where: string): void {
  checkIds(config, ids, where);
  if (ids.length > config.maxPositions)
    throw new DataError(`${where}: ${ids.length} tokens exceed the model's context of ${config.maxPositions}`);
}

function checkIds({ vocab }: ModelConfig, ids: readonly number[], where: string): void {
  const outside = ids.find((id) => id >= vocab);
  if (outside === undefined) return;
  throw new DataError(
    `${where}: token id ${outside} is outside the model's vocabulary of ${vocab} ids: is this a reference of another model?`,
  );
}

/** One row whose given positions are scored. */
export function sequenceBatch(
  ids: readonly number[],
  scored: readonly { readonly position: number; readonly target: number }[],
): SequenceBatch {
  return {
    ...oneSequence(ids),
    ...{ features: {}, scalars: {}, temperature: 1 },
    positions: Int32Array.from(scored, ({ position }) => position),
    targets: Int32Array.from(scored, ({ target }) => target),
  };
}
