// npm start: installs what is missing, then the main job on the shipped model, each time into a fresh folder runs/start-N.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { ensureInstalled, root } from "./ensure-install.mjs";

ensureInstalled();
const args = process.argv.slice(2);
const hasFolder = args.some((arg) => arg === "-o" || arg === "--out" || arg.startsWith("--out="));
const out = hasFolder ? [] : ["--out", freshFolder()];
const child = spawn(process.execPath, [`${root}bin/rlvr.js`, "train", "recipes/start.yaml", ...out, ...args], {
  cwd: root,
  stdio: "inherit",
});
process.on("SIGINT", () => {}); // the terminal sends it to the child as well, which saves its state; wait for that
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});

/** runs/start-1, or the number after the highest one there is. */
function freshFolder() {
  const runs = `${root}runs`;
  const numbers = existsSync(runs) ? readdirSync(runs).map((name) => Number(/^start-(\d+)$/.exec(name)?.[1] ?? 0)) : [];
  return `runs/start-${Math.max(0, ...numbers) + 1}`;
}
