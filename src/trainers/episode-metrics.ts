import type { Completion, Episode } from "../rollout/index.ts";
import { isPlayed } from "../rollout/tasks/index.ts";
import type { MetricTable } from "../utils/metrics.ts";
import { share } from "./metric-values.ts";
import { mean } from "./statistics.ts";
import type { Metrics } from "./types.ts";

const def = (unit: string, what: string) => ({ unit, what, when: "env" });
const ms = (what: string) => ({ ...def("ms", what), clock: true });

/** Definitions of {@link episodeMetrics}. */
export const EPISODE_METRICS: MetricTable = {
  "env/success": def("share", "episodes with the task's own success test"),
  "env/score_mean": def("reward", "mean return of an episode, negative ones as 0"),
  "env/score_raw_mean": def("reward", "mean return of an episode"),
  "env/valid_action_ratio": def("share", "actions that the environment understood / actions of which that is known"),
  "env/invalid_format_ratio": def("share", "turns without an action: empty, cut off by a limit, or lost to a fault"),
  "env/truncated_ratio": def("share", "episodes ended by our limits of turns, tokens or context"),
  "env/error_ratio": def("share", "episodes whose environment broke or took too long"),
  "env/step_ms_mean": ms("mean wall time of one step of an environment"),
  "env/reset_ms_mean": ms("mean wall time of one start of an episode"),
};

/** `env/` of the episodes of a step or an evaluation; nothing without episodes; dialogues with tools are judged by the rewards. */
export function episodeMetrics(completions: readonly Completion[]): Metrics {
  const episodes = completions.flatMap(({ episode, task }) => (episode && isPlayed(task) ? [episode] : []));
  if (episodes.length === 0) return {};
  const turns = episodes.flatMap((episode) => episode.turns);
  const told = turns.filter(({ valid }) => valid !== null);
  const limits: readonly Episode["end"][] = ["turns", "tokens", "context"];
  return {
    "env/success": share(episodes.map(({ success }) => success)),
    "env/score_mean": mean(episodes.map((episode) => Math.max(0, episode.return))),
    "env/score_raw_mean": mean(episodes.map((episode) => episode.return)),
    "env/valid_action_ratio": told.length === 0 ? 1 : share(told.map(({ valid }) => valid === true)),
    "env/invalid_format_ratio": share(turns.map(({ action }) => action === null)),
    "env/truncated_ratio": share(episodes.map(({ end }) => limits.includes(end))),
    "env/error_ratio": share(episodes.map(({ end }) => end === "error" || end === "deadline")),
    "env/step_ms_mean": turns.length === 0 ? 0 : mean(turns.map((turn) => turn.ms)),
    "env/reset_ms_mean": mean(episodes.map(({ resetMs }) => resetMs)),
  };
}
