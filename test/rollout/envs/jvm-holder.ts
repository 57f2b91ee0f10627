// Run by a test: starts a JVM, tells its process id, and ends in the way that its argument names.
import { Jvm, type JvmOptions } from "../../../src/rollout/envs/jvm.ts";

const [way, ...all] = process.argv.slice(2) as [string, ...string[]];
const running = await Promise.all(all.map((text) => Jvm.start(JSON.parse(text) as JvmOptions)));
process.stdout.write(`${running.map(({ pid }) => pid).join(" ")}\n`);
if (way === "throw") throw new Error("on purpose");
if (way === "wait") setInterval(() => {}, 1000);
if (way === "call") await running[0]!.gateway.call("t", "silence"); // in the middle of a call
