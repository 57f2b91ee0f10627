import { describeEnvironment } from "../../src/run/environment.ts";
import { planRun, RunFolder } from "../../src/run/folder.ts";
import { listenForInterrupt } from "../../src/run/interrupt.ts";
import { runLoop } from "../../src/run/loop.ts";
import { completeRecipe, type Recipe, RecipeSchema } from "../../src/run/recipe.ts";
import { quadraticTrainer } from "./quadratic.ts";

/** A recipe around the quadratic trainer: only what the run layer reads matters. */
export function quadraticRecipe(steps: number, checkpoint = { every: 3, keep: 2 }): Recipe {
  return completeRecipe(
    RecipeSchema.parse({
      name: "quadratic",
      model: "seedling",
      tasks: { train: { name: "countdown" }, eval: { name: "countdown", split: "test" } },
      rewards: [{ name: "countdown" }],
      optimizer: { name: "adamw", lr: 0.05 },
      steps,
      evaluate: { every: 4, samples: 4 },
      checkpoint,
    }),
  );
}

/** One whole run in `out`, resumed where it stopped; what `rlvr train` does around the loop. */
export async function quadraticRun(
  out: string,
  options: { steps: number; delayMs?: number; nanAt?: number; keep?: number },
) {
  const recipe = quadraticRecipe(options.steps, { every: 3, keep: options.keep ?? 2 });
  const plan = planRun(out, recipe, true);
  const trainer = quadraticTrainer({ seed: recipe.seed, ...options });
  const folder = new RunFolder(plan, describeEnvironment(recipe, { threads: 1, device: "cpu" }));
  if (plan.checkpoint) await trainer.load(plan.checkpoint.folder);
  const interrupt = listenForInterrupt(() => {});
  try {
    return await runLoop({ trainer, folder, from: plan.checkpoint?.manifest.step ?? 0, interrupt });
  } finally {
    interrupt.dispose();
  }
}

if (process.argv[2] === "child") {
  const [, , , out, steps, delayMs] = process.argv;
  const result = await quadraticRun(out!, { steps: Number(steps), delayMs: Number(delayMs) });
  process.exit(result.interrupted ? 130 : 0);
}
