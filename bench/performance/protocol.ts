import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** What a worker tells when it is ready. `tokens` and `flops` are those of one repetition. */
export interface WorkerInfo {
  readonly tokens?: number;
  /** Work of the matrix products of one repetition by `trainFlops`; recomputation is not counted. */
  readonly flops?: number;
  /** Seconds of the first repetition, or from the start of the process to the end of the first step. */
  readonly first_s?: number;
  readonly versions?: Readonly<Record<string, string>>;
  readonly [name: string]: unknown;
}

/** What a worker answers to each line. */
export interface Repetition {
  /** Wall seconds. */
  readonly s: number;
  /** Processor seconds of all threads. */
  readonly cpu_s?: number;
  /** Peak resident memory of the process so far, 10^9 bytes. */
  readonly rss_gb?: number;
  readonly [name: string]: unknown;
}

/** One repetition; what it returns is added to the answer, and its `s` replaces the measured one. */
export type Repeat = () => Promise<Readonly<Record<string, number>>>;

/** Prints `READY{…}`, then runs one repetition for each line of standard input and answers with a line of JSON, as bench/peers/common.py does. */
export async function serve(repeat: Repeat, info: WorkerInfo): Promise<void> {
  process.stdout.write(`READY${JSON.stringify(info)}\n`);
  for await (const _ of createInterface({ input: process.stdin })) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const extra = await repeat();
    const s = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const answer: Repetition = { s, cpu_s: (user + system) / 1e6, rss_gb: peakGigabytes(), ...extra };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/** Peak resident memory of this process, 10^9 bytes: VmHWM where Linux tells it. */
function peakGigabytes(): number {
  try {
    const kib = /^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kib !== undefined) return (Number(kib) * 1024) / 1e9;
  } catch {} // not Linux
  return (process.resourceUsage().maxRSS * 1024) / 1e9;
}
