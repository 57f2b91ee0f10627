import { ACTIONS, type Verb } from "./actions.ts";
import { write } from "./parse.ts";
import { isReachable, roomOf, type World, YOU } from "./world.ts";

/** The next action of a plan; null when there is nothing left to do for it. */
export type Next = string | null;

/** The next action on the way to a room. */
export function goTo(world: World, room: number): Next {
  const here = world.parent[YOU]!;
  if (here === room) return null;
  const door = firstDoor(world, here, room);
  return write(world, world.open[door] === 0 ? "open" : "go", door);
}

/** The door to take first; doors make a tree, so that the way is the only one. */
function firstDoor(world: World, from: number, to: number): number {
  const reached = new Map<number, number>([[to, -1]]); // room → door through which the way leads on
  const queue = [to];
  for (let at = queue.shift(); at !== undefined && !reached.has(from); at = queue.shift()) {
    for (const { id, between } of world.things) {
      if (between === null || (between[0] !== at && between[1] !== at)) continue;
      const next = between[0] === at ? between[1] : between[0];
      if (reached.has(next)) continue;
      reached.set(next, id);
      queue.push(next);
    }
  }
  return reached.get(from)!;
}

/** The next action that brings a thing within reach. */
export function reach(world: World, id: number): Next {
  if (isReachable(world, id)) return null;
  const way = goTo(world, roomOf(world, id));
  if (way !== null) return way;
  let closed = -1;
  for (let at = world.parent[id]!; at > YOU; at = world.parent[at]!) if (world.open[at] === 0) closed = at;
  return write(world, "open", closed);
}

/** The next action that brings a thing into the agent's hands. */
export function hold(world: World, id: number): Next {
  if (world.parent[id] === YOU) return null;
  return reach(world, id) ?? write(world, "take", id);
}

/** The next action that brings a thing into or onto a holder. */
export function bring(world: World, id: number, holder: number): Next {
  if (world.parent[id] === holder) return null;
  const open = (): Next => (world.open[holder] === 0 ? write(world, "open", holder) : null);
  return hold(world, id) ?? reach(world, holder) ?? open() ?? write(world, "put", id, holder);
}

/** The next action that focuses on a thing. */
export function focusOn(world: World, id: number): Next {
  return world.focus === id ? null : (reach(world, id) ?? write(world, "focus", id));
}

/** A one-object action on a thing within reach, unless it can't be done. */
export function doTo(world: World, verb: Verb, id: number): Next {
  return reach(world, id) ?? (ACTIONS[verb].refusal(world, id, -1) === null ? write(world, verb, id) : null);
}
