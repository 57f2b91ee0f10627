import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { adapterFor, copyAdapter, isAdapterFolder } from "../policy/adapter-files.ts";
import { mergedSource } from "../policy/adapter-merge.ts";
import { baseOf } from "../policy/find-model.ts";
import { hubNameOf } from "../policy/hub-cache.ts";
import { findModel, type InitialModel, openInitialModel, openModel } from "../policy/index.ts";
import { saveModelFolder } from "../policy/model-save.ts";
import { ConfigError, DataError, messageOf } from "../utils/errors.ts";
import { checkpointName, listCheckpoints, openCheckpoint } from "./checkpoints.ts";
import { guardDisk } from "./disk.ts";
import { latestModel, readRecipeOf } from "./folder.ts";
import { convertModel, requireEmpty } from "./models.ts";
import type { Recipe } from "./recipe.ts";

/** What to export, and how. */
export interface ExportOptions {
  /** `safetensors`: a whole model; `peft`: the adapter of a LoRA run alone. */
  readonly format: "safetensors" | "peft";
  readonly dtype: "F32" | "BF16" | "F16";
  /** An empty or new folder. */
  readonly out: string;
  /** Step of the checkpoint; the newest whole one when absent. */
  readonly checkpoint?: number;
}

/** What was exported. */
export interface Exported {
  readonly checkpoint: string;
  readonly out: string;
  /** The model that an exported adapter names as its base; null for a whole model. */
  readonly base: string | null;
}

/**
 * Writes the weights of a run's checkpoint in a form that other software loads: a whole model (the adapter of a LoRA run merged into its base), or
 * a LoRA run's adapter.
 * @throws ConfigError when there is no such run, checkpoint or adapter, or the folder is not empty; DataError when the base model is missing or is
 * not the one that the run was trained on
 */
export async function exportRun(run: string, options: ExportOptions): Promise<Exported> {
  const recipe = readRecipeOf(run);
  const checkpoint = checkpointOf(run, options.checkpoint);
  requireEmpty(options.out);
  const write = (): string | null => {
    if (isAdapterFolder(checkpoint)) return writeAdapter(run, recipe, checkpoint, options);
    if (options.format === "peft")
      throw new ConfigError(`${run}: trained all weights, there is no adapter to export; use --format safetensors`);
    convertModel(checkpoint, options.out, options.dtype);
    return null;
  };
  const base = await guardDisk(options.out, () => "Make room, empty the folder, and export again.", write);
  return { checkpoint, out: options.out, base };
}

function checkpointOf(run: string, step: number | undefined): string {
  if (step === undefined) return latestModel(run);
  const parent = join(run, "checkpoints");
  const steps = listCheckpoints(parent);
  if (steps.includes(step)) return openCheckpoint(join(parent, checkpointName(step))).folder;
  const there = steps.length > 0 ? `it has those of steps ${steps.join(", ")}` : "it has none";
  throw new ConfigError(`${run}: has no checkpoint of step ${step}; ${there}`);
}

/** Exports a LoRA checkpoint; returns the base that an adapter names. */
function writeAdapter(run: string, { model }: Recipe, checkpoint: string, options: ExportOptions): string | null {
  const { format, dtype, out } = options;
  if (typeof model !== "string") {
    if (format === "safetensors") return writeOnInitial(checkpoint, model, options);
    throw new ConfigError(
      `${run}: adds to random weights, which nobody else has, so that an adapter alone is of no use; use --format safetensors`,
    );
  }
  const base = baseOf(checkpoint);
  checkBase(run, base);
  if (format === "safetensors") {
    convertModel(checkpoint, out, dtype);
    return null;
  }
  const path = findModel(base);
  const name = hubNameOf(path) === null ? resolve(path) : base; // Python finds names of the hub too, but none of ours
  const files = openModel(checkpoint, { tokenizer: "optional" });
  files.close();
  copyAdapter(checkpoint, { out, dtype, adapter: files.adapter!, base: name });
  return name;
}

/** @throws DataError when the base model's weights are others than the run says it was trained on */
function checkBase(run: string, base: string): void {
  const file = join(run, "environment.json");
  if (!existsSync(file)) return;
  const recorded = recordedModel(file);
  const files = openModel(base, { tokenizer: "optional" });
  try {
    const hash = files.hash();
    if (recorded !== undefined && recorded !== hash)
      throw new DataError(
        `${files.path}: is not the model that ${run} was trained on: sha256 ${hash.slice(0, 12)}…, the run recorded ${recorded.slice(0, 12)}…; bring back that one`,
      );
  } finally {
    files.close();
  }
}

const Recorded = z.looseObject({ hashes: z.looseObject({ model: z.string().optional() }).optional() });

/** Hash of the base model in a run's environment.json. @throws DataError when the file is damaged */
function recordedModel(file: string): string | undefined {
  try {
    return Recorded.parse(JSON.parse(readFileSync(file, "utf8"))).hashes?.model;
  } catch (error) {
    throw new DataError(
      `${file}: is damaged, so that the base model cannot be checked: ${messageOf(error)}; restore the file, or remove it to export unchecked`,
      { cause: error },
    );
  }
}

function writeOnInitial(
  checkpoint: string,
  { init, seed }: { readonly init: InitialModel; readonly seed: number },
  { dtype, out }: ExportOptions,
): null {
  const { config, tokenizerFiles, source } = openInitialModel(init, seed);
  const merged = mergedSource(source, adapterFor(checkpoint, config, "its random weights"), checkpoint);
  try {
    const tensors = merged.names().map((name) => ({ name, data: () => merged.read(name) }));
    saveModelFolder(out, { config, tensors, dtype, tokenizerFiles });
    return null;
  } finally {
    merged.close();
  }
}
