// Makes the shipped base model of the lab from nothing: vocabulary, skill, bad habits. With --check it compares with the files that are there and
// changes nothing under models/lab-base: the recipes give the same bytes on the same machine.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, root } from "./ensure-install.mjs";

const STAGES = [
  { recipe: "skill", model: "lab-skill" },
  { recipe: "base", model: "lab-base" },
];
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const check = process.argv.includes("--check");
ensureInstalled();

const sha = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const node = (...args) => {
  if (spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status !== 0) process.exit(1);
};

// 300 episodes of each task show every word of the lab many times.
node(
  "scripts/record-episodes.mjs",
  "{env: {name: lab, tasks: [melt, boil, freeze, find, measure]}, limit: 300, noise: 0.1}",
  "runs/lab-words.jsonl",
  "--replace",
);
node("scripts/train-tokenizer.mjs", "runs/lab-words.jsonl", "runs/lab-tokenizer", "--vocab", "512");
let equal = true;
for (const { recipe, model } of STAGES) {
  const run = join("runs", `lab-${recipe}`);
  rmSync(join(root, run), { recursive: true, force: true });
  node("bin/rlvr.js", "train", `recipes/lab/${recipe}.yaml`, "--threads", "1", "--out", run);
  const last = readdirSync(join(root, run, "checkpoints"))
    .sort()
    .at(-1);
  const target = join(root, "models", model);
  mkdirSync(target, { recursive: true });
  for (const file of FILES) {
    const made = join(root, run, "checkpoints", last, file);
    if (!check || model !== "lab-base") copyFileSync(made, join(target, file));
    else if (!existsSync(join(target, file)) || sha(made) !== sha(join(target, file))) {
      equal = false;
      console.error(`make-lab: ${model}/${file} differs from the shipped one`);
    }
  }
  console.error(`make-lab: ${model} ${sha(join(root, run, "checkpoints", last, "model.safetensors"))}`);
}
if (check) console.error(equal ? "make-lab: the shipped model is reproduced to the byte" : "make-lab: not reproduced");
process.exit(equal ? 0 : 1);
