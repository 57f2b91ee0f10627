import type { WorkerResult } from "./rotate.ts";

/** Smallest, middle and largest value. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** One row of a table. */
export interface Row {
  readonly name: string;
  readonly repetitions: number;
  readonly seconds: Spread;
  readonly tokensPerSecond: number | null;
  readonly gflops: number | null;
  /** GFLOP/s over those of the matrix product of the same round, median. */
  readonly peakShare: number | null;
  readonly memoryGb: number | null;
  /** Processor seconds over wall seconds. */
  readonly cores: number | null;
  readonly firstSeconds: number | null;
  /** Seconds of this row over those of the first row in the same round: how many times as fast the first one is. */
  readonly ratio: Spread | null;
}

/** Table rows of workers that ran side by side; those that died are left out. */
export function summarise(results: readonly WorkerResult[], peak: WorkerResult | undefined): Row[] {
  const first = results[0];
  return results.filter(({ rounds }) => rounds.some(Boolean)).map((result) => rowOf(result, first!, peak));
}

function rowOf(result: WorkerResult, first: WorkerResult, peak: WorkerResult | undefined): Row {
  const { name, info, rounds } = result;
  const done = rounds.filter((round) => round !== null);
  const seconds = spread(done.map(({ s }) => s));
  const perRound = (other: WorkerResult): number[] =>
    rounds.flatMap((round, i) => {
      const beside = other.rounds[i];
      return round && beside ? [round.s / beside.s] : [];
    });
  const rate = (work: number | undefined): number | null => (work === undefined ? null : work / seconds.median);
  const flops = rate(info?.flops);
  const shares = peak?.info?.flops !== undefined && info?.flops !== undefined ? perRound(peak) : [];
  const ratios = result === first ? [] : perRound(first);
  const cpu = done.flatMap(({ cpu_s, s }) => (cpu_s === undefined ? [] : [cpu_s / s]));
  return {
    ...{ name, repetitions: done.length, seconds },
    tokensPerSecond: rate(info?.tokens),
    gflops: flops === null ? null : flops / 1e9,
    peakShare: shares.length === 0 ? null : info!.flops! / peak!.info!.flops! / spread(shares).median,
    memoryGb: done.at(-1)?.rss_gb ?? null,
    cores: cpu.length === 0 ? null : spread(cpu).median,
    firstSeconds: info?.first_s ?? null,
    ratio: ratios.length === 0 ? null : spread(ratios),
  };
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { min: sorted[0]!, median, max: sorted.at(-1)! };
}
