import { readdirSync, readFileSync } from "node:fs";
import { envCounterpart } from "../../src/rollout/envs/counterpart.ts";
import type { EnvPool } from "../../src/rollout/envs/index.ts";
import type { EpisodeStart } from "../../src/rollout/envs/types.ts";
import { messageOf } from "../../src/utils/errors.ts";

/** JVMs that this process has started and that run. Only where there is /proc. */
export function ownJvms(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, "utf8");
        const isOwn = new RegExp(`^PPid:\\s+${process.pid}$`, "m").test(status) && !/^State:\s+[ZX]/m.test(status);
        return isOwn && readFileSync(`/proc/${name}/cmdline`, "utf8").includes("\0-cp\0");
      } catch {
        return false; // it has ended in between
      }
    })
    .map(Number);
}

/** What is left of an episode. */
export interface EpisodeRecord {
  readonly start: EpisodeStart;
  readonly turns: number;
  readonly success: boolean;
  /** Null: it came to an end of its own. */
  readonly error: string | null;
}

/** Plays one episode as a rollout does, with an action from `act` each turn. */
export async function playEpisode(
  pool: EnvPool,
  start: EpisodeStart,
  { act, maxTurns }: { readonly act: (turn: number) => string; readonly maxTurns: number },
): Promise<EpisodeRecord> {
  const other = envCounterpart({ pool, start, showActions: false, maxObservation: 2000 });
  let turns = 0;
  let success = false;
  try {
    await other.start();
    for (let done = false; !done && turns < maxTurns; turns++) {
      const reply = await other.reply({ text: act(turns), isCut: false });
      ({ done, success } = reply);
    }
    return { start, turns, success, error: null };
  } catch (error) {
    return { start, turns, success, error: messageOf(error) };
  } finally {
    await other.finish();
  }
}
