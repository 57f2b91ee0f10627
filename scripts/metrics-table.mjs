// Writes docs/metrics.md from the declarations in src/trainers/metrics.ts; with --check it only says whether the file is up to date.
// Usage: node scripts/metrics-table.mjs [--check] [FILE]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { register } from "tsx/esm/api";
import { ensureInstalled, root } from "./ensure-install.mjs";

ensureInstalled();
register({ tsconfig: false });
const { METRICS } = await import("../src/trainers/metrics.ts");
const args = process.argv.slice(2);
const file = args.find((arg) => !arg.startsWith("--")) ?? join(root, "docs", "metrics.md");
const text = page(METRICS);
if (!args.includes("--check")) writeFileSync(file, text);
else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
  console.error(`${file} is not what src/trainers/metrics.ts declares; run: node scripts/metrics-table.mjs`);
  process.exitCode = 1;
}

/** The page: one table for each group of names. */
function page(metrics) {
  const groups = new Map();
  for (const entry of Object.entries(metrics)) {
    const group = groupOf(entry[0]);
    groups.set(group, [...(groups.get(group) ?? []), entry]);
  }
  const tables = [...groups].map(([group, rows]) => [
    `## ${group}`,
    "",
    "| name | unit | what | when |",
    "| --- | --- | --- | --- |",
    ...rows.map(([name, { unit, what, when, clock }]) =>
      row([`\`${name}\`${clock ? " ⏱" : ""}`, escaped(unit), escaped(what), escaped(when)]),
    ),
    "",
  ]);
  return `${[
    "# Metrics",
    "",
    "Every name that `metrics.jsonl`, TensorBoard and the report may hold; a name that is not declared here is an error. This page is made from",
    "`src/trainers/metrics.ts` by `node scripts/metrics-table.mjs`.",
    "",
    "m = 1 on sampled tokens; l = current log-prob, l_old = the trainer's before the update, l_roll = the sampler's; r = exp(l - l_old); A = advantage;",
    "H = entropy of the current policy; \\<x\\> = sum(m x) / sum(m) over all tokens of the step. `{…}` in a name stands for a word of the recipe. ⏱ is",
    "measured by a clock or the machine and differs between two runs that are otherwise equal to the byte. `eval_` before a name is that metric on the",
    "evaluation set. A control of your own reports its numbers as `control/NAME`.",
    "",
    ...tables.flat(),
  ].join("\n")}`;
}

function groupOf(name) {
  return name.includes("/") && !name.endsWith("tok/s") ? name.split("/")[0] : "step";
}

function row(cells) {
  return `| ${cells.join(" | ")} |`;
}

/** Text that Markdown would read as its own. */
function escaped(text) {
  return text.replace(/[\\|<>*_{}[\]]/g, "\\$&");
}
