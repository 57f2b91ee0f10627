// How often the 95 % intervals of src/run/statistics hold the truth, and how often the paired test finds a difference where there is none, in worlds in
// which the truth is known. A larger form of test/run/statistics/simulation.test.ts; a minute or two.
//
//   node --import tsx bench/statistics.ts [TIMES]
import { compareScores, crossedDraws, crossedInterval, interquartileMean } from "../src/run/statistics/index.ts";
import { createRng } from "../src/utils/rng.ts";
import { drawProblems, drawScores, type World } from "../test/run/statistics/simulated.ts";

const times = Number(process.argv[2] ?? 4000);
const world = (seeds: number, problems: number, problemSpread: number, seedSpread: number, samples = 8): World => ({
  ...{ seeds, problems, samples, problemSpread, seedSpread },
});
const WORLDS = [
  world(5, 331, 0.4, 0.03),
  world(5, 331, 0.4, 0.06),
  world(5, 331, 0.4, 0),
  world(5, 60, 0.4, 0.06),
  world(5, 60, 0.4, 0.06, 1),
  world(10, 100, 0.4, 0.03),
  world(3, 331, 0.4, 0.03),
  world(3, 40, 0.3, 0.1),
  world(3, 100, 0.3, 0),
  world(2, 331, 0.3, 0.03),
  world(1, 331, 0.4, 0),
  world(5, 12, 0.3, 0.05),
];

console.log(
  "| seeds | problems | samples | spread of problems | of seeds | mean in interval, % | IQM in interval, % | false positives, % |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
for (const one of WORLDS) {
  const rng = createRng(`bench ${JSON.stringify(one)}`);
  const draws = crossedDraws(one.seeds, one.problems, rng, 400);
  let [mean, middle, found, middles] = [0, 0, 0, 0];
  for (let i = 0; i < times; i++) {
    const chances = drawProblems(one, rng);
    const [a, b] = [drawScores(one, chances, rng), drawScores(one, chances, rng)];
    if (holds(crossedInterval(a, draws, { range: [0, 1] }))) mean++;
    if (compareScores(a, b, [0, 1]).p! < 0.05) found++;
    if (i % 10 > 0) continue; // sorting takes its time
    middles++;
    if (holds(crossedInterval(a, draws, { range: [0, 1], statistic: interquartileMean }))) middle++; // symmetrical: 0.5 is the truth of both
  }
  const share = (count: number, of: number): string => ((100 * count) / of).toFixed(1);
  const { seeds, problems, samples, problemSpread, seedSpread } = one;
  console.log(
    `| ${seeds} | ${problems} | ${samples} | ±${problemSpread} | ±${seedSpread} | ${share(mean, times)} | ${share(middle, middles)} | ${share(found, times)} |`,
  );
}

function holds({ low, high }: { low: number; high: number }): boolean {
  return low <= 0.5 && high >= 0.5;
}
