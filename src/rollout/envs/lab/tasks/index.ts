import { circuitTask } from "./circuit.ts";
import { findTask } from "./find.ts";
import { growTask } from "./grow.ts";
import { matterTasks } from "./matter.ts";
import { measureTask } from "./measure.ts";
import type { LabTask } from "./task.ts";

export type { Goal, LabTask } from "./task.ts";

/** Every kind of task of the lab, by name. */
export const LAB_TASKS: readonly LabTask[] = [...matterTasks, findTask, measureTask, growTask, circuitTask];
