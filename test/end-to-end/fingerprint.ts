import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkpointName, listCheckpoints } from "../../src/run/checkpoints.ts";
import { readMetrics } from "../../src/run/metrics-log.ts";
import { metricDef } from "../../src/trainers/metrics.ts";
import { sha256 } from "../../src/utils/hash.ts";

/** Text of every metrics line without what a clock or the machine measured, and hashes of all files that must not depend on an interruption. */
export function fingerprint(run: string): { metrics: string[]; files: Record<string, string> } {
  const isKept = (name: string): boolean => name === "step" || metricDef(name)?.clock !== true;
  const metrics = readMetrics(join(run, "metrics.jsonl")).map((row) =>
    JSON.stringify(Object.fromEntries(Object.entries(row).filter(([name]) => isKept(name)))),
  );
  const names = ["recipe.yaml", "samples.jsonl.gz"];
  const newest = join("checkpoints", checkpointName(listCheckpoints(join(run, "checkpoints")).at(-1)!));
  // checkpoint.json holds the length of lines with clock values; an evaluation's summary has none, its time stands in the metrics
  for (const name of readdirSync(join(run, newest))) if (name !== "checkpoint.json") names.push(join(newest, name));
  for (const name of readdirSync(join(run, "evaluations"))) names.push(join("evaluations", name));
  const files = names.filter((name) => existsSync(join(run, name)));
  return { metrics, files: Object.fromEntries(files.map((name) => [name, sha256(readFileSync(join(run, name)))])) };
}

/** Whole lines in the metrics of a run so far. */
export function linesOf(run: string): number {
  const file = join(run, "metrics.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
}
