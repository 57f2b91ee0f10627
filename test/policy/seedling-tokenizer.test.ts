import assert from "node:assert/strict";
import { test } from "node:test";
import { SEEDLING_IDS, SEEDLING_SYMBOLS, seedlingTokenizerFiles } from "../../src/policy/seedling-tokenizer.ts";
import { createTokenizer } from "../../src/policy/tokenizer.ts";
import { DataError } from "../../src/utils/errors.ts";
import { lcg } from "./fixtures.ts";

const tokenizer = createTokenizer(
  seedlingTokenizerFiles(),
  { bosId: SEEDLING_IDS.bos, eosIds: [SEEDLING_IDS.eos], padId: SEEDLING_IDS.pad },
  "seedling",
);
const id = (symbol: string): number => SEEDLING_SYMBOLS.indexOf(symbol);

test("seedling tokenizer: 28 symbols, special ids 0 to 2", () => {
  assert.equal(tokenizer.vocabSize, 28);
  assert.equal(new Set(SEEDLING_SYMBOLS).size, 28);
  assert.deepEqual([tokenizer.padId, tokenizer.bosId, tokenizer.eosIds], [0, 1, [2]]);
});

test("seedling tokenizer: the study's completions have one id a symbol and come back exactly", () => {
  const text = "<bos>4,7,3>14:7-4=3,3+3=6 no7*3=21,4*21=84 no3+4=7,7+7=14 yes<eos>";
  const ids = tokenizer.encode(text);
  assert.deepEqual(ids.slice(0, 9), [1, id("4"), id(","), id("7"), id(","), id("3"), id(">"), id("1"), id("4")]);
  assert.deepEqual(ids.slice(-2), [id(" yes"), 2]);
  assert.equal(ids.length, 51);
  assert.equal(tokenizer.decode(ids), text);
  assert.equal(tokenizer.decode(ids, { skipSpecial: true }), text.slice(5, -5));
  assert.deepEqual(
    tokenizer.encode("?8*(7-6):answer 8"),
    ["?", "8", "*", "(", "7", "-", "6", ")", ":", "answer ", "8"].map(id),
  );
});

test("seedling tokenizer: any sequence of ids survives decoding and encoding", () => {
  const random = lcg(5);
  for (let i = 0; i < 300; i++) {
    const ids = Array.from({ length: 1 + random(40) }, () => random(28));
    assert.deepEqual(tokenizer.encode(tokenizer.decode(ids)), ids);
  }
});

test("seedling tokenizer: text outside the vocabulary is refused with the place, not dropped", () => {
  assert.throws(
    () => tokenizer.encode("1+2 = 3"),
    (error) => error instanceof DataError && /cannot express " " at character 3/.test(error.message),
  );
  for (const text of ["x", " n", "answer", "１", "nono"]) assert.throws(() => tokenizer.encode(text), DataError);
});
