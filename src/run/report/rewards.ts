import { DETECTORS } from "../../rewards/index.ts";
import type { SampleRow } from "../../trainers/types.ts";
import type { MetricsRow } from "../metrics-log.ts";
import type { RunData } from "./data.ts";
import { escapeHtml, number, percentText } from "./text.ts";

/** What the rewards said: outcomes, terms, a curriculum's levels, signs of reward hacking. Empty for runs without rewards. */
export function rewardsSection(run: RunData): string {
  const rows = run.rows.filter((row) => "reward_outcome/correct" in row);
  if (rows.length === 0) return "";
  const parts = [
    `<h3>Verdicts</h3>${outcomes(run, rows)}<h3>Terms of the reward</h3>${terms(run, rows)}`,
    levels(rows),
    detectors(run, rows),
  ];
  return `<section><h2>Rewards</h2>${parts.join("\n")}</section>`;
}

const OUTCOMES = ["correct", "wrong", "unparseable", "timeout", "error"] as const;
const POLICIES = { mask: "masked", wrong: "counts as 0", "drop-group": "drops its group" } as const;

/** Shares of the outcomes, and what the recipe does with each. */
function outcomes({ recipe }: RunData, rows: readonly MetricsRow[]): string {
  const policies = recipe.objective.filter.outcomes;
  const body = OUTCOMES.map((name) => {
    const use = name === "correct" || name === "wrong" ? "trains" : POLICIES[policies[name]];
    return [name, ...firstLastMean(rows, `reward_outcome/${name}`, percentText), use];
  });
  return table(["outcome", "first step", "last step", "whole run", "use"], body);
}

/** Mean, weight and share of the variance of each term. */
function terms({ recipe }: RunData, rows: readonly MetricsRow[]): string {
  const names = namesOf(rows, /^rewards\/(.+)\/mean$/);
  const weights = new Map(recipe.rewards.map(({ name, weight }) => [name as string, weight]));
  const withSignal = rows.filter((row) => row["signal/frac_useful_groups"] !== 0);
  const body = names.map((name) => {
    const weight = weights.get(name);
    const shares = valuesOf(withSignal, `rewards/${name}/signal_share`);
    return [
      name,
      weight === undefined ? "" : weight === 0 ? "0: metric only" : number(weight, 3),
      ...firstLastMean(rows, `rewards/${name}/mean`, (value) => number(value, 3)),
      shares.length === 0 ? "no signal" : percentText(mean(shares)),
    ];
  });
  const hint = `<p class="hint">The last column is the term's share of the variance of the reward within groups: its part of what trains, mean over the steps with a signal.</p>`;
  return table(["term", "weight", "first step", "last step", "whole run", "share of variance"], body) + hint;
}

/** Levels and pass rates of a curriculum. */
function levels(rows: readonly MetricsRow[]): string {
  const families = namesOf(rows, /^curriculum\/(.+)\/level$/);
  if (families.length === 0) return "";
  const body = families.map((family) => {
    const [first, last] = firstLastMean(rows, `curriculum/${family}/level`, (value) => number(value, 3));
    const rates = valuesOf(rows, `curriculum/${family}/pass_rate`);
    return [family, first!, last!, rates.length === 0 ? "–" : percentText(mean(rates))];
  });
  return `<h3>Curriculum</h3>${table(["family", "first level", "last level", "pass rate"], body)}`;
}

/** What the detectors saw, with rows that show it. */
function detectors({ flagged }: RunData, rows: readonly MetricsRow[]): string {
  const seen = DETECTORS.filter(({ name }) => rows.some((row) => `hack/${name}` in row));
  if (seen.length === 0) return "";
  const body = seen.map(({ name, what }) => {
    const shares = valuesOf(rows, `hack/${name}`);
    const steps = shares.filter((share) => share > 0).length;
    const last = shares.at(-1)!;
    return [
      name,
      what,
      steps === 0 ? "none" : `${steps} of ${shares.length}`,
      percentText(Math.max(...shares)),
      percentText(last),
    ];
  });
  const examples = seen.flatMap(({ name, advice }) => {
    const found = flagged.get(name);
    return found ? [example(name, advice, found)] : [];
  });
  return `<h3>Signs of reward hacking</h3><p class="hint">Detectors look at completions and warn; they change no score. What honest completions trigger is in docs/reward-hacking.md.</p>
${table(["detector", "what it sees", "steps", "most", "last step"], body)}${examples.length > 0 ? `<div class="list">${examples.join("")}</div>` : ""}`;
}

function example(name: string, advice: string, { count, rows }: { count: number; rows: readonly SampleRow[] }): string {
  const articles = rows.map((row) => {
    const verdict = Object.values(row.rewards)[0];
    const facts = `step ${row.step} · ${escapeHtml(row.task)} · completion ${row.member}${verdict ? ` · ${verdict.outcome}` : ""}`;
    const text = row.text.length > 700 ? `${row.text.slice(0, 700)} …` : row.text;
    return `<article><header><small>${facts}</small></header><p class="text">${escapeHtml(text)}</p><ul class="reasons"><li><b>seen</b> ${escapeHtml(row.flags![name]!)}</li></ul></article>`;
  });
  return `<details><summary><code>${name}</code><span class="tag">${count} completions</span></summary><p class="hint">If it is real: ${escapeHtml(advice)}.</p><div class="two">${articles.join("")}</div></details>`;
}

/** A table whose first cell of each row names it. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]): string =>
    row
      .map((cell, i) =>
        i === 0
          ? `<th scope="row">${escapeHtml(cell)}</th>`
          : `<td${cell.length > 40 ? ' class="wide"' : ""}>${escapeHtml(cell)}</td>`,
      )
      .join("");
  return `<div class="scroll"><table class="said"><thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join("")}</tr></thead><tbody>${body.map((row) => `<tr>${cells(row)}</tr>`).join("")}</tbody></table></div>`;
}

function firstLastMean(rows: readonly MetricsRow[], name: string, format: (value: number) => string): string[] {
  const values = valuesOf(rows, name);
  if (values.length === 0) return ["–", "–", "–"];
  return [values[0]!, values.at(-1)!, mean(values)].map(format);
}

/** Parts of the logged names that fit a pattern. */
function namesOf(rows: readonly MetricsRow[], pattern: RegExp): string[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...names].flatMap((name) => pattern.exec(name)?.[1] ?? []);
}

function valuesOf(rows: readonly MetricsRow[], name: string): number[] {
  return rows.flatMap((row) => (typeof row[name] === "number" ? [row[name]] : []));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
