// What each entropy control does to a policy that loses its entropy: recipes/entropy-study.yaml with each control over three seeds. Runs that
// are finished are not run again. Prints a table for EXPERIMENTS.md.
//
//   node bench/entropy-study.mjs [--out FOLDER] [--only NAME,…] [--seeds 1,2,3] [--table]
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

/** Of recipes/entropy-study.yaml. */
const STEPS = 150;
const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(root, "runs", "entropy-study") },
    only: { type: "string" },
    seeds: { type: "string", default: "1,2,3" },
    table: { type: "boolean", default: false },
  },
});

const control = (name, options = {}) =>
  ["name", ...Object.keys(options)].map((key) => [`control.${key}`, { name, ...options }[key]]);
/** All problems are sampled again: what AEPO can do is bounded by the right answers among the auxiliary rows. */
const aepo = (target) =>
  control("aepo", { target, lowTemperature: 0.5, highTemperature: 1.5, maxRows: 128, promptShare: 1, entropy: "full" });
/** Methods that work by the drift within a step need several updates a rollout. */
const OFF_POLICY = [
  ["update.miniBatches", 2],
  ["update.epochs", 2],
  ["optimizer.lr", 0.0003],
];
/** Name of a row → changes of the recipe. */
const VARIANTS = {
  grpo: [],
  "bonus 0.003": control("entropy-bonus", { coefficient: 0.003 }),
  "bonus 0.03": control("entropy-bonus", { coefficient: 0.03 }),
  "bonus 0.1": control("entropy-bonus", { coefficient: 0.1 }),
  "bonus 0.3": control("entropy-bonus", { coefficient: 0.3 }),
  "siren 0.005": control("siren"),
  "siren 1": control("siren", { coefficient: 1 }),
  "siren 3": control("siren", { coefficient: 3 }),
  "siren 10": control("siren", { coefficient: 10 }),
  "aepo 0.10": aepo(0.1),
  "aepo 0.15": aepo(0.15),
  "aepo 0.20": aepo(0.2),
  "aepo 0.25": aepo(0.25),
  "epo 0.03": control("epo", { coefficient: 0.03, alpha: 0.5, lowRatio: 0.8, highRatio: 1.2 }),
  "epo 0.1": control("epo", { coefficient: 0.1, alpha: 0.5, lowRatio: 0.8, highRatio: 1.2 }),
  "epo 0.2": control("epo", { coefficient: 0.2, alpha: 0.5, lowRatio: 0.8, highRatio: 1.2 }),
  "lp-reg": [...OFF_POLICY, ["objective.loss.name", "clip-wide"], ...control("lp-reg", { rho: 0.05, kappa: 0.05 })],
  "grpo 4 updates": OFF_POLICY,
  "clip-higher 4 updates": [...OFF_POLICY, ["objective.loss.clipHigh", 0.28]],
  "adaptive 0.2": control("adaptive-entropy", { target: 0.2, delta: 0.005, max: 0.15 }),
  "clip-cov": [...OFF_POLICY, ...control("clip-cov", { ratio: 0.01, low: 0.5, high: 50 })],
  "kl-cov": [...OFF_POLICY, ...control("kl-cov", { ratio: 0.02 })],
  "forking 0.2": control("forking-tokens"),
  "entropy advantage": control("entropy-advantage"),
};
const seeds = values.seeds.split(",").map(Number);
const only = values.only?.split(",") ?? Object.keys(VARIANTS);
const unknown = only.find((name) => !(name in VARIANTS));
if (unknown !== undefined) {
  console.error(`--only ${unknown}: must be one of ${Object.keys(VARIANTS).join(", ")}`);
  process.exit(2);
}

const rows = [];
for (const name of only) {
  const runs = seeds.map((seed) => run(name, seed)).filter(Boolean);
  if (runs.length > 0) rows.push({ name, ...summary(runs) });
}
printTable(rows);

/** Runs one variant with one seed, or finds it done. */
function run(name, seed) {
  const folder = join(values.out, `${name.replaceAll(/\W+/g, "-")}-s${seed}`);
  const metrics = join(folder, "metrics.jsonl");
  if (!isDone(metrics)) {
    if (values.table) return null;
    const sets = VARIANTS[name].flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const resume = existsSync(folder) ? ["--resume"] : [];
    const args = [
      "bin/rlvr.js",
      "train",
      "recipes/entropy-study.yaml",
      "--seed",
      String(seed),
      "--threads",
      "1",
      "-q",
      "--out",
      folder,
    ];
    const { status } = spawnSync(process.execPath, [...args, ...sets, ...resume], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) {
      console.error(`entropy-study: ${name}, seed ${seed}: exit ${status}`);
      return null;
    }
  }
  return { lines: lines(metrics), samples: lastSamples(join(folder, "samples.jsonl.gz")) };
}

function lines(path) {
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function isDone(path) {
  return existsSync(path) && lines(path).at(-1)?.step === STEPS;
}

function lastSamples(path) {
  return gunzipSync(readFileSync(path))
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ step }) => step > STEPS - 10);
}

function summary(runs) {
  const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;
  const over = (of) => {
    const list = runs.map(of);
    return { mean: mean(list), low: Math.min(...list), high: Math.max(...list) };
  };
  const entropy = ({ lines: all }, from, to) =>
    mean(all.filter(({ step }) => step > from && step <= to).map((line) => line.entropy));
  const CORRIDOR = [0.8, 1.2]; // EPO's, around the mean entropy of the steps before
  const inside = ({ lines: all }) => {
    const steps = all.filter(({ step }) => step > 0);
    const checks = steps.flatMap((line, k) => {
      if (k < STEPS / 2) return [];
      const reference = mean(steps.slice(0, k).map((before) => before["entropy/rollout"]));
      return [0, 1]
        .map((turn) => line[`entropy/turn_${turn}`])
        .filter((value) => value !== undefined)
        .map((value) => (value >= CORRIDOR[0] * reference && value <= CORRIDOR[1] * reference ? 1 : 0));
    });
    return 100 * mean(checks);
  };
  const val = (line, name) => line[`val-core/countdown/acc/${name}`];
  return {
    first: over((r) => entropy(r, 0, 5)),
    half: over((r) => entropy(r, STEPS / 2, STEPS)),
    last: over((r) => entropy(r, STEPS - 5, STEPS)),
    inside: over(inside),
    p1: over((r) => 100 * val(r.lines.at(-1), "pass@1")),
    p8: over((r) => 100 * val(r.lines.at(-1), "pass@8")),
    tries: over((r) =>
      mean(r.samples.map(({ text }) => text.split(" no").filter((part) => part.trim() !== "").length)),
    ),
    length: over((r) => mean(r.lines.slice(-10).map((line) => line["completions/mean_length"]))),
    seconds: over((r) => mean(r.lines.slice(1).map((line) => line["timing_s/update_actor"]))),
    runs: runs.length,
  };
}

function printTable(all) {
  const cell = ({ mean, low, high }, digits) =>
    `${mean.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
  console.log(
    "| control | seeds | entropy first 5 | entropy second half | entropy last 5 | turns in corridor, % | pass@1 | pass@8 | tries | tokens |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const row of all) {
    const cells = [
      cell(row.first, 3),
      cell(row.half, 3),
      cell(row.last, 3),
      cell(row.inside, 0),
      cell(row.p1, 1),
      cell(row.p8, 1),
      cell(row.tries, 2),
      cell(row.length, 1),
    ];
    console.log(`| ${row.name} | ${row.runs} | ${cells.join(" | ")} |`);
  }
}
