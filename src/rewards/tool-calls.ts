import { afterThinking } from "./extract.ts";
import { fencedBlocks, objectEnd, readJson } from "./json-text.ts";

/** How a model writes its calls. */
export type CallForm = "hermes" | "llama" | "fenced";

/** One call as it stands in a text. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: { readonly [name: string]: unknown };
}

/** The calls of a completion, or what is wrong with one of them. */
export type CallsRead = { readonly calls: readonly ToolCall[] } | { readonly problem: string };

const MAX_CALLS = 64;
const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";
const PYTHON_TAG = "<|python_tag|>";

/** Reads the calls after the thoughts. `any`: in the form whose mark is there. */
export function readCalls(text: string, form: CallForm | "any"): CallsRead {
  const place = afterThinking(text);
  const chosen = form === "any" ? formOf(place) : form;
  const found = { hermes: hermesTexts, llama: llamaTexts, fenced: fencedTexts }[chosen](place);
  if ("problem" in found) return found;
  if (found.texts.length > MAX_CALLS) return { problem: `makes more than ${MAX_CALLS} calls` };
  const keys = { hermes: ["arguments"], llama: ["parameters"], fenced: ["arguments", "parameters"] }[chosen];
  const calls: ToolCall[] = [];
  for (const [i, json] of found.texts.entries()) {
    const read = readCall(json, keys, chosen === "fenced");
    if ("problem" in read) return { problem: `call ${i + 1} ${read.problem}` };
    calls.push(...read.calls);
  }
  return { calls };
}

function formOf(text: string): CallForm {
  if (text.includes(OPEN)) return "hermes";
  return /^[ \t]*```/m.test(text) ? "fenced" : "llama";
}

type Texts = { readonly texts: readonly string[] } | { readonly problem: string };

/** Each between `<tool_call>` and `</tool_call>`. */
function hermesTexts(text: string): Texts {
  const texts: string[] = [];
  for (let at = text.indexOf(OPEN); at >= 0; at = text.indexOf(OPEN, at)) {
    const end = text.indexOf(CLOSE, at);
    if (end < 0) return { problem: `has a ${OPEN} that is not closed` };
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
    if (end === null) return { problem: `call ${texts.length + 1} is no closed object` };
    texts.push(rest.slice(at, end));
    const more = /^\s*(?:;\s*|$)/.exec(rest.slice(end, end + 100));
    if (!more) return { problem: `call ${texts.length} is followed by text` };
    at = end + more[0].length;
  }
  return { texts };
}

function fencedTexts(text: string): Texts {
  return { texts: fencedBlocks(text) };
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
