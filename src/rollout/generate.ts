import type { Drawn, Policy, Tokenizer } from "../policy/index.ts";
import { ConfigError } from "../utils/errors.ts";
import type { Rng } from "../utils/rng.ts";
import type { SamplingConfig } from "./config.ts";
import type { Completion, StopReason, Task } from "./types.ts";

/** What samples: a policy and the tokenizer that goes with it. */
export interface Sampler {
  readonly policy: Policy;
  readonly tokenizer: Tokenizer;
}

/** A problem and how many completions it gets. */
export interface GenerateRequest {
  readonly task: Task;
  readonly group: number;
  readonly count: number;
}

/** How the work went, for metrics. */
export interface GenerateStats {
  /** Prompt tokens of all completions, and those computed: each prompt runs once, its group shares it. */
  promptTokens: number;
  promptTokensComputed: number;
  /** Rows × steps of decoding, and those that belonged to unfinished completions. */
  slotSteps: number;
  liveSteps: number;
  prefillSeconds: number;
  decodeSeconds: number;
}

/** Options of {@link generate}. Sampling temperature 0 takes the most probable token. */
export interface GenerateOptions {
  readonly sampling: SamplingConfig;
  /** Completions decoded at once. */
  readonly batchSize: number;
  /** Each completion draws from its own stream, forked by task, group and member: results do not depend on the batching. */
  readonly rng: Rng;
}

const COMPACT_BELOW = 0.8; // drop finished rows when fewer than this share is live

/**
 * Samples completions for every request, in the order of the requests.
 * @throws ConfigError when a prompt and `maxTokens` do not fit the model's context
 */
export async function generate(
  sampler: Sampler,
  requests: readonly GenerateRequest[],
  options: GenerateOptions,
): Promise<{ completions: Completion[]; stats: GenerateStats }> {
  const stats: GenerateStats = {
    promptTokens: 0,
    promptTokensComputed: 0,
    slotSteps: 0,
    liveSteps: 0,
    prefillSeconds: 0,
    decodeSeconds: 0,
  };
  const completions: Completion[] = [];
  for (const batch of batches(requests, options.batchSize)) {
    completions.push(...(await generateBatch(sampler, batch, options, stats)));
  }
  return { completions, stats };
}

/** Token ids of a task's prompt: a conversation through the chat template, plain text as it is. */
export function promptIds(tokenizer: Tokenizer, task: Task): number[] {
  if (typeof task.prompt === "string") return tokenizer.encode(task.prompt);
  return tokenizer.encodeChat(task.prompt, { addGenerationPrompt: true });
}

/** Splits requests into batches of at most `size` completions; a group larger than that is divided. */
function* batches(
  requests: readonly GenerateRequest[],
  size: number,
): Generator<(GenerateRequest & { first: number })[]> {
  let batch: (GenerateRequest & { first: number })[] = [];
  let room = size;
  for (const request of requests) {
    for (let first = 0; first < request.count; ) {
      const count = Math.min(room, request.count - first);
      batch.push({ ...request, count, first });
      first += count;
      room -= count;
      if (room > 0) continue;
      yield batch;
      batch = [];
      room = size;
    }
  }
  if (batch.length > 0) yield batch;
}

/** One completion while it grows. */
interface Row {
  readonly task: Task;
  readonly group: number;
  readonly member: number;
  readonly promptIds: readonly number[];
  readonly stream: Rng;
  readonly ids: number[];
  readonly logp: number[];
  readonly policyLogp: number[];
  readonly entropy: number[];
  stop: StopReason | undefined;
}

async function generateBatch(
  { policy, tokenizer }: Sampler,
  batch: readonly (GenerateRequest & { first: number })[],
  { sampling, rng }: GenerateOptions,
  stats: GenerateStats,
): Promise<Completion[]> {
  const prompts = batch.map(({ task }) => promptIds(tokenizer, task));
  prompts.forEach((prompt, i) => {
    checkContext(policy, batch[i]!.task, prompt.length, sampling.maxTokens);
  });
  const rows = batch.flatMap((request, i) => startRows(request, prompts[i]!, rng));
  stats.promptTokens += rows.reduce((sum, row) => sum + row.promptIds.length, 0);
  stats.promptTokensComputed += prompts.reduce((sum, prompt) => sum + prompt.length, 0);
  const finish = stopTest(tokenizer, sampling);
  let slots = rows;
  let clock = performance.now();
  const { temperature, topK, topP, minP, maxTokens } = sampling;
  const repeats = batch.map(({ count }) => count);
  let drawn = await policy.decodeStart({
    ...{ prompts, repeats, temperature, topK, topP, minP, maxTokens },
    uniforms: uniformsOf(slots),
  });
  stats.prefillSeconds += (performance.now() - clock) / 1000;
  clock = performance.now();
  for (;;) {
    append(slots, drawn, finish);
    const live = slots.flatMap((row, i) => (row.stop === undefined ? [i] : []));
    if (live.length === 0) break;
    const compact = live.length < COMPACT_BELOW * slots.length;
    if (compact) {
      slots = live.map((i) => slots[i]!);
      await policy.decodeKeep(live);
    }
    stats.slotSteps += slots.length;
    stats.liveSteps += live.length;
    drawn = await policy.decodeStep(uniformsOf(slots));
  }
  await policy.decodeEnd();
  stats.decodeSeconds += (performance.now() - clock) / 1000;
  return rows.map((row) => toCompletion(row, tokenizer));
}

function startRows(request: GenerateRequest & { first: number }, prompt: readonly number[], rng: Rng): Row[] {
  return Array.from({ length: request.count }, (_, i) => ({
    task: request.task,
    group: request.group,
    member: request.first + i,
    promptIds: prompt,
    stream: rng.fork(request.task.id, request.group, request.first + i),
    ids: [],
    logp: [],
    policyLogp: [],
    entropy: [],
    stop: undefined,
  }));
}

/** @throws ConfigError when a prompt is empty, or does not fit the model's context together with `maxTokens` */
export function checkContext(
  policy: Pick<Policy, "config">,
  task: Task,
  promptLength: number,
  maxTokens: number,
): void {
  const { maxPositions } = policy.config;
  if (promptLength === 0) throw new ConfigError(`task ${task.id}: the prompt has no tokens`);
  if (promptLength + maxTokens <= maxPositions) return;
  throw new ConfigError(
    `task ${task.id}: its prompt of ${promptLength} tokens and maxTokens ${maxTokens} exceed the model's context of ${maxPositions}; lower maxTokens to ${Math.max(0, maxPositions - promptLength)} or filter long prompts`,
  );
}

/** Why a row ends after its newest token, if it does. */
function stopTest(tokenizer: Tokenizer, sampling: SamplingConfig): (row: Row) => StopReason | undefined {
  const eos = new Set(tokenizer.eosIds);
  return (row) => {
    if (eos.has(row.ids.at(-1)!)) return "eos";
    if (sampling.stop.length > 0) {
      const text = tokenizer.decode(row.ids, { skipSpecial: true });
      if (sampling.stop.some((stop) => text.includes(stop))) return "string";
    }
    return row.ids.length >= sampling.maxTokens ? "length" : undefined;
  };
}

function append(slots: readonly Row[], drawn: Drawn, finish: (row: Row) => StopReason | undefined): void {
  slots.forEach((row, i) => {
    if (row.stop !== undefined) return; // a finished row waits for the next compaction; its draws are dropped
    row.ids.push(drawn.ids[i]!);
    row.logp.push(drawn.logp[i]!);
    row.policyLogp.push(drawn.policyLogp[i]!);
    row.entropy.push(drawn.entropy[i]!);
    row.stop = finish(row);
  });
}

function uniformsOf(slots: readonly Row[]): Float32Array {
  return Float32Array.from(slots, (row) => (row.stop === undefined ? row.stream.uniform() : 0.5));
}

function toCompletion(row: Row, tokenizer: Tokenizer): Completion {
  const { task, group, member, promptIds: prompt, ids, stop } = row;
  return {
    ...{ task, group, member, promptIds: prompt, ids },
    logp: Float32Array.from(row.logp),
    policyLogp: Float32Array.from(row.policyLogp),
    entropy: Float32Array.from(row.entropy),
    ...(task.turnMark === undefined ? {} : { turns: turnsOf(row, tokenizer) }),
    text: tokenizer.decode(ids, { skipSpecial: true }),
    stop: stop!,
  };
}

/** Turn of each token: the mark belongs to the turn that it ends, and so does an end of sequence right after it. */
function turnsOf({ ids, task, stop }: Row, tokenizer: Tokenizer): Int32Array {
  const [mark, ...more] = tokenizer.encode(task.turnMark!);
  if (mark === undefined || more.length > 0) {
    throw new ConfigError(
      `task ${task.id}: the turn mark ${JSON.stringify(task.turnMark)} is not one token of this model`,
    );
  }
  let turn = 0;
  const turns = Int32Array.from(ids, (token) => (token === mark ? turn++ : turn));
  const last = turns.length - 1;
  if (stop === "eos" && last > 0) turns[last] = turns[last - 1]!;
  return turns;
}
