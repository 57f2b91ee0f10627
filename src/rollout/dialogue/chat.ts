import type { ChatOptions, Tokenizer } from "../../policy/index.ts";
import { ConfigError, DataError } from "../../utils/errors.ts";
import { idsOf } from "../ledger.ts";
import type { Dialogue, DialogueMessage } from "../types.ts";
import { encodePieces, type Piece } from "./pieces.ts";
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
  const closing = closingOf(tokenizer, options);
  const bridged = (messages: readonly DialogueMessage[]): string => textAfterBase(render([...BASE, ...messages]));
  const { notes, acceptsTools } = testTemplate(tokenizer, variables, closing.text, bridged);
  const fitted = acceptsTools ? (messages: readonly DialogueMessage[]) => messages : toolsAsUsers;
  checkIds(tokenizer, options, render);
  const turnEndIds = [...new Set([closing.id, ...tokenizer.eosIds])];
  return {
    open: (messages) => encodePieces(tokenizer, render(fitted(messages))),
    bridge(last, messages) {
      const pieces = afterBase(render([...BASE, ...fitted(messages)]));
      const [first, ...rest] = pieces;
      if (!first?.text.startsWith(closing.text))
        throw new DataError(`the chat template does not close a turn with ${JSON.stringify(closing.text)} here`);
      if (!turnEndIds.includes(last)) return encodePieces(tokenizer, pieces);
      return encodePieces(tokenizer, [{ ...first, text: first.text.slice(closing.text.length) }, ...rest]);
    },
    turnEndIds,
    turnEndTexts: [],
    notes,
  };
}

/** Parts are encoded apart: does the tokenizer give them the ids that it gives the whole text? */
function checkIds(
  tokenizer: Tokenizer,
  options: ChatOptions,
  render: (messages: readonly DialogueMessage[]) => Piece[],
): void {
  const whole = tokenizer.encodeChat(BASE, options);
  const ids = idsOf(encodePieces(tokenizer, render(BASE)));
  if (ids.length === whole.length && ids.every((id, i) => id === whole[i])) return;
  throw new ConfigError(
    "the tokenizer gives a text behind a control token other ids than the text alone, so what stands between two turns can't be encoded by itself; " +
      "such tokenizers are not supported in dialogues",
  );
}

/** Results of one turn become one message of the user. */
function toolsAsUsers(messages: readonly DialogueMessage[]): DialogueMessage[] {
  const fitted: DialogueMessage[] = [];
  for (const message of messages) {
    const last = fitted.at(-1);
    if (message.role !== "tool") fitted.push(message);
    else if (last?.from === "tool")
      fitted[fitted.length - 1] = { ...last, content: `${last.content}\n${message.content}` };
    else fitted.push({ role: "user", content: message.content, from: "tool" });
  }
  return fitted;
}

/** What follows the content of the base's turn of the assistant. */
function afterBase(pieces: readonly Piece[]): Piece[] {
  const at = pieces.findLastIndex(({ message }) => message === BASE.length - 1);
  if (at < 0) throw new DataError("the chat template does not write the assistant's turn");
  return pieces.slice(at + 1);
}

function textAfterBase(pieces: readonly Piece[]): string {
  return afterBase(pieces)
    .map(({ text }) => text)
    .join("");
}

/** The text that closes a turn, up to and with its control token. */
function closingOf(tokenizer: Tokenizer, options: ChatOptions): { readonly text: string; readonly id: number } {
  const rendered = renderPieces(tokenizer, [...BASE, { role: "user", content: "u" }], options);
  const text = afterBase(rendered)[0]?.text ?? "";
  const found = tokenizer.addedTokens
    .filter(({ content }) => text.includes(content))
    .sort((a, b) => text.indexOf(a.content) - text.indexOf(b.content) || b.content.length - a.content.length)[0];
  const plain = "set dialogue.style to plain and write the turns' texts there";
  if (found === undefined)
    throw new ConfigError(
      `the chat template closes an assistant's turn with ${JSON.stringify(text.slice(0, 40))}, in which no token is special: ` +
        `the end of a turn can't be told; ${plain}`,
    );
  const closing = text.slice(0, text.indexOf(found.content) + found.content.length);
  const last = textAfterBase(renderPieces(tokenizer, BASE, { ...options, addGenerationPrompt: false }));
  if (!last.startsWith(closing))
    throw new ConfigError(
      `the chat template closes an assistant's turn with ${JSON.stringify(closing)} before a user's message and with ` +
        `${JSON.stringify(last.slice(0, 40))} at the end: the token that ends a turn depends on what follows; ${plain}`,
    );
  return { text: closing, id: found.id };
}
