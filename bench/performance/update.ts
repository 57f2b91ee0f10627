import { openPolicy, type Policy, type SequenceBatch, type UpdatePlan } from "../../src/policy/index.ts";
import { type LaidRow, packSequences } from "../../src/trainers/shared-prompts.ts";
import { createRng } from "../../src/utils/rng.ts";
import { serve, type WorkerInfo } from "./protocol.ts";
import { adapterOf, originOf, SHAPES, type ShapeName, trainFlops } from "./shapes.ts";

/** What of a policy trains, and on what. */
export interface PolicyChoice {
  readonly shape: ShapeName;
  /** Rank of the adapter; 0: all weights train. */
  readonly lora: number;
  readonly threads: number;
  readonly plan: UpdatePlan;
}

/** The product's policy, in its thread. */
export function openBenchPolicy({ shape, lora, threads, plan }: PolicyChoice): Promise<Policy> {
  return openPolicy({ origin: originOf(shape), adapter: adapterOf(lora), seed: 1, threads, plan });
}

const rng = createRng("bench");

/** `length` random token ids; the named stream gives the same ones to every worker. */
export function randomIds(shape: ShapeName, length: number, name: string): number[] {
  const stream = rng.fork("ids", name);
  return Array.from({ length }, () => stream.int(3, SHAPES[shape].V - 1));
}

/** Forward and backward of `rows` sequences of `length` tokens, every token scored: log-prob and entropy gradients. */
export async function serveUpdate(
  choice: PolicyChoice,
  { rows, length }: { readonly rows: number; readonly length: number },
): Promise<void> {
  const { shape, lora } = choice;
  const laid = Array.from({ length: rows }, (_, row): LaidRow & { readonly next: readonly number[] } => {
    const ids = randomIds(shape, length, `row ${row}`);
    const places = Array.from(ids, (_, place) => place);
    return { prompt: [], sequences: [{ ids, places }], next: [...ids.slice(1), ids[0]!] };
  });
  const batch = batchOf(
    laid,
    laid.flatMap(({ next }) => next),
  );
  const flops = trainFlops(SHAPES[shape], rows, length, lora);
  await serveBatch(choice, batch, { tokens: rows * length, flops });
}

/** A group of completions of one prompt, completions scored: the prompt computed once, or with every row carrying it. */
export async function serveGroup(
  choice: PolicyChoice,
  sizes: { readonly prompt: number; readonly completions: number; readonly tokens: number; readonly shared: boolean },
): Promise<void> {
  const { shape } = choice;
  const prompt = randomIds(shape, sizes.prompt, "prompt");
  const completions = Array.from({ length: sizes.completions }, (_, row) =>
    randomIds(shape, sizes.tokens, `row ${row}`),
  );
  const laid = completions.map(
    (ids): LaidRow => ({
      prompt: sizes.shared ? prompt : [], // rows without a prompt share nothing
      sequences: [{ ids: [...prompt, ...ids], places: ids.map((_, i) => prompt.length - 1 + i) }],
    }),
  );
  await serveBatch(choice, batchOf(laid, completions.flat()), { tokens: sizes.completions * sizes.tokens });
}

function batchOf(rows: readonly LaidRow[], targets: readonly number[]): SequenceBatch {
  const stream = rng.fork("advantages");
  const count = targets.length;
  return {
    ...packSequences(rows, [...rows.keys()]),
    targets: Int32Array.from(targets),
    features: {
      advantage: Float32Array.from({ length: count }, () => stream.normal() / count),
      weight: new Float32Array(count).fill(1 / count),
    },
    scalars: {},
    temperature: 1,
  };
}

async function serveBatch(choice: PolicyChoice, batch: SequenceBatch, info: WorkerInfo): Promise<void> {
  const policy = await openBenchPolicy(choice);
  await policy.useLoss({
    module: new URL("./loss.ts", import.meta.url).href,
    exportName: "benchLoss",
    options: { coefficient: 0.01 },
  });
  const start = performance.now();
  const { terms } = await policy.accumulate(batch);
  const first = (performance.now() - start) / 1000;
  const norms = Object.values(await policy.gradientNorms());
  await policy.clearGradients();
  const repeat = async () => {
    const { terms } = await policy.accumulate(batch);
    await policy.clearGradients();
    return { loss: sum(Object.values(terms)) };
  };
  await serve(repeat, {
    ...info,
    ...{ first_s: first, loss: sum(Object.values(terms)), grad_norm: Math.sqrt(sum(norms.map((norm) => norm ** 2))) },
  });
  await policy.close();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
