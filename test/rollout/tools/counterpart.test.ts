import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { DialogueConfig, openDialogue } from "../../../src/rollout/dialogue/index.ts";
import { calculator } from "../../../src/rollout/tools/calculator.ts";
import {
  defineTool,
  type ToolBox,
  ToolLimits,
  toolBox,
  toolCounterpart,
  toolTexts,
} from "../../../src/rollout/tools/index.ts";
import { CHATML, CHATML_TOOLS, templateTokenizer } from "../templates.ts";

const broken = defineTool({
  name: "broken",
  description: "Fails.",
  parameters: z.strictObject({}),
  run: () => {
    throw new Error("no </tool_response> today");
  },
});

function box(codeLanguage: ToolBox["codeLanguage"] = null): ToolBox {
  return toolBox([calculator, broken], { limits: ToolLimits.parse({}), close: async () => {}, codeLanguage });
}

const native = templateTokenizer(CHATML_TOOLS);
const plain = templateTokenizer(CHATML);
const ask = [{ role: "user" as const, content: "What is 6 times 7?" }];
const call = (name: string, args: object): string =>
  `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;

test("toolCounterpart: calls are run in order, results come back, and a turn without a call is the answer", async () => {
  const texts = toolTexts(native, box(), "hermes");
  const other = toolCounterpart({ messages: ask, box: box(), texts });
  assert.deepEqual((await other.start()).messages, ask);
  const turn = `${call("calculator", { expression: "6*7" })}\n${call("broken", {})}\n${call("calculator", { expression: "1/" })}`;
  const reply = await other.reply({ text: turn, isCut: false });
  assert.deepEqual(
    reply.messages.map(({ role, content }) => [role, content]),
    [
      ["tool", "42"],
      ["tool", "Error: no </tool_response> today"],
      ["tool", "Error: the expression ends where a number is due"],
    ],
  );
  assert.deepEqual([reply.done, reply.valid, reply.success, reply.reward], [false, true, false, 0]);
  assert.deepEqual(reply.info, {
    outcome: "calls",
    calls: 3,
    ok: 1,
    error: 2,
    timeout: 0,
    cut: 0,
    unknownTool: 0,
    badArguments: 0,
  });
  assert.match(reply.action!, /^\[\{"name":"calculator"/);
  const last = await other.reply({ text: "It is 42.", isCut: false });
  assert.deepEqual([last.done, last.messages, last.action, last.valid], [true, [], null, null]);
  await other.finish();
});

test("toolCounterpart: what is wrong with a call comes back as a result and is told from an answer", async () => {
  const other = toolCounterpart({ messages: ask, box: box(), texts: toolTexts(native, box(), "hermes") });
  const cases: [string, boolean, string, RegExp][] = [
    ["<tool_call>six</tool_call>", false, "malformed", /^Error: the turn call 1 is not JSON/],
    ['<tool_call>{"na', true, "truncated", /^Error: the turn has a <tool_call> that is not closed\.$/],
    [call("calculater", {}), false, "calls", /^Error: there is no tool "calculater"; did you mean calculator\?$/],
    [call("calculator", { text: "1" }), false, "calls", /^Error: arguments of calculator: .*expression/],
  ];
  for (const [text, isCut, outcome, observation] of cases) {
    const reply = await other.reply({ text, isCut });
    assert.deepEqual([reply.done, reply.valid, reply.info.outcome], [false, false, outcome], text);
    assert.match(reply.observation, observation);
    assert.equal(reply.messages.length, 1);
  }
  const cut = await other.reply({ text: "The answer is", isCut: true });
  assert.deepEqual([cut.done, cut.info.outcome], [true, "truncated"]);
});

test("toolTexts: a template that takes tools shows them; the whole dialogue reads as the template writes it", async () => {
  const texts = toolTexts(native, box(), "hermes");
  assert.equal(texts.system, null);
  const { variables } = texts;
  const dialogue = openDialogue(native, {
    ...DialogueConfig.parse({}),
    variables: JSON.parse(JSON.stringify(variables)),
  });
  const decode = (segments: readonly { ids: readonly number[] }[]): string =>
    native.decode(segments.flatMap(({ ids }) => ids));
  const other = toolCounterpart({ messages: ask, box: box(), texts });
  const prompt = decode(dialogue.open((await other.start()).messages));
  assert.match(prompt, /Tools:\n\{"type": "function", "function": \{"name": "calculator"/);
  const turn = call("calculator", { expression: "6*7" });
  const { messages } = await other.reply({ text: turn, isCut: false });
  const bridge = decode(dialogue.bridge(native.eosIds[0]!, messages));
  const whole = native.renderChat([...ask, { role: "assistant", content: turn }, ...messages], {
    addGenerationPrompt: true,
    variables,
  });
  assert.equal(`${prompt}${turn}<|im_end|>${bridge}`, whole);
});

test("toolTexts: other models read about tools in the system message, and results in a message that they can't close", () => {
  const texts = toolTexts(plain, box(), "hermes");
  assert.deepEqual(texts.variables, {});
  assert.match(
    texts.system!,
    /<tools>\n\{"type": "function", "function": \{"name": "calculator", .*\n\{.*"broken".*\n<\/tools>/,
  );
  assert.match(texts.system!, /<tool_call>\n\{"name": .*\n<\/tool_call>/);
  const [message, ...more] = texts.results([
    { name: "a", text: "1" },
    { name: "b", text: "x</tool_response>y" },
  ]);
  assert.deepEqual(more, []);
  assert.deepEqual([message!.role, message!.from], ["user", "tool"]);
  assert.equal(
    message!.content,
    "<tool_response>\n1\n</tool_response>\n<tool_response>\nx<\\/tool_response>y\n</tool_response>",
  );
  const fenced = toolTexts(plain, box("python"), "fenced");
  assert.match(fenced.system!, /```python\nprint\(1\)\n```[\s\S]*```json/);
  assert.equal(fenced.results([{ name: "a", text: "``` out" }])[0]!.content, "```output\n''' out\n```");
  const llama = toolTexts(plain, box(), "llama");
  assert.match(llama.system!, /"parameters": \{/);
  assert.equal(llama.results([{ name: "a", text: "1" }])[0]!.content, "a returned:\n1");
});

test("toolCounterpart: words about tools join the task's system message, or are one", async () => {
  const texts = toolTexts(plain, box(), "hermes");
  const start = async (messages: Parameters<typeof toolCounterpart>[0]["messages"]) =>
    (await toolCounterpart({ messages, box: box(), texts }).start()).messages;
  const alone = await start(ask);
  assert.deepEqual(
    alone.map(({ role }) => role),
    ["system", "user"],
  );
  const both = await start([{ role: "system", content: "Be kind." }, ...ask]);
  assert.deepEqual(
    both.map(({ role }) => role),
    ["system", "user"],
  );
  assert.equal(both[0]!.content, `Be kind.\n\n${texts.system}`);
});
