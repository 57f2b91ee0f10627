import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAssert } from "../../../src/rewards/code/asserts.ts";
import { readTests } from "../../../src/rewards/code/tests.ts";
import type { Json } from "../../../src/rollout/types.ts";

const read = (tests: Json) => readTests({ id: "t7", set: "s", prompt: "", answer: null, data: { tests } }, "python");

test("readTests: inputs and outputs, calls, and assertions", () => {
  const tests = read([
    { input: "1 2\n", output: "3" },
    { call: "add", args: [1, { a: [2] }], expected: null },
    "assert add(1, 2) == 3",
  ]);
  assert.deepEqual(tests, [
    { kind: "program", stdin: "1 2\n", expected: "3" },
    { kind: "call", call: { name: "add", args: [1, { d: [["a", [2]]] }] }, expected: null },
    { kind: "call", call: { name: "add", args: [1, 2] }, expected: 3 },
  ]);
});

test("readTests: columns of texts for standard input, or of their lines", () => {
  assert.deepEqual(read({ inputs: ["1\n", ["2", "3"], 4], outputs: ["a", ["b", "c"], 5], difficulty: "easy" }), [
    { kind: "program", stdin: "1\n", expected: "a" },
    { kind: "program", stdin: "2\n3", expected: "b\nc" },
    { kind: "program", stdin: "4", expected: "5" },
  ]);
});

test("readTests: columns of a function, with one argument in JSON on each line (LiveCodeBench) or in lists (PRIME, APPS)", () => {
  assert.deepEqual(read({ inputs: ['[1, 2]\n"x"', "plain"], outputs: ["3", "text"], fn_name: "f" }), [
    { kind: "call", call: { name: "f", args: [[1, 2], "x"] }, expected: 3 },
    { kind: "call", call: { name: "f", args: ["plain"] }, expected: "text" },
  ]);
  assert.deepEqual(read({ inputs: [[1, 2]], outputs: [3], fn_name: "f" }), [
    { kind: "call", call: { name: "f", args: [1, 2] }, expected: 3 },
  ]);
  // every expected value in a list of its own: APPS writes it so, whether a list is returned or not
  assert.deepEqual(read({ inputs: [[1], [2]], outputs: [[3], [4]], fn_name: "f" }), [
    { kind: "call", call: { name: "f", args: [1] }, expected: [3], or: 3 },
    { kind: "call", call: { name: "f", args: [2] }, expected: [4], or: 4 },
  ]);
});

const REFUSED: readonly (readonly [tests: Json, field: string, problem: RegExp])[] = [
  [null, "", /^needs a list of .*, got null$/],
  ["assert f(1) == 2", "", /^needs a list of/],
  [[], "", /^there are none; a test is/],
  [[3], "[0]", /got 3$/],
  [
    [{ input: "1", output: "1" }, { input: "1" }],
    "[1].output",
    /^Invalid input: expected string, received undefined, got {"input":"1"}/,
  ],
  [[{ input: "1", output: 1 }], "[0].output", /expected string, received number/],
  [[{ input: "1", output: "1", timeout: 3 }], "[0]", /Unrecognized key: "timeout"/],
  [[{ call: "f", args: "1", expected: 1 }], "[0].args", /expected array, received string/],
  [[{ call: "f", args: [] }], "[0].expected", /Invalid input/],
  [[{ call: "", args: [], expected: 1 }], "[0].call", /Too small/],
  [[{ call: "f", args: [], expected: Number.parseFloat("1e999") }], "[0].expected", /Invalid input/],
  [["assert f(x) == 2"], "[0]", /^can't be read: "assert f\(x\) == 2"; a test is/],
  [{ inputs: ["1"], outputs: [] }, "", /^there are 1 inputs and 0 outputs$/],
  [{ inputs: [], outputs: [] }, ".inputs", /Too small/],
  [{ inputs: ["1"] }, ".outputs", /expected array, received undefined/],
  [{ inputs: ["1"], outputs: [{ a: 1 }] }, ".outputs[0]", /^needs a text or its lines without "fn_name", got {"a":1}$/],
  [{ inputs: [[null]], outputs: ["1"] }, ".inputs[0]", /^needs a text or its lines/],
];

test("readTests: tests that can't be read are refused by task, field and value", () => {
  for (const [tests, field, problem] of REFUSED)
    assert.throws(
      () => read(tests),
      (error: Error) => {
        const start = `code-python: task t7, data.tests${field}: `;
        assert.equal(error.name, "RewardError");
        assert.ok(error.message.startsWith(start), error.message);
        assert.match(error.message.slice(start.length), problem);
        return true;
      },
    );
});

const PYTHON: readonly (readonly [line: string, name: string, args: Json, expected: Json])[] = [
  ["assert f(1) == 2", "f", [1], 2],
  ["  assert (f(-1.5, .5, 1e3) == +2)  # a comment", "f", [-1.5, 0.5, { f: "1000" }], 2],
  ["assert f() is None", "f", [], null],
  ["assert f(True)", "f", [true], true],
  ["assert not f(False)", "f", [false], false],
  ["assert f([1, (2,), (3)]) == (), 'a message'", "f", [[1, { t: [2] }, 3]], { t: [] }],
  ["assert Solution().twoSum([2, 7], 9) == [0, 1]", "Solution.twoSum", [[2, 7], 9], [0, 1]],
  [
    "assert f({'a': 1, 2: None}, {1, 2}, set()) == {}",
    "f",
    [
      {
        d: [
          ["a", 1],
          [2, null],
        ],
      },
      { s: [1, 2] },
      { s: [] },
    ],
    { d: [] },
  ],
  ["assert f('it\\'s', \"\\t\\x41\\u00e9\\U0001F600\\101\\q\") == 'a' 'b'", "f", ["it's", "\tAé😀A\\q"], "ab"],
  ["assert f(12345678901234567890, 1_000) == 5.0", "f", [{ i: "12345678901234567890" }, 1000], { f: "5" }],
];

test("parseAssert: calls and values in Python's literals", () => {
  for (const [line, name, args, expected] of PYTHON)
    assert.deepEqual(parseAssert(line, "python"), { call: { name, args }, expected }, line);
});

const JAVASCRIPT: readonly (readonly [line: string, name: string, args: Json, expected: Json])[] = [
  ["assert(f(1) === 2);", "f", [1], 2],
  ["console.assert(f('a', `b`) == [1, , ].length", "", [], null],
  [
    "assert.deepStrictEqual(f({ a: 1, 'b': [null] }), [true], 'why');",
    "f",
    [
      {
        d: [
          ["a", 1],
          ["b", [null]],
        ],
      },
    ],
    [true],
  ],
  ['assert.equal(f(undefined, NaN, -Infinity, 10n), "x")', "f", [null, { n: "nan" }, { n: "-inf" }, { i: "10" }], "x"],
  ["assert(!f(1))", "f", [1], false],
  ["console.assert(new Stack().size() === 0, 'empty')", "", [], null],
];

test("parseAssert: calls and values in JavaScript's literals", () => {
  for (const [line, name, args, expected] of JAVASCRIPT)
    assert.deepEqual(parseAssert(line, "javascript"), name === "" ? null : { call: { name, args }, expected }, line);
});

test("parseAssert: what is more than one call and a literal is not read, and never guessed", () => {
  const lines = [
    "assert f(1) == 2 and f(2) == 3",
    "assert f(1) in [1, 2]",
    "assert f(1) != 2",
    "assert f(1) is not None",
    "assert f(g(1)) == 2",
    "assert f(1) == 1/3",
    "assert f(1) == r'\\d'",
    "assert f(1) == '\\N{BULLET}'",
    "assert f(1) == 'open",
    "assert f(1) == 0x1F",
    "assert f(1) == 5n",
    "assert math.isclose(f(1), 2)[0]",
    "assert 2 == f(1)",
    "assert f(x=1) == 2",
    "f(1) == 2",
    `assert f(${"[".repeat(100)}${"]".repeat(100)}) == 2`,
  ];
  for (const line of lines) assert.equal(parseAssert(line, "python"), null, line);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the source of a test
  for (const line of ["assert(f(`${1}`) === 2)", "assert(f('\\101') === 2)", "assert(f({ a }) === 2)"])
    assert.equal(parseAssert(line, "javascript"), null, line);
});
