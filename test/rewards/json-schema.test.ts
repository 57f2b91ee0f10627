import assert from "node:assert/strict";
import { test } from "node:test";
import { createRubric, openPool, RewardConfig } from "../../src/rewards/index.ts";
import { ConfigError } from "../../src/utils/errors.ts";
import { type Given, judge } from "./judge.ts";

const PERSON = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1 },
    age: { type: "integer", minimum: 0 },
    tags: { $ref: "#/$defs/tags" },
  },
  required: ["name", "age"],
  additionalProperties: false,
  $defs: { tags: { type: "array", items: { enum: ["a", "b"] }, uniqueItems: true } },
};
const verdict = (text: string, options: object = { schema: PERSON }, given: Given = {}) =>
  judge({ name: "json-schema", ...options }, text, given);

test("json-schema: an answer that satisfies the schema is correct", () => {
  const good = [
    '{"name": "Ada", "age": 36}',
    ' {"age":0,"name":"é","tags":["a","b"]}\n',
    '<think>{"x"</think>{"name":"A","age":1}',
  ];
  for (const text of good) assert.equal(verdict(text).outcome, "correct", verdict(text).reason);
});

const BAD: readonly (readonly [text: string, reason: RegExp])[] = [
  ["", /^the answer is not JSON/],
  ["Ada", /^the answer is not JSON/],
  ['{"name": "Ada", "age": 36', /^the answer is not JSON/],
  ['{"name": "Ada", "age": 36} done', /^the answer is not JSON/],
  ["{'name': 'Ada', 'age': 36}", /^the answer is not JSON/],
  ['{"name": "Ada", "age": NaN}', /^the answer is not JSON/],
  ['```json\n{"name": "Ada", "age": 36}\n```', /^the answer is not JSON/],
  ['["Ada", 36]', /^#: Instance type "array" is invalid/],
  ['{"name": "Ada"}', /^#: Instance does not have required property "age"/],
  ['{"name": "", "age": 36}', /^#\/name: String is too short/],
  ['{"name": "Ada", "age": "36"}', /^#\/age: Instance type "string" is invalid/],
  ['{"name": "Ada", "age": 36.5}', /^#\/age: Instance type "number" is invalid/],
  ['{"name": "Ada", "age": -1}', /^#\/age: -1 is less than/],
  ['{"name": "Ada", "age": 36, "more": 1}', /^#\/more: /],
  ['{"name": "Ada", "age": 36, "tags": ["a", "a"]}', /^#\/tags: Duplicate items/],
  ['{"name": "Ada", "age": 36, "tags": ["c"]}', /^#\/tags\/0: Instance does not match any of/],
  ['{"__proto__": {"name": "Ada"}, "age": 36}', /^#\/__proto__: /],
];

test("json-schema: anything else is wrong and says where", () => {
  for (const [text, reason] of BAD) {
    const { outcome, score, reason: said } = verdict(text);
    assert.deepEqual([outcome, score], ["wrong", 0], text);
    assert.match(said, reason);
  }
});

test("json-schema: from a fenced block or an answer tag", () => {
  const schema = { type: "number" };
  assert.equal(verdict("```json\n1\n```\nor\n```\n2\n```", { schema, from: "fenced" }).parsed, "2");
  assert.equal(verdict("```python\n1\n```", { schema, from: "fenced" }).reason, "there is no fenced block of JSON");
  assert.equal(verdict("```json\n1", { schema, from: "fenced" }).outcome, "wrong");
  assert.equal(verdict("so <answer> 3 </answer>", { schema, from: "answer-tag" }).outcome, "correct");
  assert.equal(verdict("3", { schema, from: "answer-tag" }).reason, "there is no answer tag");
});

test("json-schema: the task's own schema; a task without one, or with a broken one, can't be judged", () => {
  const own = (data: Given["data"]) => verdict("5", {}, { data: data! });
  assert.equal(own({ schema: { type: "integer" } }).outcome, "correct");
  assert.equal(own({ schema: { type: "string" } }).outcome, "wrong");
  assert.throws(() => own({}), /json-schema: task t has no data\.schema/);
  assert.throws(
    () => own({ schema: { type: "int" } }),
    /json-schema: data\.schema of task t: #\/type must be of null, /,
  );
});

const BROKEN: readonly (readonly [schema: object, message: RegExp])[] = [
  [{ typ: "object" }, /schema #\/typ is no keyword of JSON schema; did you mean type\?/],
  [{ type: "float" }, /schema #\/type must be of null, boolean, .*; got "float"/],
  [{ required: "name" }, /schema #\/required must be a list of names, got "name"/],
  [{ properties: { a: { pattern: "(" } } }, /schema #\/properties\/a\/pattern is not a regular expression: "\("/],
  [{ patternProperties: { "[": true } }, /schema #\/patternProperties is not a regular expression/],
  [{ items: 3 }, /schema #\/items must be a schema/],
  [{ anyOf: { a: true } }, /schema #\/anyOf must be a list of schemas/],
  [{ $ref: "#/$defs/none" }, /schema #\/\$ref leads nowhere inside the schema/],
  [{ $ref: "https://json-schema.org/draft/2020-12/schema" }, /schema #\/\$ref leads nowhere inside the schema/],
  [{ $ref: "#" }, /schema can't be used: Maximum call stack/],
];

test("json-schema: a broken schema is refused when the reward is made, naming the place", () => {
  for (const [schema, message] of BROKEN)
    assert.throws(
      () => verdict("1", { schema }),
      (error) => error instanceof ConfigError && message.test(error.message),
      JSON.stringify(schema),
    );
});

test("json-schema: recursive schemas, and those of draft 4 and 7, are read by their rules", () => {
  const tree = { type: "object", properties: { next: { $ref: "#" } }, additionalProperties: false };
  assert.equal(verdict('{"next": {"next": {}}}', { schema: tree }).outcome, "correct");
  assert.equal(verdict('{"next": {"last": {}}}', { schema: tree }).outcome, "wrong");
  const of = (draft: string) => ({
    $schema: `http://json-schema.org/${draft}/schema#`,
    items: [{ type: "string" }],
    additionalItems: false,
  });
  assert.equal(verdict('["a", 1]', { schema: of("draft-07") }).outcome, "wrong");
  assert.equal(verdict('["a"]', { schema: of("draft-07") }).outcome, "correct");
  const below = { $schema: "http://json-schema.org/draft-04/schema#", maximum: 5, exclusiveMaximum: true };
  assert.deepEqual(
    [verdict("5", { schema: below }).outcome, verdict("4", { schema: below }).outcome],
    ["wrong", "correct"],
  );
});

test("json-schema: size and depth of what is read are bounded", () => {
  const deep = "[".repeat(1e5);
  assert.match(verdict(deep, { schema: {} }).reason, /^the answer is nested deeper than 100 levels/);
  assert.match(verdict(`"${"a".repeat(1e6)}"`, { schema: {} }).reason, /^the answer is longer than 200000 characters/);
  assert.equal(verdict(`"${"[".repeat(1e5)}"`, { schema: {} }).outcome, "correct"); // in a text they are no depth
  assert.equal(verdict('"\\"[["', { schema: {} }).outcome, "correct");
});

test("json-schema: a pattern that backtracks without end is stopped in the pool, where the rubric runs it", async (t) => {
  const config = RewardConfig.parse({ name: "json-schema", schema: { type: "string", pattern: "^(a+)+$" } });
  const rubric = createRubric([config]);
  assert.ok(rubric.stats(), "it must run in a thread");
  const pool = openPool({ lanes: 1 });
  t.after(() => pool.close());
  const task = { id: "t", set: "s", prompt: "", answer: null, data: {} };
  const completion = { task, text: `"${"a".repeat(60)}b"`, stop: "eos", tokens: 1 } as const;
  assert.equal((await pool.score({ kind: "builtin", config }, completion, 200)).outcome, "timeout");
});
