import type { CheckedCase } from "../trainers/conformance-check.ts";
import type { ExplainedToken, Explanation } from "../trainers/explain.ts";
import { metricDef } from "../trainers/metrics.ts";

/** Everything fits into a terminal of this width. */
const WIDTH = 120;

/** One line a case: the largest error in each element type and where it is. */
export function checkText(path: string, cases: readonly CheckedCase[]): string {
  const name = Math.max(...cases.map((checked) => checked.name.length));
  const lines = cases.flatMap((checked) => {
    const { float64, float32 } = checked.types;
    const line = `${checked.passed ? "  ok  " : "FAILED"}  ${checked.name.padEnd(name)}  ${errorText(float64)}  ${errorText(float32)}`;
    return [line, ...(checked.passed ? [] : failures(checked))];
  });
  const head = `${" ".repeat(8)}${"case".padEnd(name)}  ${"float64".padStart(8)}  ${"float32".padStart(8)}`;
  return [path, head, ...lines].join("\n");
}

function errorText({ worst, failure }: CheckedCase["types"]["float64"]): string {
  return (failure === null ? short(worst?.error ?? 0) : "-").padStart(8);
}

function failures({ types }: CheckedCase): string[] {
  return Object.entries(types).flatMap(([type, { passed, worst, failure }]) => {
    if (passed) return [];
    const what = failure ?? `${worst!.path} is ${show(worst!.got)}, expected ${show(worst!.expected)}`;
    return [`${" ".repeat(10)}${type}: ${what}`];
  });
}

function show(value: unknown): string {
  return fit(value === undefined ? "absent" : (JSON.stringify(value) ?? String(value)), 60);
}

/** A case as tables: parts, tokens, what the control computed, terms, state, metrics. */
export function explainText(explained: Explanation): string {
  const { name, step, totalSteps, tokens, rows, chosenRows } = explained;
  const parts = Object.entries(explained.objective).flatMap(([part, value]) => labelled(part, valueText(value)));
  return [
    `${name}, step ${step} of ${totalSteps}`,
    ...parts,
    ...(tokens.length > 0 ? ["", ...tokenTable(tokens), ...LEGEND(tokens), ...controlTables(tokens)] : []),
    "",
    ...(rows.length > 0
      ? labelled(
          "rows",
          rows
            .map((row, i) => `${i}: group ${row.group} reward ${short(row.reward)}${row.auxiliary ? " auxiliary" : ""}`)
            .join(", "),
        )
      : []),
    ...(explained.loss === null
      ? []
      : labelled("loss", `${short(explained.loss)} = ${numbers(explained.terms, " + ")}`)),
    ...labelled("knobs", numbers(explained.knobs)),
    ...labelled("fed", numbers(explained.scalars)),
    ...(chosenRows ? labelled("chosen rows", chosenRows.join(", ") || "none") : []),
    ...stateLines(explained.state),
    ...metricLines(explained.metrics),
  ].join("\n");
}

function tokenTable(tokens: readonly ExplainedToken[]): string[] {
  const compared = tokens.some(({ pushWithout }) => pushWithout !== null);
  const head = [
    "row",
    "pos",
    "token",
    "log-prob",
    "log-ratio",
    "advantage",
    "entropy",
    "sel",
    "weight",
    "|grad|",
    "dlogp",
    "dH",
  ];
  const body = tokens.map((t) => [
    ...[
      `${t.row}`,
      `${t.position}`,
      `${t.token}`,
      fixed(t.logp),
      fixed(t.logRatio),
      fixed(t.advantage),
      fixed(t.entropy),
    ],
    ...[t.live ? "" : "after", short(t.weight), short(t.push.norm), short(t.push.logp), short(t.push.entropy)],
    ...(t.pushWithout ? [short(t.pushWithout.logp), short(t.pushWithout.entropy)] : []),
  ]);
  tokens.forEach((t, i) => {
    if (t.selected === true || (t.selected === false && t.live)) body[i]![7] = t.selected ? "yes" : ".";
  });
  return table([[...head, ...(compared ? ["dlogp⁻", "dH⁻"] : [])], ...body]);
}

const LEGEND = (tokens: readonly ExplainedToken[]): string[] => [
  "dlogp, dH: change of the token's log-prob and of its position's entropy under a gradient step of length 1 on its logits",
  ...(tokens.some(({ pushWithout }) => pushWithout)
    ? ["dlogp⁻, dH⁻: the same of this objective without its control"]
    : []),
  ...(tokens.some(({ selected }) => selected !== null) ? ["sel: what the control selected"] : []),
];

/** Numbers of the control's own, as many columns a table as fit. */
function controlTables(tokens: readonly ExplainedToken[]): string[] {
  const names = Object.keys(tokens[0]?.control ?? {});
  if (names.length === 0) return [];
  const column = Math.max(9, ...names.map((name) => name.length)) + 2;
  const perTable = Math.max(1, Math.floor((WIDTH - 12) / column));
  const lines: string[] = ["", "what the control computed"];
  for (let i = 0; i < names.length; i += perTable) {
    const some = names.slice(i, i + perTable);
    const body = tokens.map((t) => [`${t.row}`, `${t.position}`, ...some.map((name) => short(t.control[name]!))]);
    lines.push(...table([["row", "pos", ...some], ...body]));
  }
  return lines;
}

function stateLines(state: Explanation["state"]): string[] {
  if (!state || (state.before === null && state.after === null)) return [];
  const text = (value: unknown): string => fit(JSON.stringify(value), WIDTH - 14);
  const { before, started, after } = state;
  const same = JSON.stringify(before) === JSON.stringify(started);
  return [
    ...labelled("state", `before ${fit(text(before), WIDTH - 21)}`),
    ...(same ? [] : [`${" ".repeat(12)}in it  ${fit(text(started), WIDTH - 19)}`]),
    `${" ".repeat(12)}after  ${fit(text(after), WIDTH - 19)}`,
  ];
}

function metricLines(metrics: Readonly<Record<string, number>>): string[] {
  const names = Object.keys(metrics);
  if (names.length === 0) return [];
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => {
    const { unit = "", what = "" } = metricDef(name) ?? {};
    return fit(`  ${name.padEnd(width)}  ${short(metrics[name]!).padStart(9)} ${unit}: ${what}`, WIDTH);
  });
  return ["metrics", ...lines];
}

/** `name: clip, clipLow: 0.2` of a part of the objective. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value !== "object") return String(value);
  const { name, module, ...options } = value as Record<string, unknown>;
  const texts = Object.entries(options).map(([key, inner]) => `${key} ${JSON.stringify(inner)}`);
  return [name ?? module, ...texts].join(", ");
}

/** A label and its text, wrapped; nothing for an empty text. */
function labelled(label: string, text: string): string[] {
  if (text === "") return [];
  const lines = [""];
  for (const part of text.split(/(?<=, )/)) {
    if (lines.at(-1)!.length + part.length > WIDTH - 12) lines.push("");
    lines[lines.length - 1] += part;
  }
  return lines.map((line, i) => `${(i === 0 ? label : "").padEnd(12)}${fit(line.trimEnd(), WIDTH - 12)}`);
}

function numbers(values: Readonly<Record<string, number>>, between = ", "): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(between);
}

/** Columns aligned to the right, two spaces apart (one where that is too wide). */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const between = widths.reduce((sum, width) => sum + width + 2, -2) > WIDTH ? " " : "  ";
  return rows.map((row) => row.map((cell, i) => cell.padStart(widths[i]!)).join(between));
}

/** Four digits after the point; exponents for what that would hide. */
function fixed(x: number): string {
  return Math.abs(x) >= 1000 || (x !== 0 && Math.abs(x) < 1e-4) ? short(x) : x.toFixed(4);
}

/** Three digits that count. */
function short(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  if (Number.isInteger(x) && Math.abs(x) < 1e5) return `${x === 0 ? 0 : x}`;
  const size = Math.abs(x);
  return size >= 0.01 && size < 1000 ? `${Number(x.toPrecision(3))}` : x.toExponential(1);
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
