// Processor time and memory of the math reward on data/math-equivalence.jsonl, on one core, beside Math-Verify 0.9.0 where Python has it.
//
//   node bench/math-equivalence.mjs [PAIRS] [--python PATH]
//
// PAIRS (default 100,000): how many pairs the memory is watched over. Math-Verify runs in the same way in one Python process:
//   python3 -m venv venv && venv/bin/pip install "math-verify[antlr4_13_2]==0.9.0"
//   node bench/math-equivalence.mjs --python venv/bin/python
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { register } from "tsx/esm/api";

register();
const { judgeCompletion } = await import("../src/rewards/math/index.ts");

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const data = at("../data/math-equivalence.jsonl");
const pythonAt = process.argv.indexOf("--python");
const python = pythonAt > 0 ? process.argv[pythonAt + 1] : "python3";
const pairs = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 100_000);
const rows = readFileSync(data, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const options = { thinking: "after", from: "anything" };
const judge = ({ answer, gold }) => judgeCompletion(answer, gold, options).outcome === "correct";

/** Processor time of each row in ms, the best of several rounds: what else runs on the machine counts less than with a clock. */
function timed(rounds) {
  const best = new Array(rows.length).fill(Number.POSITIVE_INFINITY);
  const verdicts = [];
  for (let round = 0; round < rounds; round++) {
    rows.forEach((row, i) => {
      const start = process.cpuUsage();
      verdicts[i] = judge(row);
      const { user, system } = process.cpuUsage(start);
      best[i] = Math.min(best[i], (user + system) / 1000);
    });
  }
  return { best, verdicts };
}

/** One line of the table. */
function line(name, times, verdicts) {
  const sorted = [...times].sort((a, b) => a - b);
  const part = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(2);
  const worst = times.indexOf(sorted.at(-1));
  const certain = rows.map((row, i) => ({ row, verdict: verdicts[i] })).filter(({ row }) => row.label === "certain");
  const right = certain.filter(({ row, verdict }) => row.equal === verdict).length;
  const accepted = certain.filter(({ row, verdict }) => !row.equal && verdict).length;
  return [
    name.padEnd(18),
    part(0.5).padStart(9),
    part(0.99).padStart(9),
    `${sorted.at(-1).toFixed(1)} (${rows[worst].id})`.padStart(22),
    `${right} of ${certain.length}`.padStart(12),
    String(accepted).padStart(9),
  ].join("  ");
}

/** Heap and resident memory in MiB, while the rows are judged again and again. */
function watchMemory() {
  const short = rows.filter(({ answer }) => answer.length < 20_000);
  const seen = [];
  for (let i = 0; i <= pairs; i++) {
    judge(short[i % short.length]);
    if (i % Math.ceil(pairs / 5) !== 0 && i !== pairs) continue;
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    seen.push(`${i.toLocaleString("en")}: ${(heapUsed / 2 ** 20).toFixed(0)} / ${(rss / 2 ** 20).toFixed(0)}`);
  }
  return seen.join("  ·  ");
}

function mathVerify() {
  const found = spawnSync(python, [at("./math-equivalence-math-verify.py"), data], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (found.status !== 0) return null;
  const lines = found.stdout
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text));
  return { times: lines.map(({ ms }) => ms), verdicts: lines.map(({ verdict }) => verdict) };
}

console.log(
  `${cpus()[0].model}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}, ${rows.length} rows, one thread`,
);
const first = timed(1);
const own = timed(3);
console.log(`${"".padEnd(18)}  median ms    p99 ms                worst ms         right   accepted`);
console.log(line("rlvr, first pass", first.best, first.verdicts));
console.log(line("rlvr", own.best, own.verdicts));
const other = mathVerify();
if (other) console.log(line("math-verify 0.9.0", other.times, other.verdicts));
else
  console.log(
    'math-verify: not installed. python3 -m venv venv && venv/bin/pip install "math-verify[antlr4_13_2]==0.9.0", then --python venv/bin/python',
  );
console.log(`memory, heap / resident MiB after n pairs  ${watchMemory()}`);
