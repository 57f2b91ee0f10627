/**
 * What an answer that hangs costs the others: seven callers give the pool one honest answer after another, an eighth gives answers that hang until their
 * deadline, or honest ones as well. Printed: honest answers a second of the seven, with and without the hanging eighth, and their ratio by round.
 *
 *   node --import tsx bench/pool-throughput.ts [--rounds N] [--seconds N]
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openPool, type VerifierSource } from "../src/rewards/index.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "4" } },
});
const DEADLINE_MS = 1000;
const source: VerifierSource = { kind: "module", path: fileURLToPath(new URL("pool-verifier.ts", import.meta.url)) };
const pool = openPool();
const answer = (text: string) => ({
  ...{ task: { id: "t", set: "bench", prompt: "", answer: null, data: {} }, text, stop: "eos" },
  ...{ tokens: 1, ids: [1], logp: new Float32Array(1), entropy: new Float32Array(1) },
});

await rate("work"); // threads start
const rounds = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const [without, beside] = [await rate("work"), await rate("hang")];
  rounds.push({ without, beside, ratio: beside / without });
  console.log(
    `${without.toFixed(0)} a second, ${beside.toFixed(0)} beside one that hangs: ${(beside / without).toFixed(2)}`,
  );
}
const ratios = rounds.map(({ ratio }) => ratio).sort((a, b) => a - b);
console.log(`median ratio ${ratios[ratios.length >> 1]!.toFixed(2)}`);
await pool.close();

/** Honest answers a second of seven callers, with an eighth that gives these texts. */
async function rate(eighth: "work" | "hang"): Promise<number> {
  const end = performance.now() + 1000 * Number(values.seconds);
  let count = 0;
  const caller = async (text: string, counts: boolean): Promise<void> => {
    while (performance.now() < end) {
      const { outcome } = await pool.score(source, answer(text) as Parameters<typeof pool.score>[1], DEADLINE_MS);
      if (counts && outcome === "correct") count++;
    }
  };
  await Promise.all([...Array.from({ length: 7 }, () => caller("work", true)), caller(eighth, false)]);
  return count / Number(values.seconds);
}
