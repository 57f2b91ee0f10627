import { fencedBlocks, objectEnd, readJson } from "../../utils/json-text.ts";
import { afterThinking } from "../../utils/thinking.ts";

/** How a model writes its calls. */
export type CallForm = "hermes" | "llama" | "fenced";

/** One call as it stands in a text. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: { readonly [name: string]: unknown };
}

/** The calls of a completion, or what is wrong with one of them. `isOpen`: the text ends before a call does. */
export type CallsRead =
  | { readonly calls: readonly ToolCall[] }
  | { readonly problem: string; readonly isOpen?: boolean };

/** What else counts as a call. */
export interface CallOptions {
  /** A list of calls within one `<tool_call>`, as SmolLM2 writes them. */
  readonly lists?: boolean;
  /** Fenced blocks of a language are calls of a tool: its name and the name of the argument that gets the code, by language. */
  readonly code?: ReadonlyMap<string, { readonly tool: string; readonly argument: string }>;
}

const MAX_CALLS = 64;
const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";
const PYTHON_TAG = "<|python_tag|>";

/** Reads the calls after the thoughts. `any`: in the form whose mark is there. */
export function readCalls(text: string, form: CallForm | "any", options: CallOptions = {}): CallsRead {
  const place = afterThinking(text);
  const chosen = form === "any" ? formOf(place) : form;
  if (chosen === "fenced") return fencedCalls(place, options);
  const found = chosen === "hermes" ? hermesTexts(place) : llamaTexts(place);
  if ("problem" in found) return found;
  if (found.texts.length > MAX_CALLS) return { problem: `makes more than ${MAX_CALLS} calls` };
  const [keys, isList] = chosen === "hermes" ? [["arguments"], options.lists === true] : [["parameters"], false];
  const calls: ToolCall[] = [];
  for (const [i, json] of found.texts.entries()) {
    const read = readCall(json, keys, isList);
    if ("problem" in read) return { problem: `call ${i + 1} ${read.problem}` };
    calls.push(...read.calls);
  }
  return { calls };
}

function formOf(text: string): CallForm {
  if (text.includes(OPEN)) return "hermes";
  return /^[ \t]*```/m.test(text) ? "fenced" : "llama";
}

type Texts = { readonly texts: readonly string[] } | { readonly problem: string; readonly isOpen?: boolean };

/** Each between `<tool_call>` and `</tool_call>`. */
function hermesTexts(text: string): Texts {
  const texts: string[] = [];
  for (let at = text.indexOf(OPEN); at >= 0; at = text.indexOf(OPEN, at)) {
    const end = text.indexOf(CLOSE, at);
    if (end < 0) return { problem: `has a ${OPEN} that is not closed`, isOpen: true };
    texts.push(text.slice(at + OPEN.length, end));
    at = end + CLOSE.length;
  }
  return { texts };
}

/** Nothing but objects, with semicolons between them; text that does not begin with one holds no call. */
function llamaTexts(text: string): Texts {
  let rest = text.trim();
  if (rest.startsWith(PYTHON_TAG)) rest = rest.slice(PYTHON_TAG.length).trim();
  const texts: string[] = [];
  if (!rest.startsWith("{")) return { texts };
  for (let at = 0; at < rest.length; ) {
    const end = rest[at] === "{" ? objectEnd(rest, at) : null;
    if (end === null) return { problem: `call ${texts.length + 1} is no closed object`, isOpen: rest[at] === "{" };
    texts.push(rest.slice(at, end));
    const more = /^\s*(?:;\s*|$)/.exec(rest.slice(end, end + 100));
    if (!more) return { problem: `call ${texts.length} is followed by text` };
    at = end + more[0].length;
  }
  return { texts };
}

/** Blocks of JSON, and of the languages that a tool runs. */
function fencedCalls(text: string, { code }: CallOptions): CallsRead {
  const blocks = fencedBlocks(text, ["", "json", ...(code?.keys() ?? [])]);
  if (blocks.length > MAX_CALLS) return { problem: `makes more than ${MAX_CALLS} calls` };
  const calls: ToolCall[] = [];
  for (const [i, block] of blocks.entries()) {
    const runs = code?.get(block.mark);
    if (code && !block.isClosed) return { problem: "has a block that is not closed", isOpen: true };
    if (!block.isClosed) continue;
    const read: CallsRead = runs
      ? { calls: [{ name: runs.tool, arguments: { [runs.argument]: block.content } }] }
      : readCall(block.content, ["arguments", "parameters"], true);
    if ("problem" in read) return { problem: `call ${i + 1} ${read.problem}` };
    calls.push(...read.calls);
  }
  return { calls };
}

function readCall(text: string, keys: readonly string[], isList: boolean): CallsRead {
  const json = readJson(text);
  if ("problem" in json) return json;
  const calls: ToolCall[] = [];
  for (const value of isList && Array.isArray(json.value) ? json.value : [json.value]) {
    if (!isMapping(value)) return { problem: "is no object" };
    if (typeof value.name !== "string") return { problem: "has no name" };
    const key = keys.find((candidate) => Object.hasOwn(value, candidate));
    if (key === undefined) return { problem: `(${value.name}) has no ${keys.join(" or ")}` };
    const given = value[key];
    if (!isMapping(given)) return { problem: `(${value.name}): ${key} must be an object` };
    calls.push({ name: value.name, arguments: given });
  }
  return { calls };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
