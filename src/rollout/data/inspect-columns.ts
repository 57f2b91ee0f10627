import { LengthCounts, type LengthSummary } from "./lengths.ts";
import type { Row } from "./rows.ts";

/** What a column holds. */
export interface ColumnReport {
  /** Nested fields with dots: `reward_model.ground_truth`. */
  readonly name: string;
  /** Rows by type of value: text, whole, number, boolean, null, list, messages, other. A row without the column is in none. */
  readonly types: Readonly<Record<string, number>>;
  /** Rows with a blank text or an empty list. */
  readonly empty: number;
  /** Of texts and conversations, in characters; null when there are none. */
  readonly characters: LengthSummary | null;
  /** The same in tokens of a model. */
  readonly tokens: LengthSummary | null;
}

/** Columns that are reported at most; files whose rows all have other names have no columns. */
const MAX_COLUMNS = 200;
const MAX_DEPTH = 3;

interface Column {
  readonly types: Map<string, number>;
  empty: number;
  readonly characters: LengthCounts;
  readonly tokens: LengthCounts;
}

/** Gathers what columns hold, row by row, in constant memory. */
export class ColumnCounts {
  readonly #columns = new Map<string, Column>();
  readonly #tokensOf: ((text: string) => number) | null;
  /** Fields that were left out because there are too many names. */
  dropped = 0;

  constructor(tokensOf: ((text: string) => number) | null) {
    this.#tokensOf = tokensOf;
  }

  add({ values }: Row): void {
    this.#addAll(values, "", 1);
  }

  report(): ColumnReport[] {
    return [...this.#columns].map(([name, { types, empty, characters, tokens }]) => ({
      name,
      types: Object.fromEntries([...types].sort(([, left], [, right]) => right - left)),
      empty,
      characters: characters.summary(),
      tokens: tokens.summary(),
    }));
  }

  #addAll(values: object, prefix: string, depth: number): void {
    for (const [key, value] of Object.entries(values)) {
      const isNested = value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
      if (isNested && depth < MAX_DEPTH) this.#addAll(value, `${prefix}${key}.`, depth + 1);
      else this.#addValue(`${prefix}${key}`, value);
    }
  }

  #addValue(name: string, value: unknown): void {
    const column = this.#columns.get(name) ?? this.#open(name);
    if (!column) return;
    const type = typeOf(value);
    column.types.set(type, (column.types.get(type) ?? 0) + 1);
    const text = textIn(value, type);
    if (text?.trim() === "" || (Array.isArray(value) && value.length === 0)) column.empty++;
    if (text === null) return;
    column.characters.add(text.length);
    if (this.#tokensOf) column.tokens.add(this.#tokensOf(text));
  }

  #open(name: string): Column | null {
    if (this.#columns.size >= MAX_COLUMNS) {
      this.dropped++;
      return null;
    }
    const column = { types: new Map(), empty: 0, characters: new LengthCounts(), tokens: new LengthCounts() };
    this.#columns.set(name, column);
    return column;
  }
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return "text";
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))) return "whole";
  if (typeof value === "number" || typeof value === "boolean") return typeof value;
  if (!Array.isArray(value)) return "other";
  return value.length > 0 && value.every((item) => typeof item?.role === "string" && typeof item?.content === "string")
    ? "messages"
    : "list";
}

function textIn(value: unknown, type: string): string | null {
  if (type === "text") return value as string;
  return type === "messages" ? (value as { content: string }[]).map(({ content }) => content).join("\n") : null;
}
