import type { SampleRow } from "../../trainers/types.ts";
import { evenly, type RunData, type SamplePair } from "./data.ts";
import { escapeHtml, number } from "./text.ts";
import { coloured, type Decode, tokenSpans } from "./tokens.ts";
import { episodeFacts, isEpisode, turnsView } from "./turns.ts";

export type { Decode } from "./tokens.ts";

const MAX_TOKENS = 320;
/** Episodes are long: fewer of them are shown. */
const MAX_EPISODE_PAIRS = 16;
const MAX_EPISODE_MEMBERS = 4;

/** Completions before and after training on the same unseen problems, and groups from training. */
export function samplesSection(run: RunData, decode: Decode): string {
  const parts: string[] = [];
  if (run.pairs.length > 0) parts.push(pairs(run.pairs, decode));
  if (run.groups.length > 0) parts.push(groups(run.groups, decode));
  if (parts.length === 0) return "";
  const key = decode
    ? `<p class="key">Token colour: entropy when it was sampled <span class="ramp">${[0, 2, 4, 6, 8].map((level) => `<i class="e${level}">${level === 0 ? "0" : level === 8 ? "≥ 2 nats" : "&nbsp;"}</i>`).join("")}</span></p>`
    : "";
  const hasEpisodes = [...run.pairs.map(({ before }) => before), ...run.groups.flat()].some(isEpisode);
  const strips = hasEpisodes
    ? `<p class="key">Above an episode: one cell a turn, coloured by its mean entropy; × is an action that was not understood, a line under the cell a reward (green) or a cost (red).</p>`
    : "";
  return `<section><h2>Completions</h2>${key}${strips}${parts.join("")}</section>`;
}

type Change = "learned" | "lost" | "both" | "neither";
const CHANGES: Record<Change, string> = {
  learned: "wrong → correct",
  lost: "correct → wrong",
  both: "correct both times",
  neither: "wrong both times",
};

function pairs(all: readonly SamplePair[], decode: Decode): string {
  const list = all.some(({ before }) => isEpisode(before)) ? evenly(all, MAX_EPISODE_PAIRS) : all;
  const kinds = list.map(changeOf);
  const button = (kind: Change): string => {
    const count = kinds.filter((other) => other === kind).length;
    return `<button type="button" data-filter="${kind}" aria-pressed="false">${CHANGES[kind]} <b>${count}</b></button>`;
  };
  const items = list.map((pair, i) => {
    const kind = kinds[i]!;
    return `<details data-kind="${kind}"${i === 0 ? " open" : ""}><summary><code>${titleOf(pair.before, 90)}</code><span class="tag ${kind}">${CHANGES[kind]}</span></summary>
<div class="two">${completion(pair.before, "before", decode)}${completion(pair.after, "after", decode)}</div></details>`;
  });
  return `<h3>Unseen problems, before and after</h3><p class="hint">${list.length} problems at equal distances through the evaluation set, first sample of each.</p>
<div class="filters" role="group" aria-label="Show"><button type="button" data-filter="" aria-pressed="true">all <b>${list.length}</b></button>${(Object.keys(CHANGES) as Change[]).map(button).join("")}</div>
<div class="list">${items.join("")}</div>`;
}

function groups(list: readonly (readonly SampleRow[])[], decode: Decode): string {
  const items = list.map((rows) => {
    const first = rows[0]!;
    const mean = rows.reduce((sum, row) => sum + (row.reward ?? 0), 0) / rows.length;
    return `<details><summary><span>step ${first.step}</span><code>${titleOf(first, 70)}</code><span class="tag">mean reward ${number(mean, 3)}</span></summary>
<div class="two">${rows
      .slice(0, isEpisode(first) ? MAX_EPISODE_MEMBERS : rows.length)
      .map((row) => completion(row, `sample ${row.member + 1}`, decode, true))
      .join("")}</div></details>`;
  });
  return `<h3>From training</h3><p class="hint">One group each of the first, a middle and the last step: the same problem, several attempts.${list.some((rows) => isEpisode(rows[0]!) && rows.length > MAX_EPISODE_MEMBERS) ? ` The first ${MAX_EPISODE_MEMBERS} of each group.` : ""}</p><div class="list">${items.join("")}</div>`;
}

function completion(row: SampleRow, label: string, decode: Decode, withAdvantage = false): string {
  const verdicts = Object.entries(row.rewards);
  const main = verdicts[0]?.[1];
  const facts = [
    row.reward === null ? "not scored" : `reward ${number(row.reward, 3)}`,
    ...(isEpisode(row) ? episodeFacts(row) : []),
    ...(withAdvantage ? [`advantage ${number(row.advantage, 3)}`] : []),
    `${row.ids.length} tokens`,
    ...(isEpisode(row) ? [] : [`ended by ${row.stop}`]),
  ];
  const reasons = verdicts
    .map(([name, { outcome, reason }]) => `<li><b>${escapeHtml(name)}</b> ${outcome}: ${escapeHtml(reason)}</li>`)
    .join("");
  return `<article><header><b>${label}</b>${main ? `<span class="tag ${main.outcome}">${main.outcome}</span>` : ""}<small>${facts.join(" · ")}</small></header>
${isEpisode(row) ? turnsView(row, decode) : `<p class="text">${tokens(row, decode)}</p>`}<ul class="reasons">${reasons}</ul></article>`;
}

/** The completion with each token on the colour of its entropy, ten levels from 0 to 2 nats. */
function tokens({ ids, entropy, text }: SampleRow, decode: Decode): string {
  if (!decode) return escapeHtml(text.slice(0, 2000));
  const more = ids.length > MAX_TOKENS ? `<small> … ${ids.length - MAX_TOKENS} more tokens</small>` : "";
  return coloured(tokenSpans(ids.slice(0, MAX_TOKENS), entropy, decode)) + more;
}

function changeOf({ before, after }: SamplePair): Change {
  const right = (row: SampleRow): boolean => Object.values(row.rewards)[0]?.outcome === "correct";
  if (right(before)) return right(after) ? "both" : "lost";
  return right(after) ? "learned" : "neither";
}

/** The end of the prompt; of an episode the name of its start: its prompt ends with what every room looks like. */
function titleOf(row: SampleRow, length: number): string {
  return isEpisode(row) ? escapeHtml(row.task) : prompt(row.prompt, length);
}

function prompt(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return escapeHtml(line.length > length ? `…${line.slice(-length)}` : line);
}
