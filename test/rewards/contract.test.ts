import assert from "node:assert/strict";
import { test } from "node:test";
import { BuiltInRewardConfig, createReward, type Verdict } from "../../src/rewards/index.ts";

/** Rewards that look at any text, each as a recipe may write it. */
const CONFIGS: readonly { readonly name: string; readonly [option: string]: unknown }[] = [
  { name: "exact-match" },
  { name: "exact-match", from: "boxed", ignoreCase: true },
  { name: "contains" },
  { name: "contains", texts: ["a", "\\boxed", "\u200b"], need: "none", partialCredit: true, part: "text" },
  { name: "regex", pattern: "^(\\d+)$", flags: "m", expect: "gold" },
  { name: "regex", pattern: "\\p{L}", expect: "no-match", part: "thoughts" },
  { name: "json-schema", schema: { type: "object", additionalProperties: { type: "number" } } },
  { name: "json-schema", schema: { type: "array" }, from: "fenced" },
  { name: "tool-call", tools: [{ name: "f", parameters: { type: "object" } }] },
  { name: "tool-call", tools: [{ name: "f" }], form: "llama", calls: "any" },
  { name: "format", style: "think-answer" },
  { name: "length", target: 10, min: 0, max: 100 },
  { name: "repetition" },
  { name: "repetition", n: 1, threshold: 0, part: "answer" },
  { name: "language", scripts: ["Latin"] },
  { name: "language", scripts: ["Han", "Hiragana"], skipMath: false },
];

const long = (piece: string): string => piece.repeat(Math.ceil(300_000 / piece.length));
/** What a policy may write by accident or on purpose. */
const TEXTS: readonly string[] = [
  "",
  " \n\t ",
  "5",
  "\0\u0001\u001b[31m",
  "\ud800 lone \udc00",
  "\u200b\u200d\u2060\ufeff5\u202e",
  "٥ ５ ५ 五 𝟝",
  "e\u0301".repeat(50),
  "<think><think></think></think>\\boxed{\\boxed{5}}",
  "</think></think>",
  "{{{{[[[[",
  '{"__proto__": 1, "constructor": 2, "toString": 3}',
  '{"name": "__proto__", "parameters": {"__proto__": {}}}',
  "1e999999",
  ...["a", "ab ", "{", '"', "\\", "<think>", "\\boxed{", "```\n", "\n", "🧨", "\u0300", "<tool_call>", "$", "٥"].map(
    long,
  ),
];

const task = { id: "t", set: "s", prompt: "", answer: "5", data: {} };

for (const config of CONFIGS)
  test(`contract: ${JSON.stringify(config).slice(0, 90)} judges hostile texts with a plain verdict, the same each time`, () => {
    const reward = createReward(BuiltInRewardConfig.parse(config));
    for (const text of TEXTS) {
      const judge = (): Verdict => reward.score({ task, text, stop: "eos", tokens: 20 }) as Verdict;
      const verdict = judge();
      const shown = `${JSON.stringify(text.slice(0, 40))}: ${verdict.reason}`;
      assert.ok(["correct", "wrong", "unparseable"].includes(verdict.outcome), shown);
      assert.ok(verdict.score >= 0 && verdict.score <= 1, shown);
      assert.equal(verdict.score === 1, verdict.outcome === "correct", shown);
      assert.ok(verdict.reason.length > 0 && verdict.reason.length < 1000, shown);
      assert.deepEqual(structuredClone(verdict), judge(), shown);
    }
  });
