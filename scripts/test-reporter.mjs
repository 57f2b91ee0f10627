// Node's spec reporter; before its closing summary it lists the skipped tests with their reasons.
import { Readable } from "node:stream";
import { spec } from "node:test/reporters";

/** @param {AsyncIterable<{ type: string, data: any }>} source */
export default async function* reporter(source) {
  yield* Readable.from(withSkipped(source)).pipe(new spec());
}

async function* withSkipped(source) {
  const skipped = [];
  let listed = false;
  for await (const event of source) {
    const { type, data } = event;
    if (type === "test:pass" && data.skip !== undefined)
      skipped.push(`${data.name}: ${data.skip === true ? "no reason given" : data.skip}`);
    if (!listed && type === "test:diagnostic" && data.nesting === 0 && /^tests \d+$/.test(data.message)) {
      listed = true;
      for (const message of skipped)
        yield { type: "test:diagnostic", data: { ...data, message: `skipped · ${message}` } };
    }
    yield event;
  }
}
