import type { Completion } from "../rollout/types.ts";
import type { Scorable } from "./types.ts";

/** What a reward may look at of a sampled completion. */
export function scorable({ task, text, answer = text, stop, ids, logp, entropy, episode }: Completion): Scorable {
  return { task, text: answer, stop, tokens: ids.length, ids, logp, entropy, ...(episode ? { episode } : {}) };
}
