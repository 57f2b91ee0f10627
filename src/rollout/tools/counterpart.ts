import { canonicalJson, sha256 } from "../../utils/hash.ts";
import type { Counterpart, CounterpartReply, CounterpartStart } from "../counterpart.ts";
import type { DialogueMessage, Json } from "../types.ts";
import type { ToolEnd } from "./run-tool.ts";
import type { ToolTexts } from "./show.ts";
import type { CallOutcome, ToolBox, TurnOutcome } from "./toolbox.ts";

/** What a conversation with tools needs. */
export interface ToolCounterpartOptions {
  /** The task's prompt. */
  readonly messages: readonly DialogueMessage[];
  readonly box: ToolBox;
  readonly texts: ToolTexts;
}

/** Longest text of the calls of a turn in its record, characters. */
const MAX_ACTION = 2000;

/**
 * The other side of a task with tools. Calls are run and their results come back; what is wrong with a call comes back as a result, too, so that the model
 * can mend it. A turn without a call is the answer and ends the dialogue; the recipe's rewards judge it.
 */
export function toolCounterpart({ messages, box, texts }: ToolCounterpartOptions): Counterpart {
  let state = ""; // of what was called and came back: turns that read the same compare with each other
  return {
    async start(): Promise<CounterpartStart> {
      state = sha256(canonicalJson(messages as unknown as Json));
      return { messages: withTools(messages, texts.system), state, ms: 0 };
    },
    async reply({ text, isCut }): Promise<CounterpartReply> {
      const start = performance.now();
      const outcome = box.read(text, texts.format, isCut);
      const answered = await answer(outcome, box);
      state = sha256(state, canonicalJson([actionOf(outcome), answered.results] as unknown as Json));
      const back = answered.results.length > 0 ? texts.results(answered.results) : [];
      return {
        messages: back,
        done: outcome.kind === "none",
        isCutOff: isCut && outcome.kind === "none",
        success: false,
        action: actionOf(outcome),
        observation: answered.results.map((result) => result.text).join("\n"),
        reward: 0,
        valid: outcome.kind === "none" ? null : answered.problems === 0,
        info: { outcome: isCut && outcome.kind === "none" ? "truncated" : outcome.kind, ...answered.counts },
        state,
        ms: performance.now() - start,
      };
    },
    async finish(): Promise<void> {},
  };
}

function withTools(messages: readonly DialogueMessage[], system: string | null): readonly DialogueMessage[] {
  if (system === null) return messages;
  const [first, ...rest] = messages;
  if (first?.role === "system") return [{ ...first, content: `${first.content}\n\n${system}` }, ...rest];
  return [{ role: "system", content: system }, ...messages];
}

interface Answered {
  readonly results: readonly { readonly name: string; readonly text: string }[];
  /** Calls that could not be made. */
  readonly problems: number;
  readonly counts: Readonly<Record<string, Json>>;
}

async function answer(outcome: TurnOutcome, box: ToolBox): Promise<Answered> {
  if (outcome.kind === "none") return { results: [], problems: 0, counts: {} };
  if (outcome.kind !== "calls")
    return { results: [{ name: "error", text: `Error: ${outcome.problem}.` }], problems: 1, counts: { calls: 0 } };
  const ended = await Promise.all(outcome.calls.map((call) => resultOf(call, box)));
  const count = (kind: ToolEnd | CallOutcome["kind"]): number => ended.filter(({ end }) => end === kind).length;
  return {
    results: ended,
    problems: count("unknown-tool") + count("bad-arguments"),
    counts: {
      ...{ calls: ended.length, ok: count("ok"), error: count("error"), timeout: count("timeout"), cut: count("cut") },
      ...{ unknownTool: count("unknown-tool"), badArguments: count("bad-arguments") },
    },
  };
}

async function resultOf(
  outcome: CallOutcome,
  box: ToolBox,
): Promise<{ readonly name: string; readonly text: string; readonly end: ToolEnd | CallOutcome["kind"] }> {
  const { name } = outcome.call;
  if (outcome.kind !== "call") return { name, text: `Error: ${outcome.problem}`, end: outcome.kind };
  const { text, end } = await box.run(outcome.tool, outcome.value);
  return { name, text, end };
}

function actionOf(outcome: TurnOutcome): string | null {
  return outcome.kind === "calls" ? JSON.stringify(outcome.calls.map(({ call }) => call)).slice(0, MAX_ACTION) : null;
}
