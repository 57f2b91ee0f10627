import { existsSync, readFileSync } from "node:fs";
import { metricDef } from "../trainers/metrics.ts";
import type { Metrics } from "../trainers/types.ts";
import { DataError, TrainingError } from "../utils/errors.ts";
import { AppendLog } from "./append-log.ts";

/** One line of `metrics.jsonl`. `step` counts the steps taken: line 0 is the evaluation before the first one. */
export type MetricsRow = { readonly step: number } & Readonly<Record<string, number | string>>;

/** `metrics.jsonl`: one line a step, names in alphabetical order. */
export class MetricsLog extends AppendLog {
  /** @throws TrainingError when a value is not finite; Error (ours) when a name was never declared */
  log(step: number, metrics: Metrics): void {
    this.append(Buffer.from(`${metricsLine(step, metrics)}\n`));
  }
}

/** The text of one line. @throws like `MetricsLog.log` */
export function metricsLine(step: number, metrics: Metrics): string {
  const names = Object.keys(metrics).sort();
  const undeclared = names.filter((name) => !metricDef(name));
  if (undeclared.length > 0)
    throw new Error(`internal: metrics not declared in trainers/metrics.ts: ${undeclared.join(", ")}`);
  const bad = names.filter((name) => typeof metrics[name] === "number" && !Number.isFinite(metrics[name]));
  if (bad.length > 0)
    throw new TrainingError(
      `step ${step}: ${bad.map((name) => `${name} is ${metrics[name]}`).join(", ")}. A lower optimizer.lr is the usual cure`,
    );
  return JSON.stringify({ step, ...Object.fromEntries(names.map((name) => [name, metrics[name]])) });
}

/**
 * Reads `metrics.jsonl`; an unfinished last line (the process was killed while it wrote) is left out.
 * @throws DataError naming the line that is not JSON or has no step
 */
export function readMetrics(path: string): MetricsRow[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  lines.pop(); // after the last line feed: nothing, or a line that was never finished
  return lines.map((line, i) => {
    try {
      const row = JSON.parse(line) as MetricsRow;
      if (!Number.isInteger(row.step)) throw new Error("it has no step");
      return row;
    } catch (error) {
      throw new DataError(`${path}:${i + 1}: not a metrics line: ${(error as Error).message}`, { cause: error });
    }
  });
}
