import { FUNCTIONS, PERCENT_WORDS, PLAIN_COMMANDS } from "./names.ts";
import { scanBased } from "./numerals.ts";
import { push, type Scan } from "./scan.ts";
import { unitOf } from "./units.ts";

/** Splits a run of letters into names, units, words and single letters. */
export function scanLetters(state: Scan): void {
  const based = scanBased(state.text, state.at);
  if (based) {
    push(state, "based", based.digits, { base: based.base });
    state.at = based.end;
    return;
  }
  let end = state.at;
  while (end < state.text.length && /[A-Za-z]/.test(state.text[end]!)) end++;
  const run = state.text.slice(state.at, end);
  state.at = end;
  if (state.isText && /^'[a-z]/.test(state.text.slice(end, end + 2))) scanContraction(state, run);
  else for (const part of splitRun(run, state)) pushName(state, part);
}

/** `don't`, `Evelyn's`: one word. */
function scanContraction(state: Scan, run: string): void {
  let end = state.at + 1;
  while (/[a-z]/.test(state.text[end] ?? "")) end++;
  push(state, "word", run + state.text.slice(state.at, end));
  state.at = end;
}

/** `orW` → or, W; `sinx` → sin, x; `abc` → a, b, c. */
function splitRun(run: string, state: Scan): readonly string[] {
  if (isName(run, state)) return [run];
  const joined = /^(or|and)([A-Z]\w{0,2})$/.exec(run);
  if (joined) return [joined[1]!, joined[2]!];
  if (state.isText) return [run];
  const named = /^(arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|ln|log|sqrt|pi)([a-z])$/.exec(run);
  if (named) return [named[1]!, named[2]!];
  return run.length >= 4 || /^(NaN|nan)$/.test(run) ? [run] : [...run];
}

function isName(run: string, state: Scan): boolean {
  const lower = run.toLowerCase();
  if (lower === "or" || lower === "and" || PERCENT_WORDS.has(lower)) return true;
  if (Object.hasOwn(FUNCTIONS, run) || Object.hasOwn(PLAIN_COMMANDS, lower)) return true;
  return isUnitHere(run, state);
}

/** In words every unit after a value is one, in mathematics those with several letters after a number. */
function isUnitHere(run: string, { out, isText }: Scan): boolean {
  if (!unitOf(run)) return false;
  const before = out.at(-1);
  if (run.length > 2) return true;
  if (!before) return isText && run.length > 1;
  if (isText)
    return (
      before.kind === "number" ||
      before.kind === "close" ||
      before.kind === "unit" ||
      before.text === "/" ||
      run.length > 1
    );
  return run.length > 1 && (before.kind === "number" || before.kind === "unit" || before.kind === "close");
}

function pushName(state: Scan, name: string): void {
  const lower = name.toLowerCase();
  if (lower === "or" || lower === "and") push(state, "separator", lower);
  else if (PERCENT_WORDS.has(lower)) push(state, "sign", "%");
  else if (lower === "degrees" || lower === "degree" || lower === "deg") push(state, "sign", "deg");
  else if (name === "min" && state.out.at(-1)?.kind === "number" && !/^\s*[([\\]/.test(state.text.slice(state.at)))
    push(state, "unit", name);
  else if (Object.hasOwn(FUNCTIONS, name)) push(state, "command", name);
  else if (Object.hasOwn(PLAIN_COMMANDS, lower)) push(state, "command", PLAIN_COMMANDS[lower]!);
  else if (isUnitHere(name, state)) push(state, "unit", name);
  else if (name.length === 1) push(state, "letter", name, state.isText ? { upright: true } : {});
  else push(state, "word", name);
}
