import type { EnvironmentSource, EpisodeStart } from "../types.ts";
import { checkAfterDone, checkOddActions } from "./actions.ts";
import { Bench, Breach, named, type Recording } from "./bench.ts";
import {
  checkAdmissible,
  checkDeterminism,
  checkGold,
  checkReset,
  checkRewards,
  checkSnapshots,
  record,
} from "./episodes.ts";
import { checkClose, checkLeaks } from "./resources.ts";
import { checkNames, checkSplits, checkStarts, checkUnknown } from "./starts.ts";

export { ODD_ACTIONS } from "./actions.ts";

/** How much is tried. */
export interface ContractOptions {
  /** Episodes of the search for leaks. */
  readonly episodes?: number;
  /** Longest time for them, s; environments that are slow play fewer. */
  readonly seconds?: number;
  /** Starts that the other checks play. */
  readonly starts?: number;
  /** Longest random episode, actions. */
  readonly maxSteps?: number;
  /** Longest wait for one call, ms. */
  readonly callMs?: number;
  /** Of the random actions. */
  readonly seed?: number;
  /** Told after each check. */
  readonly onFinding?: (finding: Finding) => void;
}

/** What one check of the contract found. */
export interface Finding {
  readonly check: string;
  /** `skip`: the environment has no such thing, which is allowed. */
  readonly status: "ok" | "FAIL" | "skip";
  /** What was tried, or what went wrong with which start and actions. */
  readonly evidence: string;
}

type Check = (bench: Bench, recordings: readonly Recording[]) => Promise<string>;

/**
 * Plays an environment and says which parts of the contract of {@link EnvironmentSource} it keeps: determinism by seed, reset equals fresh, rewards,
 * splits, gold actions, snapshots, odd actions, leaks, close. The source stays the caller's to close.
 */
export async function validateSource(source: EnvironmentSource, options: ContractOptions = {}): Promise<Finding[]> {
  const { episodes = 1000, seconds = 60, starts = 6, maxSteps = 20, callMs = 60_000, seed = 1 } = options;
  const findings: Finding[] = [];
  const run = async (name: string, check: () => Promise<string>): Promise<boolean> => {
    const finding = await outcome(name, check);
    findings.push(finding);
    options.onFinding?.(finding);
    return finding.status !== "FAIL";
  };
  const chosen: EpisodeStart[] = [];
  const choose = async (): Promise<string> => {
    chosen.push(...(await someStarts(source, starts)));
    return `${chosen.length} starts to play`;
  };
  const bench = new Bench(source, chosen, maxSteps, callMs);
  await run("names", () => checkNames(bench));
  await run("starts", () => checkStarts(bench));
  await run("splits", () => checkSplits(bench));
  if (!(await outcome("starts", choose).then(({ status }) => status === "ok")) || chosen.length === 0) return findings;
  const recordings: Recording[] = [];
  const played = await run("play", async () => {
    recordings.push(...(await record(bench, seed)));
    return `${recordings.length} random episodes, ${bench.seen.steps} steps`;
  });
  if (!played) await bench.renew();
  const checks: readonly (readonly [string, Check])[] = [
    ["unknown", checkUnknown],
    ["reset", checkReset],
    ["determinism", checkDeterminism],
    ["admissible", checkAdmissible],
    ["gold", checkGold],
    ["snapshots", checkSnapshots],
    ["odd-actions", checkOddActions],
    ["after-done", checkAfterDone],
    ["leaks", (on, of) => checkLeaks(on, of, { episodes, seconds })],
    ["close", checkClose],
    ["rewards", checkRewards],
  ];
  try {
    for (const [name, check] of checks) {
      if (!played && name !== "unknown" && name !== "rewards") continue; // there is nothing to play again
      if (!(await run(name, () => check(bench, recordings)))) await bench.renew(); // its worlds may be broken
    }
  } finally {
    await bench.renew();
  }
  return findings;
}

async function outcome(check: string, work: () => Promise<string>): Promise<Finding> {
  try {
    const evidence = await work();
    return evidence.startsWith("skip: ")
      ? { check, status: "skip", evidence: evidence.slice("skip: ".length) }
      : { check, status: "ok", evidence };
  } catch (error) {
    return { check, status: "FAIL", evidence: error instanceof Breach ? error.message : `threw ${named(error)}` };
  }
}

/** Starts of all splits and of as many tasks as there is room for. */
async function someStarts(source: EnvironmentSource, count: number): Promise<EpisodeStart[]> {
  const all = [];
  for (const split of ["train", "test", "dev"] as const) all.push(await source.starts(split));
  const tasks = new Set<string>();
  const chosen: EpisodeStart[] = [];
  for (let index = 0; chosen.length < count && all.some((starts) => index < starts.length); index++)
    for (const starts of all) {
      const start = starts.find(({ task }) => !tasks.has(task)) ?? starts[index];
      if (!start || chosen.length >= count || chosen.includes(start)) continue;
      tasks.add(start.task);
      chosen.push(start);
    }
  return chosen;
}
