import { compareByKind, type KindChange } from "../by-kind.ts";
import type { PairedDifference } from "../compare.ts";
import { pairedDifference } from "../compare.ts";
import { duration } from "../console.ts";
import { resumeCommand } from "../folder.ts";
import { type Headline, headlineOf } from "../headline.ts";
import { recipeToYaml } from "../recipe-load.ts";
import type { RunData } from "./data.ts";
import { escapeHtml, number, percentText, points } from "./text.ts";

/** Held-out accuracy before and after training. */
export interface Gain {
  readonly before: Headline;
  readonly after: Headline;
  readonly steps: number;
  readonly difference: PairedDifference | null;
  /** The same by kind of problem; empty where it was not measured. */
  readonly byKind: readonly KindChange[];
}

/** First and last evaluation of a run; null when there are not two. */
export function gainOf(run: Pick<RunData, "evaluations">): Gain | null {
  const [first, last] = [run.evaluations[0], run.evaluations.at(-1)];
  if (!first || !last || first.step === last.step) return null;
  const [before, after] = [headlineOf(first.metrics), headlineOf(last.metrics)];
  if (!before || !after) return null;
  const [difference, byKind] = [pairedDifference(first, last), compareByKind(first, last)];
  return { before, after, steps: last.step - first.step, difference, byKind };
}

/** The headline of one run: accuracy before → after, both intervals drawn, the paired difference in words. */
export function hero(run: RunData): string {
  const gain = gainOf(run);
  if (!gain) return `<p class="lead">${escapeHtml(onlyOne(run))}</p>`;
  const { before, after, difference } = gain;
  const words = difference
    ? `<p class="lead"><b class="gain">${points(difference.mean)} points</b> <span>95 % interval ${points(difference.low)} to ${points(difference.high)}, paired over ${difference.problems} unseen problems${difference.p < 0.001 ? ", p &lt; 0.001" : `, p = ${number(difference.p, 2)}`}</span></p>`
    : "";
  return `<div class="hero"><div><p class="label">Held-out pass@1 · ${escapeHtml(after.set)}</p>
<p class="figures"><span>${percentText(before.value)}</span><span class="arrow" aria-label="to">→</span><strong>${percentText(after.value)}</strong></p>${words}</div>
${intervals(before, after, gain.steps)}</div>`;
}

function onlyOne(run: RunData): string {
  const headline = headlineOf(run.evaluations[0]?.metrics ?? {});
  if (headline)
    return `Held-out pass@1 ${percentText(headline.value)} after step ${run.evaluations[0]!.step}; no later evaluation yet.`;
  return "This run has no evaluation on held-out problems.";
}

const LABEL_WIDTH = 165;

/** Two intervals on one axis from 0 to 100 %. */
function intervals(before: Headline, after: Headline, steps: number): string {
  const x = (share: number): number => Math.round((8 + 384 * share) * 10) / 10;
  const row = (name: string, { value, low = value, high = value }: Headline, y: number, kind: string): string => {
    const isLeft = x(high) + 8 + LABEL_WIDTH > 400; // the words must stay inside the picture
    const words = `<text x="${isLeft ? x(low) - 8 : x(high) + 8}" y="${y}" dy=".34em"${isLeft ? ' text-anchor="end"' : ""}>${name} · ${percentText(low)} – ${percentText(high)}</text>`;
    return `<g class="${kind}"><line x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/><circle cx="${x(value)}" cy="${y}" r="5"/>${words}</g>`;
  };
  const text = `Before training ${percentText(before.value)}, after ${steps} steps ${percentText(after.value)}.`;
  const axis = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${x(share)}" x2="${x(share)}" y1="6" y2="78"/><text x="${x(share)}" y="94" text-anchor="${share === 0 ? "start" : share === 1 ? "end" : "middle"}">${100 * share}%</text>`,
  );
  return `<svg class="intervals" viewBox="0 0 400 98" role="img" aria-label="${text}"><title>${text}</title><g class="axis">${axis.join("")}</g>
${row("before", before, 26, "before")}${row("after", after, 58, "after")}</svg>`;
}

/** Small figures under the headline. */
export function cards(run: RunData): string {
  const trained = run.rows.filter((row) => row.step > 0);
  const [first, last] = [trained[0], trained.at(-1)];
  if (!first || !last) return "";
  const list: [string, string, string?][] = [
    ["Steps", `${last.step}`, last.step < run.recipe.steps ? `of ${run.recipe.steps}: not finished` : ""],
  ];
  const change = (label: string, name: string, digits: number, unit = ""): void => {
    const [from, to] = [first[name], last[name]];
    if (typeof from === "number" && typeof to === "number")
      list.push([label, `${number(from, digits)} → ${number(to, digits)}`, unit]);
  };
  if (typeof last.num_tokens === "number") list.push(["Tokens", compact(last.num_tokens), "prompt and sampled"]);
  const time = trained.reduce((sum, row) => sum + (typeof row.step_time === "number" ? row.step_time : 0), 0);
  if (time > 0) list.push(["Training time", duration(time), `${number(time / trained.length, 2)} s a step`]);
  change("Entropy", "entropy", 3, "nats, first → last step");
  change("Length", "completions/mean_length", 3, "tokens, first → last step");
  const worst = trained.map((row) => row["invariant/step0_logp_maxdiff"]).filter((value) => typeof value === "number");
  if (worst.length > 0)
    list.push(["Sampler = trainer", number(Math.max(...worst), 2), "largest log-prob difference, nats (limit 2e−4)"]);
  const peak = trained.map((row) => row["memory/rss_peak_gb"]).filter((value) => typeof value === "number");
  if (peak.length > 0) list.push(["Peak memory", `${number(Math.max(...peak), 3)} GiB`, "resident set of the process"]);
  return `<dl class="cards">${list.map(([label, value, note]) => `<div><dt>${label}</dt><dd>${value}${note ? `<small>${note}</small>` : ""}</dd></div>`).join("")}</dl>`;
}

/** Several runs side by side. */
export function runTable(runs: readonly RunData[]): string {
  const body = runs.map((run) => {
    const gain = gainOf(run);
    const difference = gain?.difference;
    const cell = (headline?: Headline): string =>
      headline
        ? `${percentText(headline.value)} <small>${percentText(headline.low ?? headline.value)}–${percentText(headline.high ?? headline.value)}</small>`
        : "–";
    return `<tr><th scope="row">${escapeHtml(run.name)}<small>${escapeHtml(run.path)}</small></th><td>${run.recipe.seed}</td><td>${run.rows.at(-1)!.step}</td><td>${cell(gain?.before)}</td><td>${cell(gain?.after)}</td><td>${difference ? `${points(difference.mean)} <small>${points(difference.low)} to ${points(difference.high)}</small>` : "–"}</td></tr>`;
  });
  return `<div class="scroll"><table class="runs"><thead><tr><th scope="col">run</th><th scope="col">seed</th><th scope="col">steps</th><th scope="col">pass@1 before</th><th scope="col">after</th><th scope="col">gain, points</th></tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

/** Recipe, environment and the commands that make the run again. */
export function about(run: RunData): string {
  const { environment: env } = run;
  const rows: [string, string][] = env
    ? [
        ["rlvr", env.rlvr],
        ["Node · ONNX Runtime", `${env.node} · ${env.onnxruntime}`],
        ["Machine", `${env.cpu}, ${env.cores} cores, ${env.memoryGb} GiB`],
        ["System", env.platform],
        ["Device · threads · seed", `${env.device} · ${env.threads} · ${env.seed}`],
        ...Object.entries(env.hashes).map(([name, hash]): [string, string] => [
          `sha256 of ${name}`,
          `${hash.slice(0, 16)}…`,
        ]),
      ]
    : [];
  const commands = [
    `npx rlvr train ${run.path}/recipe.yaml --out runs/again   # the same run from the start`,
    `${resumeCommand(run.path)}   # go on if it was interrupted`,
  ];
  return `<div class="two"><section><h3>Recipe</h3><pre>${escapeHtml(recipeToYaml(run.recipe))}</pre></section>
<section><h3>Environment</h3><div class="scroll"><table class="plain">${rows.map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`).join("")}</table></div>
<h3>Run it again</h3><pre class="wrap">${escapeHtml(commands.join("\n"))}</pre></section></div>`;
}

function compact(value: number): string {
  return value >= 1e6 ? `${number(value / 1e6, 3)} M` : value >= 1e3 ? `${number(value / 1e3, 3)} k` : String(value);
}
