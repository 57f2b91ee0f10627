import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parquetWriteBuffer } from "hyparquet-writer";
import { questionKey } from "../../../src/rollout/data/index.ts";
import type { TaskSet } from "../../../src/rollout/index.ts";
import { openTaskSet, TaskConfig } from "../../../src/rollout/tasks/index.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-file-set-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(rows: readonly object[] | string | Uint8Array, extension = ".jsonl"): string {
  const path = join(folder, `${files++}${extension}`);
  const content = Array.isArray(rows) ? rows.map((row) => JSON.stringify(row)).join("\n") : rows;
  writeFileSync(path, content as string | Uint8Array);
  return path;
}

/** All rows of a file as the train split. */
function open(path: string, options: object = {}): Promise<TaskSet> {
  return openTaskSet(TaskConfig.parse({ name: "file", path, holdOut: 0, ...options }));
}

/** Question and gold answer of every task. */
function pairs(set: TaskSet): [string, string | null][] {
  return Array.from({ length: set.size }, (_, i) => {
    const { prompt, answer } = set.get(i);
    assert.ok(typeof prompt !== "string" && prompt.length === 1);
    return [prompt[0]!.content, answer];
  });
}

function notes(set: TaskSet): string[] {
  return (set.notes ?? []).map((note) => note.replaceAll(`${folder}/`, "").replace(/^\d+/, "N"));
}

test("file: the columns of the usual sets are found and said", async () => {
  const gsm8k = await open(file('question,answer\nHow many?,"So 3.\n#### 1,200"\n', ".csv"));
  assert.deepEqual(
    [pairs(gsm8k), notes(gsm8k)],
    [[["How many?", "1200"]], ["N.csv: the question is in column question, the answer in answer after #### (guessed)"]],
  );
  const math = await open(file([{ problem: "p", level: "Level 3", solution: "so $\\boxed{\\frac{1}{2}}$." }]));
  assert.deepEqual(
    [pairs(math), notes(math)],
    [
      [["p", "\\frac{1}{2}"]],
      ["N.jsonl: the question is in column problem, the answer in solution in the last \\boxed{} (guessed)"],
    ],
  );
  const aime = await open(file([{ id: 1, problem: "p", answer: 27.0 }]));
  assert.deepEqual(pairs(aime), [["p", "27"]]);
});

test("file: a Parquet file in verl's layout, with nested columns and messages", async () => {
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: "data_source", data: ["math_dapo"], type: "STRING" },
      { name: "prompt", data: [[{ content: "What is 17 + 17?", role: "user" }]], type: "JSON" },
      { name: "reward_model", data: [{ ground_truth: "34", style: "rule-lighteval/MATH_v2" }], type: "JSON" },
      { name: "extra_info", data: [{ index: 3 }], type: "JSON" },
    ],
  });
  const set = await open(file(new Uint8Array(buffer), ".parquet"));
  assert.deepEqual(pairs(set), [["What is 17 + 17?", "34"]]);
  assert.match(notes(set)[0]!, /in column prompt, the answer in reward_model\.ground_truth \(guessed\)$/);
});

test("file: preset, prompt and answer overrule the guess, and then nothing is said", async () => {
  const rows = file([{ question: "q", answer: "so #### 7", gold: "7", problem: "p", solution: "\\boxed{8}" }]);
  const plain = await open(rows, { preset: "plain" });
  assert.deepEqual([pairs(plain), notes(plain)], [[["q", "so #### 7"]], []]);
  assert.deepEqual(pairs(await open(rows, { preset: "math" })), [["p", "8"]]);
  assert.deepEqual(pairs(await open(rows, { preset: "math", prompt: "question" })), [["q", "8"]]);
  assert.deepEqual(pairs(await open(rows, { prompt: "problem", answer: "gold" })), [["p", "7"]]);
  assert.deepEqual(pairs(await open(rows, { answer: "answer" })), [["q", "so #### 7"]]);
});

test("file: columns that can't be told are an error with what the row has", async () => {
  await assert.rejects(
    open(file([{ text: "a", label: 1 }])),
    /\.jsonl, line 1: which columns hold question and answer\? The row has text, label; set prompt and answer, or preset \(plain, gsm8k, /,
  );
  assert.throws(() => TaskConfig.parse({ name: "file", path: "x.jsonl", preset: "gsm9k" }), /preset/);
});

test("file: rows without an answer are refused, or left out and counted where that is wanted or known of the set", async () => {
  const path = file([
    { problem: "a", answer: "1" },
    { problem: "b", answer: "" },
    { problem: " ", answer: "3" },
    { problem: "d", answer: null },
    { problem: "e" },
    { problem: "f", answer: "6" },
  ]);
  await assert.rejects(open(path), /line 2, field "answer": is empty$/);
  for (const options of [{ skipEmpty: true }, { preset: "deepscaler" }]) {
    const set = await open(path, options);
    assert.deepEqual(pairs(set), [
      ["a", "1"],
      ["f", "6"],
    ]);
    assert.equal(notes(set).at(-1), "N.jsonl: 4 rows without a question or an answer left out (first: line 2)");
  }
});

test("file: questions that repeat are left out once, and other answers to them are said", async () => {
  const path = file([
    { question: "What is 3 + 4?", answer: "7" },
    { question: "What is 3 - 4?", answer: "-1" },
    { question: " what  is\n3 + 4?", answer: "7" },
    { question: "What is 3 + 4?", answer: "8" },
    { question: "What is ３ + 4?", answer: "7" },
  ]);
  const set = await open(path);
  assert.deepEqual(pairs(set), [
    ["What is 3 + 4?", "7"],
    ["What is 3 - 4?", "-1"],
  ]);
  assert.deepEqual(notes(set).slice(1), [
    "N.jsonl: 3 rows left out that ask the same as an earlier one (first: line 3)",
    "N.jsonl: 1 row of these have another answer than the earlier one: which is right? (first: line 4)",
  ]);
  assert.equal(set.get(1).id, `file/${path}/2`);
  assert.equal((await open(path, { dedup: false })).size, 5);
});

test("file: a filter by length counts characters, or tokens of a model", async () => {
  const path = file(["4,8>2:", "4,8,2>16:", "1,2,3,4>100:"].map((question) => ({ question, answer: "1" })));
  const set = await open(path, { length: { min: 7, max: 9 } });
  assert.deepEqual(pairs(set), [["4,8,2>16:", "1"]]);
  assert.equal(notes(set).at(-1), "N.jsonl: 2 rows left out by length (7 to 9 characters) (first: line 1)");
  // seedling: one token a character of these
  const tokens = await open(path, { length: { min: 10, tokenizer: "seedling" } });
  assert.deepEqual(pairs(tokens), [["1,2,3,4>100:", "1"]]);
  assert.match(notes(tokens).at(-1)!, /2 rows left out by length \(at least 10 tokens of seedling\)/);
  assert.throws(() => TaskConfig.parse({ name: "file", path, length: { min: 3, max: 2 } }), /min must be at most max/);
  await assert.rejects(
    open(path, { length: { min: 99 } }),
    /no row is in the train split; .*3 rows left out by length/,
  );
});

test("file: questions that a model solves too often or too rarely are left out, and those without an estimate", async () => {
  const path = file(
    ["never", "rarely", "often", "always", "unknown", "unjudged"].map((question) => ({ question, answer: "1" })),
  );
  const rates = { never: 0, rarely: 0.25, often: 0.75, always: 1, unjudged: null };
  const difficulty = file(
    Object.entries(rates).map(([question, passRate]) => ({ question: questionKey(question.toUpperCase()), passRate })),
  );
  const set = await open(path, { difficulty: { file: difficulty, min: 0.05, max: 0.95 } });
  assert.deepEqual(
    pairs(set).map(([question]) => question),
    ["rarely", "often"],
  );
  assert.deepEqual(
    notes(set)
      .slice(1)
      .map((note) => note.replace(/in \d+/, "in N")),
    [
      "N.jsonl: 2 rows left out by pass rate (0.05 to 0.95) (first: line 1)",
      "N.jsonl: 2 rows left out without an estimate in N.jsonl (first: line 5)",
    ],
  );
  assert.equal(set.get(0).question, "rarely");
  assert.throws(
    () => TaskConfig.parse({ name: "file", path, difficulty: { file: difficulty, min: 0.5, max: 0.4 } }),
    /min must be at most max/,
  );
  await assert.rejects(
    open(path, { difficulty: { file: path } }),
    /line 1: there is no field "passRate"; the fields are question, answer$/,
  );
  await assert.rejects(
    open(path, { difficulty: { file: join(folder, "none.jsonl") } }),
    /there is no such file; make it with: npx rlvr data difficulty/,
  );
});
