import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openModel } from "../../src/policy/index.ts";
import { seedlingTokenizerFiles } from "../../src/policy/seedling-tokenizer.ts";
import { readReference } from "../../src/run/verify/reference.ts";
import { createTally } from "../../src/run/verify/tally.ts";
import { verifyText } from "../../src/run/verify/text.ts";
import { verifyModel } from "../../src/run/verify/verify.ts";
import { DataError } from "../../src/utils/errors.ts";
import { reference, temporaryFolder } from "../policy/fixtures.ts";

// biome-ignore lint/suspicious/noExplicitAny: reference files are changed in every way
type Json = any;

/** A tiny model with seedling's tokenizer and a chat template. */
function withTokenizer(t: TestContext): string {
  const folder = join(temporaryFolder(t), "chat");
  cpSync(reference("qwen2-tied"), folder, { recursive: true });
  const { tokenizerJson, tokenizerConfigJson } = seedlingTokenizerFiles();
  const template = "{% for m in messages %}{{ m.content }};{% endfor %}{% if add_generation_prompt %}={% endif %}";
  writeFileSync(join(folder, "tokenizer.json"), tokenizerJson);
  const config = { ...JSON.parse(tokenizerConfigJson), chat_template: template };
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(config));
  return folder;
}

/** Texts that the model with that tokenizer gets right; no numbers, so that the engine is not loaded. */
function texts(encode: (text: string) => number[]): Json {
  const messages = [{ role: "user", content: "1+2" }];
  const rendered = "1+2;=3";
  return {
    strings: [{ text: "3*4", ids: encode("3*4"), decoded: "3*4", decodedSkipSpecial: "3*4" }],
    conversations: [{ messages, addGenerationPrompt: true, assistantPrefix: "3", rendered, ids: encode(rendered) }],
    prompts: [
      { id: "chat", messages, assistantPrefix: null, promptText: "1+2;=", promptIds: encode("1+2;="), greedyText: "" },
    ],
    text: "1+2=3",
    ids: encode("1+2=3"),
    float64: {},
  };
}

/** One change of the texts, and how the first problem begins. */
const CHANGES: readonly [(json: Json) => unknown, string][] = [
  [(json) => (json.strings[0] = { text: "3*4", ids: [9, 20] }), 'tokenIds string 0 ("3*4"): id '],
  [(json) => (json.strings[0].decoded = "3*5"), 'decodedText string 0 ("3*4"): at character 2: "3*4", expected "3*5"'],
  [(json) => (json.strings[0].decodedSkipSpecial = "3"), 'decodedText string 0 ("3*4") without special tokens: '],
  [(json) => (json.conversations[0].rendered = "1+"), 'chatTemplates conversation 0: at character 2: "1+2;=3", exp'],
  [(json) => (json.conversations[0].ids[0] = 20), "tokenIds conversation 0: id 0 is "],
  [(json) => (json.prompts[0].promptText = "1+2"), "chatTemplates chat: at character 3: "],
  [(json) => (json.prompts[0].promptIds[0] = 20), "tokenIds chat: id 0 is "],
  [(json) => (json.prompts[0].greedyText = "8"), 'decodedText chat: at character 0: "", expected "8"'],
  [(json) => (json.text = "1+2=4"), "tokenIds the gradient's text: id 4 is "],
];

test("verify: token ids, decoded text and chat templates; every change is noticed", async (t) => {
  const folder = withTokenizer(t);
  const { tokenizer, close } = openModel(folder);
  close();
  const file = join(temporaryFolder(t), "reference.json");
  const problems = (change: (json: Json) => unknown): string[] => {
    const json = texts(tokenizer.encode);
    change(json);
    writeFileSync(file, JSON.stringify(json));
    const tally = createTally();
    verifyText(tokenizer, readReference(file), tally);
    const failed = tally.results("float32").filter(({ passed }) => !passed);
    return failed.map((check) => `${check.kind} ${check.problems[0]}`);
  };
  for (const [change, expected] of CHANGES) {
    const found = problems(change);
    assert.equal(found.length, 1, expected);
    assert.ok(found[0]!.startsWith(expected), `${found[0]}, expected ${expected}`);
  }
  const idsWithoutDigitSplit = tokenizer.encode("4*3");
  const [digits] = problems((json) => Object.assign(json.strings[0], { text: "4*3", idsWithoutDigitSplit }));
  assert.match(digits!, /digits are not split off one by one/);

  assert.deepEqual(
    problems(() => {}),
    [],
  );
  const report = await verifyModel({ model: folder, files: [file] });
  assert.deepEqual(
    report.checks.map(({ kind, cases, passed }) => [kind, cases, passed]),
    [
      ["tokenIds", 4, true],
      ["decodedText", 3, true],
      ["chatTemplates", 2, true],
    ],
  );
  await assert.rejects(
    verifyModel({ model: reference("qwen2-tied"), files: [file] }),
    (error) => error instanceof DataError && /has texts to compare, but .* has no tokenizer/.test(error.message),
  );
});
