import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplyReader, readReplies } from "../../../src/rewards/code/guest-replies.ts";
import { sameOutput } from "../../../src/rewards/code/output.ts";
import type { CodeLanguage, Wire } from "../../../src/rewards/code/types.ts";
import { isWire, sameValue, showValue } from "../../../src/rewards/code/values.ts";

const same = (got: Wire, expected: Wire, tolerance = 0, language: CodeLanguage = "python"): boolean =>
  sameValue(got, expected, { language, tolerance });

const EQUAL: readonly (readonly [Wire, Wire])[] = [
  [1, 1],
  [{ f: "1.0" }, 1],
  [true, 1],
  [{ i: "12345678901234567890" }, { i: "12345678901234567890" }],
  [{ i: "9007199254740993" }, 9007199254740992], // a JSON row could not hold it exactly
  [{ n: "nan" }, { n: "nan" }],
  [{ n: "inf" }, { n: "inf" }],
  [{ t: [1, { t: [2] }] }, [1, [2]]],
  [{ s: [2, 1] }, [1, 2]],
  [{ s: [2, 1] }, { s: [1, 2] }],
  [
    {
      d: [
        ["a", 1],
        ["b", { t: [2] }],
      ],
    },
    {
      d: [
        ["b", [2]],
        ["a", 1],
      ],
    },
  ],
  [{ d: [[1, "x"]] }, { d: [["1", "x"]] }],
  [{ b: "00ff" }, { b: "00ff" }],
  [null, null],
];
const UNEQUAL: readonly (readonly [Wire, Wire])[] = [
  ["1", 1],
  [1, "1"],
  [null, 0],
  [null, false],
  ["", null],
  [{ i: "9007199254740993" }, { i: "9007199254740992" }],
  [{ f: "9007199254740992.0" }, { i: "9007199254740993" }],
  [{ i: `1${"0".repeat(400)}` }, { n: "inf" }],
  [{ n: "nan" }, 0],
  [{ n: "inf" }, { n: "-inf" }],
  [[1, 2], { s: [1, 2] }],
  [
    [2, 1],
    [1, 2],
  ],
  [
    [1, 2, 2],
    [1, 2],
  ],
  [{ s: [1, 2] }, [1, 2, 2]],
  [{ s: ["1"] }, [1]],
  [
    {
      d: [
        [1, "wrong"],
        ["1", "right"],
      ],
    },
    { d: [["1", "right"]] },
  ],
  [{ d: [] }, []],
  [[], { d: [] }],
  [{ x: "Equal" }, { x: "Equal" }],
  [{ x: "Equal" }, "a value of type Equal"],
  [{ b: "00" }, "00"],
];

test("sameValue: values are equal as the language and JSON have it", () => {
  for (const [a, b] of EQUAL) assert.equal(same(a, b), true, `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
  for (const [a, b] of UNEQUAL) assert.equal(same(a, b), false, `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
  assert.equal(same(true, 1, 0, "javascript"), false);
});

test("sameValue: numbers may differ by the tolerance, infinities never", () => {
  assert.equal(same(1.0009, 1, 0.001), true);
  assert.equal(same(1.0011, 1, 0.001), false);
  assert.equal(same(2001, 2000, 0.001), true); // relative to what is expected
  assert.equal(same([0.1 + 0.2], [0.3], 1e-9), true);
  assert.equal(same(5, { n: "inf" }, 0.5), false);
  assert.equal(same({ n: "-inf" }, { n: "inf" }, 0.5), false);
  assert.equal(same({ i: "2".repeat(400) }, { i: "3".repeat(400) }, 0.1), false);
  assert.equal(same({ i: "10000000000000000001" }, { i: "10000000000000000000" }, 1e-9), true);
});

test("isWire: what a program forged is no value", () => {
  const forged: unknown[] = [
    undefined,
    {},
    { n: "constructor" },
    { n: "__proto__" },
    { i: "0x10" },
    { i: "" },
    { f: "" },
    { f: "0x10" },
    { b: "zz" },
    { "": "x" },
    { ni: "1" },
    { x: 1 },
    { s: 1 },
    { d: [["a"]] },
    { d: [["a", 1, 2]] },
    { t: [1], s: [1] },
    JSON.parse('{"__proto__":"x"}'),
    JSON.parse("1e999"),
    JSON.parse("[".repeat(200) + "]".repeat(200)),
  ];
  for (const value of forged) assert.equal(isWire(value), false, JSON.stringify(value));
  for (const [value] of EQUAL) assert.equal(isWire(value), true, JSON.stringify(value));
});

test("showValue: a value is short text", () => {
  assert.equal(
    showValue({
      d: [
        ["a", { t: [1, { f: "2.5" }] }],
        ["b", { x: "Fake" }],
      ],
    }),
    '{"a":[1,2.5],"b":"a value of type Fake"}',
  );
  assert.equal(showValue("a".repeat(100)).length, 78);
});

test("sameOutput: words, lines or bytes", () => {
  const is = (compare: "tokens" | "lines" | "exact", a: string, b: string, tolerance = 0): boolean =>
    sameOutput(a, b, { compare, tolerance });
  assert.equal(is("tokens", "1  2 \n3\n\n", "1 2\n3"), true);
  assert.equal(is("tokens", "1 2 3", "1 2\n3"), false);
  assert.equal(is("tokens", "1.0", "1"), false);
  assert.equal(is("tokens", "1.0 x", "1 x", 1e-9), true);
  assert.equal(is("tokens", "1.1", "1", 0.05), false);
  assert.equal(is("tokens", "5", "1e999", 0.5), false);
  assert.equal(is("tokens", "nan", "1", 1), false);
  assert.equal(is("tokens", "0x10", "16", 1), false);
  assert.equal(is("lines", "a b \r\n", "a b"), true);
  assert.equal(is("lines", "a  b", "a b"), false);
  assert.equal(is("exact", "a\n", "a\n"), true);
  assert.equal(is("exact", "a\n", "a"), false);
  assert.equal(is("tokens", `${"1".repeat(100_000)}x`, "1", 0.5), false); // at once
});

const limits = { timeoutMs: 1, totalMs: 1, memoryMb: 1, outputBytes: 10_000 };

test("readReplies: lines of a guest, and what stands for the rest", () => {
  const statuses = (stdout: string, count: number) =>
    readReplies(stdout, { count, limits }).map(({ status }) => status);
  assert.deepEqual(statuses('noise\n\x1e{"value":1}\n\x1e{"error":"E: x"}\n\x1e{"error":"MemoryError: "}\n', 9), [
    "ok",
    "exception",
    "memory",
  ]);
  assert.deepEqual(statuses('\x1e{"value":1}\n\x1e{"value":2}\n', 1), ["ok"]);
  assert.deepEqual(
    statuses('\x1e{"value":{"q":1}}\n\x1enull\n\x1e{\n\x1e{"passed":true}', 9),
    new Array(4).fill("exception"),
  );
  assert.deepEqual(statuses(`\x1e{"value":"${"a".repeat(20_000)}"}\n\x1e{"value":2}\n`, 9), ["output", "ok"]);
});

test("ReplyReader: lines may come in any parts", () => {
  const reader = new ReplyReader({ count: 9, limits });
  const text = '\x1e{"value":"one"}\nx\n\x1e{"value":"two"}\n';
  const ended = [...text].map((letter) => reader.push(letter).length);
  assert.deepEqual([ended.filter((n) => n > 0).length, reader.runs.map(({ value }) => value)], [2, ["one", "two"]]);
  // one that is too long is told before it ends, once
  const long = [..."\x1eabcdefghijklmno"].map((letter) => reader.push(letter.repeat(1000)).length);
  assert.deepEqual(long, [...new Array(14).fill(0), 1, 0]);
  assert.deepEqual(
    reader.push('a\n\x1e{"value":3}\n').map(({ value }) => value),
    [3],
  );
});
