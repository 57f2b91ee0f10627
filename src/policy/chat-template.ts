import { Template } from "@huggingface/jinja";
import { DataError, messageOf } from "../utils/errors.ts";

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
}

/** How to render a conversation. */
export interface ChatOptions {
  /** Ends with the header of an assistant's turn, so that the model answers. */
  readonly addGenerationPrompt: boolean;
  /** Text that the assistant's answer begins with; appended as it is. */
  readonly assistantPrefix?: string;
}

/** A compiled chat template. */
export interface ChatTemplate {
  /** Jinja source, as the model ships it. */
  readonly source: string;
  /** @throws DataError when the template refuses the conversation */
  render(messages: readonly ChatMessage[], options: ChatOptions): string;
}

/**
 * Compiles a Jinja chat template.
 * @param special text of the special tokens that templates may name: `bos_token`, `eos_token`, …
 * @param where the file it comes from, for messages
 * @throws DataError when it is not a valid template
 */
export function compileChatTemplate(
  source: string,
  special: Readonly<Record<string, string>>,
  where: string,
): ChatTemplate {
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    throw new DataError(`${where}: the chat template cannot be parsed: ${messageOf(error)}`, { cause: error });
  }
  return {
    source,
    render(messages, { addGenerationPrompt, assistantPrefix = "" }) {
      try {
        const plain = messages.map(({ role, content }) => ({ role, content }));
        const text = template.render({ ...special, messages: plain, add_generation_prompt: addGenerationPrompt });
        return text + assistantPrefix;
      } catch (error) {
        throw new DataError(`${where}: the chat template refuses this conversation: ${messageOf(error)}`, {
          cause: error,
        });
      }
    },
  };
}

/**
 * The template within tokenizer_config.json: a text, or a list of named ones of which `default` is taken. Null when there is none.
 * @throws DataError when the list has no default
 */
export function templateOf(value: unknown, where: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    const found = value.find((entry: unknown) => isNamed(entry) && entry.name === "default");
    if (isNamed(found)) return found.template;
  }
  throw new DataError(`${where}: "chat_template" must be a text or a list with a template named "default"`);
}

function isNamed(entry: unknown): entry is { name: string; template: string } {
  return (
    entry !== null &&
    typeof entry === "object" &&
    "name" in entry &&
    "template" in entry &&
    typeof entry.template === "string"
  );
}
