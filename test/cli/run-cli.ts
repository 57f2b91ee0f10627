import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/rlvr.js", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command. */
export interface Running {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** Text so far. */
  stdout(): string;
  stderr(): string;
}

/** Circumstances of a command. */
export interface StartOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Largest file that the command may write, in KiB, as `ulimit -f` sets it. */
  readonly fileLimitKb?: number;
}

/** Starts `rlvr` as a user would. */
export function startCli(args: readonly string[], options: StartOptions = {}): Running {
  const { cwd, input = "", env = {}, fileLimitKb } = options;
  const command = [process.execPath, bin, ...args];
  // without the signal that would end the process, a write over the limit fails with EFBIG
  const limited = ["bash", "-c", `trap '' XFSZ; ulimit -f ${fileLimitKb}; exec "$@"`, "bash", ...command];
  const [program, ...rest] = fileLimitKb === undefined ? command : limited;
  const child = spawn(program!, rest, { cwd, stdio: "pipe", env: { ...process.env, ...env } });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (part: string) => {
      text[name] += part;
    });
  child.stdin.end(input);
  return {
    ended: new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, ...text }))),
    kill: (signal) => child.kill(signal),
    stdout: () => text.stdout,
    stderr: () => text.stderr,
  };
}

/** Runs `rlvr` to its end. */
export function cli(...args: string[]): Promise<Ended> {
  return startCli(args).ended;
}

/** A tiny supervised job whose weights really change: random weights, generated traces. */
export const TINY_SFT = `trainer: sft
model: {init: {width: 16, layers: 1, heads: 1, ffWidth: 32}, seed: 3}
tasks:
  eval: {name: countdown, split: test, format: steps}
demonstrations: {name: countdown-traces}
rewards: [{name: countdown}]
rollout: {maxTokens: 16}
optimizer: {name: adamw, lr: 3.0e-3, schedule: {name: linear, warmup: 3, finalFraction: 0.1}}
sft: {tokensPerStep: 500, bucket: 4}
steps: 12
evaluate: {every: 6, samples: 2, limit: 8}
checkpoint: {every: 3, keep: 2}
smoke: {steps: 2, evaluate: {limit: 2}}
`;

/** The same model with reinforcement learning. Random text matches the pattern now and then, so that groups differ and weights change. */
export const TINY_GRPO = `model: {init: {width: 16, layers: 1, heads: 1, ffWidth: 32}, seed: 3}
tasks:
  train: {name: countdown, format: steps}
  eval: {name: countdown, split: test, format: steps}
rollout: {promptsPerStep: 2, groupSize: 4, maxTokens: 12}
rewards: [{name: format, style: pattern, pattern: "[0-4]", ended: false}]
optimizer: {name: adamw, lr: 1.0e-3}
steps: 3
evaluate: {samples: 2, limit: 4}
`;
