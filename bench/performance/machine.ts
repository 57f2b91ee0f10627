import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg } from "node:os";
import { onnxruntimeVersion } from "../../src/run/environment.ts";
import type { WorkerResult } from "./rotate.ts";
import { root } from "./shapes.ts";

/** Processor, date, load and versions of a run, one line each. */
export function machineFacts(
  results: readonly WorkerResult[],
  { threads, load, rounds }: { readonly threads: number; readonly load: number; readonly rounds: number },
): string[] {
  const python = Object.assign({}, ...results.map(({ info }) => info?.versions ?? {})) as Record<string, string>;
  const versions = {
    ...{ rlvr: commit(), node: process.versions.node, "onnxruntime-node": onnxruntimeVersion() },
    ...python,
  };
  return [
    `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${availableParallelism()} cores, ${threads} threads a worker, ${rounds} rounds, load before ${load.toFixed(1)}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  ];
}

/** Processes that wanted a core over the last minute: above 0.5 before a run, the times are those of a busy machine. */
export function load(): number {
  return loadavg()[0]!;
}

/** Short hash of the commit; with `+` when files differ from it. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "-uno", "--", "src") === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}
