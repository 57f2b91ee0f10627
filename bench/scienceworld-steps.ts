/**
 * Steps per second of ScienceWorld through our client, beside the simulator's own Python client: the same four calls (step, score, completed, moves), and the
 * default `step` of each; then several environments at once, with the memory of each JVM. Told are steps per second of the clock and, since other work on the
 * machine does not count there, of processor time (client and JVM together). Rounds alternate between the two clients; the best round of each counts.
 *
 *   node --import tsx bench/scienceworld-steps.ts [--python PATH] [--seconds N] [--rounds N] [--worlds N] [--simplifications easy/]
 *
 * The Python client comes with `pip install scienceworld==1.2.3`; without it only our figures are printed.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ScienceWorld } from "../src/rollout/envs/scienceworld/simulator.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "2" },
    simplifications: { type: "string", default: "easy/" },
    worlds: { type: "string", default: "8" },
  },
});
const seconds = Number(values.seconds);
/** Linux counts the processor time of others in hundredths of a second. */
const TICK_MS = 10;
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

/** Steps per second of the clock and of processor time. */
interface Rate {
  readonly wall: number;
  readonly cpu: number;
}

/** Milliseconds of processor time of this process and a JVM. */
function cpuMs(pid: number): number {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (user + system) / 1000 + (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

async function ours(simulator: ScienceWorld, { simplification, actions, mode }: Job): Promise<Rate> {
  const step = (action: string) => (mode === "calls" ? simulator.step(action) : fullStep(simulator, action));
  for (const action of actions) await step(action); // the JVM compiles what runs often
  let [steps, spent, used] = [0, 0, 0];
  while (used < seconds * 1000) {
    await simulator.load({ task, variation, simplification, goldPath: false });
    const [start, startCpu] = [performance.now(), cpuMs(simulator.pid)];
    for (const action of actions) await step(action);
    steps += actions.length;
    spent += performance.now() - start;
    used += cpuMs(simulator.pid) - startCpu;
  }
  return { wall: (steps / spent) * 1000, cpu: (steps / used) * 1000 };
}

const script = fileURLToPath(new URL("./scienceworld-steps.py", import.meta.url));

/** The rates of the Python client; null where it is not installed. */
function theirs({ simplification, actions, mode }: Job): Rate | null {
  const input = JSON.stringify({ task, variation, simplification, actions, seconds, mode });
  // the simulator writes a file into the folder where it is started
  const { status, stdout, stderr } = spawnSync(values.python, [script], { input, encoding: "utf8", cwd: tmpdir() });
  if (status === 0) return JSON.parse(stdout.trim().split("\n").at(-1)!) as Rate;
  console.error(`the Python client did not run: ${stderr.trim().split("\n").at(-1)}`);
  return null;
}

/** Resident memory of a process, MB. */
function memoryMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

interface Pair {
  readonly ours: Rate;
  readonly theirs: Rate;
}

const better = (one: Rate, other: Rate | null): Rate => ({
  wall: Math.max(one.wall, other?.wall ?? 0),
  cpu: Math.max(one.cpu, other?.cpu ?? 0),
});

async function sideBySide(simplification: string, mode: Job["mode"]): Promise<Pair> {
  const simulator = await ScienceWorld.start(place);
  const job = { simplification, mode, actions: await goldPath(simulator, simplification) };
  let best: Pair = { ours: { wall: 0, cpu: 0 }, theirs: { wall: 0, cpu: 0 } };
  for (let round = 0; round < Number(values.rounds); round++)
    best = { ours: better(best.ours, await ours(simulator, job)), theirs: better(best.theirs, theirs(job)) };
  const memory = memoryMb(simulator.pid);
  await simulator.close();
  const head = `${mode.padEnd(8)} ${(simplification || "none").padEnd(5)}`;
  const told = (["wall", "cpu"] as const).map((kind) => {
    const [own, other] = [best.ours[kind], best.theirs[kind]];
    return `${kind} ${own.toFixed(0)} against ${other.toFixed(0)} (${(own / other).toFixed(2)} times)`;
  });
  console.log(`${head} ours against Python, steps/s: ${told.join(", ")}; our JVM ${memory.toFixed(0)} MB`);
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
  const all = rates.reduce((sum, { wall }) => sum + wall, 0);
  console.log(`${count} environments: ${all.toFixed(0)} steps/s in all; JVMs of ${memory.join(", ")} MB`);
}

console.log(
  `${cpus().length} cores; ${task} ${variation}, its gold path; best of ${values.rounds} rounds of ${seconds} s`,
);
for (const simplification of values.simplifications.split("/")) {
  const calls = await sideBySide(simplification, "calls");
  const full = await sideBySide(simplification, "default");
  const ratio = (kind: keyof Rate): string => (calls.ours[kind] / full.theirs[kind]).toFixed(1);
  console.log(
    `         our step against Python's default step: wall ${ratio("wall")} times, cpu ${ratio("cpu")} times`,
  );
}
for (let count = 1; count <= Number(values.worlds); count *= 2) await together(count);
