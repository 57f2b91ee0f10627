import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { trainBytePairs } from "../../src/policy/byte-pairs.ts";
import { openInitialTokenizer } from "../../src/policy/initial-tokenizer.ts";
import { openLearner } from "../../src/policy/learner.ts";
import { createTokenizer, type Tokenizer, type TokenizerFiles } from "../../src/policy/tokenizer.ts";
import { ConfigError, DataError } from "../../src/utils/errors.ts";
import { temporaryFolder } from "./fixtures.ts";

const BYTES = 3 + 256; // <pad> <bos> <eos>, then one token a byte
const TEXTS = [
  "You see a door.\nThe door is open.\n",
  "> open door\nThe door is already open.\n",
  "> go to the door\n",
];

function tokenizerOf(files: TokenizerFiles): Tokenizer {
  return createTokenizer(files, { padId: 0, bosId: null, eosIds: [] }, "trained");
}

function mergesOf(files: TokenizerFiles): string[] {
  return (JSON.parse(files.tokenizerJson) as { model: { merges: string[] } }).model.merges;
}

function writeFolder(folder: string, files: TokenizerFiles): void {
  writeFileSync(join(folder, "tokenizer.json"), files.tokenizerJson);
  writeFileSync(join(folder, "tokenizer_config.json"), files.tokenizerConfigJson);
}

test("trainBytePairs: the textbook example, ties to the smaller ids, nothing that occurs once is merged", () => {
  // aaabdaaabac: aa occurs 4 times (Z); ZabdZabac: Za and ab twice each, a has the smaller id (Y); ZYdZYac: ZY twice (X); XdXac: all pairs once.
  const files = trainBytePairs(["aaabdaaabac"], { vocab: 1000 });
  assert.deepEqual(mergesOf(files), ["a a", "a b", "aa ab"]);
  const tokenizer = tokenizerOf(files);
  assert.equal(tokenizer.vocabSize, BYTES + 3);
  const [a, c, d] = ["a", "c", "d"].map((letter) => tokenizer.encode(letter)[0]!);
  assert.deepEqual(tokenizer.encode("aaabdaaabac"), [BYTES + 2, d, BYTES + 2, a, c]);
});

test("trainBytePairs: counts are of words, not of different words", () => {
  // " xy" 3 times, " zw" twice in one text and twice in another: zw (4) before xy (3), each then with its space.
  const files = trainBytePairs([" xy xy xy zw zw", " zw zw"], { vocab: BYTES + 4 });
  // zw: " z" and "zw" occur 4 times each; the letter of the space (U+0120) has a larger id than z.
  assert.deepEqual(mergesOf(files), ["z w", "Ġ zw", "x y", "Ġ xy"]);
});

test("trainBytePairs: special ids 0 to 2, a word with its space and nothing more is one token", () => {
  const tokenizer = tokenizerOf(trainBytePairs(TEXTS, { vocab: 1000 }));
  assert.deepEqual([tokenizer.padId, tokenizer.bosId, tokenizer.eosIds], [0, 1, [2]]);
  assert.deepEqual(tokenizer.encode("<pad><bos><eos>"), [0, 1, 2]);
  const [door] = tokenizer.encode(" door");
  assert.deepEqual(tokenizer.encode(" door door.").filter((id) => id === door).length, 2);
  assert.equal(tokenizer.encode(" door is open").length, 3);
});

test("trainBytePairs: a newline is a token of its own wherever it stands", () => {
  const tokenizer = tokenizerOf(trainBytePairs(["a\n\nb\n \n\n", "\n\n\n\n", "x\n", "x\n", "x\n"], { vocab: 1000 }));
  const [newline] = tokenizer.encode("\n");
  for (const text of ["\n\n\n", "x\n\n", "a \n b\n", "\t\n\n x"]) {
    const ids = tokenizer.encode(text);
    assert.equal(ids.filter((id) => id === newline).length, text.split("\n").length - 1, JSON.stringify(text));
    for (const id of ids) assert.ok(id === newline || !tokenizer.decode([id]).includes("\n"));
  }
});

test("trainBytePairs: every text comes back exactly", () => {
  const tokenizer = tokenizerOf(trainBytePairs([...TEXTS, "é 😀 ½ ٣ naïve"], { vocab: 400, minCount: 1 }));
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.constantFrom(...TEXTS));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), (parts) => {
      const whole = parts.join("\n ");
      assert.equal(tokenizer.decode(tokenizer.encode(whole)), whole);
    }),
    { numRuns: 500, seed: 7 },
  );
});

test("trainBytePairs: the same texts give the same bytes, and vocab is a limit", () => {
  const files = trainBytePairs(TEXTS, { vocab: BYTES + 5 });
  assert.deepEqual(trainBytePairs([...TEXTS], { vocab: BYTES + 5 }), files);
  assert.equal(tokenizerOf(files).vocabSize, BYTES + 5);
  assert.throws(() => trainBytePairs(TEXTS, { vocab: 258 }), ConfigError);
});

test("openInitialTokenizer: a model that starts from random weights takes its vocabulary from a folder", async (t) => {
  const folder = temporaryFolder(t);
  writeFolder(folder, trainBytePairs(TEXTS, { vocab: BYTES + 9 }));
  const sizes = { width: 8, layers: 1, heads: 1, kvHeads: null, ffWidth: 8, ropeTheta: 1e4, maxPositions: 32 };
  const init = { ...sizes, initScale: 0.5, tokenizer: { file: folder } };
  const open = () => openLearner({ model: { init, seed: 1 }, adapter: { kind: "none" }, seed: 1 });
  const learner = await open();
  t.after(() => learner.close());
  assert.equal(learner.config.vocab, BYTES + 9);
  assert.deepEqual([learner.config.padId, learner.config.bosId, learner.config.eosIds], [0, 1, [2]]);
  const saved = join(folder, "saved");
  await learner.saveModel(saved);
  assert.equal(openInitialTokenizer({ file: saved }).hash, openInitialTokenizer({ file: folder }).hash);
  // Another vocabulary of the same size is another model.
  writeFolder(folder, trainBytePairs(["other words, other merges, other words"], { vocab: BYTES + 9 }));
  const other = await open();
  t.after(() => other.close());
  assert.notEqual(other.modelHash, learner.modelHash);
});

test("openInitialTokenizer: a folder without tokenizer, or whose texts can't end, is refused", (t) => {
  const folder = temporaryFolder(t);
  assert.throws(
    () => openInitialTokenizer({ file: folder }),
    (error) => error instanceof DataError && /tokenizer\.json is missing; .*train-tokenizer/.test(error.message),
  );
  writeFolder(folder, trainBytePairs(TEXTS, { vocab: BYTES }));
  rmSync(join(folder, "tokenizer_config.json"));
  assert.throws(() => openInitialTokenizer({ file: folder }), /names no eos_token/);
});
