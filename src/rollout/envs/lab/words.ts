/** A substance and where it changes its state, in degrees Celsius; rounded, so that texts stay short. */
export interface Substance {
  readonly name: string;
  readonly melts: number;
  readonly boils: number;
}

/** A device that heats or cools, and the room where it always stands. */
export interface Device {
  readonly name: string;
  readonly room: string;
  readonly holds: "in" | "on";
  readonly lid: boolean;
}

export const ROOMS = ["kitchen", "hall", "garden", "workshop", "cellar", "study", "attic", "bedroom"] as const;

/** Solid in a room. */
export const SOLIDS: readonly Substance[] = [
  { name: "wax", melts: 60, boils: 370 },
  { name: "butter", melts: 35, boils: 250 },
  { name: "chocolate", melts: 40, boils: 300 },
  { name: "soap", melts: 90, boils: 350 },
  { name: "tin", melts: 230, boils: 2600 },
  { name: "lead", melts: 330, boils: 1750 },
];

/** Liquid in a room. */
export const LIQUIDS: readonly Substance[] = [
  { name: "water", melts: 0, boils: 100 },
  { name: "milk", melts: -1, boils: 101 },
  { name: "juice", melts: -2, boils: 102 },
  { name: "tea", melts: 0, boils: 100 },
  { name: "soup", melts: -3, boils: 104 },
  { name: "vinegar", melts: -5, boils: 118 },
  { name: "ink", melts: -8, boils: 110 },
  { name: "oil", melts: -15, boils: 200 },
];

export const VESSELS = ["cup", "bowl", "jar", "pan", "glass", "bottle"] as const;

export const HEATERS: readonly Device[] = [
  { name: "stove", room: "kitchen", holds: "on", lid: false },
  { name: "oven", room: "kitchen", holds: "in", lid: true },
  { name: "burner", room: "workshop", holds: "on", lid: false },
  { name: "furnace", room: "cellar", holds: "in", lid: false },
];

/** They cool what is in them while they are closed. */
export const FREEZERS: readonly Device[] = [
  { name: "freezer", room: "kitchen", holds: "in", lid: true },
  { name: "icebox", room: "cellar", holds: "in", lid: true },
];

export const ANIMALS = ["frog", "mouse", "bird", "bee", "ant", "turtle", "snail", "cat"] as const;
export const PLANTS = ["fern", "rose", "moss", "cactus", "ivy", "tree"] as const;
export const OBJECTS = ["rock", "coin", "key", "spoon", "book", "ball", "rope", "brush"] as const;
export const SEEDS = ["pea", "bean", "corn", "apple", "melon", "carrot"] as const;
export const COLORS = ["red", "blue", "green", "white"] as const;

/** What things can lie on or in; those with a lid may be closed. */
export const FURNITURE: readonly { name: string; holds: "in" | "on"; lid: boolean }[] = [
  { name: "table", holds: "on", lid: false },
  { name: "shelf", holds: "on", lid: false },
  { name: "desk", holds: "on", lid: false },
  { name: "cupboard", holds: "in", lid: true },
  { name: "chest", holds: "in", lid: true },
  { name: "drawer", holds: "in", lid: true },
];
