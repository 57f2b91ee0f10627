import { createRng } from "../../src/utils/rng.ts";
import { serve } from "./protocol.ts";
import { openBenchPolicy, type PolicyChoice, randomIds } from "./update.ts";

/**
 * Generation of `tokens` tokens for `batch` completions by steps of the product's decoder: sampled at temperature 1, with log-prob and entropy of each
 * token. Groups of `group` completions have one prompt.
 */
export async function serveDecode(
  choice: PolicyChoice,
  sizes: { readonly batch: number; readonly prompt: number; readonly tokens: number; readonly group: number },
): Promise<void> {
  const { batch, tokens, group } = sizes;
  if (batch % group !== 0) throw new Error(`--batch ${batch} is no multiple of --group ${group}`);
  const policy = await openBenchPolicy(choice);
  const prompts = Array.from({ length: batch / group }, (_, i) => randomIds(choice.shape, sizes.prompt, `prompt ${i}`));
  const repeats = prompts.map(() => group);
  const streams = Array.from({ length: batch }, (_, row) => createRng("bench").fork("row", row));
  const uniforms = (): Float32Array => Float32Array.from(streams, (stream) => stream.uniform());
  const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
  const repeat = async () => {
    const start = performance.now();
    let drawn = await policy.decodeStart({ ...sampling, prompts, repeats, maxTokens: tokens, uniforms: uniforms() });
    const prefilled = performance.now();
    let [entropy, logp] = [mean(drawn.entropy), mean(drawn.logp)];
    for (let step = 1; step < tokens; step++) {
      drawn = await policy.decodeStep(uniforms());
      entropy += mean(drawn.entropy);
      logp += mean(drawn.logp);
    }
    await policy.decodeEnd();
    const end = performance.now();
    return {
      ...{ prefill_s: (prefilled - start) / 1000, decode_s: (end - prefilled) / 1000 },
      ...{ entropy: entropy / tokens, logp: logp / tokens },
    };
  };
  const start = performance.now();
  await repeat();
  await serve(repeat, { tokens: batch * tokens, first_s: (performance.now() - start) / 1000 });
  await policy.close();
}

function mean(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
