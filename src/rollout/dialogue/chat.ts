import type { ChatOptions, Tokenizer } from "../../policy/index.ts";
import { ConfigError, DataError } from "../../utils/errors.ts";
import type { Dialogue, DialogueMessage } from "../types.ts";
import { encodePieces, joined, type Piece } from "./pieces.ts";
import { renderPieces } from "./render.ts";
import { testTemplate } from "./template-test.ts";

/** A dialogue in the form of a model's chat template. */
export interface ChatDialogue extends Dialogue {
  /** What a user should know about the template. One sentence each. */
  readonly notes: readonly string[];
}

/** Two turns that stand for all that came before: what follows the second does not depend on it. */
const BASE: readonly DialogueMessage[] = [
  { role: "user", content: "u" },
  { role: "assistant", content: "a" },
];

/**
 * Turns in the form of the model's chat template. What stands between two turns comes from the rendering of a fixed short conversation, so that what was
 * sampled is never rendered, decoded or encoded again.
 * @throws ConfigError when turns can't be appended to what the template writes, saying which messages break it
 */
export function chatDialogue(tokenizer: Tokenizer, variables: Omit<ChatOptions, "addGenerationPrompt">): ChatDialogue {
  const options: ChatOptions = { ...variables, addGenerationPrompt: true };
  const render = (messages: readonly DialogueMessage[]): Piece[] => renderPieces(tokenizer, messages, options);
  const closing = closingOf(tokenizer, render([...BASE, { role: "user", content: "u" }]));
  const notes = testTemplate(tokenizer, variables, (messages) =>
    textAfter(render([...BASE, ...messages]), BASE.length),
  );
  const turnEndIds = [...new Set([closing.id, ...tokenizer.eosIds])];
  return {
    open: (messages) => encodePieces(tokenizer, render(messages)),
    bridge(last, messages) {
      const pieces = after(render([...BASE, ...messages]), BASE.length);
      const [first, ...rest] = pieces;
      if (!first?.text.startsWith(closing.text))
        throw new DataError(`the chat template does not close a turn with ${JSON.stringify(closing.text)} here`);
      if (!turnEndIds.includes(last)) return encodePieces(tokenizer, pieces);
      const shorter = { ...first, text: first.text.slice(closing.text.length) };
      return joined(encodePieces(tokenizer, [shorter, ...rest]));
    },
    turnEndIds,
    turnEndTexts: [],
    notes,
  };
}

/** What follows the content of the assistant's turn before message `index`. */
function after(pieces: readonly Piece[], index: number): Piece[] {
  const at = pieces.findLastIndex(({ message }) => message === index - 1);
  if (at < 0) throw new DataError("the chat template does not write the assistant's turn");
  return pieces.slice(at + 1);
}

function textAfter(pieces: readonly Piece[], index: number): string {
  return after(pieces, index)
    .map(({ text }) => text)
    .join("");
}

/** The text that closes a turn, up to and with its control token. */
function closingOf(tokenizer: Tokenizer, pieces: readonly Piece[]): { readonly text: string; readonly id: number } {
  const [next] = after(pieces, BASE.length);
  const text = next?.text ?? "";
  const found = tokenizer.addedTokens
    .filter(({ content }) => text.includes(content))
    .sort((a, b) => text.indexOf(a.content) - text.indexOf(b.content) || b.content.length - a.content.length)[0];
  if (found === undefined)
    throw new ConfigError(
      `the chat template closes an assistant's turn with ${JSON.stringify(text.slice(0, 40))}, in which no token is special: ` +
        "the end of a turn can't be told; set dialogue.style to plain and write the turns' texts there",
    );
  return { text: text.slice(0, text.indexOf(found.content) + found.content.length), id: found.id };
}
