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

/**
 * Whether the rendering of n messages is a prefix of that of n + 1, thoughts aside, and what follows a turn the same whatever came before.
 * @param bridged what follows a turn of the fixed base, as text
 * @returns sentences on what the template refuses or rewrites and what is done about it
 * @throws ConfigError when appended turns would not be what the template writes
 */
export function testTemplate(
  tokenizer: Tokenizer,
  variables: Omit<ChatOptions, "addGenerationPrompt">,
  bridged: (messages: readonly DialogueMessage[]) => string,
): string[] {
  const render = (messages: readonly DialogueMessage[], addGenerationPrompt: boolean): string =>
    tokenizer.renderChat(messages, { ...variables, addGenerationPrompt });
  const notes: string[] = [];
  const broken: string[] = [];
  let drops = false;
  for (const { what, messages } of CONVERSATIONS) {
    const refusal = refusalOf(() => render(messages, false));
    if (refusal !== null) {
      notes.push(`The chat template refuses ${what}: ${refusal}`);
      continue;
    }
    const breaks = breaksOf(messages, render);
    if (breaks.some(({ isThought }) => isThought)) drops = true;
    broken.push(...breaks.filter(({ isThought }) => !isThought).map(({ text }) => `${what}: ${text}`));
  }
  broken.push(...dependencies(render, bridged));
  if (broken.length > 0)
    throw new ConfigError(
      `the chat template rewrites what it has written when messages are added, so turns can't be appended to sampled tokens:\n${[
        ...new Set(broken),
      ]
        .slice(0, 5)
        .map((text) => `  ${text}`)
        .join("\n")}\nGive the model a template whose rendering only grows, or set dialogue.style to plain`,
    );
  if (drops)
    notes.push(
      "The chat template leaves out or adds blocks of thoughts in earlier turns; here every turn stays as it was sampled, as with a template that keeps them all.",
    );
  return notes;
}

function refusalOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return messageOf(error).slice(0, 200);
  }
}

interface Break {
  readonly text: string;
  /** Only blocks of thoughts differ. */
  readonly isThought: boolean;
}

type Render = (messages: readonly DialogueMessage[], addGenerationPrompt: boolean) => string;

function breaksOf(messages: readonly DialogueMessage[], render: Render): Break[] {
  const breaks: Break[] = [];
  for (let count = 1; count < messages.length; count++) {
    const [before, next] = [messages.slice(0, count), messages[count]!];
    const asks = next.role === "assistant";
    if (!asks && before.at(-1)!.role !== "assistant") continue; // what comes between two turns is written at once
    const end = messages.findIndex(({ role }, i) => i >= count && (role === "assistant") !== asks);
    const after = asks ? [...before, next] : messages.slice(0, end < 0 ? undefined : end);
    const [short, long] = [render(before, asks), render(after, !asks)];
    if (long.startsWith(short)) continue;
    const isThought = withoutThoughts(long).startsWith(withoutThoughts(short));
    breaks.push({ text: difference(short, long, next.role), isThought });
  }
  return breaks;
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
function dependencies(render: Render, bridged: (messages: readonly DialogueMessage[]) => string): string[] {
  const problems: string[] = [];
  const histories = [
    [ASK, PLAIN],
    [ASK, THOUGHT],
    [SYSTEM, ASK, PLAIN],
    [ASK, PLAIN, ASK, PLAIN],
    [ASK, PLAIN, TOOL, PLAIN],
  ];
  for (const follower of FOLLOWERS) {
    if (refusalOf(() => bridged(follower)) !== null) continue;
    const expected = bridged(follower);
    for (const history of histories) {
      if (refusalOf(() => render([...history, ...follower], true)) !== null) continue;
      const text = render([...history, ...follower], true);
      const roles = [...history, ...follower].map(({ role }) => role).join(", ");
      if (!text.endsWith(expected)) problems.push(`what follows a turn depends on what came before it: ${roles}`);
    }
  }
  return problems;
}
