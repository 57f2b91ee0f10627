import { DataError } from "../../utils/errors.ts";
import { answerField, fieldOf, type Row, textField } from "./rows.ts";

/** How the gold answer is taken from its column: as it is, the number after the last `####`, or what the last `\boxed{…}` holds. */
export type GoldForm = "whole" | "after-hashes" | "last-box";

/** Which columns of a data set hold what. Names with dots are nested fields. */
export interface ColumnPreset {
  readonly name: string;
  readonly question: string;
  readonly answer: string;
  readonly gold: GoldForm;
  /** Column of a worked solution, where there is one. */
  readonly solution: string | null;
  /** Whether the published set is known to have rows without an answer, which are left out and counted. */
  readonly skipEmpty: boolean;
}

const PROBLEM = { question: "problem", answer: "answer", gold: "whole", solution: "solution" } as const;
const VERL = { question: "prompt", answer: "reward_model.ground_truth", gold: "whole", solution: null } as const;

/** Column mappings of the usual data sets, by name. */
export const PRESETS = {
  plain: { name: "plain", question: "question", answer: "answer", gold: "whole", solution: null, skipEmpty: false },
  gsm8k: {
    ...{ name: "gsm8k", question: "question", answer: "answer", gold: "after-hashes" },
    ...{ solution: "answer", skipEmpty: false },
  },
  math: {
    ...{ name: "math", question: "problem", answer: "solution", gold: "last-box" },
    ...{ solution: "solution", skipEmpty: false },
  },
  "math-500": { name: "math-500", ...PROBLEM, skipEmpty: false },
  openr1: { name: "openr1", ...PROBLEM, skipEmpty: true },
  deepscaler: { name: "deepscaler", ...PROBLEM, skipEmpty: true },
  "dapo-17k": { name: "dapo-17k", ...VERL, skipEmpty: false },
  verl: { name: "verl", ...VERL, skipEmpty: false },
} as const satisfies Record<string, ColumnPreset>;
export type PresetName = keyof typeof PRESETS;

/** Names of all presets. */
export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];

/** The preset that fits a file by its first row, or null. */
export function guessPreset(row: Row): ColumnPreset | null {
  const has = (name: string): boolean => cellOf(row, name) !== undefined;
  if (has(VERL.question) && has(VERL.answer)) return PRESETS.verl;
  if (has("question") && has("answer")) return isHashed(cellOf(row, "answer")) ? PRESETS.gsm8k : PRESETS.plain;
  if (has("problem") && has("answer")) return PRESETS["math-500"];
  if (has("problem") && has("solution")) return PRESETS.math;
  return null;
}

function cellOf(row: Row, name: string): unknown {
  try {
    return fieldOf(row, name);
  } catch {
    return undefined;
  }
}

const HASHED = /####\s*[-+$]?[\d.,]+%?\s*$/;

function isHashed(answer: unknown): boolean {
  return typeof answer === "string" && HASHED.test(answer.slice(-200));
}

/** Whether a column of a row holds nothing: it is missing, null, blank or an empty list. */
export function isEmpty(row: Row, name: string): boolean {
  const value = cellOf(row, name) ?? null;
  return (
    value === null || (typeof value === "string" && value.trim() === "") || (Array.isArray(value) && value.length === 0)
  );
}

/** The gold answer of a row. @throws DataError naming file, line and field when it isn't there in that form */
export function goldAnswer(row: Row, column: string, form: GoldForm): string {
  if (form === "whole") return answerField(row, column);
  const text = textField(row, column);
  const gold = form === "last-box" ? lastBoxed(text) : numberAfterHashes(text);
  if (gold !== null) return gold;
  const rule = form === "last-box" ? "must hold a closed \\boxed{…}" : 'must end with "#### number"';
  throw new DataError(`${row.where}, field "${column}": ${rule}, got ${JSON.stringify(text.slice(-40))}`);
}

/** The number after the last `####` without thousands separators, as GSM8K writes its answers; null when there is none. */
export function numberAfterHashes(text: string): string | null {
  const at = text.lastIndexOf("####");
  if (at < 0) return null;
  const gold = text
    .slice(at + 4)
    .trim()
    .replaceAll(",", "");
  return /^-?\d+(\.\d+)?$/.test(gold) ? gold : null;
}

const BOX = /\\(?:boxed|fbox)(?:\s*\{|\s+([^\s{]))/g;

/** What the last `\boxed{…}` or `\fbox{…}` holds, braces balanced, also `\boxed 5`; null when there is none, it is empty or not closed. */
export function lastBoxed(text: string): string | null {
  let last: RegExpExecArray | null = null;
  for (const match of text.matchAll(BOX)) last = match;
  if (!last || last[1] !== undefined) return last?.[1] ?? null;
  const start = last.index + last[0].length;
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (char === "\\")
      i++; // \{ and \} are no braces
    else if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return text.slice(start, i).trim() || null;
  }
  return null;
}
