/**
 * How often the detectors of reward hacking see something in honest completions: the table of docs/reward-hacking.md. Sets whose data is not on this
 * machine are left out; RLVR_DATA is the folder that holds gsm8k/ and reasoning-gym/.
 *
 *   RLVR_DATA=… node --import tsx bench/detectors.ts [--rows]
 */
import { DETECTORS, detect, NO_TREND, observeLengths, stepFigures, trendOf } from "../src/rewards/index.ts";
import { createRng } from "../src/utils/rng.ts";
import { type HonestSet, honestSets } from "../test/rewards/detectors/honest.ts";

const showRows = process.argv.includes("--rows");
const NO_STEPS = trendOf(NO_TREND);
const names = DETECTORS.map(({ name }) => name).filter((name) => name !== "length-farming");
console.log(`| honest set | completions | ${names.join(" | ")} | ms a completion |`);
console.log(`| --- | --- | ${names.map(() => "---").join(" | ")} | --- |`);
for (const set of await honestSets()) console.log(set.rows ? lineOf(set, set.rows) : `| ${set.name} | not here |`);
console.log(`\nlength-farming: ${farmingSteps()}`);

function lineOf({ name }: HonestSet, rows: NonNullable<HonestSet["rows"]>): string {
  const start = performance.now();
  const { counts, evidence } = detect(rows, NO_STEPS);
  const ms = (performance.now() - start) / rows.length;
  const cells = names.map((detector) => {
    const count = counts[detector];
    if (!count) return "–";
    return `${count.found} of ${count.of} (${((100 * count.found) / count.of).toFixed(2)} %)`;
  });
  if (showRows)
    evidence.forEach((seen, i) => {
      for (const [detector, words] of Object.entries(seen)) console.error(detector, rows[i]!.task.id, words);
    });
  return `| ${name} | ${rows.length} | ${cells.join(" | ")} | ${ms.toFixed(3)} |`;
}

/** Stationary runs: lengths of a log-normal law by problem and by completion, right or wrong by chance, longer ones right more often or not. */
function farmingSteps(): string {
  const [runs, steps] = [200, 60];
  let [flagged, seen] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const rng = createRng("farming").fork(run);
    const slope = rng.uniform() * 1.5; // right answers are longer by up to so much, as honest work may be
    let state = NO_TREND;
    for (let step = 0; step < steps; step++) {
      const rows = Array.from({ length: 64 }, (_, i) => {
        const group = Math.floor(i / 8);
        const typical = 4 + 0.5 * rng.fork("problem", step, group).normal();
        const z = rng.normal();
        const isRight = rng.uniform() < 1 / (1 + Math.exp(-slope * z));
        const tokens = Math.round(Math.exp(typical + 0.4 * z));
        return { group, tokens, outcome: isRight ? ("correct" as const) : ("wrong" as const), reward: isRight ? 1 : 0 };
      });
      state = observeLengths(state, stepFigures(rows));
      if (step < 15) continue;
      seen++;
      if (trendOf(state).isFarming) flagged++;
    }
  }
  return `${flagged} of ${seen} steps of ${runs} runs in which length and accuracy stay as they are`;
}
