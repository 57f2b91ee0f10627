import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Runner } from "./cases.ts";
import { root } from "./shapes.ts";

/** What of the peers can run here. */
export interface Peers {
  /** Their interpreter; null when none was given. */
  readonly python: string | null;
  /** Packages that it can import. */
  readonly packages: ReadonlySet<string>;
  /** Folder of SmolLM2-135M-Instruct in float32 safetensors; null when it is missing. */
  readonly model: string | null;
}

const PACKAGES = ["torch", "transformers", "peft", "trl", "datasets", "accelerate"];
const MODEL = join(root, "models/smollm2-135m-instruct-f32");

/** Looks for the peers' packages and their model. @throws Error when the interpreter does not start */
export function findPeers(python: string | undefined): Peers {
  const model = process.env.MODEL_F32 ?? MODEL;
  const found = { model: existsSync(model) ? model : null };
  if (python === undefined) return { ...found, python: null, packages: new Set() };
  const script = `from importlib.util import find_spec; print(*[n for n in ${JSON.stringify(PACKAGES)} if find_spec(n)])`;
  const packages = execFileSync(python, ["-c", script], { encoding: "utf8" }).trim().split(" ");
  return { ...found, python, packages: new Set(packages) };
}

/** Why a peer can't run here, with the command that changes it; null when it can. */
export function missing(runner: Runner, { python, packages, model }: Peers): string | null {
  if (runner.kind === "ours") return null;
  if (python === null)
    return `no Python environment was given: python3 -m venv venv && venv/bin/pip install ${PACKAGES.join(" ")}, then --python venv/bin/python`;
  const lacking = (runner.packages ?? []).filter((name) => !packages.has(name));
  if (lacking.length > 0) return `${lacking.join(", ")} missing there: ${python} -m pip install ${lacking.join(" ")}`;
  if (runner.readsModel && model === null)
    return "its model is missing: npx rlvr models convert models/smollm2-135m-instruct-gguf --out models/smollm2-135m-instruct-f32";
  return null;
}

/** Program, arguments and environment of a worker. */
export function commandOf(
  runner: Runner,
  { python, model }: Peers,
  threads: number,
): { readonly file: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv } {
  if (runner.kind === "ours") {
    const worker = join(root, "bench/performance/worker.ts");
    const args = ["--import", "tsx", worker, ...runner.args, "--threads", String(threads)];
    return { file: process.execPath, args, env: process.env };
  }
  const [script, ...args] = runner.args;
  const quiet = {
    CUDA_VISIBLE_DEVICES: "",
    HF_HUB_OFFLINE: "1",
    PYTHONWARNINGS: "ignore",
    TRANSFORMERS_VERBOSITY: "error",
  };
  const env = {
    ...process.env,
    ...quiet,
    BENCH_THREADS: String(threads),
    ...(model === null ? {} : { MODEL_F32: model }),
  };
  return { file: python!, args: [join(root, "bench/peers", script!), ...args], env };
}
