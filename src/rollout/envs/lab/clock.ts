import { isReachable, matterOf, nameOf, STAGES, stageOf, type World } from "./world.ts";

/** Degrees that a tick adds in a heater, takes in a freezer, or brings a substance nearer to its own temperature elsewhere. */
const HEATING = 25;
const COOLING = 8;
const DRIFT = 5;
/** Where heaters and freezers stop. */
const HOTTEST = 500;
const COLDEST = -20;

/** One tick of time: substances warm or cool, wet soil dries, seeds grow. Returns what the agent notices, as sentences. */
export function tick(world: World): string {
  let noticed = "";
  for (const { id, kind } of world.things) {
    if (kind === "substance") noticed += tickSubstance(world, id);
    else if (kind === "pot" && world.age[id]! > 0) world.age[id]!--;
    else if (kind === "seed") noticed += tickSeed(world, id);
  }
  return noticed;
}

function tickSubstance(world: World, id: number): string {
  const before = world.temp[id]!;
  const after = nextTemperature(world, id, before);
  if (after === before) return "";
  const matter = matterOf(world, id);
  world.temp[id] = after;
  const now = matterOf(world, id);
  return now !== matter && isReachable(world, id) ? ` the ${nameOf(world, id)} is ${now} now.` : "";
}

function nextTemperature(world: World, id: number, degrees: number): number {
  for (let at = world.parent[id]!; at >= 0; at = world.parent[at]!) {
    const { kind } = world.things[at]!;
    if (kind === "heater" && world.on[at] === 1) return Math.min(Math.max(degrees, HOTTEST), degrees + HEATING);
    if (kind === "freezer" && world.open[at] === 0) return Math.max(Math.min(degrees, COLDEST), degrees - COOLING);
  }
  const { rest } = world.things[id]!;
  return degrees < rest ? Math.min(rest, degrees + DRIFT) : Math.max(rest, degrees - DRIFT);
}

function tickSeed(world: World, id: number): string {
  const pot = world.parent[id]!;
  if (pot < 0 || world.things[pot]!.kind !== "pot" || world.age[pot] === 0) return "";
  const stage = stageOf(world, id);
  if (stage === STAGES.length - 1) return ""; // a flower does not age, so that equal worlds stay equal
  const before = nameOf(world, id);
  world.age[id]!++;
  if (stageOf(world, id) === stage || !isReachable(world, id)) return "";
  return ` the ${before} is a ${STAGES[stage + 1]} now.`;
}
