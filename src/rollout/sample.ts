import type { Tokenizer } from "../policy/index.ts";
import { canonicalJson } from "../utils/hash.ts";
import type { Rng } from "../utils/rng.ts";
import type { RolloutConfig, SamplingConfig } from "./config.ts";
import type { ChatDialogue } from "./dialogue/chat.ts";
import type { DialogueConfig } from "./dialogue/config.ts";
import { openDialogue } from "./dialogue/index.ts";
import { envCounterpart } from "./envs/counterpart.ts";
import { runEpisodes } from "./episodes/run.ts";
import { type GenerateRequest, type GenerateStats, generate, type Sampler } from "./generate.ts";
import { startOf } from "./tasks/environment.ts";
import { type ToolBox, type ToolTexts, toolCounterpart, toolTexts } from "./tools/index.ts";
import type { Completion, DialogueMessage, Task, TaskSet } from "./types.ts";

/** How completions of a task set are sampled. */
export interface SampleOptions {
  readonly sampling: SamplingConfig;
  readonly rollout: Pick<RolloutConfig, "batchSize" | "episode" | "dialogue" | "toolFormat">;
  readonly rng: Rng;
  /** What the policy can call while it answers a task; not used in environments. */
  readonly tools?: ToolBox | null;
}

/** Samples what the tasks of a set ask for: one text, or an episode in the set's environment. */
export function sampleCompletions(
  sampler: Sampler,
  { worlds }: Pick<TaskSet, "worlds">,
  requests: readonly GenerateRequest[],
  { sampling, rollout, rng, tools = null }: SampleOptions,
): Promise<{ completions: Completion[]; stats: GenerateStats }> {
  const { batchSize, episode, dialogue, toolFormat } = rollout;
  if (!worlds && tools) {
    const texts = toolTexts(sampler.tokenizer, tools, toolFormat);
    return runEpisodes(sampler, requests, {
      ...{ sampling, episode, rng, batchSize },
      dialogue: toolDialogue(sampler.tokenizer, dialogue, texts),
      counterpart: ({ prompt }) => toolCounterpart({ messages: messagesOf(prompt), box: tools, texts }),
    });
  }
  if (!worlds) return generate(sampler, requests, { sampling, batchSize, rng });
  const { showActions, maxObservation } = episode;
  return runEpisodes(sampler, requests, {
    ...{ sampling, episode, rng, batchSize: Math.min(batchSize, worlds.size) },
    dialogue: dialogueOf(sampler.tokenizer, dialogue),
    counterpart: (task) => envCounterpart({ pool: worlds, start: startOf(task), showActions, maxObservation }),
  });
}

/** How tasks that are played begin, tried before a run: what a user should know of the model's template. @throws ConfigError when turns can't be appended exactly */
export function dialogueNotes(
  tokenizer: Tokenizer,
  { dialogue, toolFormat }: Pick<RolloutConfig, "dialogue" | "toolFormat">,
  tools: ToolBox | null,
): readonly string[] {
  if (!tools) return dialogueOf(tokenizer, dialogue).notes;
  return toolDialogue(tokenizer, dialogue, toolTexts(tokenizer, tools, toolFormat)).notes;
}

function toolDialogue(tokenizer: Tokenizer, config: DialogueConfig, { variables }: ToolTexts): ChatDialogue {
  const all = { ...config.variables, ...variables } as DialogueConfig["variables"];
  return dialogueOf(tokenizer, { ...config, variables: all });
}

function messagesOf(prompt: Task["prompt"]): readonly DialogueMessage[] {
  return typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt;
}

const opened = new WeakMap<Tokenizer, Map<string, ChatDialogue>>();

/** The dialogue of a tokenizer, tested once. @throws ConfigError when turns can't be appended exactly */
export function dialogueOf(tokenizer: Tokenizer, config: DialogueConfig): ChatDialogue {
  const known = opened.get(tokenizer) ?? new Map<string, ChatDialogue>();
  opened.set(tokenizer, known);
  const key = canonicalJson(config);
  const dialogue = known.get(key) ?? openDialogue(tokenizer, config);
  known.set(key, dialogue);
  return dialogue;
}
