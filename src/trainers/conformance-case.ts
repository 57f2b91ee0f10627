import { readFileSync } from "node:fs";
import { z } from "zod";
import { ControlConfig } from "../entropy-control/index.ts";
import { DataError, messageOf } from "../utils/errors.ts";
import { ObjectiveConfig } from "./config.ts";

const matrix = z.array(z.array(z.number()));
const cube = z.array(matrix);

const Batch = z.strictObject({
  groups: z.array(z.int()),
  rewards: z.array(z.number()),
  tokens: z.array(z.array(z.int())),
  mask: matrix,
  turns: matrix.optional(),
  logits: cube,
  oldLogp: matrix.optional(),
  oldLogits: cube.optional(),
  refLogp: matrix.optional(),
  refLogits: cube.optional(),
  rolloutLogp: matrix.optional(),
  auxiliary: z.array(z.number()).optional(),
  temperature: z.number().optional(),
  chosen: matrix.optional(),
});

/** One case of a vectors file: `vectors/README.md` says what the keys mean. */
const Case = z.strictObject({
  name: z.string(),
  objective: z.looseObject({ control: z.unknown().optional() }),
  step: z.int().min(0).default(0),
  totalSteps: z.int().min(0).default(1),
  batch: Batch.optional(),
  microBatches: z.array(z.array(z.int())).optional(),
  state: z.json().optional(),
  candidates: z.int().optional(),
  auxiliaryPool: z.strictObject({ groups: z.array(z.int()), rewards: z.array(z.number()) }).optional(),
  expect: z.record(z.string(), z.unknown()),
});

/** A case with its objective and control read like those of a recipe. */
export interface ConformanceCase extends Omit<z.infer<typeof Case>, "objective"> {
  readonly objective: ObjectiveConfig;
  readonly control: ControlConfig | null;
}
export type ConformanceBatch = z.infer<typeof Batch>;

/** The cases of a vectors file. @throws DataError naming file, case and field */
export function readCases(path: string): ConformanceCase[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new DataError(`${path}: cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
  const file = z.looseObject({ cases: z.array(z.unknown()) }).safeParse(json);
  if (!file.success) throw new DataError(`${path}: a vectors file is {"about": …, "cases": […]}`);
  return file.data.cases.map((value, i) => readCase(value, `${path}: case ${i + 1}`));
}

/** Where the page of the vectors has another default than recipes: it follows the released code, recipes what we recommend. */
const VECTOR_DEFAULTS: Readonly<Record<string, object>> = { "lp-reg": { selection: "micro-batch" } };

function withVectorDefaults(control: unknown): unknown {
  const name = (control as { name?: unknown } | null)?.name;
  return typeof name === "string" && VECTOR_DEFAULTS[name]
    ? { ...VECTOR_DEFAULTS[name], ...(control as object) }
    : control;
}

function readCase(value: unknown, where: string): ConformanceCase {
  const named = `${where}${typeof (value as { name?: unknown })?.name === "string" ? ` (${(value as { name: string }).name})` : ""}`;
  const parsed = parse(Case, value, named);
  const { control, ...parts } = parsed.objective;
  return {
    ...parsed,
    objective: parse(ObjectiveConfig, parts, `${named}, objective`),
    control:
      control === null || control === undefined
        ? null
        : parse(ControlConfig, withVectorDefaults(control), `${named}, control`),
  };
}

function parse<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const result = schema.safeParse(value);
  if (!result.success) throw new DataError(`${where}: ${z.prettifyError(result.error)}`);
  return result.data;
}
