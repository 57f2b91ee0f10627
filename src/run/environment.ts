import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { sha256 } from "../utils/hash.ts";
import { coresAtHand } from "../utils/threads.ts";
import type { Recipe } from "./recipe.ts";
import { recipeToYaml } from "./recipe-load.ts";

/** What a run was made with: `environment.json`. */
export interface Environment {
  readonly rlvr: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly device: string;
  readonly threads: number;
  readonly seed: number;
  /** SHA-256 by name: the recipe, the (base) model's files, the adapter that training started from. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** Describes this machine and this job. */
export function describeEnvironment(
  recipe: Recipe,
  job: { readonly threads: number; readonly device: string },
  hashes: Readonly<Record<string, string>> = {},
): Environment {
  return {
    rlvr: packageVersion(),
    node: process.versions.node,
    onnxruntime: onnxruntimeVersion(),
    platform: `${platform()} ${arch()} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: coresAtHand(),
    memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    device: job.device,
    threads: job.threads,
    seed: recipe.seed,
    hashes: { recipe: sha256(recipeToYaml(recipe)), ...hashes },
  };
}

/** Version of this package. */
export function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** Version of the installed ONNX Runtime binding. */
export function onnxruntimeVersion(): string {
  const require = createRequire(import.meta.url);
  return (require("onnxruntime-node/package.json") as { version: string }).version;
}
