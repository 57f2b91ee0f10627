import { DataError } from "../../utils/errors.ts";
import type { Message } from "../types.ts";

/** One row of a data file. */
export interface Row {
  /** Where it stands, for messages: `data/train.jsonl, line 3` or `data/train.parquet, row 3`; counted from 1. */
  readonly where: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Told about a row that can't be read; without it such a row ends the reading with its error. */
export type OnBadRow = (error: DataError) => void;

/** Makes a row, or tells about it and returns null. */
export function rowOr(make: () => Row, onBad: OnBadRow | undefined): Row | null {
  try {
    return make();
  } catch (error) {
    if (!onBad || !(error instanceof DataError)) throw error;
    onBad(error);
    return null;
  }
}

/** Checks that a value is a row. @throws DataError naming file and line */
export function toRow(value: unknown, where: string): Row {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new DataError(`${where}: a row must be an object with named fields, got ${describe(value)}`);
  }
  return { where, values: value as Record<string, unknown> };
}

/**
 * A field of a row. A name with dots, such as `reward_model.ground_truth`, reaches into nested fields when there is no field of that very name.
 * @throws DataError naming file, line and field, and the fields that the row has
 */
export function fieldOf({ where, values }: Row, name: string): unknown {
  if (Object.hasOwn(values, name)) return values[name];
  let value: unknown = values;
  for (const part of name.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, part)) {
      const names = Object.keys(values)
        .slice(0, 20)
        .map((key) => key.slice(0, 40));
      throw new DataError(`${where}: there is no field "${name}"; the fields are ${names.join(", ") || "none"}`);
    }
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** A field that holds text that is not blank. @throws DataError naming file, line and field */
export function textField(row: Row, name: string): string {
  const value = fieldOf(row, name);
  if (typeof value !== "string") throw bad(row, name, `must be text, got ${describe(value)}`);
  if (value.trim() === "") throw bad(row, name, "is empty");
  return value;
}

/** A field that holds a gold answer: text, or a number, written as short as it is exact (27.0 → `27`), or a list of one of them. @throws DataError as above */
export function answerField(row: Row, name: string): string {
  const field = fieldOf(row, name);
  const value: unknown = Array.isArray(field) && field.length === 1 ? field[0] : field;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (typeof value === "string" && value.trim() !== "") return value;
  if (typeof value === "string") throw bad(row, name, "is empty");
  throw bad(row, name, `must be text or a number, got ${describe(value)}`);
}

const ROLES: readonly string[] = ["system", "user", "assistant", "tool"];

/** A field that holds a question: text, or a conversation `[{role, content}, …]`. @throws DataError as above */
export function promptField(row: Row, name: string): string | readonly Message[] {
  const value = fieldOf(row, name);
  if (!Array.isArray(value)) return textField(row, name);
  if (value.length === 0) throw bad(row, name, "is a conversation without messages");
  return value.map((message: unknown, i) => {
    const { role, content } = (message ?? {}) as Record<string, unknown>;
    if (typeof role !== "string" || !ROLES.includes(role)) {
      throw bad(row, name, `message ${i + 1} must have a role (${ROLES.join(", ")}), got ${describe(role)}`);
    }
    if (typeof content !== "string") throw bad(row, name, `message ${i + 1} must have a text as content`);
    return { role: role as Message["role"], content };
  });
}

function bad(row: Row, name: string, problem: string): DataError {
  return new DataError(`${row.where}, field "${name}": ${problem}`);
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  return `${typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value)} (${typeof value})`;
}
