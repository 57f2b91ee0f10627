import type { ChatOptions, Tokenizer } from "../../policy/index.ts";
import { ConfigError, messageOf } from "../../utils/errors.ts";
import type { DialogueMessage } from "../types.ts";

const SYSTEM: DialogueMessage = { role: "system", content: "Be brief." };
const ASK: DialogueMessage = { role: "user", content: "One?" };
const TOOL: DialogueMessage = { role: "tool", content: '{"two": 2}' };
const PLAIN: DialogueMessage = { role: "assistant", content: "Three." };
const THOUGHT: DialogueMessage = { role: "assistant", content: "<think>\nfour\n</think>\n\nFive." };

/** Conversations whose every beginning is rendered, and what they are. */
const CONVERSATIONS: readonly { readonly what: string; readonly messages: readonly DialogueMessage[] }[] = [
  { what: "users' messages", messages: [ASK, PLAIN, ASK, PLAIN, ASK] },
  { what: "users' messages after thoughts", messages: [ASK, THOUGHT, ASK, THOUGHT, ASK] },
  { what: "a system message", messages: [SYSTEM, ASK, PLAIN, ASK, THOUGHT] },
  { what: "tools' results", messages: [ASK, PLAIN, TOOL, PLAIN, TOOL, TOOL, PLAIN] },
  { what: "tools' results after thoughts", messages: [ASK, THOUGHT, TOOL, THOUGHT, ASK, PLAIN] },
  { what: "several users' messages in a row", messages: [ASK, ASK, PLAIN, ASK, ASK] },
];

/** What may follow a turn, for the test that it does not depend on what came before. */
const FOLLOWERS: readonly (readonly DialogueMessage[])[] = [[ASK], [TOOL], [TOOL, TOOL]];

/** What may have come before. */
const HISTORIES: readonly (readonly DialogueMessage[])[] = [
  [ASK, PLAIN],
  [ASK, THOUGHT],
  [SYSTEM, ASK, PLAIN],
  [ASK, PLAIN, ASK, PLAIN],
  [ASK, PLAIN, TOOL, PLAIN],
];

/** What the test found. */
export interface TemplateReport {
  /** What the template refuses or rewrites and what is done about it. One sentence each. */
  readonly notes: readonly string[];
  /** Results of tools can be given under their own role. */
  readonly acceptsTools: boolean;
}

/**
 * Whether the rendering of n messages is a prefix of that of n + 1, thoughts aside, and what follows a turn the same whatever came before.
 * @param closing the text that closes a turn
 * @param bridged what follows a turn of the fixed base, as text
 * @throws ConfigError when appended turns would not be what the template writes
 */
export function testTemplate(
  tokenizer: Tokenizer,
  variables: Omit<ChatOptions, "addGenerationPrompt">,
  closing: string,
  bridged: (messages: readonly DialogueMessage[]) => string,
): TemplateReport {
  const render = (messages: readonly DialogueMessage[], addGenerationPrompt: boolean): string =>
    tokenizer.renderChat(messages, { ...variables, addGenerationPrompt });
  const notes: string[] = [];
  const broken: { readonly text: string; readonly byTools: boolean }[] = [...dependencies(render, bridged)];
  let [dropsThoughts, acceptsTools] = [false, true];
  for (const { what, messages } of CONVERSATIONS) {
    const byTools = messages.includes(TOOL);
    const refusal = refusalOf(() => render(messages, false));
    if (refusal !== null && byTools) acceptsTools = false;
    else if (refusal !== null) notes.push(`The chat template refuses ${what}: ${refusal}.`);
    if (refusal !== null) continue;
    for (const { text, isThought } of breaksOf(messages, render, closing)) {
      if (isThought) dropsThoughts = true;
      else broken.push({ text: `${what}: ${text}`, byTools });
    }
  }
  refuse(broken.filter(({ byTools }) => !byTools).map(({ text }) => text));
  if (dropsThoughts)
    notes.push(
      "The chat template leaves out or adds blocks of thoughts in earlier turns; here every turn stays as it was sampled, as with a template that keeps them all.",
    );
  if (broken.length > 0 || !acceptsTools)
    notes.push("The chat template has no place for results of tools: they are written as messages of the user.");
  return { notes, acceptsTools: broken.length === 0 && acceptsTools };
}

function refuse(broken: readonly string[]): void {
  if (broken.length === 0) return;
  const shown = [...new Set(broken)].slice(0, 5).map((text) => `  ${text}`);
  throw new ConfigError(
    `the chat template rewrites what it has written when messages are added, so turns can't be appended to sampled tokens:\n${shown.join("\n")}\n` +
      "Give the model a template whose rendering only grows, or set dialogue.style to plain",
  );
}

function refusalOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return messageOf(error)
      .replace(/^.*refuses this conversation: /s, "")
      .slice(0, 200);
  }
}

interface Break {
  readonly text: string;
  /** Only blocks of thoughts differ. */
  readonly isThought: boolean;
}

type Render = (messages: readonly DialogueMessage[], addGenerationPrompt: boolean) => string;

function breaksOf(messages: readonly DialogueMessage[], render: Render, closing: string): Break[] {
  const breaks: Break[] = [];
  for (let count = 1; count < messages.length; count++) {
    const [before, next] = [messages.slice(0, count), messages[count]!];
    const asks = next.role === "assistant";
    if (!asks && before.at(-1)!.role !== "assistant") continue; // what comes between two turns is written at once
    const end = messages.findIndex(({ role }, i) => i >= count && (role === "assistant") !== asks);
    const after = asks ? [...before, next] : messages.slice(0, end < 0 ? undefined : end);
    const [all, long] = [render(before, asks), render(after, !asks)];
    const short = asks ? all : untilClosed(all, before.at(-1)!.content.split("\n").at(-1)!, closing);
    if (long.startsWith(short)) continue;
    const isThought = withoutThoughts(long).startsWith(withoutThoughts(short));
    breaks.push({ text: difference(short, long, next.role), isThought });
  }
  return breaks;
}

/** Cut behind the end of the last turn: what follows it is written with the next message. */
function untilClosed(text: string, words: string, closing: string): string {
  const end = text.lastIndexOf(words) + words.length;
  return text.startsWith(closing, end) ? text.slice(0, end + closing.length) : text;
}

/** Blocks of thoughts and the white space behind them go; so does a block that the header of a turn opens. */
function withoutThoughts(text: string): string {
  return text.replace(/<think>(?:(?!<think>)[\s\S])*?<\/think>\s*/g, "").replace(/<think>\s*$/, "");
}

function difference(short: string, long: string, role: string): string {
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  const show = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 10), at + 30));
  return `with the next message (${role}) ${show(short)} becomes ${show(long)}`;
}

/** Does what follows a turn depend on the turns before it? */
function dependencies(
  render: Render,
  bridged: (messages: readonly DialogueMessage[]) => string,
): { readonly text: string; readonly byTools: boolean }[] {
  const problems: { readonly text: string; readonly byTools: boolean }[] = [];
  for (const follower of FOLLOWERS) {
    if (refusalOf(() => bridged(follower)) !== null) continue;
    const expected = bridged(follower);
    for (const history of HISTORIES) {
      const all = [...history, ...follower];
      if (refusalOf(() => render(all, true)) !== null || render(all, true).endsWith(expected)) continue;
      const roles = all.map(({ role }) => role).join(", ");
      problems.push({
        text: `what follows a turn depends on what came before it: ${roles}`,
        byTools: all.includes(TOOL),
      });
    }
  }
  return problems;
}
