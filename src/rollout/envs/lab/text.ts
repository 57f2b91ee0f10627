import { contents, matterOf, nameOf, otherSide, substanceIn, type World, YOU } from "./world.ts";

/** A thing as it is listed: `closed chest`, `cup of liquid milk`, `pot with pea sprout`. */
export function label(world: World, id: number): string {
  const { kind, lid } = world.things[id]!;
  const name = nameOf(world, id);
  if (kind === "substance") return `${matterOf(world, id)} ${name}`;
  if (kind === "vessel") {
    const substance = substanceIn(world, id);
    return substance < 0 ? `empty ${name}` : `${name} of ${matterOf(world, substance)} ${nameOf(world, substance)}`;
  }
  if (kind === "can") return world.on[id] === 1 ? `full ${name}` : `empty ${name}`;
  if (kind === "pot") return labelPot(world, id, name);
  if (kind === "bulb") return world.on[id] === 1 ? `lit ${name}` : name;
  const heat = world.on[id] === 1 ? (kind === "heater" ? "hot " : "active ") : "";
  return `${lid && world.open[id] === 0 ? "closed " : ""}${heat}${name}`;
}

function labelPot(world: World, id: number, name: string): string {
  const planted = contents(world, id).map((inside) => nameOf(world, inside));
  return `${world.age[id]! > 0 ? "wet " : ""}${name}${planted.length === 0 ? "" : ` with ${planted.join(" and ")}`}`;
}

/** Things whose contents are part of their own label. */
function isInline(world: World, id: number): boolean {
  const { kind } = world.things[id]!;
  return kind === "vessel" || kind === "pot";
}

/** `on the table: spoon, red box.`, and the same of what stands there; empty when nothing is to be seen in it. */
function describeInside(world: World, holder: number): string {
  if (world.open[holder] === 0 || isInline(world, holder)) return "";
  const inside = contents(world, holder);
  if (inside.length === 0) return "";
  const { holds } = world.things[holder]!;
  const list = inside.map((id) => label(world, id)).join(", ");
  return ` ${holds} the ${nameOf(world, holder)}: ${list}.${inside.map((id) => describeInside(world, id)).join("")}`;
}

/** All that is to be seen where the agent is: things, what is in them, doors. */
export function describeRoom(world: World): string {
  const here = world.parent[YOU]!;
  const seen = contents(world, here);
  const list = seen.length === 0 ? "nothing" : seen.map((id) => label(world, id)).join(", ");
  const inside = seen.map((id) => describeInside(world, id)).join("");
  const doors: string[] = [];
  for (const { id, between } of world.things) {
    if (between === null || (between[0] !== here && between[1] !== here)) continue;
    doors.push(`${world.open[id] === 0 ? "closed " : ""}${world.things[otherSide(world, id)]!.name}`);
  }
  return `you are in the ${world.things[here]!.name}. you see ${list}.${inside} doors: ${doors.join(", ")}.`;
}

/** What the agent carries. */
export function describeInventory(world: World): string {
  const held = contents(world, YOU);
  if (held.length === 0) return "you have nothing.";
  return `you have ${held.map((id) => label(world, id)).join(", ")}.${held.map((id) => describeInside(world, id)).join("")}`;
}

/** What comes to light when something is opened. */
export function describeOpened(world: World, holder: number): string {
  return describeInside(world, holder) || " it is empty.";
}
