// Draws docs/entropy-study.svg from the runs of bench/entropy-study.mjs: entropy by training step, one panel a family of methods, mean over the seeds
// with their range.
//
//   node bench/entropy-curves.mjs [--runs FOLDER] [-o FILE.svg]
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: join(root, "runs", "entropy-study") },
    output: { type: "string", short: "o", default: join(root, "docs", "entropy-study.svg") },
  },
});

/** Title of a panel → names of runs without their seed. The first line of every panel is plain GRPO with as many updates. */
const PANELS = [
  ["Entropy bonus", ["grpo", "bonus-0-003", "bonus-0-03", "bonus-0-1", "bonus-0-3"]],
  ["SIREN", ["grpo", "siren-0-005", "siren-1", "siren-3", "siren-10"]],
  ["AEPO", ["grpo", "aepo-0-10", "aepo-0-15", "aepo-0-20", "aepo-0-25"]],
  ["EPO, adaptive, advantage", ["grpo", "epo-0-1", "epo-0-2", "adaptive-0-2", "entropy-advantage"]],
  ["Four updates a rollout", ["grpo-4-updates", "clip-higher-4-updates", "lp-reg", "clip-cov", "kl-cov"]],
  ["Forking tokens", ["grpo", "forking-0-2"]],
];
const COLOURS = ["#5c6370", "#0b62c4", "#c45a0b", "#0a7f56", "#a3359b"]; // told apart by colour-blind people; grey is plain GRPO
const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [420, 270, 44, 58, 12, 26];
const CEILING = 0.5; // nats: what explodes leaves the picture

const panels = PANELS.map(([title, names]) => ({ title, lines: names.map(readLine).filter(Boolean) })).filter(
  ({ lines }) => lines.length > 0,
);
const columns = 2;
const rows = Math.ceil(panels.length / columns);
const body = panels
  .map((panel, i) => drawPanel(panel, (i % columns) * WIDTH, Math.floor(i / columns) * HEIGHT))
  .join("");
writeFileSync(
  values.output,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * WIDTH} ${rows * HEIGHT}" font-family="system-ui, sans-serif" font-size="11">
<title>Entropy of the policy by training step under each entropy control</title>
<rect width="100%" height="100%" fill="#fff"/>${body}</svg>\n`,
);
console.log(values.output);

/** Mean and range over the seeds at each step. */
function readLine(name) {
  const folders = existsSync(values.runs) ? readdirSync(values.runs) : [];
  const seeds = folders
    .filter((folder) => folder.replace(/-s\d+$/, "") === name)
    .map((folder) => join(values.runs, folder, "metrics.jsonl"))
    .filter(existsSync)
    .map((path) => smooth(entropies(path)));
  if (seeds.length === 0) return null;
  const length = Math.min(...seeds.map((list) => list.length));
  return {
    label: name
      .replace("-4-updates", "")
      .replaceAll(/(?<=\d)-(?=\d)/g, ".")
      .replaceAll("-", " "),
    points: Array.from({ length }, (_, i) => {
      const at = seeds.map((list) => list[i]);
      return [i + 1, at.reduce((sum, x) => sum + x, 0) / at.length, Math.min(...at), Math.max(...at)];
    }),
  };
}

function entropies(path) {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line).entropy).filter((value) => value !== undefined);
}

/** Centred mean over five steps. */
function smooth(list) {
  return list.map((_, i) => {
    const near = list.slice(Math.max(0, i - 2), i + 3);
    return near.reduce((sum, x) => sum + x, 0) / near.length;
  });
}

function drawPanel({ title, lines }, left, top) {
  const steps = Math.max(...lines.map(({ points }) => points.length));
  const x = (step) => (LEFT + ((step - 1) / Math.max(1, steps - 1)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value) => (HEIGHT - BOTTOM - (Math.min(value, CEILING) / CEILING) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const grid = [0, 0.1, 0.2, 0.3, 0.4, 0.5].map(
    (value) =>
      `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#e3e5e8"/><text x="${LEFT - 6}" y="${y(value)}" dy=".32em" text-anchor="end" fill="#5c6370">${value}</text>`,
  );
  const axis = [1, 50, 100, 150]
    .filter((step) => step <= steps)
    .map(
      (step) =>
        `<text x="${x(step)}" y="${HEIGHT - 8}" text-anchor="middle" fill="#5c6370">${step === 1 ? "step 1" : step}</text>`,
    );
  const curves = lines.map(({ points }, i) => {
    const path = (pick) => points.map((point) => `${x(point[0])} ${y(pick(point))}`);
    const band = [...path((p) => p[3]), ...path((p) => p[2]).reverse()].join("L");
    const dash = i === 0 ? ' stroke-dasharray="5 3"' : "";
    return `<path d="M${band}Z" fill="${COLOURS[i]}" opacity=".15"/><path d="M${path((p) => p[1]).join("L")}" fill="none" stroke="${COLOURS[i]}" stroke-width="1.8"${dash}/>`;
  });
  const legend = lines.map(({ label }, i) => {
    const at = LEFT + (i % 3) * 125;
    const line = 32 + Math.floor(i / 3) * 15;
    return `<path d="M${at} ${line}h16" stroke="${COLOURS[i]}" stroke-width="2.5"/><text x="${at + 21}" y="${line}" dy=".32em">${label}</text>`;
  });
  return `<g transform="translate(${left} ${top})"><text x="${LEFT}" y="16" font-weight="600" font-size="13">${title}: entropy, nats a token</text>${grid.join("")}${axis.join("")}${curves.join("")}${legend.join("")}</g>`;
}
