import { readdirSync } from "node:fs";
import { messageOf, RewardError } from "../../utils/errors.ts";
import { coresAtHand, decideThreads } from "../../utils/threads.ts";
import { processTree, yieldCores } from "../pool/cpu-clock.ts";
import { Lanes } from "../pool/lanes.ts";
import { findSandbox } from "./bubblewrap.ts";
import { ReplyReader, replyBytes, withEnd } from "./guest-replies.ts";
import { type ProcessEnd, runLimited } from "./limited-process.ts";
import { PYTHON_GUEST } from "./python-guest.ts";
import type { CallRuns, CodeLimits, CodeRunner, ProgramRun, RunStatus } from "./types.ts";

/** Exit codes above it are signals. */
const SIGNALLED = 128;
const [SIGKILL, SIGXCPU] = [9, 24];

/** All programs of this process share the cores; some may hang beside those that run. */
const lanes = new Lanes({ lanes: decideThreads().verifiers, hanging: 8 });

/**
 * Python in bubblewrap: see `bubblewrap.ts` for what a program can reach.
 * @throws ConfigError when there is no sandbox, with what to install
 */
export function pythonRunner(python: string | null): CodeRunner {
  findSandbox(python);
  return {
    language: "python",
    async program(code, stdin, limits): Promise<ProgramRun> {
      const run = await runPython(python, { code, args: ["/code/main.py"], stdin, limits });
      return { ...statusOf(run, limits), stdout: run.stdout, ms: run.ms };
    },
    async calls(code, calls, limits, goOn): Promise<CallRuns> {
      const stdin = JSON.stringify({ calls });
      const large = { ...limits, outputBytes: replyBytes(calls.length, limits) };
      let reader = new ReplyReader({ count: calls.length, limits });
      const start = (): void => {
        reader = new ReplyReader({ count: calls.length, limits });
      };
      const progress = (text: string): "next" | "same" | "stop" => {
        const seen = reader.runs.length;
        const fresh = reader.push(text);
        const isEnough = fresh.some((run, i) => !goOn(run, seen + i)) || reader.runs.length === calls.length;
        return isEnough ? "stop" : fresh.length > 0 ? "next" : "same";
      };
      const run = await runPython(python, { code, args: ["-c", PYTHON_GUEST], stdin, limits: large, start, progress });
      return { runs: withEnd(reader.runs, { count: calls.length, end: statusOf(run, large) }), ms: run.ms };
    },
  };
}

interface PythonJob {
  readonly code: string;
  readonly args: readonly string[];
  readonly stdin: string;
  readonly limits: CodeLimits;
  /** Before each try. */
  readonly start?: () => void;
  readonly progress?: (text: string) => "next" | "same" | "stop";
}

/** @throws RewardError when the sandbox did not start, twice */
async function runPython(
  python: string | null,
  { code, args, stdin, limits, start, progress }: PythonJob,
): Promise<ProcessEnd> {
  const sandbox = findSandbox(python);
  const cpuSeconds = Math.ceil((progress ? limits.totalMs : limits.timeoutMs) / 1000) + 1;
  const { timeoutMs, totalMs, outputBytes, memoryMb } = limits;
  const job = {
    argv: [...sandbox.command({ memoryMb, cpuSeconds }), ...args],
    files: [code, sandbox.filter, null],
    ...{ stdin, timeoutMs, totalMs, outputBytes },
    ...(progress ? { progress } : {}),
  };
  let problem = "";
  for (let tries = 0; tries < 2; tries++) {
    try {
      start?.();
      const run = await inLane(job);
      if (run.end !== "exit" || exitCode(run) !== null) return run;
      problem = run.stderr;
    } catch (error) {
      problem = messageOf(error);
    }
  }
  throw new RewardError(`the sandbox failed: ${problem.trim().slice(0, 300) || "it ended without a status"}`);
}

function inLane(job: Parameters<typeof runLimited>[0]): Promise<ProcessEnd> {
  let pid: number | undefined;
  return lanes.run({
    kind: "python",
    deadlineMs: job.timeoutMs,
    run(begin) {
      begin();
      return runLimited(job, (id) => {
        pid = id;
      });
    },
    giveWay: () => {
      if (pid !== undefined) yieldCores(processTree(pid).flatMap(threadsOf));
    },
  });
}

/** Each thread has a priority of its own. */
function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return []; // it ended meanwhile
  }
}

/** As bubblewrap reports it; null when it did not get that far. */
function exitCode({ extra }: ProcessEnd): number | null {
  const code = /"exit-code"\s*:\s*(\d+)/.exec(extra)?.[1];
  return code === undefined ? null : Number(code);
}

function statusOf(run: ProcessEnd, limits: CodeLimits): { status: RunStatus; detail: string } {
  if (run.end === "timeout") return { status: "timeout", detail: `took longer than ${limits.timeoutMs} ms` };
  if (run.end === "output") return { status: "output", detail: `printed more than ${limits.outputBytes} bytes` };
  const code = exitCode(run) ?? 0;
  if (code === 0 || run.end === "stop") return { status: "ok", detail: "" };
  const canHaveUsedUp = run.ms * coresAtHand() > limits.timeoutMs; // else the program killed itself
  if ((code === SIGNALLED + SIGXCPU || code === SIGNALLED + SIGKILL) && canHaveUsedUp)
    return { status: "timeout", detail: `used more than ${limits.timeoutMs} ms of processor time` };
  const last = run.stderr.trimEnd().split("\n").at(-1)?.slice(0, 300) ?? "";
  if (last.startsWith("MemoryError")) return { status: "memory", detail: `needed more than ${limits.memoryMb} MiB` };
  return {
    status: "exception",
    detail: code > SIGNALLED ? `ended by signal ${code - SIGNALLED}` : last || `exit code ${code}`,
  };
}
