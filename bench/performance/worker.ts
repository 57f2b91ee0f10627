/**
 * One worker of `npm run bench` on this project's side: prints READY, then does one repetition for each line of standard input.
 *
 *   node --import tsx bench/performance/worker.ts update --shape smollm2|seedling --rows 4 --length 128 [--lora 16] [--plan lean|fast] [--threads 2]
 *   … group --shape smollm2 --prompt 256 --completions 8 --tokens 64 --lora 16 [--shared false]
 *   … decode --shape smollm2 --batch 32 --prompt 64 --tokens 64 [--group 8]
 *   … step --shape full|lora|tiny|seedling
 *   … matmul [--size 2048]
 */
import { parseArgs } from "node:util";
import type { UpdatePlan } from "../../src/policy/index.ts";
import { serveDecode } from "./decode.ts";
import { serveMatMul } from "./matmul.ts";
import { SHAPES, type ShapeName } from "./shapes.ts";
import { STEP_NAMES, type StepName, serveStep } from "./step.ts";
import { serveGroup, serveUpdate } from "./update.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shape: { type: "string", default: "smollm2" },
    lora: { type: "string", default: "0" },
    plan: { type: "string", default: "lean" },
    threads: { type: "string", default: "2" },
    rows: { type: "string", default: "4" },
    length: { type: "string", default: "128" },
    prompt: { type: "string", default: "64" },
    completions: { type: "string", default: "8" },
    tokens: { type: "string", default: "64" },
    shared: { type: "string", default: "true" },
    batch: { type: "string", default: "32" },
    group: { type: "string", default: "1" },
    size: { type: "string", default: "2048" },
  },
});
const number = (name: Exclude<keyof typeof values, "shape" | "shared" | "plan">): number => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number, not ${values[name]}`);
  return value;
};
const one = <T extends string>(names: readonly T[]): T => {
  const found = names.find((name) => name === values.shape);
  if (found === undefined) throw new Error(`--shape must be one of ${names.join(", ")}, not ${values.shape}`);
  return found;
};
const threads = number("threads");
if (values.plan !== "lean" && values.plan !== "fast")
  throw new Error(`--plan must be lean or fast, not ${values.plan}`);
const plan: UpdatePlan = values.plan;
const policy = () => ({ shape: one(Object.keys(SHAPES) as ShapeName[]), lora: number("lora"), threads, plan });

const cases: Record<string, () => Promise<void>> = {
  update: () => serveUpdate(policy(), { rows: number("rows"), length: number("length") }),
  group: () =>
    serveGroup(policy(), {
      ...{ prompt: number("prompt"), completions: number("completions"), tokens: number("tokens") },
      shared: values.shared !== "false",
    }),
  decode: () =>
    serveDecode(policy(), {
      ...{ batch: number("batch"), prompt: number("prompt"), tokens: number("tokens"), group: number("group") },
    }),
  step: () => serveStep(one<StepName>(STEP_NAMES), threads),
  matmul: () => serveMatMul(threads, number("size")),
};
const run = cases[positionals[0] ?? ""];
if (!run) throw new Error(`the case must be one of ${Object.keys(cases).join(", ")}, not ${positionals[0]}`);
await run();
