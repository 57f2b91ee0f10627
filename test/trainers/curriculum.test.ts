import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openLearner } from "../../src/policy/index.ts";
import { createRubric } from "../../src/rewards/index.ts";
import { EnvRegistry, type Task, type TaskSet } from "../../src/rollout/index.ts";
import { adaptiveOf, openTaskSet, TaskConfig } from "../../src/rollout/tasks/index.ts";
import { resolveRecipe } from "../../src/run/index.ts";
import { GrpoTrainer, objectiveOptions } from "../../src/trainers/grpo.ts";
import { metricDef } from "../../src/trainers/metrics.ts";
import { openObjective } from "../../src/trainers/objective.ts";
import type { Metrics } from "../../src/trainers/types.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-curriculum-"));
after(() => rmSync(root, { recursive: true, force: true }));

const TRAIN = { name: "generated", family: { gcd: 1, lcm: 1 }, size: 240, curriculum: { window: 1, step: 0.2 } };
const recipe = resolveRecipe(
  {
    name: "curriculum",
    data: {
      model: { init: { width: 16, layers: 1, heads: 1, ffWidth: 32 }, seed: 3 },
      tasks: { train: TRAIN },
      rollout: { promptsPerStep: 2, groupSize: 4, maxTokens: 6 },
      rewards: [{ name: "format", style: "pattern", pattern: "[0-4]", ended: false }],
      optimizer: { name: "adamw", lr: 1e-3 },
      steps: 6,
    },
    locate: () => "",
  },
  false,
);

/** The same tasks with prompts that the tiny model's vocabulary of digits can express. */
function inDigits(set: TaskSet): TaskSet {
  const plain = (task: Task): Task => ({
    ...task,
    prompt: `${(task.data.metadata as { numbers: number[] }).numbers.join("+")}>`,
  });
  const tasks = adaptiveOf(set)!;
  const adaptive = { ...tasks, task: (position: number, state: never) => plain(tasks.task(position, state)) };
  return { ...set, get: (i) => plain(set.get(i)), adaptive } as TaskSet;
}

async function openTrainer(train: object = TRAIN): Promise<GrpoTrainer> {
  const { model, seed, rewards, optimizer } = recipe;
  const learner = await openLearner({ model, adapter: { kind: "none" }, seed, optimizer, threads: 1 });
  const set = inDigits(await openTaskSet(TaskConfig.parse(train)));
  const parts = {
    recipe,
    learner,
    train: set,
    evaluation: null,
    rubric: createRubric(rewards),
    registry: new EnvRegistry(),
    tools: null,
  };
  return GrpoTrainer.open(parts, await openObjective(objectiveOptions(recipe)));
}

/** Steps of a trainer, without what a clock measured. */
async function steps(trainer: GrpoTrainer, from: number, to: number): Promise<Metrics[]> {
  const rows: Metrics[] = [];
  for (let step = from; step < to; step++) {
    const { metrics, samples } = await trainer.step(step);
    const kept = Object.entries(metrics).filter(([name]) => metricDef(name)?.clock !== true);
    rows.push({ ...Object.fromEntries(kept), tasks: samples.map(({ task }) => task).join(" ") });
  }
  return rows;
}

async function saved(trainer: GrpoTrainer, name: string): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder);
  await trainer.save(folder);
  return folder;
}

test("GrpoTrainer: a curriculum moves with the pass rates, its state is in the checkpoint, a resumed run takes the same steps", async () => {
  const whole = await openTrainer();
  const before = await steps(whole, 0, 3);
  const middle = await saved(whole, "middle");
  const rest = await steps(whole, 3, 6);
  const end = await saved(whole, "end");
  await whole.close();
  const levels = [...before, ...rest].map((row) => row["curriculum/gcd/level"]);
  assert.equal(levels[0], 0);
  assert.ok(new Set(levels).size > 1, `levels ${levels}`);
  for (const name of ["curriculum/gcd/level", "curriculum/lcm/pass_rate"]) assert.ok(metricDef(name), name);

  const resumed = await openTrainer();
  await resumed.load(middle);
  assert.deepEqual(await steps(resumed, 3, 6), rest);
  const again = await saved(resumed, "again");
  await resumed.close();
  for (const name of ["trainer.json", "model.safetensors"])
    assert.deepEqual(readFileSync(join(again, name)), readFileSync(join(end, name)), name);
});

test("GrpoTrainer: a checkpoint with the state of another curriculum, or without one, is refused by name", async () => {
  const trainer = await openTrainer();
  const folder = await saved(trainer, "own");
  const file = join(folder, "trainer.json");
  const state = JSON.parse(readFileSync(file, "utf8"));
  const refused = async (curriculum: unknown, message: RegExp) => {
    writeFileSync(file, JSON.stringify({ ...state, curriculum }));
    await assert.rejects(trainer.load(folder), { name: "DataError", message });
  };
  await refused(
    null,
    /trainer\.json: holds no state of a curriculum, this run has one; resume with the same tasks\.train$/,
  );
  await refused(
    { ...state.curriculum, families: {} },
    /trainer\.json: holds the state of another curriculum: its families are /,
  );
  await trainer.close();
});
