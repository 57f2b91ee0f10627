import type { Forecast, PhaseGb } from "./forecast.ts";

/** The forecast from sizes, in words. */
export function forecastText(value: Forecast): string {
  const { parameters, trainable, memoryGb, tokensPerStep, gigaflopPerStep } = value;
  const million = (count: number): string => `${(count / 1e6).toFixed(3)} M`;
  const { load, rollout, update, evaluation, otherPlan } = memoryGb;
  return [
    "forecast (from sizes, for completions as long as allowed)",
    `  parameters        ${million(parameters)}, of which ${million(trainable)} train`,
    `  peak memory       about ${memoryGb.total.toFixed(2)} GiB`,
    phaseLine("loading", load),
    ...(rollout ? [phaseLine("rollout", rollout)] : []),
    phaseLine("update", update),
    ...(evaluation ? [phaseLine("evaluation", evaluation)] : []),
    `    plan ${otherPlan.plan.padEnd(8)}   the update would take ${otherPlan.total.toFixed(2)} GiB`,
    `  at once           ${value.batchSize} completions decoded, micro-batches of ${value.microBatchTokens} tokens`,
    `  tokens a step     at most ${tokensPerStep}, ${Number(gigaflopPerStep.toPrecision(2))} GFLOP`,
  ].join("\n");
}

/** `    update          1.31 GiB (weights 0.50, activations 0.29, …)`; parts under 5 MiB are left out. */
function phaseLine(name: string, { parts, total }: PhaseGb): string {
  const named = Object.entries(parts)
    .filter(([, gb]) => gb >= 0.005)
    .sort(([, a], [, b]) => b - a)
    .map(([part, gb]) => `${part} ${gb.toFixed(2)}`);
  return `    ${name.padEnd(14)}${total.toFixed(2)} GiB (${named.join(", ")})`;
}
