import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ledgerOf, requireSampled, sampledMask } from "../../src/rollout/ledger.ts";
import type { Insert, Provenance, Segment } from "../../src/rollout/types.ts";
import { TrainingError } from "../../src/utils/errors.ts";

const ids = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 5 });
const segment = fc.record({
  provenance: fc.constantFrom<Segment["provenance"]>("template", "system", "user", "environment", "tool"),
  ids,
});
/** A conversation as it happens: the prompt, then turns and what stands between them. */
const history = fc.record({
  prompt: fc.array(segment, { maxLength: 4 }),
  turns: fc.array(fc.record({ sampled: ids, after: fc.array(segment, { maxLength: 3 }), restart: fc.boolean() }), {
    maxLength: 6,
  }),
});

test("ledgerOf: every token of a random history has the provenance it was written with, in order", () => {
  fc.assert(
    fc.property(history, ({ prompt, turns }) => {
      const expected: [number, Provenance][] = [];
      const note = (provenance: Provenance, all: readonly number[]): void => {
        for (const id of all) expected.push([id, provenance]);
      };
      for (const part of prompt) note(part.provenance, part.ids);
      const sampled: number[] = [];
      const inserts: Insert[] = [];
      for (const turn of turns) {
        sampled.push(...turn.sampled);
        note("sampled", turn.sampled);
        inserts.push({ at: sampled.length, segments: turn.after, ...(turn.restart && { restart: true as const }) });
        for (const part of turn.after) note(part.provenance, part.ids);
      }
      const promptIds = prompt.flatMap((part) => part.ids);
      const ledger = ledgerOf({ promptIds, ids: sampled, promptSegments: prompt, inserts });
      const told = ledger.runs.flatMap(({ provenance, start, end }) =>
        ledger.ids.slice(start, end).map((id): [number, Provenance] => [id, provenance]),
      );
      assert.deepEqual(told, expected);
      assert.deepEqual(
        [...ledger.sampledAt].map((place) => ledger.ids[place]),
        sampled,
      );
      assert.deepEqual(
        [...sampledMask(ledger)],
        expected.map(([, provenance]) => (provenance === "sampled" ? 1 : 0)),
      );
      requireSampled(
        ledger,
        [...ledger.sampledAt].map((place, i) => ({ place, id: sampled[i]! })),
        "update",
      );
      for (const [place, [id, provenance]] of expected.entries()) {
        if (provenance === "sampled") continue;
        assert.throws(() => requireSampled(ledger, [{ place, id }], "update"), new RegExp(`comes from ${provenance}`));
      }
    }),
  );
});

test("ledgerOf: a completion of one turn has a prompt of the user's and sampled tokens", () => {
  const { runs } = ledgerOf({ promptIds: [5, 6], ids: [7] });
  assert.deepEqual(runs, [
    { provenance: "user", start: 0, end: 2 },
    { provenance: "sampled", start: 2, end: 3 },
  ]);
});

test("ledgerOf: a new context starts a run of its own, even of the same provenance", () => {
  const inserts: Insert[] = [{ at: 0, segments: [{ provenance: "user", ids: [2] }], restart: true }];
  assert.deepEqual(ledgerOf({ promptIds: [1], ids: [3], inserts }).runs, [
    { provenance: "user", start: 0, end: 1 },
    { provenance: "user", start: 1, end: 2, restart: true },
    { provenance: "sampled", start: 2, end: 3 },
  ]);
});

test("ledgerOf: a record that contradicts itself is refused", () => {
  const insert = (at: number): Insert => ({ at, segments: [{ provenance: "tool", ids: [1] }] });
  const bad = [
    { promptIds: [1, 2], ids: [], promptSegments: [{ provenance: "user" as const, ids: [1] }] },
    { promptIds: [1], ids: [], promptSegments: [{ provenance: "user" as const, ids: [2] }] },
    { promptIds: [1], ids: [2, 3], inserts: [insert(2), insert(1)] },
    { promptIds: [1], ids: [2, 3], inserts: [insert(3)] },
    { promptIds: [1], ids: [2, 3], inserts: [insert(0.5)] },
  ];
  for (const parts of bad) assert.throws(() => ledgerOf(parts), TrainingError);
});

test("requireSampled: another id than the one that was sampled, or a place that does not exist, is refused", () => {
  const ledger = ledgerOf({ promptIds: [1], ids: [2] });
  assert.throws(
    () => requireSampled(ledger, [{ place: 1, id: 9 }], "step 3"),
    /step 3: token 1 was sampled as id 2, but id 9/,
  );
  assert.throws(() => requireSampled(ledger, [{ place: 7, id: 2 }], "step 3"), /is outside of the 2/);
});
