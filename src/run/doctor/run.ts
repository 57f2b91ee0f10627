import { existsSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../utils/errors.ts";
import { checkpointName, listCheckpoints, openCheckpoint } from "../checkpoints.ts";
import { readRecipeOf } from "../folder.ts";
import { type MetricsRow, readMetrics } from "../metrics-log.ts";
import type { Recipe } from "../recipe.ts";
import { readSamples } from "../samples-log.ts";
import type { Finding } from "./machine.ts";

/** Is a run folder whole? Reads every file of it, changes nothing. */
export function examineRun(path: string): Finding[] {
  const findings: Finding[] = [];
  const part = <T>(what: string, read: () => { detail: string; value: T; level?: Finding["level"] }): T | undefined => {
    try {
      const { detail, value, level = "ok" } = read();
      findings.push({ what, level, detail });
      return value;
    } catch (error) {
      findings.push({ what, level: "fail", detail: messageOf(error) });
      return undefined;
    }
  };
  const recipe = part("Recipe", () => {
    const value = readRecipeOf(path);
    return { value, detail: `${value.name}: ${value.trainer}, ${value.steps} steps, seed ${value.seed}` };
  });
  const rows = part("Metrics", () => {
    const value = readMetrics(join(path, "metrics.jsonl"));
    return { value, ...continuity(value, recipe) };
  });
  part("Samples", () => samples(path));
  for (const step of listCheckpoints(join(path, "checkpoints")))
    part(`Checkpoint ${step}`, () => checkpoint(path, step, rows ?? []));
  if (listCheckpoints(join(path, "checkpoints")).length === 0)
    findings.push({ what: "Checkpoints", level: "warn", detail: "none yet: an interrupted run would start over" });
  return findings;
}

function continuity(
  rows: readonly MetricsRow[],
  recipe: Recipe | undefined,
): { detail: string; level: Finding["level"] } {
  if (rows.length === 0) return { detail: "no line yet", level: "warn" };
  for (let i = 1; i < rows.length; i++) {
    const [before, now] = [rows[i - 1]!.step, rows[i]!.step];
    if (now !== before + 1)
      return {
        detail: `line ${i + 1} is step ${now}, the line before it is step ${before}: steps are missing or double`,
        level: "fail",
      };
  }
  const last = rows.at(-1)!.step;
  const finished = recipe === undefined || last >= recipe.steps;
  const detail = `${rows.length} lines, steps ${rows[0]!.step} to ${last}`;
  return finished ? { detail, level: "ok" } : { detail: `${detail} of ${recipe.steps}: not finished`, level: "warn" };
}

function samples(path: string): { detail: string; value: null; level: Finding["level"] } {
  const file = join(path, "samples.jsonl.gz");
  if (!existsSync(file)) return { detail: "no completions are kept", value: null, level: "ok" };
  const rows = readSamples(file);
  const bad = rows.find((row) => row.logp.length !== row.ids.length || row.entropy.length !== row.ids.length);
  if (bad) throw new Error(`${file}: step ${bad.step}, task ${bad.task}: ids, logp and entropy differ in length`);
  return { detail: `${rows.length} completions`, value: null, level: "ok" };
}

function checkpoint(path: string, step: number, rows: readonly MetricsRow[]): { detail: string; value: null } {
  const { manifest } = openCheckpoint(join(path, "checkpoints", checkpointName(step)));
  if (manifest.step !== step) throw new Error(`its manifest says step ${manifest.step}`);
  if (rows.length > 0 && rows.at(-1)!.step < step)
    throw new Error(`metrics.jsonl ends at step ${rows.at(-1)!.step}, before it`);
  const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  return {
    detail: `${Object.keys(manifest.files).length} files, ${(bytes / 2 ** 20).toFixed(1)} MiB, all bytes as written`,
    value: null,
  };
}
