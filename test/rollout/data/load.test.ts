import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { answerField, fieldOf, promptField, type Row, readRows, textField } from "../../../src/rollout/data/index.ts";
import { DataError } from "../../../src/utils/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-data-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(extension: string, content: string | Uint8Array): string {
  const path = join(folder, `${files++}${extension}`);
  writeFileSync(path, content);
  return path;
}

async function read(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of readRows(path)) rows.push(row);
  return rows;
}

async function values(path: string): Promise<unknown[]> {
  return (await read(path)).map((row) => row.values);
}

async function failure(path: string): Promise<string> {
  try {
    await read(path);
  } catch (error) {
    assert.ok(error instanceof DataError, `not a DataError: ${error}`);
    return error.message.replace(folder, "…");
  }
  return assert.fail("no error");
}

test("readRows: JSON lines with blank lines, CR LF, a byte order mark, and no line feed at the end", async () => {
  const path = file(".jsonl", '\ufeff{"a":1}\r\n\n  \n{"a":"x\u2028y"}\n{"a":null}');
  assert.deepEqual(await values(path), [{ a: 1 }, { a: "x\u2028y" }, { a: null }]);
  assert.deepEqual(
    (await read(path)).map(({ where }) => where),
    [1, 4, 5].map((line) => `${path}, line ${line}`),
  );
});

test("readRows: rows cut by the pieces a file is read in, in the middle of a character too", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({ i, text: "é€🙂".repeat(i) }));
  assert.deepEqual(await values(file(".jsonl", rows.map((row) => JSON.stringify(row)).join("\n"))), rows);
  assert.deepEqual(await values(file(".json", JSON.stringify(rows, null, 2))), rows);
});

test("readRows: JSON arrays hold what JSON.parse finds in them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), fc.nat({ max: 4 }), async (rows, indent) => {
      const text = JSON.stringify(rows, null, indent);
      assert.deepEqual(await values(file(".json", text)), JSON.parse(text));
    }),
    { numRuns: 40 },
  );
});

test("readRows: a malformed JSON line names file and line", async () => {
  assert.match(
    await failure(file(".jsonl", '{"a":1}\n{"a":\n')),
    /^…\/\d+\.jsonl, line 2: is not valid JSON \(.+\); it starts with "\{\\"a\\":"$/,
  );
  assert.match(
    await failure(file(".jsonl", '{"a":1}\n[1]\n')),
    /line 2: a row must be an object with named fields, got a list of 1$/,
  );
  assert.match(
    await failure(file(".jsonl", "7")),
    /line 1: a row must be an object with named fields, got 7 \(number\)$/,
  );
  assert.match(
    await failure(file(".jsonl", Uint8Array.of(0x1f, 0x8b, 8, 0))),
    /is not UTF-8 text; is it a compressed or binary file\?$/,
  );
  assert.match(await failure(file(".jsonl", Uint8Array.of(0x7b, 0xe2, 0x82))), /is not UTF-8 text/);
});

test("readRows: a malformed JSON array names file and line", async () => {
  assert.match(await failure(file(".json", "")), /line 1: is empty; a JSON array of rows was expected$/);
  assert.match(
    await failure(file(".json", '{"a":1}')),
    /line 1: expected \[, found "\{": a \.json file must be an array of objects$/,
  );
  assert.match(await failure(file(".json", "[\n1]")), /line 2: expected \{ or \], found "1"/);
  assert.match(await failure(file(".json", '[{"a":1}\n{"a":2}]')), /line 2: expected , or \], found "\{"/);
  assert.match(await failure(file(".json", '[{"a":1},]')), /expected \{, found "\]"/);
  assert.match(
    await failure(file(".json", '[{"a":1},\n{"a":2')),
    /line 2: ends inside the array: the file is cut off$/,
  );
  assert.match(await failure(file(".json", '[{"a":1}]\n3')), /line 2: expected nothing more, found "3"/);
  assert.match(await failure(file(".json", '[{"a":1},\n\n{"a" 2}\n]')), /line 3: is not valid JSON/);
});

test("readRows: Parquet with several row groups, lists, numbers of 64 bits and missing values", async () => {
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: "question", data: ["a", "b", "c", "d", "e"], type: "STRING" },
      { name: "n", data: [1n, 2n, 3n, 2n ** 53n + 1n, -5n], type: "INT64" },
      { name: "maybe", data: ["x", null, "z", null, null], type: "STRING", nullable: true },
    ],
    rowGroupSize: 2,
  });
  const path = file(".parquet", new Uint8Array(buffer));
  assert.deepEqual(await values(path), [
    { question: "a", n: 1, maybe: "x" },
    { question: "b", n: 2, maybe: null },
    { question: "c", n: 3, maybe: "z" },
    { question: "d", n: 2n ** 53n + 1n, maybe: null },
    { question: "e", n: -5, maybe: null },
  ]);
  assert.equal((await read(path))[3]!.where, `${path}, row 4`);
});

test("readRows: damaged Parquet files are refused", async () => {
  const whole = new Uint8Array(
    parquetWriteBuffer({ columnData: [{ name: "a", data: Array.from({ length: 500 }, (_, i) => `row ${i}`) }] }),
  );
  assert.match(await failure(file(".parquet", "")), /is not a readable Parquet file, its footer is damaged/);
  assert.match(await failure(file(".parquet", "PAR1 not really PAR1")), /is not a readable Parquet file/);
  assert.match(await failure(file(".parquet", whole.slice(0, whole.length - 9))), /is not a readable Parquet file/);
  const zeroed = whole.slice();
  zeroed.fill(0, 4, 600);
  assert.match(await failure(file(".parquet", zeroed)), /is not a readable Parquet file, row group 1 is damaged/);
});

test("readRows: a file that is missing, a folder, or of unknown kind is reported before reading", () => {
  const missing = join(folder, "none.jsonl");
  assert.throws(
    () => readRows(missing),
    new DataError(`${missing}: there is no such file; give the path of a file that exists`),
  );
  assert.throws(() => readRows(missing, "run x"), new DataError(`${missing}: there is no such file; run x`));
  assert.throws(() => readRows(folder), /is a folder, a data file was expected/);
  assert.throws(
    () => readRows(file(".xlsx", "a,b")),
    /unknown kind of data file; readable are \.jsonl, \.ndjson, \.json, \.parquet, \.csv, \.tsv$/,
  );
});

test("fields: nested names, and errors with file, line and field", () => {
  const row: Row = {
    where: "x.jsonl, line 7",
    values: {
      a: { b: "deep" },
      "c.d": "flat",
      n: 27.0,
      half: 0.5,
      big: 10n,
      blank: " ",
      list: [1, 2],
      one: [7.5],
      no: null,
    },
  };
  assert.equal(textField(row, "a.b"), "deep");
  assert.equal(fieldOf(row, "c.d"), "flat");
  assert.deepEqual(
    ["n", "half", "big", "a.b", "one"].map((name) => answerField(row, name)),
    ["27", "0.5", "10", "deep", "7.5"],
  );
  assert.throws(
    () => textField(row, "question"),
    new DataError(
      'x.jsonl, line 7: there is no field "question"; the fields are a, c.d, n, half, big, blank, list, one, no',
    ),
  );
  assert.throws(() => textField(row, "n"), new DataError('x.jsonl, line 7, field "n": must be text, got 27 (number)'));
  assert.throws(() => textField(row, "blank"), new DataError('x.jsonl, line 7, field "blank": is empty'));
  assert.throws(() => answerField(row, "list"), /field "list": must be text or a number, got a list of 2/);
  assert.throws(() => answerField(row, "no"), /field "no": must be text or a number, got null/);
  assert.throws(() => fieldOf(row, "toString"), /there is no field "toString"/);
});

test("promptField: text or a conversation", () => {
  const row = (prompt: unknown): Row => ({ where: "x.jsonl, line 1", values: { prompt } });
  const messages = [
    { role: "system", content: "" },
    { role: "user", content: "hi" },
  ];
  assert.equal(promptField(row("hi"), "prompt"), "hi");
  assert.deepEqual(promptField(row(messages.map((message) => ({ ...message, extra: 1 }))), "prompt"), messages);
  assert.throws(() => promptField(row([]), "prompt"), /is a conversation without messages/);
  assert.throws(
    () => promptField(row([{ role: "robot", content: "x" }]), "prompt"),
    /message 1 must have a role \(system, user, assistant, tool\), got "robot" \(string\)/,
  );
  assert.throws(
    () => promptField(row([messages[1], { role: "user" }]), "prompt"),
    /message 2 must have a text as content/,
  );
  assert.throws(() => promptField(row([null]), "prompt"), /message 1 must have a role/);
});
