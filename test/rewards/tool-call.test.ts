import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/utils/errors.ts";
import { type Given, judge } from "./judge.ts";

const WEATHER = {
  type: "function",
  function: {
    name: "weather",
    description: "of a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string", optional: false }, days: { type: "integer" } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};
const TOOLS = [WEATHER, { name: "now" }];
const verdict = (text: string, options: object = {}, given: Given = {}) =>
  judge({ name: "tool-call", tools: TOOLS, ...options }, text, given);

const hermes = (...calls: object[]) =>
  calls.map((call) => `<tool_call>\n${JSON.stringify(call)}\n</tool_call>`).join("\n");
const OSLO = { name: "weather", arguments: { city: "Oslo" } };

/** Valid calls, and texts that are wrong with their reasons, by form. */
const CASES: Readonly<Record<string, readonly [good: string[], bad: [string, RegExp][]]>> = {
  hermes: [
    [
      hermes(OSLO),
      `Let me look.\n${hermes({ name: "weather", arguments: { days: 3, city: "Zürich" } })}`,
      hermes(OSLO, { name: "now", arguments: {} }),
      `<think>${hermes({ name: "nothing", arguments: {} })}</think>${hermes(OSLO)}`,
    ],
    [
      ["It is warm.", /^the answer makes no call$/],
      ["", /^the answer makes no call$/],
      [hermes(OSLO).replace("</tool_call>", ""), /^the answer has a <tool_call> that is not closed$/],
      ["<tool_call>weather(Oslo)</tool_call>", /^the answer call 1 is not JSON/],
      ["<tool_call></tool_call>", /^the answer call 1 is not JSON/],
      [hermes([OSLO]), /^the answer call 1 is no object$/],
      [hermes({ arguments: {} }), /^the answer call 1 has no name$/],
      [hermes({ name: "weather" }), /^the answer call 1 \(weather\) has no arguments$/],
      [hermes({ name: "weather", parameters: { city: "Oslo" } }), /has no arguments$/],
      [hermes({ name: "weather", arguments: '{"city": "Oslo"}' }), /arguments must be an object$/],
      [hermes({ name: "wether", arguments: {} }), /^there is no tool "wether"; there is weather$/],
      [hermes({ name: "constructor", arguments: {} }), /^there is no tool "constructor"/],
      [hermes(OSLO, { name: "weather", arguments: {} }), /^arguments of weather, #: .*required property "city"/],
      [hermes({ name: "weather", arguments: { city: 5 } }), /^arguments of weather, #\/city: Instance type "number"/],
      [hermes({ name: "weather", arguments: { city: "Oslo", unit: "C" } }), /^arguments of weather, #\/unit/],
    ],
  ],
  llama: [
    [
      '{"name": "weather", "parameters": {"city": "Oslo"}}',
      ' <|python_tag|>{"name": "now", "parameters": {}}\n',
      '{"name": "now", "parameters": {}}; {"name": "weather", "parameters": {"city": "} ; {"}}',
      '{"type": "function", "name": "now", "parameters": {}}',
    ],
    [
      ["It is warm.", /^the answer makes no call$/],
      ['{"name": "weather", "parameters": {"city": "Oslo"}', /^the answer call 1 is no closed object$/],
      ['{"name": "weather", "parameters": {"city": "Oslo"}} Done.', /^the answer call 1 is followed by text$/],
      ['{"name": "now", "parameters": {}}; now', /^the answer call 2 is no closed object$/],
      ['{"name": "now", "arguments": {}}', /has no parameters$/],
    ],
  ],
  fenced: [
    [
      '```json\n{"name": "now", "arguments": {}}\n```',
      'First\n```\n[{"name": "now", "parameters": {}}, {"name": "weather", "arguments": {"city": "Oslo"}}]\n```\nthen',
    ],
    [
      ['{"name": "now", "arguments": {}}', /^the answer makes no call$/],
      ['```python\n{"name": "now", "arguments": {}}\n```', /^the answer makes no call$/],
      ["```json\nnow()\n```", /^the answer call 1 is not JSON/],
      ["```json\n[1]\n```", /^the answer call 1 is no object$/],
    ],
  ],
};

for (const [form, [good, bad]] of Object.entries(CASES))
  test(`tool-call: ${form}`, () => {
    for (const text of good) {
      assert.equal(verdict(text, { form }).outcome, "correct", `${text}: ${verdict(text, { form }).reason}`);
      assert.equal(verdict(text).outcome, "correct", `any: ${text}`);
    }
    for (const [text, reason] of bad) {
      assert.deepEqual([verdict(text, { form }).outcome, verdict(text, { form }).score], ["wrong", 0], text);
      assert.match(verdict(text, { form }).reason, reason);
    }
  });

test("tool-call: exactly one, at least one, or none at all", () => {
  const outcomes = (text: string) => ["one", "some", "any"].map((calls) => verdict(text, { calls }).outcome);
  assert.deepEqual(outcomes("It is warm."), ["wrong", "wrong", "correct"]);
  assert.deepEqual(outcomes(hermes(OSLO)), ["correct", "correct", "correct"]);
  assert.deepEqual(outcomes(hermes(OSLO, OSLO)), ["wrong", "correct", "correct"]);
  assert.deepEqual(outcomes(hermes({ name: "x", arguments: {} })), ["wrong", "wrong", "wrong"]);
});

test("tool-call: the task's own tools, also as JSON text; without any it can't be judged", () => {
  const own = (data: Given["data"]) => judge({ name: "tool-call" }, hermes(OSLO), { data: data! });
  assert.equal(own({ tools: TOOLS }).outcome, "correct");
  assert.equal(own({ tools: JSON.stringify(TOOLS) }).outcome, "correct");
  assert.equal(own({ tools: [{ name: "now" }] }).outcome, "wrong");
  assert.throws(() => own({}), /tool-call: task t has no data\.tools/);
  assert.throws(() => own({ tools: "none" }), /tool-call: data\.tools of task t must be a list of tools/);
});

test("tool-call: a list of tools that can't be used is refused when the reward is made", () => {
  const bad: [object[], RegExp][] = [
    [[{ type: "function" }], /tool-call: tools must be a list of tools such as/],
    [[{ name: "a" }, { name: "a" }], /tool-call: tools has two tools named a/],
    [[{ name: "a", parameters: { type: "dict" } }], /tool-call: tools parameters of a: #\/type must be of/],
  ];
  for (const [tools, message] of bad)
    assert.throws(
      () => verdict("", { tools }),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
});

test("tool-call: hostile texts are judged", () => {
  for (const piece of [
    "<tool_call>",
    "</tool_call>",
    "<tool_call>{}</tool_call>",
    "{",
    '{"',
    "};",
    "```\n",
    "[",
    '{"name":',
    "\0",
  ])
    for (const form of ["any", "hermes", "llama", "fenced"])
      assert.equal(
        verdict(piece.repeat(3e5 / piece.length), { form }).outcome,
        "wrong",
        `${form} ${JSON.stringify(piece)}`,
      );
});
