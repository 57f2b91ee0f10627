import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCase } from "../../src/trainers/conformance.ts";
import { type ConformanceCase, readCases } from "../../src/trainers/conformance-case.ts";
import { largestDifference } from "../../src/trainers/conformance-compare.ts";

const folder = fileURLToPath(new URL("../../vectors/", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const TOLERANCE = { float64: 1e-9, float32: 2e-5 } as const; // vectors/README.md

for (const file of files) {
  for (const floatType of ["float64", "float32"] as const) {
    test(`${file}: every case agrees with the independent implementation in ${floatType}`, async () => {
      for (const given of readCases(folder + file)) {
        const difference = largestDifference(given.expect, await runCase(given, floatType));
        assert.ok(
          !difference || difference.error <= TOLERANCE[floatType],
          `${given.name}: ${difference?.path} is ${difference?.got}, expected ${difference?.expected}`,
        );
      }
    });
  }
}

test("vectors: all 147 cases are there", () => {
  assert.equal(files.flatMap((file) => readCases(folder + file)).length, 147);
});

test("conformance: a wrong coefficient, a wrong mask and a wrong row order are seen", async () => {
  const cases = new Map(files.flatMap((file) => readCases(folder + file)).map((given) => [given.name, given]));
  const worst = async (given: ConformanceCase): Promise<number> =>
    largestDifference(given.expect, await runCase(given, "float64"))?.error ?? 0;
  const siren = cases.get("siren/released/anchored-mse")!;
  assert.ok((await worst({ ...siren, control: { ...siren.control!, coefficient: 0.006 } as never })) > 1e-6);
  const epo = cases.get("epo/paper/hinge-on-both-sides")!;
  const mask = epo.batch!.mask.map((row, i) => row.map((bit, t) => (i === 0 && t === 0 ? 0 : bit)));
  assert.ok((await worst({ ...epo, batch: { ...epo.batch!, mask } })) > 1e-6);
  const rewards = [0, 1, 0, 1]; // the first group the other way round
  assert.ok((await worst({ ...epo, batch: { ...epo.batch!, rewards } })) > 1e-6);
});
