import { ACTIONS, VERBS, type Verb } from "./actions.ts";
import { doorBetween, isReachable, nameOf, type World, YOU } from "./world.ts";

/** An action whose words were understood; objects are ids, -1 where the verb has none. */
export interface Command {
  readonly verb: Verb;
  readonly a: number;
  readonly b: number;
}

/** Longer texts are not looked at. */
const LONGEST = 120;

/** How actions may begin, and the verb that is meant; of those with one first word the longer ones first. */
const PHRASES: readonly (readonly [words: string, verb: Verb])[] = [
  ["look around", "look"],
  ["look", "look"],
  ["inventory", "inventory"],
  ["wait", "wait"],
  ["go to", "go"],
  ["go", "go"],
  ["open", "open"],
  ["close", "close"],
  ["take", "take"],
  ["pick up", "take"],
  ["drop", "drop"],
  ["put down", "drop"],
  ["put", "put"],
  ["move", "put"],
  ["pour", "pour"],
  ["use", "use"],
  ["activate", "activate"],
  ["deactivate", "deactivate"],
  ["turn on", "activate"],
  ["turn off", "deactivate"],
  ["connect", "connect"],
  ["disconnect", "disconnect"],
  ["focus on", "focus"],
];
/** The same by first word, which is looked up at every step. */
const BEGINNINGS = new Map<string, (typeof PHRASES)[number][]>();
for (const phrase of PHRASES) {
  const [first] = phrase[0].split(" ");
  BEGINNINGS.set(first!, [...(BEGINNINGS.get(first!) ?? []), phrase]);
}
/** What stands between two objects. */
const PREPOSITION = / (?:in|on|into|onto|to) /;
/** Words that lists show before a name and that an action may repeat or leave out. */
const IGNORED = new Set("the a an closed empty full wet hot active lit solid liquid gas".split(" "));

/** Reads an action; null when it is no action or names what is not within reach. */
export function parse(world: World, text: string): Command | null {
  if (text.length > LONGEST) return null;
  const words = text.trim().toLowerCase().replace(/ +/g, " ");
  const space = words.indexOf(" ");
  const options = BEGINNINGS.get(space < 0 ? words : words.slice(0, space));
  if (options === undefined) return null;
  for (const [beginning, verb] of options) {
    if (words === beginning && ACTIONS[verb].objects === 0) return { verb, a: -1, b: -1 };
    if (words.startsWith(`${beginning} `)) return parseObjects(world, verb, words.slice(beginning.length + 1));
  }
  return null;
}

function parseObjects(world: World, verb: Verb, rest: string): Command | null {
  const { objects } = ACTIONS[verb];
  if (objects === 0) return null;
  if (verb === "go") return command(world, verb, doorTo(world, rest.endsWith(" door") ? rest.slice(0, -5) : rest), -1);
  if (objects === 1) return command(world, verb, find(world, rest), -1);
  const match = PREPOSITION.exec(rest);
  if (match === null) return null;
  const b = find(world, rest.slice(match.index + match[0].length));
  return b < 0 ? null : command(world, verb, find(world, rest.slice(0, match.index)), b);
}

function command(world: World, verb: Verb, a: number, b: number): Command | null {
  return a < 0 || !isReachable(world, a) || (b >= 0 && !isReachable(world, b)) ? null : { verb, a, b };
}

/** The thing of a name, or -1. */
function find(world: World, text: string): number {
  const name = bare(text);
  if (name.endsWith(" door")) return doorTo(world, name.slice(0, -5));
  if (name.startsWith("door to ")) return doorTo(world, name.slice(8));
  return world.ids.get(name) ?? -1;
}

function doorTo(world: World, text: string): number {
  const room = world.ids.get(bare(text)) ?? -1;
  return room < 0 ? -1 : doorBetween(world, world.parent[YOU]!, room);
}

function bare(text: string): string {
  let name = text;
  for (let space = name.indexOf(" "); space > 0 && IGNORED.has(name.slice(0, space)); space = name.indexOf(" ")) {
    name = name.slice(space + 1);
  }
  return name;
}

/** The usual text of a command. */
export function write(world: World, verb: Verb, a = -1, b = -1): string {
  const { phrase, objects } = ACTIONS[verb];
  if (objects === 0) return phrase("", "", "");
  const name = nameOf(world, a);
  return phrase(
    verb === "go" ? name.slice(0, -" door".length) : name,
    b < 0 ? "" : nameOf(world, b),
    b < 0 ? "" : (world.things[b]!.holds ?? ""),
  );
}

/** All actions that would be done now, sorted. */
export function admissible(world: World): string[] {
  const near = world.things.map(({ id }) => id).filter((id) => isReachable(world, id));
  const all: string[] = [];
  for (const verb of VERBS) {
    const { objects, refusal } = ACTIONS[verb];
    if (objects === 0) all.push(write(world, verb));
    else if (objects === 1)
      all.push(...near.filter((a) => refusal(world, a, -1) === null).map((a) => write(world, verb, a)));
    else {
      for (const a of near) {
        for (const b of near) if (refusal(world, a, b) === null) all.push(write(world, verb, a, b));
      }
    }
  }
  return all.sort();
}
