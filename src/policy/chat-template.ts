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
  /** Further variables of the template: `tools`, `enable_thinking`, … */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What the template takes for today, `2026-01-31`; absent: the clock's date, so that prompts change from day to day where a template tells it. */
  readonly date?: string;
}

/** A compiled chat template. */
export interface ChatTemplate {
  /** Jinja source, as the model ships it. */
  readonly source: string;
  /** @throws DataError when the template refuses the conversation */
  render(messages: readonly ChatMessage[], options: ChatOptions): string;
}

/** Name of the function that tells a fixed date. */
const DATED = "strftime_fixed";

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
  let dated: Template; // the library's clock can't be replaced under its name
  try {
    template = new Template(source);
    dated = source.includes("strftime_now") ? new Template(source.replaceAll("strftime_now", DATED)) : template;
  } catch (error) {
    throw new DataError(`${where}: the chat template cannot be parsed: ${messageOf(error)}`, { cause: error });
  }
  return {
    source,
    render(messages, { addGenerationPrompt, assistantPrefix = "", variables, date }) {
      try {
        const plain = messages.map(({ role, content }) => ({ role, content }));
        const clock = date === undefined ? {} : { [DATED]: (format: string) => formatDate(date, format) };
        const own = { messages: plain, add_generation_prompt: addGenerationPrompt };
        const text = (date === undefined ? template : dated).render({ ...special, ...variables, ...clock, ...own });
        return text + assistantPrefix;
      } catch (error) {
        throw new DataError(`${where}: the chat template refuses this conversation: ${messageOf(error)}`, {
          cause: error,
        });
      }
    },
  };
}

/** A day in strftime's notation; what needs a time of day is midnight. */
function formatDate(date: string, format: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  const name = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en-US", { timeZone: "UTC", ...options }).format(day);
  const parts: Readonly<Record<string, string>> = {
    ...{ Y: date.slice(0, 4), m: date.slice(5, 7), d: date.slice(8, 10), H: "00", M: "00", S: "00", "%": "%" },
    ...{ b: name({ month: "short" }), B: name({ month: "long" }), a: name({ weekday: "short" }) },
    A: name({ weekday: "long" }),
  };
  return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => parts[letter] ?? whole);
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
