import { z } from "zod";
import type { Json } from "../../types.ts";

// The protocol of docs/environments.md: client and server read each other with these.

const info = z.record(z.string(), z.json()) as unknown as z.ZodType<Record<string, Json>>;
const Start = z.object({ task: z.string(), seed: z.int() });
const Starts = z.array(Start);

/** `GET /info` */
export const InfoReply = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  deterministic: z.boolean(),
  returnRange: z.tuple([z.number(), z.number()]),
  maxWorlds: z.int().min(1).optional(),
  admissibleNote: z.string().optional(),
  tasks: z.array(z.string()).min(1),
  splits: z.object({ train: Starts, dev: Starts.default([]), test: Starts }),
  /** What a world can do beside reset and step. */
  features: z
    .object({
      admissibleActions: z.boolean().default(false),
      goldActions: z.boolean().default(false),
      snapshots: z.boolean().default(false),
    })
    .prefault({}),
});
export type InfoReply = z.infer<typeof InfoReply>;

/** `POST /open` */
export const OpenReply = z.object({ id: z.union([z.string(), z.int()]) });

/** `POST /reset` */
export const ResetReply = z.object({
  instruction: z.string(),
  observation: z.string(),
  state: z.string().optional(),
  info: info.optional(),
});

/** `POST /step` */
export const StepReply = z.object({
  observation: z.string(),
  reward: z.number(),
  done: z.boolean(),
  success: z.boolean(),
  valid: z.boolean().nullable().default(null),
  state: z.string().optional(),
  info: info.optional(),
});

/** `POST /admissible` and `POST /gold` */
export const ActionsReply = z.object({ actions: z.array(z.string()).nullable() });

/** `POST /snapshot` */
export const SnapshotReply = z.object({ snapshot: z.json() });

/** `POST /restore` and `POST /close` */
export const EmptyReply = z.object({});

/** What a client sends; each path reads what it needs. */
export const RequestBody = z.object({
  id: z.union([z.string(), z.int()]).transform(String).optional(),
  task: z.string().optional(),
  seed: z.number().optional(),
  action: z.string().optional(),
  snapshot: z.json().optional(),
});
export type RequestBody = z.infer<typeof RequestBody>;
