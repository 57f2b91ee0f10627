// Makes a base model that acts in an environment, from nothing: plays episodes, learns a vocabulary from them, runs the recipes.
//
//   node scripts/make-base.mjs lab [--check]       models/lab-base, shipped
//   node scripts/make-base.mjs scienceworld        models/scienceworld-base, from the simulator (bash scripts/fetch-scienceworld, Java)
//
// With --check it compares with the files that are there and does not change them: the recipes give the same bytes on the same machine. Not so
// ScienceWorld, which does not play alike twice; its recordings stay in runs/ and are used again.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, root } from "./ensure-install.mjs";

const LAB = "{name: lab, tasks: [melt, boil, freeze, find, measure]}";
const SHORT =
  "[find-living-thing, find-non-living-thing, find-plant, find-animal, lifespan-longest-lived, lifespan-shortest-lived]";
const BASES = {
  lab: {
    record: [`{env: ${LAB}, limit: 300, noise: 0.1}`, "--replace"],
    vocab: "512",
    stages: ["skill", "base"],
  },
  scienceworld: {
    record: [
      `{env: {name: scienceworld}, tasks: ${SHORT}, repeat: 4, noise: 0.15, stale: 0.4, maxActions: 30}`,
      ...["--worlds", "2"],
    ],
    vocab: "1024",
    stages: ["words", "base"],
  },
};
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const [name] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const check = process.argv.includes("--check");
const base = BASES[name];
if (!base || (check && name !== "lab")) {
  console.error("usage: node scripts/make-base.mjs lab [--check] | scienceworld");
  process.exit(2);
}
ensureInstalled();

const sha = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const node = (...args) => {
  if (spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status !== 0) process.exit(1);
};

const [config, ...options] = base.record;
const episodes = `runs/${name}-episodes.jsonl`;
node("scripts/record-episodes.mjs", config, episodes, ...options);
node("scripts/train-tokenizer.mjs", episodes, `runs/${name}-tokenizer`, "--vocab", base.vocab);
let equal = true;
for (const stage of base.stages) {
  const run = join("runs", `${name}-${stage}`);
  rmSync(join(root, run), { recursive: true, force: true });
  node("bin/rlvr.js", "train", `recipes/${name}/${stage}.yaml`, "--threads", "1", "--out", run);
  const last = readdirSync(join(root, run, "checkpoints"))
    .sort()
    .at(-1);
  const model = `${name}-${stage}`;
  const target = join(root, "models", model);
  mkdirSync(target, { recursive: true });
  for (const file of FILES) {
    const made = join(root, run, "checkpoints", last, file);
    if (!check || stage !== "base") copyFileSync(made, join(target, file));
    else if (!existsSync(join(target, file)) || sha(made) !== sha(join(target, file))) {
      equal = false;
      console.error(`make-base: ${model}/${file} differs from the shipped one`);
    }
  }
  console.error(`make-base: ${model} ${sha(join(root, run, "checkpoints", last, "model.safetensors"))}`);
}
if (check)
  console.error(equal ? "make-base: the shipped model is reproduced to the byte" : "make-base: not reproduced");
process.exit(equal ? 0 : 1);
