import assert from "node:assert/strict";
import { test } from "node:test";
import { compareScores, crossedDraws, crossedInterval } from "../../../src/run/statistics/index.ts";
import { createRng } from "../../../src/utils/rng.ts";
import { drawProblems, drawScores, type World } from "./simulated.ts";

// Small and seeded; bench/statistics.ts has more worlds and more draws.
const WORLDS: readonly (readonly [name: string, world: World])[] = [
  ["5 seeds that differ", { seeds: 5, problems: 60, samples: 8, problemSpread: 0.4, seedSpread: 0.06 }],
  ["5 seeds that do not", { seeds: 5, problems: 60, samples: 4, problemSpread: 0.4, seedSpread: 0 }],
  ["3 seeds", { seeds: 3, problems: 40, samples: 8, problemSpread: 0.3, seedSpread: 0.1 }],
];

for (const [name, world] of WORLDS) {
  test(`crossedInterval: 93 to 97 % of the 95 % intervals hold the truth (${name})`, () => {
    const rng = createRng(`coverage ${name}`);
    const draws = crossedDraws(world.seeds, world.problems, rng, 300);
    const times = 1500;
    let held = 0;
    for (let i = 0; i < times; i++) {
      const { low, high } = crossedInterval(drawScores(world, drawProblems(world, rng), rng), draws, { range: [0, 1] });
      if (low <= 0.5 && high >= 0.5) held++;
    }
    assert.ok(held / times >= 0.93 && held / times <= 0.97, `${(100 * held) / times} %`);
  });

  test(`compareScores: 5 ± 1 % of methods that are equal differ at the 5 % level (${name})`, () => {
    const rng = createRng(`false positives ${name}`);
    const times = 3000;
    let found = 0;
    for (let i = 0; i < times; i++) {
      const chances = drawProblems(world, rng);
      const [a, b] = [drawScores(world, chances, rng), drawScores(world, chances, rng)];
      if (compareScores(a, b, [0, 1]).p! < 0.05) found++;
    }
    assert.ok(found / times >= 0.04 && found / times <= 0.06, `${(100 * found) / times} %`);
  });
}

test("compareScores: a difference of the size that the plan says is found in about 80 % of the cases", async () => {
  const { detectableDifference, plannedSpread } = await import("../../../src/run/statistics/index.ts");
  const world = { seeds: 5, problems: 60, samples: 8, problemSpread: 0.2, seedSpread: 0.05 };
  const seedDeviation = (Math.SQRT2 * 0.05) / Math.sqrt(3); // of a difference of two uniform values
  const plan = { seeds: 5, problems: 60, samples: 8, accuracy: 0.5, seedDeviation, problemDeviation: 0 };
  const gain = detectableDifference(plannedSpread(plan));
  const rng = createRng("power");
  const times = 1000;
  let found = 0;
  for (let i = 0; i < times; i++) {
    const chances = drawProblems(world, rng);
    const better = chances.map((chance) => chance + gain);
    if (compareScores(drawScores(world, chances, rng), drawScores(world, better, rng), [0, 1]).p! < 0.05) found++;
  }
  assert.ok(found / times >= 0.74 && found / times <= 0.86, `${gain}: ${(100 * found) / times} %`);
});
