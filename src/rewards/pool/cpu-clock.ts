import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/** Linux counts processor time in ticks of 10 ms. */
const MS_PER_TICK = 10;
/** The lowest of all. */
const LOWEST_PRIORITY = 19;

/** Processor time of a thread or process, and whether it could use more at this moment. */
export interface CpuReading {
  readonly cpuMs: number;
  /** Running, ready and waiting for a core, or waiting for memory or a disk; not: asleep. */
  readonly isRunnable: boolean;
}

/** The kernel's number of this thread; null where there is no /proc. */
export function ownThreadId(): number | null {
  try {
    const id = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    return Number.isInteger(id) ? id : null;
  } catch {
    return null;
  }
}

/** Reads a thread of this process by its number; null when it is gone or there is no /proc. */
export function readThread(id: number): CpuReading | null {
  return readStat(`/proc/self/task/${id}/stat`);
}

/** A process and all its descendants together; null when there is none or no /proc. */
export function readProcessTree(pid: number): CpuReading | null {
  const readings = processTree(pid).flatMap((one) => readStat(`/proc/${one}/stat`) ?? []);
  if (readings.length === 0) return null;
  return {
    cpuMs: readings.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    isRunnable: readings.some(({ isRunnable }) => isRunnable),
  };
}

/** A process and its descendants, itself first. */
export function processTree(pid: number): number[] {
  const found = [pid];
  for (const one of found) {
    try {
      for (const task of readdirSync(`/proc/${one}/task`)) {
        const children = readFileSync(`/proc/${one}/task/${task}/children`, "latin1").trim();
        if (children !== "") found.push(...children.split(" ").map(Number));
      }
    } catch {} // it ended meanwhile
  }
  return found;
}

/** Lets others go first; where the system does not allow or know it, nothing changes. */
export function yieldCores(ids: readonly number[]): void {
  for (const id of ids) {
    try {
      setPriority(id, LOWEST_PRIORITY);
    } catch {} // it ended meanwhile, or this system has other numbers for threads
  }
}

/** A wall-clock limit was reached with less than half of it spent on a core, and more wanted: the machine is busy, the work is not to blame. */
export function wasStarved(before: CpuReading | null, now: CpuReading | null, wallMs: number): boolean {
  return before !== null && now?.isRunnable === true && now.cpuMs - before.cpuMs < wallMs / 2;
}

/** How often a limit may be extended because the machine was busy. */
export const MAX_EXTENSIONS = 3;

function readStat(path: string): CpuReading | null {
  try {
    const text = readFileSync(path, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // state is field 3, utime and stime 14 and 15
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
      isRunnable: fields[0] === "R" || fields[0] === "D",
    };
  } catch {
    return null;
  }
}
