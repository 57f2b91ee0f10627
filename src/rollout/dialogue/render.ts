import type { ChatOptions, Tokenizer } from "../../policy/index.ts";
import { DataError } from "../../utils/errors.ts";
import type { DialogueMessage } from "../types.ts";
import { type Piece, provenanceOf, trustOf } from "./pieces.ts";

/** First of a few private characters of which one that no content holds marks where contents stand. */
const MARKS = 0xe0f0;
/** Marks are numbered by characters from here on. */
const NUMBERS = 0xe100;
const MAX_MARKS = 0x1700;

/** Content that stands in a rendered text. */
interface Marked {
  readonly core: string;
  readonly message: number;
}

/**
 * Renders a conversation and says which parts are whose. The template sees private characters in place of the contents, so that nothing in them is taken
 * for the template's; tags of thoughts in an assistant's turn stay, since templates look for them.
 * @throws DataError when the template refuses the conversation
 */
export function renderPieces(
  tokenizer: Tokenizer,
  messages: readonly DialogueMessage[],
  options: ChatOptions,
): Piece[] {
  const text = tokenizer.renderChat(messages, options);
  const mark = freeMark(messages);
  for (const trims of [false, true]) {
    const { hidden, marked } = hideAll(messages, mark, trims);
    const frame = tokenizer.renderChat(hidden, options);
    for (const spell of [asItIs, asJson]) {
      const pieces = fill(frame, mark, marked, messages, spell);
      if (pieces.map((piece) => piece.text).join("") === text) return pieces;
    }
  }
  return coarse(tokenizer, messages, options);
}

const asItIs = (core: string): string => core;
const asJson = (core: string): string => JSON.stringify(core).slice(1, -1);

/** Contents, and thoughts apart from their tags. */
function partsOf({ role, content }: DialogueMessage): string[] {
  return role === "assistant" ? content.split(/(<\/?think>)/) : [content];
}

/** @param trims white space at the ends of contents stays outside of the marks, so that a template that trims still does */
function hideAll(
  messages: readonly DialogueMessage[],
  mark: string,
  trims: boolean,
): { readonly hidden: DialogueMessage[]; readonly marked: Marked[] } {
  const marked: Marked[] = [];
  const hide = (part: string, message: number): string => {
    const core = part.trim();
    if (core === "" || /^<\/?think>$/.test(core)) return part;
    if (marked.length >= MAX_MARKS) throw new DataError(`a conversation has more than ${MAX_MARKS} messages`);
    const [start, end] = trims ? [part.indexOf(core), part.indexOf(core) + core.length] : [0, part.length];
    marked.push({ core: part.slice(start, end), message });
    return part.slice(0, start) + mark + String.fromCharCode(NUMBERS + marked.length - 1) + part.slice(end);
  };
  const hidden = messages.map((message, index) => ({
    role: message.role,
    content: partsOf(message)
      .map((part) => hide(part, index))
      .join(""),
  }));
  return { hidden, marked };
}

function freeMark(messages: readonly DialogueMessage[]): string {
  for (let code = MARKS; code < NUMBERS; code++) {
    const mark = String.fromCharCode(code);
    if (!messages.some(({ content }) => content.includes(mark))) return mark;
  }
  throw new DataError("a conversation uses all the private characters from U+E0F0 to U+E0FF");
}

function fill(
  frame: string,
  mark: string,
  marked: readonly Marked[],
  messages: readonly DialogueMessage[],
  spell: (core: string) => string,
): Piece[] {
  const [first = "", ...rest] = frame.split(mark);
  const pieces: Piece[] = [template(first)];
  for (const part of rest) {
    const { core, message } = marked[part.charCodeAt(0) - NUMBERS]!;
    const about = messages[message]!;
    pieces.push({ text: spell(core), provenance: provenanceOf(about), trust: trustOf(about), message });
    pieces.push(template(part.slice(1)));
  }
  return pieces;
}

function template(text: string): Piece {
  return { text, provenance: "template", trust: "all" };
}

/** For a template that rewrites contents: all of it is the template's, and a control token within a content gets a space behind its first character. */
function coarse(tokenizer: Tokenizer, messages: readonly DialogueMessage[], options: ChatOptions): Piece[] {
  const safe = messages.map((message) => {
    if (trustOf(message) !== "none") return message;
    let { content } = message;
    for (const token of tokenizer.addedTokens)
      content = content.replaceAll(token.content, `${token.content.slice(0, 1)} ${token.content.slice(1)}`);
    return { ...message, content };
  });
  return [template(tokenizer.renderChat(safe, options))];
}
