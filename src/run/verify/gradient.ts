import type { Policy } from "../../policy/index.ts";
import { lossSource } from "../../trainers/objective.ts";
import type { GradientReference } from "./reference.ts";
import { sequenceBatch } from "./sequence.ts";
import { relativeDifference, type Tally } from "./tally.ts";
import { tensorName } from "./weights.ts";

/** Gradient of the mean next-token loss of a text, computed by the passes that train. One tensor's gradient is copied at a time. */
export async function verifyGradient(
  policy: Policy,
  ids: readonly number[],
  { numbers }: GradientReference,
  tally: Tally,
): Promise<void> {
  await policy.useLoss(lossSource("nllLoss"));
  await policy.clearGradients();
  const scored = ids.slice(1).map((target, position) => ({ position, target }));
  const weight = new Float32Array(scored.length).fill(1 / scored.length);
  const { terms } = await policy.accumulate({ ...sequenceBatch(ids, scored), features: { weight } });
  const { lossValue, globalNorm, norms = {}, first4 = {}, sum = {}, embedRowNorms = {} } = numbers;
  if (lossValue !== undefined) tally.measure("loss", Math.abs(terms.policy! - lossValue), "mean of the text");
  const own = await policy.gradientNorms();
  const total = Math.hypot(...Object.values(own));
  if (globalNorm !== undefined) {
    tally.measure("gradientNorms", relativeDifference(total, globalNorm), "all tensors");
  }
  for (const name of new Set([norms, first4, sum].flatMap((table) => Object.keys(table)))) {
    const tensor = tensorName(name, policy.config);
    if (!(tensor in own)) {
      tally.measure("gradientNorms", Number.NaN, `${name}: the model has no such tensor`);
      continue;
    }
    const gradient = { name, norm: own[tensor]!, values: await policy.gradient(tensor) };
    compareTensor(gradient, total, { norm: norms[name], sum: sum[name], first4: first4[name] }, tally);
  }
  await compareRows(policy, embedRowNorms, tally);
  await policy.clearGradients();
}

interface TensorNumbers {
  readonly norm: number | undefined;
  readonly sum: number | undefined;
  readonly first4: readonly number[] | undefined;
}

/** A norm below this share of the whole gradient's is rounding: queries and keys have none where a token sees only itself. */
const NO_NORM = 1e-5;

/** Sums are held against the larger of sum and norm, single values against the larger of value and root mean square. */
function compareTensor(
  { name, norm, values }: { name: string; norm: number; values: ArrayLike<number> & Iterable<number> },
  total: number,
  expected: TensorNumbers,
  tally: Tally,
): void {
  const scale = Math.max(expected.norm ?? norm, NO_NORM * total);
  if (expected.norm !== undefined) tally.measure("gradientNorms", relativeDifference(norm, expected.norm, scale), name);
  if (expected.sum !== undefined) {
    let sum = 0;
    for (const value of values) sum += value;
    const difference = relativeDifference(sum, expected.sum, Math.max(Math.abs(expected.sum), scale));
    tally.measure("gradientSums", difference, name);
  }
  const typical = scale / Math.sqrt(values.length);
  expected.first4?.forEach((value, i) => {
    const difference = relativeDifference(values[i] ?? Number.NaN, value, Math.max(Math.abs(value), typical));
    tally.measure("gradientValues", difference, `${name}[${i}]`);
  });
}

/** Norms of the embedding's gradient rows of some token ids. */
async function compareRows(policy: Policy, rows: Readonly<Record<string, number>>, tally: Tally): Promise<void> {
  const entries = Object.entries(rows);
  if (entries.length === 0) return;
  const { width } = policy.config;
  const gradient = await policy.gradient("model.embed_tokens.weight");
  for (const [id, expected] of entries) {
    const row = gradient.subarray(Number(id) * width, (Number(id) + 1) * width);
    tally.measure("gradientRows", relativeDifference(Math.hypot(...row), expected), `token ${id}`);
  }
}
