import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { openLearner } from "../../../src/policy/index.ts";
import { SEEDLING_IDS, seedlingTokenizerFiles } from "../../../src/policy/seedling-tokenizer.ts";
import { createTokenizer } from "../../../src/policy/tokenizer.ts";
import { createRubric } from "../../../src/rewards/index.ts";
import { validateSource } from "../../../src/rollout/envs/contract/index.ts";
import { countdownTurns } from "../../../src/rollout/envs/countdown-turns.ts";
import type { Environment, EnvironmentSource, EnvStep } from "../../../src/rollout/envs/types.ts";
import { EnvRegistry } from "../../../src/rollout/index.ts";
import { openTaskSet, TaskConfig } from "../../../src/rollout/tasks/index.ts";
import { resolveRecipe } from "../../../src/run/index.ts";
import { GrpoTrainer, objectiveOptions } from "../../../src/trainers/grpo.ts";
import { metricDef } from "../../../src/trainers/metrics.ts";
import { openObjective } from "../../../src/trainers/objective.ts";
import type { Metrics } from "../../../src/trainers/types.ts";
import { EnvError } from "../../../src/utils/errors.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-countdown-turns-"));
after(() => rmSync(root, { recursive: true, force: true }));

const open = (options: object = {}): Promise<EnvironmentSource> =>
  countdownTurns.open(countdownTurns.options.parse(options));
const source = await open();

/** A world at the problem whose first sight is given. */
async function worldAt(sight: string): Promise<Environment> {
  const world = await source.open();
  for (const split of ["train", "dev", "test"] as const)
    for (const start of await source.starts(split)) if ((await world.reset(start)).observation === sight) return world;
  throw new Error(`there is no ${sight}`);
}

const told = ({ observation, reward, done, success, valid }: EnvStep) => [observation, reward, done, success, valid];

test("countdown-turns: an episode that is solved, with turns that are wrong", async () => {
  const world = await worldAt("2,4,8>16");
  const steps: [action: string, ...told: unknown[]][] = [
    ["8*4=33", " no2,4,8>16", 0, false, false, false],
    ["8*5=40", " no2,4,8>16", 0, false, false, false],
    ["8+8=16", " no2,4,8>16", 0, false, false, false], // there is one 8
    ["2-4=-2", "?2,4,8>16", 0, false, false, false],
    ["2/4=0", " no2,4,8>16", 0, false, false, false],
    ["hello", "?2,4,8>16", 0, false, false, false],
    ["8*4=32;", "2,32>16", 0, false, false, true],
    ["8*4=32", " no2,32>16", 0, false, false, false],
    ["32/2=16 yes", "16>16 yes", 1, true, true, true],
    ["no", "?", 0, true, true, false],
  ];
  for (const [action, ...expected] of steps) assert.deepEqual(told(await world.step(action)), expected, action);
});

test("countdown-turns: another number at the end, or giving up, fails", async () => {
  const wrong = await worldAt("2,4,8>16");
  assert.deepEqual(told(await wrong.step("2+4=6")), ["6,8>16", 0, false, false, true]);
  assert.equal(await wrong.goldActions?.(), null, "6 and 8 do not make 16");
  assert.deepEqual(told(await wrong.step("6+8=14")), ["14>16 no", 0, true, false, true]);
  const given = await worldAt("2,4,8>16");
  assert.deepEqual(told(await given.step(" no")), [" no", 0, true, false, true]);
});

test("countdown-turns: values above maxTarget are refused, as in the task set", async () => {
  const world = await worldAt("2,4,8>64");
  assert.deepEqual(told(await world.step("2*8=16")), ["4,16>64", 0, false, false, true]);
  const large = await (await open({ maxTarget: 20 })).open();
  const [start] = (await (await open({ maxTarget: 20 })).starts("train")) as [{ task: string; seed: number }];
  await large.reset(start);
  const all = (await large.admissibleActions?.()) ?? [];
  assert.ok(all.every((action) => action === "no" || Number(action.split("=")[1]) <= 20));
});

test("countdown-turns: gold actions solve every start of every split, each in two turns", async () => {
  const world = await source.open();
  let starts = 0;
  for (const split of ["train", "dev", "test"] as const) {
    for (const start of await source.starts(split)) {
      await world.reset(start);
      const actions = (await source.goldActions?.(start)) ?? [];
      const [first, last] = [await world.step(actions[0]!), await world.step(actions[1]!)];
      assert.deepEqual([actions.length, first.reward, last.reward, last.success], [2, 0, 1, true]);
      starts++;
    }
  }
  assert.equal(starts, 2144, "three numbers of 1–9 with targets up to 99");
});

test("countdown-turns: its test split is that of the task set countdown", async () => {
  const held = await openTaskSet(TaskConfig.parse({ name: "countdown", split: "test", format: "steps" }));
  const keyOf = (numbers: readonly number[], target: number) => `${[...numbers].sort((a, b) => a - b)}>${target}`;
  const expected = Array.from({ length: held.size }, (_, i) => {
    const { numbers, target } = held.get(i).data as unknown as { numbers: number[]; target: number };
    return keyOf(numbers, target);
  });
  const world = await source.open();
  const own: string[] = [];
  for (const start of await source.starts("test")) own.push((await world.reset(start)).observation);
  assert.deepEqual(own.sort(), [...new Set(expected)].sort());
});

test("countdown-turns: whatever is tried, seedling's 28 symbols write every text, and what is not understood changes nothing", async () => {
  const ids = { bosId: SEEDLING_IDS.bos, eosIds: [SEEDLING_IDS.eos], padId: SEEDLING_IDS.pad };
  const tokenizer = createTokenizer(seedlingTokenizerFiles(), ids, "seedling");
  const starts = await source.starts("train");
  const odd = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc
      .array(fc.constantFrom(..."0123456789+-*/=,;?".split(""), " no", " yes"), { maxLength: 9 })
      .map((all) => all.join("")),
    fc.nat(),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(odd, { maxLength: 8 }), async (nth, tries) => {
      const [world, twin] = [await source.open(), await source.open()];
      const { instruction, observation } = await world.reset(starts[nth % starts.length]!);
      assert.equal(tokenizer.decode(tokenizer.encode(instruction + observation)), instruction + observation);
      for (const one of tries) {
        const before = await world.snapshot?.();
        await twin.restore?.(JSON.parse(JSON.stringify(before)));
        const actions = (await world.admissibleActions?.()) ?? [];
        const action = typeof one === "string" ? one : (actions[one % Math.max(1, actions.length)] ?? "no");
        const step = await world.step(action);
        assert.deepEqual(await twin.step(action), step, "a state that is restored goes on the same way");
        assert.equal(tokenizer.decode(tokenizer.encode(step.observation)), step.observation);
        if (actions.includes(action)) assert.equal(step.valid, true, action);
        if (step.valid === false) assert.deepEqual([await world.snapshot?.(), step.reward], [before, 0]);
      }
    }),
    { numRuns: 300 },
  );
});

test("countdown-turns: keeps the contract of environments", async () => {
  const findings = await validateSource(source, { episodes: 50, starts: 4 });
  assert.deepEqual(
    findings.filter(({ status }) => status !== "ok"),
    [],
  );
});

test("countdown-turns: tasks, variations and snapshots that do not exist are refused", async () => {
  const world = await source.open();
  const refused = (work: Promise<unknown> | undefined, message: RegExp) =>
    assert.rejects(work ?? Promise.resolve(), (error) => error instanceof EnvError && message.test(error.message));
  await refused(world.step("1+1=2"), /step\(\) needs an episode; call reset\(\) first/);
  await refused(world.reset({ task: "sudoku", seed: 0 }), /no task "sudoku"; it has countdown alone/);
  await refused(world.reset({ task: "countdown", seed: 2144 }), /variations 0 to 2143, got 2144/);
  await refused(world.restore?.({ seed: 1 }), /restore\(\) got no snapshot/);
});

const RECIPE = {
  model: "seedling",
  tasks: { train: { name: "environment", env: { name: "countdown-turns" } } },
  rollout: {
    ...{ promptsPerStep: 6, groupSize: 4, maxTokens: 60, episode: { maxTurns: 4, turnTokens: 12 } },
    dialogue: {
      style: "plain",
      plain: { turnEnd: ",", prompt: ":", system: "{text}", user: "{text}:", observation: "{text}", tool: "{text}" },
    },
  },
  rewards: [{ name: "environment" }, { name: "invalid-actions", weight: -0.1 }],
  optimizer: { name: "adamw", lr: 1e-4 },
  steps: 2,
};
const recipe = resolveRecipe({ name: "countdown-turns", data: RECIPE, locate: () => "" }, false);

async function openTrainer(): Promise<{ trainer: GrpoTrainer; registry: EnvRegistry }> {
  const { model, seed, rewards, optimizer, tasks } = recipe;
  const registry = new EnvRegistry();
  const learner = await openLearner({ model, adapter: { kind: "none" }, seed, optimizer, threads: 1 });
  const train = await openTaskSet(tasks.train!, registry);
  const parts = { recipe, learner, train, evaluation: null, rubric: createRubric(rewards), registry, tools: null };
  return { trainer: await GrpoTrainer.open(parts, await openObjective(objectiveOptions(recipe))), registry };
}

/** One step, without what a clock measured. */
async function stepOf(trainer: GrpoTrainer, step: number): Promise<Metrics> {
  const { metrics } = await trainer.step(step);
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => metricDef(name)?.clock !== true));
}

async function saved(trainer: GrpoTrainer, name: string): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder);
  await trainer.save(folder);
  return folder;
}

test("GrpoTrainer: seedling plays countdown in turns and learns from it; a resumed run ends with the same bytes", async () => {
  const whole = await openTrainer();
  const first = await stepOf(whole.trainer, 0);
  const middle = await saved(whole.trainer, "middle");
  const second = await stepOf(whole.trainer, 1);
  const end = await saved(whole.trainer, "end");
  await whole.trainer.close();
  await whole.registry.close();
  for (const metrics of [first, second])
    assert.ok(Number(metrics["invariant/step0_logp_maxdiff"]) < 2e-4, `${metrics["invariant/step0_logp_maxdiff"]}`);
  assert.ok(Number(first["num_turns/mean"]) > 1 && Number(first["env/valid_action_ratio"]) > 0, JSON.stringify(first));
  assert.ok(Number(first.grad_norm) > 0, `members of a group differ ${JSON.stringify(first)}`);

  const resumed = await openTrainer();
  await resumed.trainer.load(middle);
  assert.deepEqual(await stepOf(resumed.trainer, 1), second);
  const again = await saved(resumed.trainer, "again");
  await resumed.trainer.close();
  await resumed.registry.close();
  for (const name of readdirSync(end))
    assert.deepEqual(readFileSync(join(again, name)), readFileSync(join(end, name)), name);
  const weights = (folder: string) => readFileSync(join(folder, "model.safetensors"));
  assert.notDeepEqual(weights(middle), weights(end));
});
