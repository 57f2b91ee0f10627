import { LabOptions, lab } from "../../../src/rollout/envs/lab/index.ts";
import type { Environment, EnvironmentSource, EpisodeStart } from "../../../src/rollout/envs/types.ts";

/** Presets of the lab's size. */
export const SIZES = ["tiny", "small", "medium", "large"] as const;

/** A lab with options as in a recipe. */
export function openLab(options: object = {}): Promise<EnvironmentSource> {
  return lab.open(LabOptions.parse(options));
}

/** The first starts of a task in a split. */
export async function startsOf(source: EnvironmentSource, task: string, count: number): Promise<EpisodeStart[]> {
  return [...(await source.starts("train", [task]))].slice(0, count);
}

/** What an agent reads and gets when it acts so, one line a turn. */
export async function transcript(world: Environment, start: EpisodeStart, actions: readonly string[]): Promise<string> {
  const { instruction, observation } = await world.reset(start);
  const lines = [`${start.task}/${start.seed}: ${instruction}`, observation];
  for (const action of actions) {
    const step = await world.step(action);
    lines.push(
      `> ${action}`,
      `${step.observation} [${step.reward}${step.success ? " solved" : step.done ? " failed" : ""}]`,
    );
  }
  return lines.join("\n");
}
