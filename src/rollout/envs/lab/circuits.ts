import { isReachable, nameOf, type World } from "./world.ts";

/** Bulbs burn where a closed loop runs through a battery and the bulb, with every switch in it on. Returns what the agent notices. */
export function settleCircuits(world: World): string {
  let noticed = "";
  for (const { id, kind } of world.things) {
    if (kind !== "bulb") continue;
    const burns = isInLoop(world, id) ? 1 : 0;
    if (burns === world.on[id]) continue;
    world.on[id] = burns;
    if (isReachable(world, id)) noticed += ` the ${nameOf(world, id)} ${burns ? "lights up" : "goes dark"}.`;
  }
  return noticed;
}

/** Every part has two ends, so that a bulb is in one chain: it is followed once around. */
function isInLoop(world: World, bulb: number): boolean {
  let powered = false;
  let before = bulb;
  let at = world.endA[bulb]!;
  while (at >= 0 && at !== bulb) {
    const { kind } = world.things[at]!;
    if (kind === "switch" && world.on[at] === 0) return false;
    if (kind === "battery") powered = true;
    const next = world.endA[at] === before ? world.endB[at]! : world.endA[at]!;
    before = at;
    at = next;
  }
  return at === bulb && powered;
}

/** Parts that can be connected. */
export function isElectrical(world: World, id: number): boolean {
  const { kind } = world.things[id]!;
  return kind === "battery" || kind === "bulb" || kind === "wire" || kind === "switch";
}

/** Takes a part out of its circuit. */
export function unlink(world: World, id: number): void {
  for (const other of [world.endA[id]!, world.endB[id]!]) {
    if (other < 0) continue;
    if (world.endA[other] === id) world.endA[other] = -1;
    else if (world.endB[other] === id) world.endB[other] = -1;
  }
  world.endA[id] = -1;
  world.endB[id] = -1;
}

/** Whether two parts are connected. */
export function areLinked(world: World, a: number, b: number): boolean {
  return world.endA[a] === b || world.endB[a] === b;
}

/** Connects two parts; both must have an end free. */
export function link(world: World, a: number, b: number): void {
  if (world.endA[a]! < 0) world.endA[a] = b;
  else world.endB[a] = b;
  if (world.endA[b]! < 0) world.endA[b] = a;
  else world.endB[b] = a;
}

/** Connections between what is carried and what is left behind come off. */
export function tearLinks(world: World): void {
  for (const { id } of world.things) {
    for (const other of [world.endA[id]!, world.endB[id]!]) {
      if (other >= 0 && isReachable(world, id) !== isReachable(world, other)) unlinkPair(world, id, other);
    }
  }
}

function unlinkPair(world: World, a: number, b: number): void {
  for (const [x, y] of [[a, b] as const, [b, a] as const]) {
    if (world.endA[x] === y) world.endA[x] = -1;
    else if (world.endB[x] === y) world.endB[x] = -1;
  }
}
