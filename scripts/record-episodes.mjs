// Plays gold episodes of an environment and writes them to a file, one a line, for `demonstrations: {name: episodes, file: …}`: worlds that are slow
// to start or to solve are played once. The options are those of `demonstrations: {name: episodes}`, in YAML.
//
//   node scripts/record-episodes.mjs "{env: {name: lab}, limit: 20, noise: 0.2}" runs/lab.jsonl
//   node scripts/record-episodes.mjs "{env: {name: scienceworld}, tasks: [find-plant], limit: 50}" runs/plants.jsonl --worlds 2
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { register } from "tsx/esm/api";
import { parse } from "yaml";
import { z } from "zod";
import { ensureInstalled } from "./ensure-install.mjs";

ensureInstalled();
register();
const { DemonstrationConfig, playConfigured } = await import("../src/rollout/demonstrations/index.ts");
const { writeFileAtomic } = await import("../src/utils/files.ts");

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { worlds: { type: "string", default: "1" }, replace: { type: "boolean", default: false } },
});
const [text, out] = positionals;
if (out === undefined || positionals.length > 2) {
  console.error('usage: node scripts/record-episodes.mjs "{env: {name: …}, …}" FILE.jsonl [--worlds N] [--replace]');
  process.exit(2);
}
if (existsSync(out) && !values.replace) {
  console.error(`record-episodes: ${out} is there already; --replace plays anew`);
  process.exit(0);
}
const { data: config, error } = DemonstrationConfig.safeParse({ name: "episodes", ...parse(text) });
if (error) {
  console.error(`record-episodes: ${text}\n${z.prettifyError(error)}`);
  process.exit(2);
}
const counts = new Map();
let done = 0;
const episodes = await playConfigured(config, {
  worlds: Number(values.worlds),
  onEpisode({ task, success, turns }) {
    const count = counts.get(task) ?? { played: 0, solved: 0, actions: 0 };
    count.played++;
    count.solved += success ? 1 : 0;
    count.actions += turns.length;
    counts.set(task, count);
    if (++done % 100 === 0) console.error(`record-episodes: ${done} played`);
  },
});
writeFileAtomic(out, episodes.map((episode) => `${JSON.stringify(episode)}\n`).join(""));
for (const [task, { played, solved, actions }] of counts)
  console.error(
    `record-episodes: ${task}: ${played} played, ${solved} solved, ${(actions / played).toFixed(1)} actions each`,
  );
console.error(`record-episodes: ${episodes.length} episodes in ${out}`);
