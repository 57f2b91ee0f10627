import type { Tokenizer } from "../../policy/index.ts";
import { ConfigError } from "../../utils/errors.ts";
import type { ChatDialogue } from "./chat.ts";
import { chatDialogue } from "./chat.ts";
import type { DialogueConfig } from "./config.ts";
import { plainDialogue } from "./plain.ts";

export { DialogueConfig, PlainConfig } from "./config.ts";
export { truncateToTokens } from "./truncate.ts";

/**
 * Opens the way in which a model reads conversations: its chat template, which is tested first, or plain texts.
 * @throws ConfigError when turns can't be appended exactly, saying why
 */
export function openDialogue(tokenizer: Tokenizer, config: DialogueConfig): ChatDialogue {
  const { style, plain, variables, date } = config;
  if (style === "chat" && !tokenizer.hasChatTemplate)
    throw new ConfigError("dialogue.style is chat, but the model has no chat template: set it to plain");
  if (style === "plain" || !tokenizer.hasChatTemplate) return { ...plainDialogue(tokenizer, plain), notes: [] };
  return chatDialogue(tokenizer, { variables, date });
}
