import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Bench, demand, difference, type Recording, shown } from "./bench.ts";

/** Heap that an environment may keep for good, bytes: what a cache of texts takes, and what measuring adds. */
const GROWTH_FREE = 4 * 2 ** 20;
/** And per episode; a kept list of observations is far more. */
const GROWTH_EPISODE = 1024;
/** First episodes, which fill caches, as a share. */
const WARM_UP = 0.2;
/** Handles of the process (sockets, timers, children) that may come and go meanwhile. */
const HANDLES = 4;
/** Time in which a handle opens that was asked for, ms. */
const LATE_MS = 50;
/** Longest wait for handles to go after a close, ms. */
const SETTLE_MS = 3000;

/** Plays many episodes: neither memory nor handles grow with them, and the last is like the first. */
export async function checkLeaks(
  bench: Bench,
  recordings: readonly Recording[],
  { episodes, seconds }: { readonly episodes: number; readonly seconds: number },
): Promise<string> {
  const world = await bench.world();
  const end = performance.now() + seconds * 1000;
  const warm = Math.ceil(episodes * WARM_UP);
  let played = 0;
  const playOn = async (until: number): Promise<void> => {
    for (; played < until && performance.now() < end; played++) {
      const recording = recordings[played % recordings.length]!;
      const again = await bench.play(world, recording.start, recording.actions);
      const found = bench.source.deterministic && played + recordings.length >= until && difference(recording, again);
      demand(!found, () => `after ${played} episodes: ${found}`);
    }
  };
  await playOn(warm);
  const [heap, handles, from] = [heapBytes(), handleCount(), played];
  await playOn(episodes);
  const counted = played - from;
  const growth = heapBytes() - heap;
  const most = GROWTH_FREE + GROWTH_EPISODE * counted;
  demand(growth <= most, () => `${counted} episodes took ${mebibytes(growth)}, of which nothing came back`);
  const more = handleCount() - handles;
  demand(more <= HANDLES, () => `${counted} episodes left ${more} open handles: ${handleKinds()}`);
  const cut = played < episodes ? ` of ${episodes} (${seconds} s were over)` : "";
  return `${played} episodes${cut}: heap ${growth < 0 ? "" : "+"}${mebibytes(growth)}, handles ${more < 0 ? "" : "+"}${more}`;
}

/** A world can be closed at any time, twice, and leaves nothing open; others go on. */
export async function checkClose(bench: Bench, recordings: readonly Recording[]): Promise<string> {
  await bench.renew();
  const first = recordings[0]!;
  await bench.play(await bench.world(), first.start, first.actions);
  await bench.renew();
  const handles = await settled(-1);
  const world = await bench.world();
  await bench.reset(world, first.start);
  const open = world.step(first.actions[0]!).then(
    () => null,
    () => null, // a call that a close interrupts may fail
  );
  await bench.call("close() in the middle of a step", world.close());
  await bench.call("a step that was open at close()", open);
  await bench.call("a second close()", world.close());
  await bench.renew();
  const left = (await settled(handles)) - handles;
  demand(left <= 0, () => `a closed world left ${left} open handles: ${handleKinds()}`);
  const again = await bench.play(await bench.world(), first.start, first.actions);
  const found = bench.source.deterministic ? difference(first, again) : null;
  demand(!found, () => `a world that was opened after others were closed: ${found}`);
  return `in the middle of a step, and twice; nothing is left open (${shown(handleCount())} handles of the process)`;
}

/** Handles once there are no more than wanted, or when the wait is over; what opens late is waited for first. */
async function settled(wanted: number): Promise<number> {
  await delay(LATE_MS);
  const end = performance.now() + (wanted < 0 ? 0 : SETTLE_MS);
  while (performance.now() < end && handleCount() > wanted) await delay(10);
  return handleCount();
}

/** What keeps the process alive, without timers, of which this suite has some itself. */
function handles(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind !== "Timeout" && kind !== "Immediate");
}

function handleCount(): number {
  return handles().length;
}

function handleKinds(): string {
  return [...new Set(handles())].join(", ");
}

let collect: (() => void) | undefined;

/** Memory in use after a collection of all garbage. */
function heapBytes(): number {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
