// Writes the tables of docs/rewards.md from the schemas in src/rewards; with --check it only says whether the file is up to date.
// Usage: node scripts/rewards-table.mjs [--check] [FILE]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { register } from "tsx/esm/api";
import { ensureInstalled, root } from "./ensure-install.mjs";

ensureInstalled();
register({ tsconfig: false });
const { z } = await import("zod");
const { BuiltInRewardConfig, builtInDef } = await import("../src/rewards/builtin.ts");
const MARK = "<!-- what follows is made by scripts/rewards-table.mjs -->\n";
const args = process.argv.slice(2);
const file = args.find((arg) => !arg.startsWith("--")) ?? join(root, "docs", "rewards.md");
const before = readFileSync(file, "utf8");
const at = before.indexOf(MARK);
const text = at < 0 ? null : before.slice(0, at + MARK.length) + tables();
if (text === null) {
  console.error(`${file} has no line ${MARK.trim()}`);
  process.exitCode = 1;
} else if (!args.includes("--check")) writeFileSync(file, text);
else if (text !== before) {
  console.error(`${file} is not what src/rewards declares; run: node scripts/rewards-table.mjs`);
  process.exitCode = 1;
}

/** One table of all rewards, and one of the options of each. */
function tables() {
  const { oneOf } = z.toJSONSchema(BuiltInRewardConfig, { io: "input" });
  const rewards = oneOf.map(({ description, properties, required = [] }) => {
    const { name, weight: _weight, ...options } = properties;
    return { name: name.const, what: description, options, required };
  });
  return `${[
    "",
    "## All rewards",
    "",
    "| name | asks | judged in |",
    "| --- | --- | --- |",
    ...rewards.map(({ name, what, options }) =>
      row([`[\`${name}\`](#${name})`, escaped(what), placeOf(name, options)]),
    ),
    "",
    ...rewards.flatMap(section),
  ].join("\n")}`;
}

function section({ name, what, options, required }) {
  const rows = Object.entries(options);
  if (rows.length === 0) return [`### ${name}`, "", `${escaped(what)} It has no options.`, ""];
  return [
    `### ${name}`,
    "",
    escaped(what),
    "",
    "| option | default | what |",
    "| --- | --- | --- |",
    ...rows.map(([option, schema]) =>
      row([`\`${option}\``, required.includes(option) ? "needed" : shown(schema.default), describe(schema)]),
    ),
    "",
  ];
}

/** As it is with the defaults of its options. */
function placeOf(name, options) {
  const defaults = Object.fromEntries(Object.entries(options).map(([key, schema]) => [key, schema.default]));
  return builtInDef(name).runs?.(defaults) === "main" ? "place" : "a thread";
}

function describe(schema) {
  const choices = schema.enum ?? schema.anyOf?.find((inner) => inner.enum)?.enum;
  const list = choices && !choices.every((choice) => schema.description?.includes(choice));
  return escaped(`${list ? `${choices.join(", ")}: ` : ""}${schema.description ?? ""}`);
}

function shown(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === "" ? "empty" : text.includes("\n") ? "a template" : `\`${text}\``;
}

function row(cells) {
  return `| ${cells.join(" | ")} |`;
}

/** Text that Markdown would read as its own. */
function escaped(text) {
  return text.replace(/[\\|<>*_{}[\]#]/g, "\\$&").replaceAll("\n", " ");
}
