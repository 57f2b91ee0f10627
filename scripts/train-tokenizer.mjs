// Learns a byte-pair vocabulary from recorded episodes (scripts/record-episodes.mjs) and writes tokenizer.json and tokenizer_config.json into a folder,
// for `model: {init: {tokenizer: {file: FOLDER}}}`.
//
//   node scripts/train-tokenizer.mjs runs/lab.jsonl runs/lab-tokenizer --vocab 512
import { join } from "node:path";
import { parseArgs } from "node:util";
import { register } from "tsx/esm/api";
import { ensureInstalled } from "./ensure-install.mjs";

ensureInstalled();
register();
const { trainBytePairs } = await import("../src/policy/byte-pairs.ts");
const { readRecordings, textsOf } = await import("../src/rollout/demonstrations/index.ts");
const { writeFileAtomic } = await import("../src/utils/files.ts");

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { vocab: { type: "string", default: "1024" }, "min-count": { type: "string", default: "2" } },
});
const [recordings, folder] = positionals;
if (folder === undefined || positionals.length > 2) {
  console.error("usage: node scripts/train-tokenizer.mjs EPISODES.jsonl FOLDER [--vocab N] [--min-count N]");
  process.exit(2);
}
const texts = (await readRecordings(recordings)).flatMap((episode) => textsOf(episode));
const files = trainBytePairs(texts, { vocab: Number(values.vocab), minCount: Number(values["min-count"]) });
writeFileAtomic(join(folder, "tokenizer.json"), files.tokenizerJson);
writeFileAtomic(join(folder, "tokenizer_config.json"), files.tokenizerConfigJson);
const size = Object.keys(JSON.parse(files.tokenizerJson).model.vocab).length;
console.error(`train-tokenizer: ${size} tokens from ${texts.length} texts in ${folder}`);
