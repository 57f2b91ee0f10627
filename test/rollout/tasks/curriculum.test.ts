import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CurriculumConfig,
  type CurriculumState,
  difficulty,
  observe,
  startCurriculum,
} from "../../../src/rollout/tasks/curriculum.ts";
import { createRng } from "../../../src/utils/rng.ts";

function start(options: object = {}): CurriculumState {
  return startCurriculum(CurriculumConfig.parse(options));
}

/** Difficulties after each of the pass rates. */
function run(state: CurriculumState, rates: readonly number[]): number[] {
  let now = state;
  return rates.map((rate) => {
    now = observe(now, rate);
    return difficulty(now);
  });
}

test("curriculum: a full window outside the band moves difficulty one step, and the window begins anew", () => {
  const state = start({ window: 3, step: 0.1 });
  assert.deepEqual(run(state, [1, 1, 1, 1, 1, 1, 0.5, 0.5]), [0, 0, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2]);
  // mean of the last three: 0.67, 0.33, 0, below 0.3 only then
  assert.deepEqual(
    run(start({ window: 3, step: 0.1, start: 0.5 }), [1, 1, 0, 0, 0, 0]),
    [0.5, 0.5, 0.5, 0.5, 0.4, 0.4],
  );
});

test("curriculum: inside the band nothing moves, the window slides", () => {
  assert.deepEqual(run(start({ window: 2, start: 0.4 }), Array(20).fill(0.5)), Array(20).fill(0.4));
  assert.deepEqual(run(start({ window: 2, start: 0.4 }), [0.7, 0.7, 0.3, 0.3]), [0.4, 0.4, 0.4, 0.4]); // the bounds belong to it
});

test("curriculum: difficulty stays between its bounds and lands on round numbers", () => {
  const up = run(start({ window: 1, max: 0.3 }), Array(10).fill(1));
  assert.deepEqual(up, [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.3, 0.3, 0.3, 0.3]);
  assert.deepEqual(run(start({ window: 1, start: 0.25, min: 0.2 }), [0, 0, 0]), [0.2, 0.2, 0.2]);
});

test("curriculum: the state is plain JSON and decides alone", () => {
  const rng = createRng(5);
  let [kept, restored] = [start({ window: 2 }), start({ window: 2 })];
  for (let i = 0; i < 100; i++) {
    const rate = rng.uniform();
    kept = observe(kept, rate);
    restored = observe(JSON.parse(JSON.stringify(restored)), rate);
  }
  assert.deepEqual(kept, restored);
});

test("curriculum: difficulty follows a learner's skill and keeps its pass rate in the band", () => {
  // passes tasks of difficulty d with probability 1 / (1 + exp(12 (d - skill))): 0.3 and 0.7 lie 0.07 from the skill
  const rng = createRng("learner");
  let state = start({ window: 4 });
  const gaps: number[] = [];
  for (let step = 0; step < 600; step++) {
    const skill = 0.1 + (0.8 * step) / 600;
    const chance = 1 / (1 + Math.exp(12 * (difficulty(state) - skill)));
    const passed = Array.from({ length: 64 }, () => rng.uniform() < chance).filter(Boolean).length;
    state = observe(state, passed / 64);
    if (step > 50) gaps.push(Math.abs(difficulty(state) - skill));
  }
  assert.ok(Math.max(...gaps) < 0.15, String(Math.max(...gaps)));
  assert.ok(difficulty(state) > 0.75);
});

test("curriculum: a pass rate that is none, and bounds that contradict each other, are refused", () => {
  for (const rate of [-0.1, 1.1, Number.NaN]) assert.throws(() => observe(start(), rate), /from 0 to 1/);
  assert.throws(() => CurriculumConfig.parse({ low: 0.7, high: 0.7 }), /below high/);
  assert.throws(() => CurriculumConfig.parse({ start: 0.1, min: 0.2 }), /from min to max/);
});
