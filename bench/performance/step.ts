import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Learner, openLearner, openModel } from "../../src/policy/index.ts";
import { graded } from "../../src/rewards/index.ts";
import { rubric } from "../../src/rewards/rubric.ts";
import { EnvRegistry } from "../../src/rollout/index.ts";
import { listTaskSet } from "../../src/rollout/tasks/list.ts";
import { resolveRecipe } from "../../src/run/recipe-load.ts";
import { adapterOf } from "../../src/trainers/adapter-of.ts";
import { GrpoTrainer, objectiveOptions } from "../../src/trainers/grpo.ts";
import { openObjective } from "../../src/trainers/objective.ts";
import { serve } from "./protocol.ts";
import { SMOLLM2_GGUF } from "./shapes.ts";

const LONG =
  "Compute %d + %d and explain each step briefly, then give the final answer after ####. Use digits only please.";
const TINY = { width: 128, layers: 4, heads: 2, kvHeads: 2, ffWidth: 384, maxPositions: 2048 };

/** The shapes of bench/peers/trl_step.py, and one of seedling that needs no download. */
const STEPS = {
  full: { prompts: 2, group: 8, tokens: 64, prompt: LONG },
  lora: { prompts: 2, group: 8, tokens: 64, prompt: LONG },
  tiny: { prompts: 16, group: 8, tokens: 32, prompt: "What is %d + %d ?" },
  seedling: { prompts: 16, group: 8, tokens: 32, prompt: "%d,%d,3>16:" },
} as const;
export type StepName = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as StepName[];

/** Whole GRPO steps by the product's own trainer: rollout, rewards, update with AdamW. Every completion has all its tokens, as TRL's have. */
export async function serveStep(name: StepName, threads: number): Promise<void> {
  const { prompts, group, tokens } = STEPS[name];
  const folder = mkdtempSync(join(tmpdir(), "rlvr-bench-"));
  const trainer = await openTrainer(name, threads, folder);
  let next = 0;
  const repeat = async (): Promise<Record<string, number>> => {
    const { metrics } = await trainer.step(next++);
    const seconds = (metric: string): number => Number(metrics[`timing_s/${metric}`]);
    return {
      gen_s: seconds("gen"),
      update_s: seconds("update_actor"),
      length: Number(metrics["completions/mean_length"]),
    };
  };
  await repeat();
  await serve(repeat, { tokens: prompts * group * tokens, first_s: performance.now() / 1000 });
  await trainer.close();
  rmSync(folder, { recursive: true });
}

async function openTrainer(name: StepName, threads: number, folder: string): Promise<GrpoTrainer> {
  const { prompts, group, tokens, prompt } = STEPS[name];
  const recipe = resolveRecipe({ name, data: recipeOf(name, folder), locate: () => "bench" }, false);
  const learner = await openLearner({
    ...{ model: recipe.model, adapter: adapterOf(recipe.adapter), seed: recipe.seed, threads },
  });
  const train = listTaskSet("bench", "train", [...Array(200).keys()], (i) => ({
    ...{ id: `bench/${i}`, set: "bench", answer: null, data: {} },
    prompt: prompt.replace("%d", String(i)).replace("%d", String(3 * i)),
  }));
  const digits = (text: string): number => text.replace(/\D/g, "").length;
  const longest = prompts * group * tokens * 20;
  const reward = { name: "digits", score: ({ text }: { text: string }) => graded(digits(text) / longest, "digits") };
  const parts = {
    recipe,
    learner: endless(learner),
    train,
    evaluation: null,
    registry: new EnvRegistry(),
    tools: null,
  };
  const objective = await openObjective(objectiveOptions(recipe));
  return GrpoTrainer.open({ ...parts, rubric: rubric([{ weight: 1, reward }]) }, objective);
}

/** No token ends a completion: what `min_new_tokens` is for TRL. */
function endless(learner: Learner): Learner {
  return { ...learner, tokenizer: { ...learner.tokenizer, eosIds: [] } };
}

function recipeOf(name: StepName, folder: string): object {
  const { prompts, group, tokens } = STEPS[name];
  return {
    model: modelOf(name, folder),
    adapter: name === "lora" ? { kind: "lora", rank: 16 } : { kind: "none" },
    tasks: { train: { name: "arithmetic" } }, // a recipe names one; the trainer gets the prompts above
    rewards: [{ name: "numeric-answer" }],
    rollout: { promptsPerStep: prompts, groupSize: group, maxTokens: tokens, batchSize: 256 },
    optimizer: { name: "adamw", lr: 1e-5 },
    stopWhen: { identicalSteps: null, failedShare: null },
    steps: 1_000_000,
  };
}

function modelOf(name: StepName, folder: string): unknown {
  if (name === "seedling") return "seedling";
  if (!existsSync(SMOLLM2_GGUF)) throw new Error("SmolLM2 is missing; it comes with: bash scripts/fetch-smollm2");
  if (name !== "tiny") return SMOLLM2_GGUF;
  const files = openModel(SMOLLM2_GGUF);
  const { tokenizerJson, tokenizerConfigJson } = files.tokenizerFiles()!;
  files.close();
  writeFileSync(join(folder, "tokenizer.json"), tokenizerJson);
  writeFileSync(join(folder, "tokenizer_config.json"), tokenizerConfigJson);
  return { init: { ...TINY, tokenizer: { file: folder } } };
}
