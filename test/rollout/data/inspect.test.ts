import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { compareFiles } from "../../../src/rollout/data/compare.ts";
import { HashTable, ngramHashes, textHash } from "../../../src/rollout/data/hash-table.ts";
import { inspectFile } from "../../../src/rollout/data/inspect.ts";
import { LengthCounts } from "../../../src/rollout/data/lengths.ts";
import { NgramIndex } from "../../../src/rollout/data/ngram-index.ts";
import { wordsOf } from "../../../src/rollout/data/question-text.ts";
import { createRng } from "../../../src/utils/rng.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-inspect-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(rows: readonly (object | string)[], extension = ".jsonl"): string {
  const path = join(folder, `${files++}${extension}`);
  writeFileSync(path, rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row))).join("\n"));
  return path;
}

const local = (texts: readonly string[]): string[] => texts.map((text) => text.replace(/^\S+\.\w+, /, ""));

test("inspectFile: columns with types and lengths, nested ones too, missing and empty values", async () => {
  const path = file([
    { question: "abcd", answer: 1, meta: { level: "x", n: [] }, ok: true },
    { question: "ab", answer: 1.5, meta: null, ok: false },
    { question: " ", answer: "12", meta: { level: "yy", n: [1] }, chat: [{ role: "user", content: "hello" }] },
  ]);
  const report = await inspectFile(path, { tokensOf: (text) => 2 * text.length });
  const lengths = (min: number, median: number, max: number) => ({ min, median, p95: max, max });
  const [none, twice] = [
    { characters: null, tokens: null },
    (min: number, median: number, max: number) => ({
      characters: lengths(min, median, max),
      tokens: lengths(2 * min, 2 * median, 2 * max),
    }),
  ];
  assert.deepEqual(report.columns, [
    { name: "question", types: { text: 3 }, empty: 1, ...twice(1, 2, 4) },
    { name: "answer", types: { whole: 1, number: 1, text: 1 }, empty: 0, ...twice(2, 2, 2) },
    { name: "meta.level", types: { text: 2 }, empty: 0, ...twice(1, 1, 2) },
    { name: "meta.n", types: { list: 2 }, empty: 1, ...none },
    { name: "ok", types: { boolean: 2 }, empty: 0, ...none },
    { name: "meta", types: { null: 1 }, empty: 0, ...none },
    { name: "chat", types: { messages: 1 }, empty: 0, ...twice(5, 5, 5) },
  ]);
  assert.deepEqual([report.rows, report.question, report.preset], [3, "question", "plain"]);
});

test("inspectFile: malformed rows are counted and the rest is read, in every kind of file", async () => {
  const lines = await inspectFile(file(['{"a":1}', "{", "[1]", "", '{"a":2}']));
  assert.deepEqual([lines.rows, lines.malformed.count], [2, 2]);
  assert.match(
    local(lines.malformed.first).join("\n"),
    /^line 2: is not valid JSON.*\nline 3: a row must be an object/,
  );
  const array = await inspectFile(file(['[{"a":1},', '{"a" 2},', '{"a":3}', "x"], ".json"));
  assert.deepEqual([array.rows, array.malformed.count], [2, 2]);
  assert.match(local(array.malformed.first)[1]!, /^line 4: expected , or \]/);
  const csv = await inspectFile(file(["a,b", "1,2", "3", '4,"5', "6,7"], ".csv"));
  assert.deepEqual([csv.rows, csv.malformed.count], [1, 2]);
  assert.match(
    local(csv.malformed.first).join("\n"),
    /^line 3: has 1 field, .*\nline 4, field "b": its quote is never closed$/,
  );
  await assert.rejects(inspectFile(join(folder, "none.jsonl")), /there is no such file/);
});

test("inspectFile: repeated questions, and repeated rows where there is no question", async () => {
  const questions = file(
    ["Why?", "How?", " why? ", "What is 1 + 2?", "What is 1 - 2?", "WHY?"].map((question) => ({
      question,
      answer: question,
    })),
  );
  const { duplicates } = await inspectFile(questions);
  assert.deepEqual([duplicates.count, local(duplicates.first)], [2, ["line 3 repeats row 1", "line 6 repeats row 1"]]);
  const rows = file([
    { a: 1, b: 2 },
    { a: 1, b: 3 },
    { a: 1, b: 2 },
  ]);
  assert.equal((await inspectFile(rows)).duplicates.count, 1);
  const other = await inspectFile(
    file([
      { question: "a", answer: "1", text: "x" },
      { question: "b", answer: "1", text: "x" },
    ]),
    { column: "text" },
  );
  assert.deepEqual([other.question, other.duplicates.count], ["text", 1]);
});

test("LengthCounts: quantiles as a sorted list has them, within 1 % for long texts", () => {
  const rng = createRng("lengths");
  const lengths = Array.from({ length: 5001 }, () => Math.floor(Math.exp(rng.uniform() * 13)));
  const counts = new LengthCounts();
  for (const length of lengths) counts.add(length);
  const sorted = [...lengths].sort((left, right) => left - right);
  const { min, median, p95, max } = counts.summary()!;
  assert.deepEqual([min, median, max], [sorted[0], sorted[2500], sorted[5000]]);
  const exact = sorted[Math.ceil(0.95 * 5001) - 1]!;
  assert.ok(exact > 100_000 && p95 <= exact && p95 > exact / 1.011, `${p95} for ${exact}`);
  assert.equal(new LengthCounts().summary(), null);
});

test("HashTable: holds what a Map holds, also after growing and filtering", () => {
  const table = new HashTable();
  const map = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = textHash(`key ${i % 15_000}`);
    table.set(key, i);
    map.set(key, i);
  }
  const isKept = (key: number): boolean => key % 3 === 0;
  assert.equal(table.size, map.size);
  assert.ok([...map].every(([key, value]) => table.get(key) === value) && table.get(textHash("no key")) === -1);
  table.filter(isKept);
  assert.ok([...map].every(([key, value]) => table.get(key) === (isKept(key) ? value : -1)));
  assert.ok(table.size > 4500 && table.size < 5500);
});

test("textHash: texts that differ little have hashes that share nothing", () => {
  const texts = Array.from({ length: 60_000 }, (_, i) => `what is ${i} + ${i % 7}`);
  const hashes = texts.map(textHash);
  assert.equal(new Set(hashes).size, texts.length);
  assert.ok(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0));
  for (const divisor of [1, 2 ** 21, 2 ** 33]) {
    const counts = new Int32Array(16);
    for (const hash of hashes) counts[Math.floor(hash / divisor) % 16]!++;
    // 3750 each, with a standard deviation of 59
    assert.ok(
      counts.every((count) => Math.abs(count - 3750) < 300),
      `${divisor}: ${counts}`,
    );
  }
  assert.deepEqual(ngramHashes(["a", "b", "c"], 2).length, 2);
  assert.notEqual(ngramHashes(["a", "b"], 2)[0], ngramHashes(["b", "a"], 2)[0]);
  assert.deepEqual(ngramHashes(["a", "b", "c", "d"], 3)[1], ngramHashes(["b", "c", "d"], 3)[0]);
});

test("wordsOf: words, mathematical signs and single characters of scripts without blanks", () => {
  assert.deepEqual(wordsOf("What’s $\\frac{1}{2}$ - X<=3.5?"), [
    "what",
    "s",
    "frac",
    "1",
    "2",
    "-",
    "x",
    "<",
    "=",
    "3",
    "5",
  ]);
  assert.deepEqual(wordsOf("求和 abc"), ["求", "和", "abc"]);
});

test("NgramIndex: the share of n-grams, their source, and instructions that do not count", () => {
  const index = new NgramIndex(3);
  const instruction = "answer with the number only please";
  const sentences = Array.from({ length: 40 }, (_, i) => `apple${i} pear${i} plum${i} fig${i} kiwi${i} ${instruction}`);
  for (const [i, text] of sentences.entries()) index.add(wordsOf(text), i);
  // the five words of sentence 7 give 3 n-grams; two more reach into the instruction and occur only there; four are the instruction alone, in all 40
  assert.deepEqual(index.overlap(wordsOf(sentences[7]!)), { total: 5, hits: 5, source: 7 });
  assert.deepEqual(index.overlap(wordsOf(`one two three ${instruction}`)), { total: 3, hits: 0, source: -1 });
  assert.deepEqual(index.overlap(["apple1", "pear1", "plum1", "other"]), { total: 2, hits: 1, source: 1 });
  assert.deepEqual(index.overlap([]), { total: 0, hits: 0, source: -1 });
});

test("NgramIndex: bounded memory looks at a sample of the n-grams and finds the same share", () => {
  const rng = createRng("ngrams");
  const text = (): string[] => Array.from({ length: 60 }, () => `w${Math.floor(rng.uniform() * 1e6)}`);
  const texts = Array.from({ length: 400 }, text);
  const index = new NgramIndex(8, 2000);
  for (const [i, words] of texts.entries()) index.add(words, i);
  assert.equal(index.stride, 16); // 400 · 53 = 21,200 n-grams, of which at most 2000 are kept
  let [total, hits] = [0, 0];
  for (const words of texts) {
    const overlap = index.overlap([...words.slice(0, 33), ...text().slice(0, 27)]); // 26 of its 53 n-grams are old
    total += overlap.total;
    hits += overlap.hits;
  }
  assert.ok(total > 1000 && Math.abs(hits / total - 26 / 53) < 0.06, `${hits} of ${total}`);
});

const LONG = "A farmer has twelve cows and buys three more at the market every single week of the year";

test("compareFiles: questions that are the same, and pairs that share most", async () => {
  const train = file([
    { problem: `  ${LONG.toUpperCase()}`, answer: "1" },
    { problem: `${LONG}. How many does he have after five weeks?`, answer: "27" },
    { problem: "Something entirely different that shares no run of words with the other file at all", answer: "3" },
    "{",
  ]);
  const test = file([
    { question: "Nothing to see here, only some words that nobody else uses", answer: "0" },
    { question: LONG, answer: "1" },
  ]);
  const report = await compareFiles(train, test);
  assert.deepEqual([report.rows, report.otherRows, report.n, report.stride], [3, 2, 8, 1]);
  assert.equal(report.exact.count, 1);
  assert.match(report.exact.first[0]!.where, /line 1$/);
  assert.match(report.exact.first[0]!.other, /line 2$/);
  // LONG has 18 words, so 11 n-grams; with 8 words after it 26 words, 19 n-grams
  const [pair] = report.worst;
  assert.deepEqual(
    [pair!.share, local([pair!.where, pair!.other]), pair!.otherText],
    [11 / 19, ["line 2", "line 2"], LONG],
  );
  assert.equal(report.worst.length, 1);
  // the third has 15 words, so 8 n-grams
  assert.equal(report.ngramShare, 22 / (11 + 19 + 8));
  assert.equal(report.halfCovered, 2);
  assert.equal((await compareFiles(train, test, { n: 18 })).worst[0]!.share, 1 / 9);
  await assert.rejects(
    compareFiles(file([{ x: "1" }]), test),
    /line 1: which column holds the question\? The row has x; name it with --column$/,
  );
  assert.equal((await compareFiles(file([{ x: LONG }]), test, { column: "x" })).exact.count, 1);
  await assert.rejects(compareFiles(train, test, { column: "nope" }), /there is no field "nope"/);
});

const gsm8k = process.env.RLVR_DATA && join(process.env.RLVR_DATA, "gsm8k");
const skip = gsm8k ? false : "RLVR_DATA is not set: GSM8K is not here; bring it with: npx rlvr data pull gsm8k";

test("inspectFile and compareFiles: GSM8K's lengths, and the questions of its test set that the train set varies", {
  skip,
}, async () => {
  const [train, held] = ["train", "test"].map((split) => join(gsm8k!, `${split}.jsonl`)) as [string, string];
  const report = await inspectFile(train);
  // counted with Python: sorted(len(question.encode("utf-16-le")) // 2 for …)
  assert.deepEqual(report.columns[0]!.characters, { min: 42, median: 217, p95: 414, max: 985 });
  assert.deepEqual([report.rows, report.preset, report.duplicates.count], [7473, "gsm8k", 0]);
  const overlap = await compareFiles(train, held);
  assert.deepEqual([overlap.rows, overlap.otherRows, overlap.exact.count], [7473, 1319, 0]);
  // "A train travels 270 miles in 3 hours. At the same rate, …" and "A plane travels 1200 miles in 3 hours. At the same rate, …"
  assert.deepEqual(local(overlap.worst.slice(0, 2).flatMap(({ where, other }) => [where, other])), [
    "line 1315",
    "line 603",
    "line 5163",
    "line 603",
  ]);
});
