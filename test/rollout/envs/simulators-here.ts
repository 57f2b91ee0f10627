import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Path of a simulator's JAR where it and Java are, or a skip that says how to get them. */
export function simulatorJar(t: TestContext, name: "scienceworld" | "textworld-express"): string | null {
  const path = join(root, "models", name, `${name}.jar`);
  if (!existsSync(path)) {
    t.skip(`${name} is missing: bash scripts/fetch-${name} brings it`);
    return null;
  }
  if (hasJava()) return path;
  t.skip("Java is missing: apt-get install -y default-jre-headless brings it");
  return null;
}

function hasJava(): boolean {
  try {
    execFileSync("java", ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Processes whose command line has this text, as their ids. Only where there is /proc. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isRunning(pid) && commandLine(pid).includes(text));
}

/** Whether a process is there and not only waiting to be forgotten. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
