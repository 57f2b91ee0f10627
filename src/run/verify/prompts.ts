import type { Policy } from "../../policy/index.ts";
import { BEST_TWO } from "./program.ts";
import { type IdPrompt, sequenceBatch } from "./sequence.ts";
import type { Tally } from "./tally.ts";
import { firstDifference } from "./text.ts";

const BATCH = 8; // prompts decoded at once

/** Decodes every prompt greedily with the cache, then computes prompt and reference continuation as one sequence. */
export async function verifyPrompts(
  policy: Policy,
  prompts: readonly IdPrompt[],
  tally: Tally,
  onProgress: (text: string) => void,
): Promise<void> {
  const sorted = prompts
    .filter(({ reference }) => reference.greedyIds.length > 0)
    .sort((a, b) => a.ids.length - b.ids.length);
  for (let first = 0; first < sorted.length; first += BATCH) {
    const some = sorted.slice(first, first + BATCH);
    onProgress(`greedy decoding: ${some.map(({ reference }) => reference.name).join(", ")}`);
    await decodeBatch(policy, some, tally);
  }
  await policy.useProgram("best-two", BEST_TWO);
  for (const prompt of prompts) {
    onProgress(`log-probs: ${prompt.reference.name}`);
    await scorePrompt(policy, prompt, tally);
  }
}

/** What the decoder drew for one prompt. */
interface Row {
  readonly prompt: IdPrompt;
  readonly ids: number[];
  readonly logp: number[];
  readonly entropy: number[];
}

async function decodeBatch(policy: Policy, prompts: readonly IdPrompt[], tally: Tally): Promise<void> {
  const rows: Row[] = prompts.map((prompt) => ({ prompt, ids: [], logp: [], entropy: [] }));
  const wanted = (row: Row): number => row.prompt.reference.greedyIds.length;
  const uniforms = (count: number): Float32Array => new Float32Array(count).fill(0.5); // not used by greedy decoding
  let live = rows;
  let drawn = await policy.decodeStart({
    ...{ prompts: prompts.map(({ ids }) => ids), repeats: prompts.map(() => 1), uniforms: uniforms(rows.length) },
    ...{ temperature: 0, topK: 0, topP: 1, minP: 0, maxTokens: Math.max(...rows.map(wanted)) },
  });
  for (;;) {
    live.forEach((row, i) => {
      row.ids.push(drawn.ids[i]!);
      row.logp.push(drawn.logp[i]!);
      row.entropy.push(drawn.entropy[i]!);
    });
    const keep = live.flatMap((row, i) => (row.ids.length < wanted(row) ? [i] : []));
    if (keep.length === 0) break;
    if (keep.length < live.length) await policy.decodeKeep(keep);
    live = keep.map((i) => live[i]!);
    drawn = await policy.decodeStep(uniforms(live.length));
  }
  await policy.decodeEnd();
  for (const row of rows) compareDecoded(row, tally);
}

/** Numbers after the first different token are of another text and are not compared. */
function compareDecoded({ prompt: { reference }, ids, logp, entropy }: Row, tally: Tally): void {
  const { name, greedyIds, scores } = reference;
  const at = firstDifference(ids, greedyIds);
  tally.same("greedyTokens", at < 0, name, () => `token ${at} is ${ids[at]}, expected ${greedyIds[at]}`);
  const same = at < 0 ? ids.length : at;
  for (let i = 0; i < same; i++) {
    const where = `${name}, token ${i}`;
    if (scores.logprobs) tally.measure("decodedLogprobs", Math.abs(logp[i]! - scores.logprobs[i]!), where);
    if (scores.entropies) tally.measure("entropies", Math.abs(entropy[i]! - scores.entropies[i]!), where);
  }
}

/** One pass over prompt + reference continuation; the places of the five best logits are scored beside the real targets. */
async function scorePrompt(policy: Policy, { reference, ids: prompt }: IdPrompt, tally: Tally): Promise<void> {
  const { name, greedyIds, scores } = reference;
  const ids = [...prompt, ...greedyIds];
  const last = prompt.length - 1;
  const best = scores.top5 ?? [];
  const real = ids.slice(1).map((target, position) => ({ position, target }));
  const scored = [...real, ...best.map(({ id }) => ({ position: last, target: id }))];
  if (scored.length === 0) return;
  const { logp, entropy, perToken } = await policy.measure(sequenceBatch(ids, scored), { program: "best-two" });
  const compare = (
    kind: "logprobs" | "promptLogprobs" | "entropies",
    list: readonly number[] | undefined,
    values: ArrayLike<number>,
    from: number,
  ): void => {
    list?.forEach((expected, i) => {
      tally.measure(kind, Math.abs((values[from + i] ?? Number.NaN) - expected), `${name}, token ${i}`);
    });
  };
  compare("promptLogprobs", scores.promptLogprobs, logp, 0);
  compare("logprobs", scores.logprobs, logp, last);
  compare("entropies", scores.entropies, entropy, last);
  best.forEach(({ logit }, i) => {
    const gap = logp[real.length]! - logp[real.length + i]!;
    tally.measure("logitGaps", Math.abs(gap - (best[0]!.logit - logit)), `${name}, top ${i + 1}`);
  });
  greedyIds.forEach((_, i) => {
    tally.measure("greedyMargin", perToken.best![last + i]! - logp[last + i]!, `${name}, token ${i}`);
  });
  if (scores.minTop2Margin === undefined || greedyIds.length === 0) return;
  const gaps = perToken.gap!.subarray(last, last + greedyIds.length);
  const smallest = Math.min(...gaps);
  tally.measure("logitGaps", Math.abs(smallest - scores.minTop2Margin), `${name}, closest decision`);
}
