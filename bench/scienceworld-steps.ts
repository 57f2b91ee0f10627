/**
 * Steps per second of ScienceWorld through our client, beside the simulator's own Python client: the same four calls (step, score, completed, moves), and the
 * default `step` of each; then several environments at once, with the memory of each JVM. Rounds alternate between the two, and the best round of each counts,
 * so that other work on the machine weighs on both alike.
 *
 *   node --import tsx bench/scienceworld-steps.ts [--python PATH] [--seconds N] [--rounds N] [--worlds N]
 *
 * The Python client comes with `pip install scienceworld==1.2.3`; without it only our figures are printed.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ScienceWorld } from "../src/rollout/envs/scienceworld/simulator.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "2" },
    worlds: { type: "string", default: "8" },
  },
});
const seconds = Number(values.seconds);
const place = { jar: null, java: null, callMs: 120_000 };
const [task, variation] = ["boil", 0];

/** Gold path, as far as nothing fails at any simplification. */
async function goldPath(simulator: ScienceWorld, simplification: string): Promise<string[]> {
  await simulator.load({ task, variation, simplification, goldPath: true });
  return simulator.goldActions();
}

/** One step with all that the Python client asks for by default. */
async function fullStep(simulator: ScienceWorld, action: string): Promise<void> {
  await Promise.all([
    simulator.step(action),
    simulator.look(),
    simulator.inventory(),
    simulator.freeTaskDescription(),
    simulator.validActions(),
  ]);
}

interface Job {
  readonly simplification: string;
  readonly actions: readonly string[];
  readonly mode: "calls" | "default";
}

async function ours(simulator: ScienceWorld, { simplification, actions, mode }: Job): Promise<number> {
  const step = (action: string) => (mode === "calls" ? simulator.step(action) : fullStep(simulator, action));
  for (const action of actions) await step(action); // the JVM compiles what runs often
  let [steps, spent] = [0, 0];
  while (spent < seconds * 1000) {
    await simulator.load({ task, variation, simplification, goldPath: false });
    const start = performance.now();
    for (const action of actions) {
      await step(action);
      steps++;
      if (spent + performance.now() - start > seconds * 1000) break;
    }
    spent += performance.now() - start;
  }
  return (steps / spent) * 1000;
}

const script = fileURLToPath(new URL("./scienceworld-steps.py", import.meta.url));

/** Steps per second of the Python client; null where it is not installed. */
function theirs({ simplification, actions, mode }: Job): number | null {
  const input = JSON.stringify({ task, variation, simplification, actions, seconds, mode });
  const { status, stdout, stderr } = spawnSync(values.python, [script], { input, encoding: "utf8" });
  if (status === 0) return (JSON.parse(stdout.trim().split("\n").at(-1)!) as { stepsPerSecond: number }).stepsPerSecond;
  console.error(`the Python client did not run: ${stderr.trim().split("\n").at(-1)}`);
  return null;
}

/** Resident memory of a process, MB. */
function memoryMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

async function sideBySide(simplification: string, mode: Job["mode"]): Promise<{ ours: number; theirs: number }> {
  const simulator = await ScienceWorld.start(place);
  const job = { simplification, mode, actions: await goldPath(simulator, simplification) };
  const best = { ours: 0, theirs: 0 };
  for (let round = 0; round < Number(values.rounds); round++) {
    best.ours = Math.max(best.ours, await ours(simulator, job));
    best.theirs = Math.max(best.theirs, theirs(job) ?? Number.NaN);
  }
  const memory = memoryMb(simulator.pid);
  await simulator.close();
  const name = simplification === "" ? "none" : simplification;
  const ratio = (best.ours / best.theirs).toFixed(2);
  console.log(
    `${mode.padEnd(8)} ${name.padEnd(5)} ours ${best.ours.toFixed(0)} steps/s, Python ${best.theirs.toFixed(0)}: ${ratio} times; JVM ${memory.toFixed(0)} MB`,
  );
  return best;
}

async function together(count: number): Promise<void> {
  const simulators = await Promise.all(Array.from({ length: count }, () => ScienceWorld.start(place)));
  const actions = await goldPath(simulators[0]!, "easy");
  const rates = await Promise.all(
    simulators.map((one) => ours(one, { simplification: "easy", mode: "calls", actions })),
  );
  const memory = simulators.map(({ pid }) => Math.round(memoryMb(pid)));
  await Promise.all(simulators.map((one) => one.close()));
  const all = rates.reduce((sum, rate) => sum + rate, 0);
  console.log(`${count} environments: ${all.toFixed(0)} steps/s in all; JVMs of ${memory.join(", ")} MB`);
}

console.log(
  `${cpus().length} cores; ${task} ${variation}, its gold path; best of ${values.rounds} rounds of ${seconds} s`,
);
for (const simplification of ["easy", ""]) {
  const calls = await sideBySide(simplification, "calls");
  const full = await sideBySide(simplification, "default");
  console.log(`         our step against the default step in Python: ${(calls.ours / full.theirs).toFixed(1)} times`);
}
for (let count = 1; count <= Number(values.worlds); count *= 2) await together(count);
