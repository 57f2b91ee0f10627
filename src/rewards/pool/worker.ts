import { parentPort } from "node:worker_threads";
import { messageOf } from "../../utils/errors.ts";
import type { Reward, Scorable, Verdict } from "../types.ts";
import { ownThreadId } from "./cpu-clock.ts";
import { moduleReward } from "./module-reward.ts";
import type { VerifierSource } from "./types.ts";
import { checkedVerdict, failed } from "./verdict-check.ts";

/** One answer to judge. */
export interface Request {
  readonly id: number;
  readonly source: VerifierSource;
  /** null: the verifier is loaded and judges nothing. */
  readonly completion: Scorable | null;
}

/** What a thread says: that it has started, that the verifier is loaded and begins, its verdict. */
export type Reply =
  | { readonly kind: "ready"; readonly threadId: number | null }
  | { readonly kind: "begun"; readonly id: number }
  | { readonly kind: "verdict"; readonly id: number; readonly verdict: Verdict; readonly ms: number };

const port = parentPort;
if (!port) throw new Error("internal: pool/worker.ts runs in a worker thread only");
const say = (reply: Reply): void => port.postMessage(reply);
const LOADED: Verdict = { outcome: "correct", score: 1, reason: "is loaded" };
const rewards = new Map<string, Promise<Reward>>();

port.on("message", ({ id, source, completion }: Request) => {
  void judge(id, source, completion).then((result) => say({ kind: "verdict", id, ...result }));
});
say({ kind: "ready", threadId: ownThreadId() });

async function judge(
  id: number,
  source: VerifierSource,
  completion: Scorable | null,
): Promise<{ verdict: Verdict; ms: number }> {
  const key = JSON.stringify(source);
  let start = performance.now();
  try {
    const pending = rewards.get(key) ?? load(source);
    rewards.set(key, pending);
    const reward = await pending;
    say({ kind: "begun", id });
    start = performance.now();
    const verdict = completion === null ? LOADED : await attempt(reward, completion);
    const ms = performance.now() - start;
    structuredClone(verdict); // what can't be sent is the verifier's error, not a lost answer
    return { verdict, ms };
  } catch (error) {
    return { verdict: failed(messageOf(error)), ms: performance.now() - start };
  }
}

async function attempt(reward: Reward, completion: Scorable): Promise<Verdict> {
  try {
    return checkedVerdict(reward.name, await reward.score(completion));
  } catch (error) {
    return failed(`reward ${reward.name} threw: ${messageOf(error)}`);
  }
}

async function load(source: VerifierSource): Promise<Reward> {
  if (source.kind === "builtin") {
    const { createReward } = await import("../index.ts");
    return createReward(source.config as Parameters<typeof createReward>[0]);
  }
  return moduleReward(source);
}
