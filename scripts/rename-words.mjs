// Copies recorded episodes with words renamed: in each copy the words of a list change places among themselves, everywhere in the episode. A model that
// imitates the copies cannot know the words by heart; it has to read them.
//
//   node scripts/rename-words.mjs IN.jsonl OUT.jsonl --copies 3 --list "red,green,blue/ box" --list "dove,parrot//find-"
//
// A list is WORD,WORD,…[/TEXT that must follow the word[/TEXT that the task's name must hold]].
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { register } from "tsx/esm/api";
import { ensureInstalled } from "./ensure-install.mjs";

ensureInstalled();
register();
const { createRng } = await import("../src/utils/rng.ts");
const { writeFileAtomic } = await import("../src/utils/files.ts");

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { copies: { type: "string", default: "1" }, list: { type: "string", multiple: true, default: [] } },
});
const [from, to] = positionals;
if (to === undefined || positionals.length > 2 || values.list.length === 0) {
  console.error('usage: node scripts/rename-words.mjs IN.jsonl OUT.jsonl [--copies N] --list "WORD,WORD/after/task" …');
  process.exit(2);
}
const lists = values.list.map((text) => {
  const [words, after = "", task = ""] = text.split("/");
  const names = words.split(",");
  const longestFirst = [...names].sort((a, b) => b.length - a.length);
  return { names, task, pattern: new RegExp(`\\b(${longestFirst.join("|")})(?=${after || "\\b"})`, "g") };
});

/** The line with its words renamed. */
function renamed(line, rng) {
  const { task } = JSON.parse(line);
  return lists.reduce((text, list, i) => {
    if (!task.includes(list.task)) return text;
    const places = rng.fork(i).shuffle(list.names);
    return text.replace(list.pattern, (word) => places[list.names.indexOf(word)]);
  }, line);
}

const lines = readFileSync(from, "utf8").trim().split("\n");
const rng = createRng("rename-words");
const copies = lines.flatMap((line, i) =>
  Array.from({ length: Number(values.copies) }, (_, copy) => renamed(line, rng.fork(i, copy))),
);
writeFileAtomic(to, copies.map((line) => `${line}\n`).join(""));
console.error(`rename-words: ${copies.length} episodes in ${to}`);
