export { type Level, makeItem } from "./families.ts";
export { FAMILY_NAMES, type FamilyName, type Item, LEVELS } from "./family.ts";
export { type PythonRandom, pythonRandom } from "./python-random.ts";
export { taskOfRow } from "./row.ts";
export { generated } from "./task-set.ts";
