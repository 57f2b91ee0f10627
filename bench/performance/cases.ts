/** Who runs in a case: a worker of this project, or a peer of bench/peers. */
export interface Runner {
  /** Name of the row. */
  readonly name: string;
  /** `ours`: arguments of worker.ts. `python`: a script of bench/peers with its arguments. */
  readonly kind: "ours" | "python";
  readonly args: readonly string[];
  /** Python packages that the script imports. */
  readonly packages?: readonly string[];
  /** The script reads the folder MODEL_F32. */
  readonly readsModel?: boolean;
}

/** One comparison: its first runner is ours, the others are what it is compared with. */
export interface BenchCase {
  readonly name: string;
  readonly what: string;
  /** Of `--short`. */
  readonly short?: boolean;
  /** Needs SmolLM2's own files, not just its shape. */
  readonly needsSmolLM2?: boolean;
  readonly runners: readonly [Runner, ...Runner[]];
}

/** The machine's matrix peak; it takes its turn in the rotation of every case. */
export const PEAK: Runner = { name: "onnxruntime 2048³", kind: "ours", args: ["matmul"] };

const ours = (name: string, ...args: string[]): Runner => ({ name, kind: "ours", args });
const TRAIN = ["torch", "transformers"];
const torch = (name: string, ...args: string[]): Runner => ({
  ...{ name: `torch ${name}`, kind: "python", args: ["torch_train.py", ...args] },
  packages: args.includes("--lora") ? [...TRAIN, "peft"] : TRAIN,
});
const SMOLLM2 = ["--shape", "576,30,9,3,64,1536,49152"];

function update(adapter: "full" | "lora", rows: number, length: number): BenchCase {
  const lora = adapter === "lora" ? ["--lora", "16"] : [];
  const size = ["--B", String(rows), "--T", String(length), ...SMOLLM2, ...lora];
  const mine = ["update", "--shape", "smollm2", "--rows", String(rows), "--length", String(length), ...lora];
  const long = rows * length > 1024;
  return {
    name: `update-${adapter}-${rows}x${length}`,
    what: `forward and backward with log-prob and entropy gradients, ${rows} rows of ${length} tokens, SmolLM2-135M's shape, ${adapter === "lora" ? "LoRA of rank 16" : "all weights"}`,
    runners: [
      ours("rlvr, plan fast", ...mine, "--plan", "fast"),
      ours("rlvr, plan lean", ...mine),
      torch("float32", ...size),
      torch("bf16 autocast", ...size, "--dtype", "autocast"),
      ...(long && adapter === "lora" ? [torch("float32, checkpointing", ...size, "--ckpt")] : []),
    ],
  };
}

const GROUP = ["group", "--shape", "smollm2", "--prompt", "256", "--completions", "8", "--tokens", "64"];
const group: BenchCase = {
  name: "group",
  what: "update of a group of 8 completions of 64 tokens on a prompt of 256, SmolLM2-135M's shape, LoRA of rank 16; completions scored",
  runners: [
    ours("rlvr", ...GROUP, "--lora", "16"),
    ours("rlvr, every row with the prompt", ...GROUP, "--lora", "16", "--shared", "false"),
    torch("float32", "--B", "8", "--T", "320", "--score", "64", ...SMOLLM2, "--lora", "16"),
  ],
};

function decode(batch: number, prompt = 64, size = 1): BenchCase {
  const args = ["--batch", batch, "--prompt", prompt, "--tokens", 64, ...(size > 1 ? ["--group", size] : [])].map(
    String,
  );
  const transformers = (dtype: string): Runner => ({
    ...{ name: `transformers ${dtype}`, kind: "python", args: ["hf_generate.py", ...args, "--dtype", dtype] },
    ...{ packages: TRAIN, readsModel: true },
  });
  return {
    name: size > 1 ? `decode-${batch}-groups-of-${size}` : `decode-${batch}`,
    what: `64 tokens sampled for ${batch} completions on prompts of ${prompt} tokens${size > 1 ? ` in groups of ${size}` : ""}, prompts computed too, SmolLM2-135M`,
    runners: [
      ours("rlvr", "decode", "--shape", "smollm2", ...args),
      transformers("float32"),
      ...(size > 1 ? [] : [transformers("bfloat16")]),
    ],
  };
}

function step(shape: "full" | "lora" | "tiny", what: string): BenchCase {
  const trl = (name: string, ...more: string[]): Runner => ({
    ...{ name: `TRL ${name}`, kind: "python", args: ["trl_step.py", shape, ...more], readsModel: true },
    packages: [...TRAIN, "trl", "datasets", "accelerate", ...(shape === "lora" ? ["peft"] : [])],
  });
  return {
    ...{ name: `step-${shape}`, what: `whole GRPO step, ${what}`, needsSmolLM2: true },
    runners: [
      ours("rlvr", "step", "--shape", shape),
      trl("float32"),
      ...(shape === "tiny" ? [] : [trl("bf16", "bf16")]),
    ],
  };
}

const SMALL = ["--shape", "96,3,3,3,32,256,28"];
const short: BenchCase[] = [
  {
    ...{
      name: "seedling-update",
      short: true,
      what: "forward and backward, 16 rows of 64 tokens, seedling, all weights",
    },
    runners: [
      ours("rlvr", "update", "--shape", "seedling", "--rows", "16", "--length", "64"),
      torch("float32", "--B", "16", "--T", "64", ...SMALL),
    ],
  },
  {
    ...{
      name: "seedling-group",
      short: true,
      what: "update of 8 completions of 32 tokens on a prompt of 128, seedling",
    },
    runners: [
      ours("rlvr", "group", "--shape", "seedling", "--prompt", "128", "--tokens", "32"),
      ours(
        "rlvr, every row with the prompt",
        "group",
        "--shape",
        "seedling",
        "--prompt",
        "128",
        "--tokens",
        "32",
        "--shared",
        "false",
      ),
    ],
  },
  {
    ...{
      name: "seedling-decode",
      short: true,
      what: "64 tokens sampled for 64 completions in groups of 8, prompts of 16, seedling",
    },
    runners: [ours("rlvr", "decode", "--shape", "seedling", "--batch", "64", "--prompt", "16", "--group", "8")],
  },
  {
    ...{
      name: "seedling-step",
      short: true,
      what: "whole GRPO step, 16 groups of 8 completions of 32 tokens, seedling",
    },
    runners: [ours("rlvr", "step", "--shape", "seedling")],
  },
];

/** Every case of `npm run bench`, in the order in which they run. */
export const CASES: readonly BenchCase[] = [
  {
    ...{
      name: "matmul",
      what: "product of two matrices of 2048 × 2048, float32: the peak that other figures are related to",
    },
    runners: [PEAK, { name: "torch", kind: "python", args: ["torch_matmul.py"], packages: ["torch"] }],
  },
  ...short,
  ...[update("full", 4, 128), update("lora", 4, 128), update("full", 8, 256), update("lora", 8, 256)],
  group,
  ...[decode(1), decode(8), decode(32), decode(64), decode(32, 256, 8)],
  step("lora", "2 groups of 8 completions of 64 tokens, SmolLM2-135M, LoRA of rank 16"),
  step("full", "the same, all weights"),
  step(
    "tiny",
    "16 groups of 8 completions of 32 tokens, random weights of width 128 and 4 layers, SmolLM2's vocabulary",
  ),
];
