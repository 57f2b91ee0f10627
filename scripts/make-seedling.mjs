// Makes the shipped base models from nothing: skill, then the two habits. With --check it compares with the files that are there and changes
// nothing under models/seedling*: the recipes give the same bytes on the same machine.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, root } from "./ensure-install.mjs";

const STAGES = [
  { recipe: "skill", model: "seedling-skill" },
  { recipe: "search", model: "seedling" },
  { recipe: "direct", model: "seedling-direct" },
];
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const check = process.argv.includes("--check");
ensureInstalled();

const sha = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
let equal = true;
for (const { recipe, model } of STAGES) {
  const run = join(root, "runs", `seedling-${recipe}`);
  rmSync(run, { recursive: true, force: true });
  const args = ["bin/rlvr.js", "train", `recipes/seedling/${recipe}.yaml`, "--threads", "1", "--out", run];
  if (spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status !== 0) process.exit(1);
  const last = readdirSync(join(run, "checkpoints")).sort().at(-1);
  const target = join(root, "models", model);
  mkdirSync(target, { recursive: true });
  const shipped = model !== "seedling-skill" && check;
  for (const file of FILES) {
    const made = join(run, "checkpoints", last, file);
    if (!shipped) copyFileSync(made, join(target, file));
    else if (!existsSync(join(target, file)) || sha(made) !== sha(join(target, file))) {
      equal = false;
      console.error(`make-seedling: ${model}/${file} differs from the shipped one`);
    }
  }
  console.error(`make-seedling: ${model} ${sha(join(run, "checkpoints", last, "model.safetensors"))}`);
}
if (check)
  console.error(
    equal ? "make-seedling: the shipped models are reproduced to the byte" : "make-seedling: not reproduced",
  );
process.exit(equal ? 0 : 1);
