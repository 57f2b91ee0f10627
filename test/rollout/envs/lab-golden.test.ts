import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../../src/utils/hash.ts";
import { createRng } from "../../../src/utils/rng.ts";
import { openLab, SIZES, startsOf, transcript } from "./lab-worlds.ts";

/** Transcripts of RULES 1, on which shipped models were trained. A new hash means new rules: count RULES up and train them again. */
const HASHES = {
  melt: "54678388acd290eb",
  boil: "8e5fbbbd606f3fe9",
  freeze: "5d82aa5c28eb8705",
  find: "bd506183421c45d4",
  measure: "18b4061b9457edef",
  grow: "98679429a621ab14",
  circuit: "84408b0305eb7798",
} as const;

test("lab: a solved episode reads as it did", async () => {
  const source = await openLab({ size: "tiny", reward: "shaped" });
  const start = { task: "measure", seed: 1038 };
  const text = await transcript(await source.open(), start, (await source.goldActions?.(start)) ?? []);
  assert.equal(
    text,
    `measure/1038: use the thermometer in the workshop on the ink in the cellar, then focus on the red box if it is above 50 degrees, else on the white box.
you are in the cellar. you see glass of liquid ink, red box, white box, jar of liquid vinegar. doors: workshop.
> go workshop
you are in the workshop. you see cupboard. in the cupboard: thermometer. doors: cellar. [0]
> take thermometer
you take the thermometer. [${1 / 3}]
> go cellar
you are in the cellar. you see glass of liquid ink, red box, white box, jar of liquid vinegar. doors: workshop. [0]
> use thermometer on ink
the thermometer reads 20 degrees. [${1 / 3}]
> focus on white box
you focus on the white box. well done. [${1 / 3} solved]`,
  );
});

for (const [task, hash] of Object.entries(HASHES)) {
  test(`lab: gold paths and random walks of ${task} read as they did, in every size`, async () => {
    let all = "";
    for (const size of SIZES) {
      const source = await openLab({ size, reward: "shaped" });
      const world = await source.open();
      for (const start of await startsOf(source, task, 10)) {
        all += await transcript(world, start, (await source.goldActions?.(start)) ?? []);
        const rng = createRng("golden").fork(task, start.seed);
        await world.reset(start);
        for (let turn = 0, over = false; turn < 20 && !over; turn++) {
          const action = rng.pick((await world.admissibleActions?.()) ?? []);
          const { observation, reward, state, done } = await world.step(action);
          all += `\n> ${action}\n${observation} ${reward} ${state}`;
          over = done;
        }
      }
    }
    assert.equal(sha256(all).slice(0, 16), hash);
  });
}

test("lab: starts of the five first tasks are those they were, in their order", async () => {
  const source = await openLab({ tasks: ["melt", "boil", "freeze", "find", "measure"] });
  const splits = await Promise.all((["train", "dev", "test"] as const).map((split) => source.starts(split)));
  assert.deepEqual(
    splits.map(({ length }) => length),
    [4634, 660, 1362],
  );
  assert.equal(sha256(JSON.stringify(splits)).slice(0, 16), "a90885b2aa846e0d");
});
