import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareScores,
  crossedDraws,
  crossedInterval,
  detectableDifference,
  holm,
  interquartileMean,
  majorityAtK,
  passAtAllK,
  performanceProfile,
  plannedSpread,
  seedInterval,
  spreadOf,
  studentQuantile,
  studentTail,
} from "../../../src/run/statistics/index.ts";
import { incompleteBeta } from "../../../src/run/statistics/student.ts";
import { createRng } from "../../../src/utils/rng.ts";

const rng = createRng("statistics");
const SHARES = [0, 1] as const;

function isNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} instead of ${expected}`);
}

test("studentQuantile: agrees with printed tables, and with closed forms at one and two degrees", () => {
  for (const [level, degrees, value] of [
    [0.975, 1, 12.7062],
    [0.975, 2, 4.3027],
    [0.975, 4, 2.7764],
    [0.95, 10, 1.8125],
    [0.995, 5, 4.0321],
    [0.8, 19, 0.861],
    [0.975, 30, 2.0423],
    [0.975, 120, 1.9799],
    [0.975, Number.POSITIVE_INFINITY, 1.96],
  ] as const)
    isNear(studentQuantile(level, degrees), value, 5e-5 * (1 + value));
  isNear(studentQuantile(0.9, 1), Math.tan(0.4 * Math.PI), 1e-9);
  isNear(studentQuantile(0.9, 2), 0.8 / Math.sqrt(2 * 0.9 * 0.1), 1e-9);
  isNear(studentQuantile(0.1, 2), -0.8 / Math.sqrt(2 * 0.9 * 0.1), 1e-9);
  assert.throws(() => studentQuantile(1, 3), /needs a level in \(0, 1\)/);
});

test("studentTail: the arctangent at one degree; printed values; every chance at 0, none at infinity", () => {
  for (const t of [0.1, 1, 3, 50]) isNear(studentTail(t, 1), 1 - (2 / Math.PI) * Math.atan(t), 1e-12);
  isNear(studentTail(2, 10), 0.07339, 5e-6);
  isNear(studentTail(-2.571, 5), 0.05, 5e-5);
  assert.deepEqual([studentTail(0, 3), studentTail(Number.POSITIVE_INFINITY, 3)], [1, 0]);
});

test("incompleteBeta: the sum of binomial chances for whole numbers", () => {
  // I_x(a, b) = P(Binomial(a + b − 1, x) >= a): for 3 and 2 at 0.4, 4 · 0.4³ · 0.6 + 0.4⁴ = 0.1792
  isNear(incompleteBeta(0.4, 3, 2), 0.1792, 1e-12);
  isNear(incompleteBeta(0.9, 1, 4), 1 - 0.1 ** 4, 1e-12);
});

test("passAtAllK: for all k, the share of all subsets of k samples that hold a right one, by enumeration", () => {
  for (let n = 1; n <= 8; n++)
    for (let right = 0; right <= n; right++) {
      const curve = passAtAllK([right], n);
      assert.equal(curve.length, n);
      for (let k = 1; k <= n; k++) {
        let [all, hit] = [0, 0];
        for (let bits = 0; bits < 1 << n; bits++) {
          if (bits.toString(2).replaceAll("0", "").length !== k) continue;
          all++;
          if ((bits & ((1 << right) - 1)) !== 0) hit++; // the first samples are the right ones
        }
        isNear(curve[k - 1]![0]!, hit / all, 1e-12);
      }
    }
});

test("majorityAtK: by hand; samples without an answer have no vote, at a tie the first answer wins", () => {
  const [a, b, none] = [
    { answer: "7", correct: true },
    { answer: "8", correct: false },
    { answer: null, correct: false },
  ];
  assert.equal(majorityAtK([a, b, b], 1, rng), 1 / 3);
  // pairs of a b a b: ab a, aa a, ab a, ba b, bb b, ab a
  assert.equal(majorityAtK([a, b, a, b], 2, rng), 4 / 6);
  assert.equal(majorityAtK([b, a, a, b, a], 5, rng), 1);
  assert.equal(majorityAtK([none, none, a], 2, rng), 2 / 3);
  assert.throws(() => majorityAtK([a], 2, rng), /n=1, k=2/);
  // 18 right of 24: the right answer has most of 12 drawn ones, the tie at 6 (in which the first decides) has a chance of 0.0069
  const many = Array.from({ length: 24 }, (_, i) => (i % 4 === 3 ? b : a));
  assert.ok(majorityAtK(many, 12, rng) > 0.98);
});

test("spreadOf: a two-way table by hand", () => {
  // seeds' means 2, 4; problems' means 2, 2, 5; mean 3. MS_seed = 3 · (1 + 1) / 1 = 6; MS_problem = 2 · (1 + 1 + 4) / 2 = 6;
  // rests ±1, ∓1, 0: MS_rest = 4 / 2 = 2; variance (6 + 4) / 6
  const { mean, standardError, degrees } = spreadOf([
    [2, 0, 4],
    [2, 4, 6],
  ]);
  assert.equal(mean, 3);
  isNear(standardError, Math.sqrt(10 / 6), 1e-12);
  // Satterthwaite: 100 / (36 / 1 + 36 / 2 + 4 / 2) = 1.786; Cochran: (6 · t(1) + 4 · t(2)) / 10 = 0.6 · 12.7062 + 0.4 · 4.3027
  const cochran = 0.6 * 12.7062 + 0.4 * 4.3027;
  isNear(studentQuantile(0.975, degrees), (studentQuantile(0.975, 100 / 56) + cochran) / 2, 1e-4);
});

test("spreadOf: where problems add nothing it is Student's over the seeds' means", () => {
  // problems' means are equal: MS_problem 0; seeds' means 1, 2, 3, 6 as below
  const { standardError, degrees } = spreadOf([
    [0, 2],
    [3, 1],
    [2, 4],
    [7, 5],
  ]);
  isNear(standardError, Math.sqrt(14 / 12), 1e-12);
  assert.equal(degrees, 3);
});

test("spreadOf: one seed is Student's over problems, one problem over seeds, one value says nothing", () => {
  // 1, 2, 3, 6: mean 3, squares 4 + 1 + 0 + 9 = 14, standard error sqrt(14 / 3 / 4)
  const one = { mean: 3, standardError: Math.sqrt(14 / 12), degrees: 3 };
  assert.deepEqual(spreadOf([[1, 2, 3, 6]]), one);
  assert.deepEqual(spreadOf([[1], [2], [3], [6]]), one);
  assert.ok(Number.isNaN(spreadOf([[1]]).standardError));
  assert.throws(() => spreadOf([[1, 2], [1]]), /same problems for each seed, got 2,1/);
});

test("crossedInterval: without width nothing is hidden: all right among 20 problems is not sure beyond 83 %", () => {
  const draws = crossedDraws(2, 20, rng, 100);
  const all = (value: number) => [new Array<number>(20).fill(value), new Array<number>(20).fill(value)];
  // Clopper and Pearson for 20 of 20: 0.025^(1/20) = 0.8316
  const sure = crossedInterval(all(1), draws, { range: SHARES });
  assert.deepEqual([sure.value, sure.high], [1, 1]);
  isNear(sure.low, 0.8316, 5e-5);
  isNear(crossedInterval(all(0), draws, { range: SHARES }).high, 0.1684, 5e-5);
  assert.deepEqual(crossedInterval(all(0.5), draws, { range: SHARES }), { value: 0.5, low: 0.5, high: 0.5 });
});

test("crossedInterval: as wide as Student's interval where the bootstrap is symmetrical, inside the range where it is not", () => {
  const scores = Array.from({ length: 4 }, (_, s) =>
    Array.from({ length: 50 }, (_, p) => 0.5 + 0.02 * (s - 1.5) + 0.3 * Math.sin(p)),
  );
  const { mean, standardError, degrees } = spreadOf(scores);
  const { value, low, high } = crossedInterval(scores, crossedDraws(4, 50, rng));
  const width = 2 * studentQuantile(0.975, degrees) * standardError;
  assert.equal(value, mean);
  isNear(high - low, width, 1e-9);
  const rare = [[1, ...new Array<number>(11).fill(0)]];
  const cut = crossedInterval(rare, crossedDraws(1, 12, rng), { range: SHARES });
  assert.ok(cut.low >= 0 && cut.low < cut.value && cut.value < cut.high, JSON.stringify(cut));
});

test("seedInterval: Student's by hand, cut to the range", () => {
  // 0.1, 0.3: mean 0.2, standard error 0.1, t(1) = 12.7062
  assert.deepEqual(seedInterval([0.1, 0.3], [0, 10]).low, 0);
  isNear(seedInterval([0.1, 0.3], [0, 10]).high, 0.2 + 1.27062, 1e-5);
  assert.deepEqual(seedInterval([0.4], SHARES), { value: 0.4, low: 0, high: 1 });
});

test("compareScores: two runs paired over problems by hand, the interval cut to what differences can be", () => {
  // differences 0.5, 0, 0.5, 1: mean 0.5, standard error 0.204124, t(3) = 3.182446; t = 2.449490 with 3 degrees has p = 0.091721
  const { difference, low, high, p } = compareScores([[0, 0.5, 0.5, 0]], [[0.5, 0.5, 1, 1]], SHARES);
  assert.deepEqual([difference, high], [0.5, 1]);
  isNear(low, 0.5 - 3.182446 * 0.204124, 1e-5);
  isNear(p!, 0.0917, 5e-5);
});

test("compareScores: equal methods, one pair, and sizes that do not fit", () => {
  const scores = [
    [0, 1, 0.5],
    [1, 1, 0],
  ];
  const same = compareScores(scores, scores, SHARES);
  assert.deepEqual([same.difference, same.low, same.high, same.p], [0, 0, 0, 1]);
  const single = compareScores([[0.25]], [[0.5]], SHARES);
  assert.deepEqual([single.difference, single.low, single.high, single.p], [0.25, -1, 1, null]);
  assert.throws(() => compareScores(scores, [[0, 1, 0.5]], SHARES), /2 against 1 seeds/);
  assert.throws(() => compareScores([[0, 1]], [[0]], SHARES), /2 against 1 problems/);
});

test("holm: as R's p.adjust(method = 'holm'), with comparisons that have no p left out", () => {
  const adjusted = holm([0.05, 0.01, 0.04, null, 0.02, 0.03]);
  [0.09, 0.05, 0.09, null, 0.08, 0.09].forEach((expected, i) => {
    if (expected === null) assert.equal(adjusted[i], null);
    else isNear(adjusted[i]!, expected, 1e-12);
  });
  assert.deepEqual(holm([0.6, 0.7]), [1, 1]);
  assert.deepEqual(holm([]), []);
});

test("detectableDifference: 20 pairs show an effect of 0.66 deviations with a power of 80 %", () => {
  // Bloom's multiplier with 19 degrees: 2.0930 + 0.8610 = 2.9540; G*Power gives 0.66 for the same
  isNear(detectableDifference({ standardError: 1 / Math.sqrt(20), degrees: 19 }), 2.954 / Math.sqrt(20), 1e-4);
  const strict = detectableDifference({ standardError: 1, degrees: 19 }, { level: 0.05 / 5, power: 0.8 });
  isNear(strict, 2.8609 + 0.861, 1e-4);
});

test("plannedSpread: by hand, and the spread of runs that are as assumed", () => {
  // rest 2 · 0.25 / 8 = 0.0625; seed 100 · 0.0004 + 0.0625 = 0.1025; added 5 · 0.01 = 0.05; sqrt(0.1525 / 500)
  const plan = { seeds: 5, problems: 100, samples: 8, accuracy: 0.5, seedDeviation: 0.02, problemDeviation: 0.1 };
  const { standardError, degrees } = plannedSpread(plan);
  isNear(standardError, Math.sqrt(0.1525 / 500), 1e-12);
  const satterthwaite = 0.1525 ** 2 / (0.1025 ** 2 / 4 + 0.1125 ** 2 / 99 + 0.0625 ** 2 / 396);
  const cochran = (0.1025 * 2.7764 + 0.05 * 1.9842) / 0.1525;
  isNear(studentQuantile(0.975, degrees), (studentQuantile(0.975, satterthwaite) + cochran) / 2, 1e-4);
  let squares = 0;
  const draws = 200;
  for (let i = 0; i < draws; i++) {
    const difficulty = Array.from({ length: 100 }, () => 0.1 * rng.normal());
    const table = Array.from({ length: 5 }, () => {
      const seed = 0.02 * rng.normal();
      return difficulty.map((value) => value + seed + 0.25 * rng.normal()); // 0.25² = 0.0625
    });
    squares += spreadOf(table).standardError ** 2 / draws;
  }
  isNear(Math.sqrt(squares), standardError, 0.05 * standardError);
  const one = plannedSpread({ ...plan, seeds: 1 });
  isNear(one.standardError, Math.sqrt(0.0725 / 100), 1e-12);
  assert.equal(one.degrees, 99);
});

test("interquartileMean and performanceProfile: by hand, as scipy's trim_mean(x, 0.25) and mean(x > t)", () => {
  assert.equal(interquartileMean([100, 0, 1, 2, 3, 4, 5, 6]), 3.5);
  assert.equal(interquartileMean([9, 1, 2, 3, 4, 5, 6, 7, 8, 1000]), 5.5, "two of ten are cut at each end");
  assert.equal(interquartileMean([2, 5]), 3.5);
  assert.deepEqual(performanceProfile([0, 0.25, 0.5, 1], [0, 0.25, 0.6, 1]), [0.75, 0.5, 0.25, 0]);
});
