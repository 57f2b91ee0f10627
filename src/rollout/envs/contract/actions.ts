import { type Bench, Breach, demand, difference, type Recording, shown } from "./bench.ts";

/** Texts that no environment understands, by what is odd about them. */
export const ODD_ACTIONS: Readonly<Record<string, string>> = {
  empty: "",
  blanks: " \t ",
  unknown: "zzqx frobnicate qqz",
  newline: "zzqx\nfrobnicate\r\nqqz\n",
  "control characters": "zz\u0000\u0001\u0007\u001b[31m\u007fqx",
  "line separators": "zz\u2028\u2029\u0085qx",
  "100 kB": "zq".repeat(50_000),
  unicode: "žžqẍ дзи 漢字 العربية",
  emoji: "🧪🤖👩‍🔬",
  "half an emoji": "zz\ud83eqx",
  markup: '</action>"\'`$(zz)%s\\n{"zz": [',
};

/** Odd texts are answered, and change nothing where the environment says that it did not understand them. */
export async function checkOddActions(bench: Bench, recordings: readonly Recording[]): Promise<string> {
  const tally = { refused: 0, unsure: 0 };
  const names = Object.keys(ODD_ACTIONS);
  for (const [index, name] of names.entries()) {
    const recording = recordings[index % recordings.length]!;
    const problem = await disturbed(bench, recording, name, tally).catch((error: unknown) => {
      if (!(error instanceof Breach)) throw error;
      return error.message;
    });
    if (problem !== null) throw new Breach(`${name}: ${problem}`);
  }
  const unsure = tally.unsure > 0 ? `, ${tally.unsure} answered with valid null (what they change is not known)` : "";
  return `${names.length} kinds (${names.join(", ")}): ${tally.refused} times valid false, nothing changed${unsure}`;
}

/** Plays a recording with an odd text in its middle; what changed because of it, or null. */
async function disturbed(
  bench: Bench,
  recording: Recording,
  name: string,
  tally: { refused: number; unsure: number },
): Promise<string | null> {
  const { start, actions, steps } = recording;
  const text = ODD_ACTIONS[name]!;
  const world = await bench.world();
  const middle = Math.min(2, actions.length - 1);
  const reset = await bench.reset(world, start);
  const before = await bench.follow(world, actions.slice(0, middle));
  const odd = await bench.step(world, text);
  const after = odd.done ? { steps: [] } : await bench.follow(world, actions.slice(middle));
  if (odd.valid === true) return `step(${shown(text)}) was called valid`;
  tally[odd.valid === null ? "unsure" : "refused"]++;
  if (odd.valid === null) return null;
  if (odd.reward !== 0) return `step(${shown(text)}) has valid false and the reward ${odd.reward}; it must be 0`;
  if (odd.done || odd.success) return `step(${shown(text)}) has valid false, done ${odd.done}, success ${odd.success}`;
  if (!bench.source.deterministic) return null;
  const same = { start, reset, actions, steps: [...before.steps, ...after.steps] };
  const changed = difference({ ...recording, steps }, same);
  return changed && `step(${shown(text)}) has valid false, but afterwards ${changed}`;
}

/** Steps after the end are answered, don't unsolve the task, and a reset works. */
export async function checkAfterDone(bench: Bench, recordings: readonly Recording[]): Promise<string> {
  const world = await bench.world();
  const whole = await finished(bench, recordings);
  if (!whole) return `skip: no episode came to its end within ${bench.maxSteps} steps`;
  const { steps } = await bench.play(world, whole.start, whole.actions);
  const end = steps.at(-1)!;
  demand(end.done, () => `${shown(whole.start)}: the same actions did not end the episode the second time`);
  for (const action of [whole.actions.at(-1)!, ODD_ACTIONS.unknown!]) {
    const late = await bench.step(world, action);
    demand(late.done, () => `step(${shown(action)}) after the end has done false`);
    demand(late.success === end.success, () => `step(${shown(action)}) after the end has success ${late.success}`);
    demand(late.reward === 0, () => `step(${shown(action)}) after the end has the reward ${late.reward}; it must be 0`);
  }
  const again = await bench.play(world, whole.start, whole.actions);
  demand(again.steps.at(-1)!.done, () => `${shown(whole.start)}: a reset after the end does not start anew`);
  return "two steps after the end change nothing, and a reset starts anew";
}

async function finished(bench: Bench, recordings: readonly Recording[]): Promise<Recording | undefined> {
  const known = recordings.find(({ steps }) => steps.at(-1)?.done);
  const start = bench.starts[0]!;
  if (known || !bench.source.goldActions) return known;
  const solved = await bench.play(await bench.world(), start, await bench.source.goldActions(start));
  return solved.steps.at(-1)?.done ? solved : undefined;
}
