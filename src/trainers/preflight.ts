import type { Learner } from "../policy/index.ts";
import {
  checkContext,
  dialogueNotes,
  promptIds,
  type RolloutConfig,
  type TaskSet,
  type ToolBox,
} from "../rollout/index.ts";

const PROMPTS = 32; // of each set: a tokenizer or chat template that does not fit fails for all of them

/**
 * Encodes prompts of a task set, spread evenly over it, and holds them against the model's context, so that what would fail at the first
 * rollout fails before a run begins. What an episode begins with is known when it is played: of those, the form of the dialogue is tried.
 * @returns what a user should know of the form of dialogues
 * @throws DataError when the tokenizer cannot express a prompt or has no chat template, ConfigError when a prompt is too long
 */
export function checkPrompts(
  {
    policy,
    tokenizer,
    rollout,
    tools,
  }: Pick<Learner, "policy" | "tokenizer"> & {
    readonly rollout: RolloutConfig;
    readonly tools: ToolBox | null;
  },
  tasks: TaskSet,
  maxTokens: number = rollout.maxTokens,
): readonly string[] {
  if (tasks.worlds || tools) return dialogueNotes(tokenizer, rollout, tasks.worlds ? null : tools);
  const count = Math.min(PROMPTS, tasks.size);
  for (let i = 0; i < count; i++) {
    const task = tasks.get(Math.floor((i * tasks.size) / count));
    checkContext(policy, task, promptIds(tokenizer, task).length, maxTokens);
  }
  return [];
}
