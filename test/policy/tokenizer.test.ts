import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { ChatMessage } from "../../src/policy/chat-template.ts";
import { openGguf } from "../../src/policy/gguf.ts";
import { ggufTokenizerFiles } from "../../src/policy/gguf-tokenizer.ts";
import { openModel } from "../../src/policy/model-files.ts";
import { createTokenizer, type Tokenizer } from "../../src/policy/tokenizer.ts";
import { ConfigError, DataError } from "../../src/utils/errors.ts";
import { foreignData, lcg, ownData, reference, smollm2, temporaryFolder } from "./fixtures.ts";
import { type Meta, writeGguf } from "./gguf-writer.ts";

interface Conformance {
  strings: { text: string; ids: number[]; decoded: string; decodedSkipSpecial: string }[];
  conversations: {
    messages: ChatMessage[];
    addGenerationPrompt: boolean;
    assistantPrefix: string;
    rendered: string;
    ids: number[];
  }[];
}
const conformance = JSON.parse(readFileSync(ownData("smollm2/tokenizer-conformance.json"), "utf8")) as Conformance;
const none = { bosId: null, eosIds: [], padId: 0 };

function assertStrings(tokenizer: Tokenizer): void {
  assert.equal(conformance.strings.length, 115);
  for (const { text, ids, decoded, decodedSkipSpecial } of conformance.strings) {
    assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
    assert.equal(tokenizer.decode(ids), decoded);
    assert.equal(tokenizer.decode(ids, { skipSpecial: true }), decodedSkipSpecial);
  }
}

test("tokenizer: a GGUF's own tokenizer and template give all reference ids, texts and conversations", (t) => {
  const path = smollm2(t);
  if (path === null) return;
  const model = openModel(path);
  t.after(() => model.close());
  const { tokenizer } = model;
  assert.deepEqual([tokenizer.vocabSize, tokenizer.bosId, tokenizer.eosIds, tokenizer.padId], [49152, 1, [2], 2]);
  assertStrings(tokenizer);
  assert.equal(conformance.conversations.length, 12);
  for (const { messages, rendered, ids, ...options } of conformance.conversations) {
    assert.equal(tokenizer.renderChat(messages, options), rendered);
    assert.deepEqual(tokenizer.encodeChat(messages, options), ids);
  }
});

test("tokenizer: tokenizer.json gives the same ids", (t) => {
  const path = foreignData(t, "smollm2/tokenizer.json");
  if (path === null) return;
  const files = { tokenizerJson: readFileSync(path, "utf8"), tokenizerConfigJson: "{}" };
  assertStrings(createTokenizer(files, { bosId: 1, eosIds: [2], padId: 2 }, "smollm2"));
});

test("tokenizer: bytes that the vocabulary lacks are left out before the merges, as Python's tokenizers do", (t) => {
  const vocab = { "]": 0, "^": 1, "-": 2, "\\": 3, a: 4, Ġ: 5, "]^": 6, "Ġ]": 7, "-]": 8 };
  const merges = ["] ^", "Ġ ]", "- ]"].map((pair) => pair.split(" "));
  const tokenizerJson = JSON.stringify({
    model: { type: "BPE", unk_token: null, byte_fallback: false, vocab, merges },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    decoder: { type: "ByteLevel" },
    added_tokens: [{ id: 9, content: "<e>", special: true }],
  });
  const tokenizer = createTokenizer({ tokenizerJson, tokenizerConfigJson: "{}" }, none, "m");
  const cases: [string, number[]][] = [
    ["]\u001d^", [6]],
    [" \u001d]", [7]],
    ["-[]", [8]],
    ["b", []],
    ["aba]b^", [4, 4, 0, 1]],
    ["a\u001d<e>\u001d]\0^", [4, 9, 6]],
    ["\u{10ffff}]€^", [6]],
  ];
  for (const [text, ids] of cases) assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
  const path = foreignData(t, "smollm2/tokenizer.json");
  if (path === null) return;
  const smol = createTokenizer(
    { tokenizerJson: readFileSync(path, "utf8"), tokenizerConfigJson: "{}" },
    none,
    "smollm2",
  );
  const real: [string, number[]][] = [
    ["  \u001d(", [216, 365]],
    ["\u0004\u0006a\u0016b", [81, 82]],
    ["# \u0014 ## \u{c0000}# \u{40000}#", [19, 216, 15530, 216, 188, 218, 218, 218, 19, 216, 218, 218, 218, 19]],
    ["<|im_start|>\u0013<|im_end|>", [1, 2]],
    ["ab\u{501ec}d", [369, 234, 225, 122, 84]],
  ];
  for (const [text, ids] of real) assert.deepEqual(smol.encode(text), ids, JSON.stringify(text));
});

const byteLevel = JSON.parse(readFileSync(reference("byte-level.json"), "utf8")) as {
  letters: string[];
  merges: string[];
  cases: Record<string, { text: string; ids: number[] }[]>;
};
/** First id behind the letters and the merged pairs. */
const END = byteLevel.letters.length + byteLevel.merges.length;

/** The byte-level vocabulary of the reference and three added tokens (control, user-defined, unused), as a GGUF. */
function byteGguf(t: TestContext, change: Record<string, Meta | undefined> = {}): string {
  const tokens = [...byteLevel.letters, ...byteLevel.merges.map((pair) => pair.replace(" ", ""))];
  const types = [...tokens.map(() => ({ i32: 1 })), { i32: 3 }, { i32: 4 }, { i32: 5 }];
  tokens.push("<|end|>", "<tool>", "[PAD]");
  const metadata: Record<string, Meta | undefined> = {
    "tokenizer.ggml.model": { text: "gpt2" },
    "tokenizer.ggml.pre": { text: "gpt-2" },
    "tokenizer.ggml.tokens": { list: tokens.map((text) => ({ text })) },
    "tokenizer.ggml.token_type": { list: types },
    "tokenizer.ggml.merges": { list: byteLevel.merges.map((text) => ({ text })) },
    "tokenizer.ggml.eos_token_id": { u32: END },
    ...change,
  };
  const kept = Object.entries(metadata).filter((entry): entry is [string, Meta] => entry[1] !== undefined);
  return writeGguf(`${temporaryFolder(t)}/t.gguf`, Object.fromEntries(kept), []);
}

function fromGguf(path: string): Tokenizer {
  const file = openGguf(path);
  try {
    const files = ggufTokenizerFiles(file);
    if (files === null) throw new DataError("no tokenizer");
    return createTokenizer(files, none, path);
  } finally {
    file.close();
  }
}

test("tokenizer: every pre-tokeniser that a GGUF may name gives the ids of Python's tokenizers", (t) => {
  const { cases } = byteLevel;
  assert.deepEqual(Object.keys(cases).sort(), ["gpt-2", "llama-bpe", "qwen2", "smollm"]);
  for (const [pre, rows] of Object.entries(cases)) {
    const tokenizer = fromGguf(byteGguf(t, { "tokenizer.ggml.pre": { text: pre } }));
    for (const { text, ids } of rows) assert.deepEqual(tokenizer.encode(text), ids, `${pre} ${JSON.stringify(text)}`);
  }
});

test("tokenizer: control tokens are special, user-defined ones are not, unused ones do not exist", (t) => {
  const tokenizer = fromGguf(byteGguf(t));
  assert.deepEqual(tokenizer.encode("<|end|><tool>"), [END, END + 1]);
  assert.equal(tokenizer.decode([END, END + 1], { skipSpecial: true }), "<tool>");
  assert.equal(tokenizer.vocabSize, END + 2);
  assert.deepEqual(tokenizer.eosIds, [END]);
  assert.equal(tokenizer.decode([END + 2, 9999]), "");
  assert.equal(tokenizer.decode([]), "");
  assert.deepEqual(tokenizer.encode(""), []);
});

test("tokenizer: a GGUF with a tokenizer that is not known is refused by name", (t) => {
  const cases: [Record<string, Meta | undefined>, RegExp][] = [
    [
      { "tokenizer.ggml.pre": { text: "deepseek-llm" } },
      /tokenizer.ggml.pre "deepseek-llm" is not supported; supported: gpt-2, smollm, qwen2, llama-bpe/,
    ],
    [{ "tokenizer.ggml.pre": undefined }, /tokenizer.ggml.pre \(missing\) is not supported/],
    [{ "tokenizer.ggml.model": { text: "llama" } }, /tokenizer.ggml.model "llama" is not supported; supported: "gpt2"/],
    [{ "tokenizer.ggml.tokens": undefined }, /tokenizer.ggml.tokens must be a list of texts/],
    [{ "tokenizer.ggml.token_type": { list: [{ i32: 1 }] } }, /token_type must be a list of \d+ numbers/],
    [
      { "tokenizer.ggml.merges": { list: [{ text: "ab" }] } },
      /entry 0 of metadata tokenizer.ggml.merges is not a pair: "ab"/,
    ],
    [{ "tokenizer.ggml.eos_token_id": { u32: 5000 } }, /tokenizer.ggml.eos_token_id is 5000, but there are \d+ tokens/],
    [{ "tokenizer.chat_template": { u32: 1 } }, /chat_template must be text/],
    [{ "tokenizer.chat_template": { text: "{% for %}" } }, /the chat template cannot be parsed/],
  ];
  for (const [change, message] of cases)
    assert.throws(
      () => fromGguf(byteGguf(t, change)),
      (error) => error instanceof DataError && message.test(error.message),
      String(message),
    );
});

test("tokenizer: chat templates render special tokens and refuse with the template's own words", (t) => {
  const template =
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}[{{ m.role }}]{{ m.content | trim }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
  const tokenizer = fromGguf(
    byteGguf(t, { "tokenizer.chat_template": { text: template }, "tokenizer.ggml.bos_token_id": { u32: END + 1 } }),
  );
  const ask: ChatMessage[] = [{ role: "user", content: " ab " }];
  assert.equal(
    tokenizer.renderChat(ask, { addGenerationPrompt: true, assistantPrefix: "1" }),
    "<tool>[user]ab<|end|>[assistant]1",
  );
  assert.equal(tokenizer.renderChat(ask, { addGenerationPrompt: false }), "<tool>[user]ab<|end|>");
  assert.equal(tokenizer.encodeChat(ask, { addGenerationPrompt: false })[0], END + 1);
  assert.throws(
    () => tokenizer.renderChat([{ role: "tool", content: "" }], { addGenerationPrompt: true }),
    /refuses this conversation: no tools here/,
  );
  const plain = fromGguf(byteGguf(t));
  assert.equal(plain.hasChatTemplate, false);
  assert.throws(() => plain.renderChat(ask, { addGenerationPrompt: true }), ConfigError);
});

test("tokenizer: malformed files are refused by name", () => {
  const good = JSON.stringify({ model: { type: "BPE", vocab: { a: 0 }, merges: [] } });
  assert.throws(
    () => createTokenizer({ tokenizerJson: "{", tokenizerConfigJson: "{}" }, none, "m"),
    /^DataError: m: tokenizer.json is not JSON/,
  );
  assert.throws(
    () => createTokenizer({ tokenizerJson: "{}", tokenizerConfigJson: "{}" }, none, "m"),
    /m: tokenizer.json is malformed[\s\S]*model/,
  );
  assert.throws(
    () => createTokenizer({ tokenizerJson: good, tokenizerConfigJson: '{"bos_token": 3}' }, none, "m"),
    /m: tokenizer_config.json is malformed/,
  );
  for (const id of [-1, 1.5, 2 ** 40, "0"])
    assert.throws(
      () =>
        createTokenizer(
          { tokenizerJson: JSON.stringify({ model: { vocab: { a: id } } }), tokenizerConfigJson: "{}" },
          none,
          "m",
        ),
      /m: tokenizer.json is malformed[\s\S]*must give every token an id/,
    );
  const unknown = JSON.stringify({
    model: { type: "BPE", vocab: {}, merges: [] },
    pre_tokenizer: { type: "Telepathy" },
  });
  assert.throws(
    () => createTokenizer({ tokenizerJson: unknown, tokenizerConfigJson: "{}" }, none, "m"),
    /m: tokenizer.json cannot be used: .*Telepathy/,
  );
  assert.throws(
    () =>
      createTokenizer(
        { tokenizerJson: good, tokenizerConfigJson: '{"chat_template": [{"name": "rag", "template": ""}]}' },
        none,
        "m",
      ),
    /"default"/,
  );
});

test("tokenizer: a GGUF with flipped bytes gives a tokenizer or a DataError, never worse", (t) => {
  const path = byteGguf(t, {
    "tokenizer.chat_template": { text: "{% for m in messages %}{{ m.content }}{% endfor %}" },
  });
  const whole = readFileSync(path);
  const random = lcg(44);
  let opened = 0;
  for (let i = 0; i < 300; i++) {
    const bytes = Buffer.from(whole);
    for (let flips = 1 + random(4); flips > 0; flips--) bytes[random(i % 2 ? 400 : bytes.length)]! ^= 1 + random(255);
    writeFileSync(path, bytes);
    try {
      fromGguf(path).decode([1, 2]);
      opened++;
    } catch (error) {
      assert.ok(error instanceof DataError, String(error));
    }
  }
  assert.ok(opened > 10 && opened < 290, `${opened} of 300 were opened`);
});
