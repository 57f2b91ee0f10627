import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { readRows } from "../../../src/rollout/data/index.ts";
import { DataError } from "../../../src/utils/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-csv-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(content: string | Uint8Array, extension = ".csv"): string {
  const path = join(folder, `${files++}${extension}`);
  writeFileSync(path, content);
  return path;
}

/** Values and line of each row. */
async function read(path: string): Promise<[unknown, number][]> {
  const rows: [unknown, number][] = [];
  for await (const { values, where } of readRows(path)) rows.push([values, Number(/\d+$/.exec(where)![0])]);
  return rows;
}

async function failure(content: string | Uint8Array, extension?: string): Promise<string> {
  try {
    await read(file(content, extension));
  } catch (error) {
    assert.ok(error instanceof DataError, `not a DataError: ${error}`);
    return error.message.replace(/^.*\.[ct]sv, /, "");
  }
  return assert.fail("no error");
}

test("readRows: CSV with quotes, line breaks and separators in fields, blank lines, CR LF, a byte order mark, and lines counted where rows begin", async () => {
  const text = '\ufeffquestion,answer\r\n"1,5 + ""2""?","3\r\n4"\r\n\r\n plain ,\n"",x\nlast,"é🙂"';
  assert.deepEqual(await read(file(text)), [
    [{ question: '1,5 + "2"?', answer: "3\r\n4" }, 2],
    [{ question: " plain ", answer: "" }, 5],
    [{ question: "", answer: "x" }, 6],
    [{ question: "last", answer: "é🙂" }, 7],
  ]);
});

test("readRows: TSV keeps commas; a column without a name is called after its place", async () => {
  assert.deepEqual(await read(file("\tquestion\t__proto__\n0\ta, \"b'\tz\n".replace('"b', "b"), ".tsv")), [
    [JSON.parse('{"column 1": "0", "question": "a, b\'", "__proto__": "z"}'), 2],
  ]);
});

test("readRows: a malformed CSV row names line and field", async () => {
  assert.match(await failure(""), /^line 1: is empty; a line with the names of the columns was expected$/);
  assert.match(await failure("a,b,a\n1,2,3"), /^line 1: two columns have the name "a"; rename one of them$/);
  assert.match(
    await failure("a,b\n1,2\n\n1,2,three\n"),
    /^line 4: has 3 fields, the header names 2 \(a, b\); the last one is "three"\. A field with a separator/,
  );
  assert.match(await failure("a,b\n1\n"), /^line 2: has 1 field, the header names 2/);
  assert.match(await failure('a,b\n1,"x\ny\n3,4\n'), /^line 2, field "b": its quote is never closed$/);
  assert.match(await failure('a,b\n1,2\n5" pipe,1\n'), /^line 3, field "a": has a quote inside a field without quotes/);
  assert.match(await failure('a,b\n1,"x"y\n'), /^line 2, field "b": goes on after its closing quote/);
  assert.match(await failure('"a"x,b\n1,2\n'), /^line 1, field "column 1": goes on after its closing quote/);
  assert.match(await failure(Uint8Array.of(0x61, 0x0a, 0xff, 0x0a)), /is not UTF-8 text/);
});

test("readRows: any table comes back from CSV as it was written", async () => {
  const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r\n", "\t", " ", "é", "🙂", ";") });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 6 }), fc.boolean(), async (table, isTab) => {
      const line = (cells: readonly string[]): string =>
        cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(isTab ? "\t" : ",");
      const text = [["left", "right"], ...table].map(line).join("\n");
      const rows = await read(file(text, isTab ? ".tsv" : ".csv"));
      assert.deepEqual(
        rows.map(([values]) => values),
        table.map(([left, right]) => ({ left, right })),
      );
      const starts = table.map(
        (_, i) =>
          [["left", "right"], ...table]
            .slice(0, i + 1)
            .map(line)
            .join("\n")
            .split("\n").length + 1,
      );
      assert.deepEqual(
        rows.map(([, start]) => start),
        starts,
      );
    }),
    { numRuns: 60 },
  );
});

test("readRows: rows of a CSV file cut by the pieces a file is read in", async () => {
  const rows = Array.from({ length: 400 }, (_, i) => ({ i: String(i), text: `é€🙂, "${i}"\n`.repeat(i % 60) }));
  const text = rows.map(({ i, text }) => `${i},"${text.replaceAll('"', '""')}"`).join("\n");
  assert.ok(Buffer.byteLength(text) > 3 * 65536);
  assert.deepEqual(
    (await read(file(`i,text\n${text}`))).map(([values]) => values),
    rows,
  );
});

test("readRows: a reader that stops early closes the CSV file", async () => {
  const path = file(`a\n${"1\n".repeat(100_000)}`);
  for await (const { values } of readRows(path)) {
    assert.deepEqual(values, { a: "1" });
    break;
  }
  rmSync(path);
});
