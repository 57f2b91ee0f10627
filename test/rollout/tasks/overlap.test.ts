import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TaskSet } from "../../../src/rollout/index.ts";
import { checkDisjoint, openTaskSet, overlapNotes, TaskConfig } from "../../../src/rollout/tasks/index.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-overlap-"));
after(() => rmSync(folder, { recursive: true }));

function open(config: object): Promise<TaskSet> {
  return openTaskSet(TaskConfig.parse(config));
}

/** A file set of these questions, all with the same instruction. */
function questions(name: string, texts: readonly string[], split: "train" | "test"): Promise<TaskSet> {
  const path = join(folder, `${name}.jsonl`);
  writeFileSync(path, texts.map((question) => JSON.stringify({ question, answer: "1" })).join("\n"));
  const instruction = "Think step by step and give the answer in the last line as a number only.";
  return open({ name: "file", path, split, holdOut: split === "test" ? 1 : 0, instruction });
}

const FARMER = "A farmer has twelve cows and buys three more at the market every single week of the year";
const CLOCK = "How often do the hands of a clock meet between noon and midnight on an ordinary day";

test("overlapNotes: runs of words in common are told, instructions are not, and nothing is refused", async () => {
  const train = await questions("train", [`${FARMER}. How many cows after five weeks?`, CLOCK], "train");
  const held = await questions(
    "held",
    [FARMER, "Something that has no run of eight words in common with others"],
    "test",
  );
  checkDisjoint(train, held);
  // FARMER has 18 words: 11 runs of 8; with 6 more 24 words: 17 runs. CLOCK has 17 words: 10 runs
  assert.deepEqual(await overlapNotes(train, held), [
    `overlap of tasks.train with tasks.eval: ${((100 * 11) / 27).toFixed(2)} % of the runs of 8 words in the training questions occur in the evaluation; 1 question shares at least half of theirs, most: file/${join(folder, "train.jsonl")}/1 and file/${join(folder, "held.jsonl")}/1 (${((100 * 11) / 17).toFixed(2)} %)`,
  ]);
});

test("overlapNotes: sets without anything in common but the instruction", async () => {
  const train = await questions(
    "a",
    [CLOCK, "Which number comes next in the row of primes after eleven and thirteen"],
    "train",
  );
  const held = await questions("b", [FARMER, "A short one"], "test");
  assert.deepEqual(await overlapNotes(train, held), [
    "overlap of tasks.train with tasks.eval: 0.00 % of the runs of 8 words in the training questions occur in the evaluation; 0 questions share at least half of theirs",
  ]);
});

test("overlapNotes: generated problems, and a set that is evaluated on what it trains on, are left alone", async () => {
  const [train, held] = [await open({ name: "arithmetic" }), await open({ name: "arithmetic", split: "test" })];
  assert.deepEqual(await overlapNotes(train, held), []);
  const file = await questions("same", [CLOCK], "train");
  assert.deepEqual(await overlapNotes(file, file), []);
});

test("overlapNotes: a large set is looked at in even steps, so that time is bounded", async () => {
  const words = (i: number): string => Array.from({ length: 10 }, (_, j) => `w${i}x${j}`).join(" ");
  const set = (size: number, split: "train" | "test", from: number): TaskSet => ({
    ...{ name: "file", split, size },
    get: (i) => ({ id: `${split}/${i}`, set: "file", prompt: words(from + i), answer: "1", data: {} }),
  });
  const [note] = await overlapNotes(set(50_001, "train", 0), set(30, "test", 0));
  assert.match(
    note!,
    /in the training questions \(16667 of 50001 were looked at\) occur in the evaluation; 10 questions share at least half/,
  );
});
