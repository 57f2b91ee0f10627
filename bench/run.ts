/**
 * `npm run bench`: update, rollout and whole step beside what a user would pick instead, in one run. bench/README.md says how to read it.
 *
 *   npm run bench -- [--short] [--cases a,b] [--python venv/bin/python] [--rounds N] [--threads N] [--out FILE.jsonl] [--write]
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeFileAtomic } from "../src/utils/files.ts";
import { type BenchCase, CASES, PEAK } from "./performance/cases.ts";
import { load, machineFacts } from "./performance/machine.ts";
import { commandOf, findPeers, missing } from "./performance/peers.ts";
import { tableOf, withSection } from "./performance/results.ts";
import { rotate } from "./performance/rotate.ts";
import { root, SMOLLM2_GGUF } from "./performance/shapes.ts";
import { type Row, summarise } from "./performance/summary.ts";

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    cases: { type: "string" },
    python: { type: "string" },
    rounds: { type: "string" },
    threads: { type: "string", default: "2" },
    out: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const threads = wholeNumber("threads", values.threads);
const rounds = wholeNumber("rounds", values.rounds ?? (values.short ? "3" : "5"));
const peers = findPeers(values.python);
const chosen = chooseCases();
const RESULTS = join(root, "bench/results.md");
const trend: string[] = [];
let failed = false;

if (load() > 0.5)
  tell(`other work is running on this machine (load ${load().toFixed(1)}): ratios hold better than seconds do`);
for (const one of chosen) await runCase(one);
if (values.short) console.log(`bench trend: ${trend.join(" · ")}`);
process.exitCode = failed ? 1 : 0;

async function runCase(one: BenchCase): Promise<void> {
  if (one.needsSmolLM2 && !existsSync(SMOLLM2_GGUF))
    return tell(`${one.name} is left out: SmolLM2 is missing; it comes with: bash scripts/fetch-smollm2`);
  const left = one.runners.flatMap((runner) => {
    const reason = missing(runner, peers);
    return reason === null ? [] : [{ runner, text: `${runner.name} left out: ${reason}` }];
  });
  if (!values.short) for (const { text } of left) tell(`${one.name}: ${text}`);
  const runners = one.runners.filter((runner) => !left.some((out) => out.runner === runner));
  const withPeak = runners.includes(PEAK) || values.short ? runners : [...runners, PEAK];
  const before = load();
  const results = await rotate(
    withPeak.map((runner) => ({ name: runner.name, ...commandOf(runner, peers, threads) })),
    { rounds, warm: 1, note: (text) => values.short || tell(`${one.name}: ${text}`) },
  );
  const failures = results.flatMap(({ name, failure }) => (failure === null ? [] : [`${name} failed: ${failure}`]));
  for (const text of failures) tell(`${one.name}: ${text}`);
  if (results.some(({ failure }, i) => failure !== null && withPeak[i]!.kind === "ours")) failed = true;
  const rows = summarise(
    results,
    results.find(({ name }) => name === PEAK.name),
  );
  const table = tableOf(rows);
  const facts = [...machineFacts(results, { threads, load: before, rounds }), ...left.map(({ text }) => text)];
  if (rows[0]?.name === withPeak[0]!.name) trend.push(`${one.name} ${rateOf(rows[0])}`);
  if (!values.short) console.log(`\n## ${one.name}\n\n${one.what}\n\n${table}\n\n${facts.join("\n")}\n`);
  if (values.out !== undefined)
    for (const result of results)
      appendFileSync(values.out, `${JSON.stringify({ case: one.name, ...result, facts })}\n`);
  if (values.write && !failed) {
    const text = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : "";
    writeFileAtomic(RESULTS, withSection(text, { name: one.name, what: one.what, facts, table }));
  }
}

function chooseCases(): readonly BenchCase[] {
  const names = values.cases?.split(",");
  if (!names) return CASES.filter(({ short, name }) => (values.short ? short || name === "matmul" : true));
  const unknown = names.filter((name) => !CASES.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new Error(
      `--cases: there is no ${unknown.join(", ")}; there are ${CASES.map(({ name }) => name).join(", ")}`,
    );
  return CASES.filter(({ name }) => names.includes(name));
}

function rateOf({ tokensPerSecond, gflops, seconds }: Row): string {
  if (tokensPerSecond !== null) return `${tokensPerSecond.toFixed(0)} tokens/s`;
  return gflops === null ? `${seconds.median.toFixed(3)} s` : `${gflops.toFixed(0)} GFLOP/s`;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1, not ${text}`);
  return value;
}

function tell(text: string): void {
  console.error(`bench: ${text}`);
}
