import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { completeRecipe, RecipeSchema } from "../../src/run/recipe.ts";
import { train } from "../../src/run/train.ts";
import { createTrainer } from "../../src/trainers/create.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-notes-"));
after(() => rmSync(folder, { recursive: true }));

/** The seedling with a chat template, so that it takes questions. */
function chatModel(): string {
  const path = join(folder, "chat");
  cpSync("models/seedling", path, { recursive: true });
  const file = join(path, "tokenizer_config.json");
  const config = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...config, chat_template: "{{ messages[0].content }}" }));
  return path;
}

function rows(name: string, questions: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, questions.map((question) => JSON.stringify({ question, answer: "1" })).join("\n"));
  return path;
}

test("train: says before the first step which columns were guessed, what was left out, and what train and evaluation share", async () => {
  const held = rows("held.jsonl", ["4,8,2>16:"]);
  const trained = rows("train.jsonl", ["4,8,2>17:", "3,5>8:", "3,5>8:"]);
  const recipe = completeRecipe(
    RecipeSchema.parse({
      name: "notes",
      model: chatModel(),
      tasks: {
        train: { name: "file", path: trained, holdOut: 0 },
        eval: { name: "file", path: held, split: "test", holdOut: 1 },
      },
      rollout: { promptsPerStep: 1, groupSize: 2, maxTokens: 2 },
      rewards: [{ name: "numeric-answer" }],
      optimizer: { name: "adamw", lr: 1e-4 },
      steps: 1,
    }),
  );
  const notes: string[] = [];
  const out = join(folder, "run");
  await train({
    recipe,
    out,
    resume: false,
    threads: 1,
    device: "cpu",
    openTrainer: createTrainer,
    note: (text) => notes.push(text),
  });
  assert.deepEqual(
    notes.slice(0, 4).map((note) => note.replaceAll(`${folder}/`, "")),
    [
      "train.jsonl: the question is in column question, the answer in answer (guessed)",
      "train.jsonl: 1 row left out that ask the same as an earlier one (first: line 3)",
      "held.jsonl: the question is in column question, the answer in answer (guessed)",
      "overlap of tasks.train with tasks.eval: 0.00 % of the runs of 8 words in the training questions occur in the evaluation; 0 questions share at least half of theirs",
    ],
  );
});
