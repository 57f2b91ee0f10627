import { escapeHtml, number } from "./text.ts";

/** One line of a chart. */
export interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Interval around each point. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
  /** Marks each point: for the few values of evaluations. */
  readonly dots?: boolean;
}

/** One chart: lines over training steps. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What is drawn, in words and with its unit. */
  readonly note: string;
  readonly series: readonly Series[];
  /** Values are shares, shown in per cent from 0. */
  readonly percent?: boolean;
  /** Value axis starts at 0. */
  readonly fromZero?: boolean;
}

const WIDTH = 400;
const HEIGHT = 208;
const BOX = { left: 46, right: 10, top: 10, bottom: 24 };
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 2", "10 4"];

/** An HTML figure: title, legend, SVG with hover values, and the numbers as a table for those who cannot see it. */
export function renderChart(chart: Chart): string {
  const series = chart.series.filter((line) => line.points.length > 0);
  if (series.length === 0) return "";
  const format = (value: number): string => (chart.percent ? `${number(100 * value, 3)} %` : number(value, 4));
  const legend =
    series.length > 1
      ? `<ul class="legend">${series.map((line, i) => `<li>${swatch(i)}${escapeHtml(line.label)}</li>`).join("")}</ul>`
      : "";
  return `<figure class="chart"><figcaption><b>${escapeHtml(chart.title)}</b><small>${escapeHtml(chart.note)}</small></figcaption>
${legend}<div class="plot">${svg(chart, series, format)}<output hidden></output></div>
${table(series, format)}</figure>`;
}

function svg(chart: Chart, series: readonly Series[], format: (value: number) => string): string {
  const scale = scales(chart, series);
  const data = JSON.stringify({
    b: [scale.x0, scale.x1, BOX.left, WIDTH - BOX.right, WIDTH],
    s: series.map((line) => [
      line.label,
      line.points.map(([x, y]) => [x, format(y), Math.round(scale.y(y) * 10) / 10]),
    ]),
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${chart.id}-t ${chart.id}-d" data-chart="${escapeHtml(data)}">
<title id="${chart.id}-t">${escapeHtml(chart.title)}</title><desc id="${chart.id}-d">${escapeHtml(describe(series, format))}</desc>
${axes(scale, chart)}
${series.map((line, i) => drawSeries(line, i, scale)).join("\n")}<g class="cursor"></g></svg>`;
}

interface Scale {
  x(value: number): number;
  y(value: number): number;
  readonly x0: number;
  readonly x1: number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

function scales(chart: Chart, series: readonly Series[]): Scale {
  const xs = series.flatMap((line) => line.points.map(([x]) => x));
  const ys = series.flatMap((line) => [
    ...line.points.map(([, y]) => y),
    ...(line.band ?? []).flatMap(([, low, high]) => [low, high]),
  ]);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [low, high] = [Math.min(...ys), Math.max(...ys)];
  if (chart.percent || chart.fromZero) low = Math.min(0, low);
  if (high - low < 1e-12) [low, high] = [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const yTicks = ticks(low, high, 4).filter((tick) => !chart.percent || tick <= 1 + 1e-9);
  const [y0, y1] = [Math.min(low, yTicks[0]!), Math.max(high, yTicks.at(-1)!)];
  const spanX = x1 - x0 || 1;
  return {
    x: (value) => BOX.left + ((value - x0) / spanX) * (WIDTH - BOX.left - BOX.right),
    y: (value) => HEIGHT - BOX.bottom - ((value - y0) / (y1 - y0)) * (HEIGHT - BOX.top - BOX.bottom),
    x0,
    x1,
    xTicks: ticks(x0, x1, 5).filter((tick) => tick >= x0 && tick <= x1 && Number.isInteger(tick)),
    yTicks,
  };
}

/** Round numbers that enclose [low, high]. */
export function ticks(low: number, high: number, about: number): number[] {
  const raw = (high - low || 1) / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((value) => value >= raw * 0.999)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function axes(scale: Scale, chart: Chart): string {
  const label = (value: number): string => (chart.percent ? `${number(100 * value, 3)}%` : number(value, 3));
  const rows = scale.yTicks.map((tick) => {
    const y = fixed(scale.y(tick));
    return `<line x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${y}" y2="${y}"/><text x="${BOX.left - 6}" y="${y}" dy=".32em" text-anchor="end">${label(tick)}</text>`;
  });
  const columns = scale.xTicks.map(
    (tick) => `<text x="${fixed(scale.x(tick))}" y="${HEIGHT - 6}" text-anchor="middle">${number(tick, 6)}</text>`,
  );
  return `<g class="axis">${rows.join("")}${columns.join("")}</g>`;
}

function drawSeries(line: Series, index: number, scale: Scale): string {
  const colour = `c${index % DASHES.length}`;
  const dash = DASHES[index % DASHES.length];
  const path = (points: readonly (readonly [number, number])[]): string =>
    `M${points.map(([x, y]) => `${fixed(scale.x(x))} ${fixed(scale.y(y))}`).join("L")}`;
  const parts: string[] = [];
  if (line.band && line.band.length > 1) {
    const upper = line.band.map(([x, , high]) => [x, high] as const);
    const lower = line.band.map(([x, low]) => [x, low] as const).reverse();
    parts.push(`<path class="band ${colour}" d="${path([...upper, ...lower])}Z"/>`);
  }
  const smooth =
    line.dots || line.points.length < 24 ? null : movingAverage(line.points, Math.ceil(line.points.length / 16));
  if (smooth) parts.push(`<path class="raw ${colour}" d="${path(line.points)}"/>`);
  parts.push(
    `<path class="line ${colour}"${dash ? ` stroke-dasharray="${dash}"` : ""} d="${path(smooth ?? line.points)}"/>`,
  );
  if (line.dots)
    for (const [i, [x, y]] of line.points.entries()) {
      const band = line.band?.[i];
      if (band)
        parts.push(
          `<path class="whisker ${colour}" d="${path([
            [x, band[1]],
            [x, band[2]],
          ])}"/>`,
        );
      parts.push(`<circle class="${colour}" cx="${fixed(scale.x(x))}" cy="${fixed(scale.y(y))}" r="3.2"/>`);
    }
  return `<g>${parts.join("")}</g>`;
}

/** Centred mean over 2·radius + 1 points, fewer at the ends. */
export function movingAverage(points: readonly (readonly [number, number])[], radius: number): [number, number][] {
  return points.map(([x], i) => {
    const near = points.slice(Math.max(0, i - radius), i + radius + 1);
    return [x, near.reduce((sum, [, y]) => sum + y, 0) / near.length];
  });
}

/** What the chart shows, in words. */
function describe(series: readonly Series[], format: (value: number) => string): string {
  return series
    .map(({ label, points }) => {
      const ys = points.map(([, y]) => y);
      const [first, last] = [points[0]!, points.at(-1)!];
      return `${label}: ${format(first[1])} at step ${first[0]}, ${format(last[1])} at step ${last[0]}, between ${format(Math.min(...ys))} and ${format(Math.max(...ys))}.`;
    })
    .join(" ");
}

function table(series: readonly Series[], format: (value: number) => string): string {
  const steps = [...new Set(series.flatMap((line) => line.points.map(([x]) => x)))].sort((a, b) => a - b);
  const shown = steps.filter(
    (_, i) => steps.length <= 13 || i % Math.ceil(steps.length / 12) === 0 || i === steps.length - 1,
  );
  const values = series.map((line) => new Map(line.points.map(([x, y]) => [x, y])));
  const cell = (value: number | undefined): string => `<td>${value === undefined ? "" : format(value)}</td>`;
  const body = shown.map(
    (step) => `<tr><th scope="row">${step}</th>${values.map((map) => cell(map.get(step))).join("")}</tr>`,
  );
  const head = series.map((line) => `<th scope="col">${escapeHtml(line.label)}</th>`).join("");
  return `<details class="numbers"><summary>Numbers</summary><div class="scroll"><table><thead><tr><th scope="col">step</th>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div></details>`;
}

function swatch(index: number): string {
  const dash = DASHES[index % DASHES.length];
  return `<svg width="22" height="8" aria-hidden="true"><path class="line c${index % DASHES.length}"${dash ? ` stroke-dasharray="${dash}"` : ""} d="M1 4H21"/></svg>`;
}

const fixed = (value: number): string => String(Math.round(value * 10) / 10);
