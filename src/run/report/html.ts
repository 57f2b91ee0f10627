import { packageVersion } from "../environment.ts";
import { KIND_STYLE, kindSection } from "./by-kind.ts";
import { renderChart } from "./charts.ts";
import { chartsOf } from "./curves.ts";
import type { RunData } from "./data.ts";
import { episodeCharts } from "./episode-curves.ts";
import { EPISODE_STYLE } from "./episode-style.ts";
import { rewardsSection } from "./rewards.ts";
import { type Decode, samplesSection } from "./samples.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";
import { about, cards, hero, runTable } from "./tables.ts";
import { escapeHtml } from "./text.ts";

/**
 * The report of one run, or of several side by side: one HTML page without any outside reference.
 * @param decode token ids to text, for the colours of single tokens
 */
export function renderReport(runs: readonly RunData[], decode: Decode = null): string {
  const [first] = runs;
  if (!first) throw new Error("internal: renderReport() needs a run");
  const single = runs.length === 1;
  const title = single ? first.name : `${runs.length} runs`;
  const charts = chartsOf(runs).map(renderChart).join("\n");
  const episodes = episodeCharts(runs).map(renderChart).join("\n");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,"><title>${escapeHtml(title)} · rlvr report</title><style>${STYLE}${EPISODE_STYLE}${KIND_STYLE}</style></head>
<body><main>
<h1>${escapeHtml(title)}</h1><p class="sub">${single ? escapeHtml(subtitle(first)) : "side by side"}</p>
${single ? `${hero(first)}${cards(first)}${kindSection(first)}` : runTable(runs)}
<section><h2>Training</h2><div class="charts">${charts}</div></section>
${episodes === "" ? "" : `<section><h2>Episodes</h2><div class="charts">${episodes}</div></section>`}
${single ? rewardsSection(first) + samplesSection(first, decode) : ""}
${runs.map((run) => `<section><h2>How it was made${single ? "" : ` · ${escapeHtml(run.name)}`}</h2>${about(run)}</section>`).join("\n")}
<footer>Made by rlvr ${escapeHtml(packageVersion())}. This file needs no network.</footer>
</main><script>${SCRIPT}</script></body></html>
`;
}

/** `seedling · GRPO on countdown · all weights · seed 1` */
function subtitle({ recipe }: RunData): string {
  const model = typeof recipe.model === "string" ? recipe.model : "random weights";
  const data = recipe.trainer === "sft" ? recipe.demonstrations?.name : recipe.tasks.train?.name;
  const trained = recipe.adapter.kind === "lora" ? `LoRA rank ${recipe.adapter.rank}` : "all weights";
  return `${model} · ${recipe.trainer.toUpperCase()} on ${data ?? "?"} · ${trained} · seed ${recipe.seed}`;
}
