import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { explainText } from "../../src/cli/objective-text.ts";
import { openVectors } from "../../src/trainers/conformance-files.ts";
import { explainCase } from "../../src/trainers/explain.ts";
import { DataError } from "../../src/utils/errors.ts";
import { cli } from "./run-cli.ts";

const folder = fileURLToPath(new URL("../../vectors/", import.meta.url));
const example = fileURLToPath(new URL("../../recipes/examples/my-kl-cov.ts", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "rlvr-objective-"));
after(() => rmSync(root, { recursive: true, force: true }));

type Case = Record<string, unknown> & {
  batch: Record<string, never[]>;
  objective: Record<string, unknown>;
  expect: Record<string, unknown>;
};
const casesOf = (name: string): Case[] =>
  (JSON.parse(readFileSync(`${folder}${name}.json`, "utf8")) as { cases: Case[] }).cases;
const caseOf = (file: string, name: string): Case => casesOf(file).find((given) => given.name === name)!;
const explained = async (file: string, name: string) =>
  explainCase((await openVectors([`${folder}${file}.json`]))[0]!.cases.find((given) => given.name === name)!);

function write(name: string, cases: readonly unknown[]): string {
  writeFileSync(join(root, name), JSON.stringify({ about: "test", cases }));
  return join(root, name);
}

test("rlvr objective check: without a file the package's vectors pass, with the largest error of each", async () => {
  const { code, stdout, stderr } = await cli("objective", "check", "--json");
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as {
    cases: number;
    failed: number;
    largest: Record<"float64" | "float32", number>;
    files: { cases: object[] }[];
  };
  assert.deepEqual([report.cases, report.failed, report.files.length], [147, 0, 15]);
  assert.ok(report.largest.float64 > 0 && report.largest.float64 <= 1e-9 && report.largest.float32 <= 2e-5);
});

test("rlvr objective check: one line a case; a wrong number exits with 1 and is named with what was expected", async () => {
  const [first, second] = casesOf("kl-cov") as [Case, Case];
  const wrong = { ...first, expect: { ...first.expect, terms: { ...(first.expect.terms as object), control: 0.5 } } };
  const { code, stdout } = await cli("objective", "check", write("wrong.json", [wrong, second]));
  assert.equal(code, 1);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[2]!, /^FAILED {2}kl-cov\/default\/at-least-one-token +0\.497 +0\.497$/);
  assert.match(lines[3]!, /^ {10}float64: terms\.control is 0\.0025\d+, expected 0\.5$/);
  assert.match(lines[5]!, /^ {2}ok {4}\S+ +\d\.\de-\d+ +\d\.\de-\d+$/);
  assert.match(lines.at(-1)!, /^2 cases, 1 failed; largest error 5\.0e-1 in float64/);
});

test("rlvr objective check: a value that is absent or null has no number, in text and JSON", async () => {
  const [first] = casesOf("kl-cov") as [Case];
  const file = write("absent.json", [{ ...first, expect: { metrics: { "kl-cov/cov": 1 } } }]);
  const { code, stdout } = await cli("objective", "check", file, "--json");
  const report = JSON.parse(stdout) as { largest: object; files: { cases: Record<string, object>[] }[] };
  assert.equal(code, 1);
  assert.deepEqual(report.largest, { float64: null, float32: null });
  assert.deepEqual(report.files[0]!.cases[0]!.float64, {
    passed: false,
    error: null,
    at: "metrics.kl-cov/cov",
    expected: 1,
  });
});

test("rlvr objective check: a malformed file exits with 2 before anything runs, naming file, case and field", async () => {
  const [first, second] = casesOf("kl-cov") as [Case, Case];
  const file = write("bad.json", [first, { ...second, batch: { ...second.batch, rewards: ["1"] } }]);
  const { code, stdout, stderr } = await cli("objective", "check", `${folder}kl-cov.json`, file);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.ok(stderr.startsWith(`rlvr: ${file}: case 2 (${second.name}): `), stderr);
  assert.match(stderr, /expected number, received string\n.*batch\.rewards\[0\]/);
  const missing = await cli("objective", "check", join(root, "none.json"));
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /none\.json: cannot be read as JSON: ENOENT/);
});

const first = casesOf("kl-cov")[0]!;
const inBatch = (patch: object): Case => ({ ...first, batch: { ...first.batch, ...patch } });
const MALFORMED: readonly (readonly [string, unknown, RegExp])[] = [
  [
    "the state of another method",
    { ...first, objective: { control: { name: "siren" } }, state: { history: [] } },
    /state: must be an object with anchor, has history/,
  ],
  [
    "a state that is no number",
    { ...first, objective: { control: { name: "siren" } }, state: { anchor: "x" } },
    /state: anchor must be a number, is "x"/,
  ],
  [
    "a state of a method without one",
    { ...first, state: { anchor: 1 } },
    /state: must be absent, the control has none/,
  ],
  ["an unknown key", { ...first, bach: 1 }, /Unrecognized key: "bach"/],
  ["no expectation", { ...first, expect: {} }, /expect: is empty/],
  ["a missing batch part", inBatch({ logits: undefined }), /batch\.logits/],
  ["too few rewards", inBatch({ rewards: [1] }), /batch\.rewards: must have 4 rows like batch\.groups, has 1/],
  [
    "a short row",
    inBatch({ mask: first.batch.mask!.map((row: number[], i) => (i === 2 ? row.slice(1) : row)) }),
    /batch\.mask\[2\]: must have 4 entries like batch\.tokens\[2\], has 3/,
  ],
  [
    "another vocabulary",
    inBatch({
      logits: first.batch.logits!.map((row: number[][], i) =>
        i === 1 ? row.map((z, t) => (t === 1 ? z.slice(1) : z)) : row,
      ),
    }),
    /batch\.logits\[1\]\[1\]: must have \d entries/,
  ],
  [
    "a token outside",
    inBatch({ tokens: first.batch.tokens!.map((row: number[], i) => (i === 0 ? [99, ...row.slice(1)] : row)) }),
    /batch\.tokens\[0\]\[0\]: must be a token id from 0 to \d+, is 99/,
  ],
  [
    "a mask of 2",
    inBatch({ mask: first.batch.mask!.map((row: number[], i) => (i === 3 ? row.map(() => 2) : row)) }),
    /batch\.mask\[3\]\[0\]: must be 0 or 1, is 2/,
  ],
  ["a temperature of 0", inBatch({ temperature: 0 }), /batch\.temperature: must be above 0, is 0/],
  [
    "a row in two micro-batches",
    {
      ...first,
      microBatches: [
        [0, 1],
        [1, 2, 3],
      ],
    },
    /microBatches: must hold each row from 0 to 3 once/,
  ],
  [
    "a divergence without reference",
    { ...first, objective: { kl: { estimator: "k3", coefficient: 1 } } },
    /batch\.refLogp: is missing/,
  ],
  [
    "a full divergence without logits",
    { ...first, objective: { kl: { estimator: "full", coefficient: 1 } } },
    /batch\.refLogits: is missing/,
  ],
  ["an option out of range", { ...first, objective: { control: { name: "kl-cov", ratio: 2 } } }, /control: .*ratio/s],
  [
    "parts that do not fit",
    { ...first, objective: { loss: { name: "gspo" }, control: { name: "kl-cov" } } },
    /objective: control kl-cov: .*loss clip, not gspo/,
  ],
  [
    "a control file that is missing",
    { ...first, objective: { control: { module: "./none.ts" } } },
    /objective: control: .*none\.ts cannot be loaded/,
  ],
  [
    "a pool of two sizes",
    { name: "x", objective: {}, auxiliaryPool: { groups: [1], rewards: [] }, expect: { knobs: {} } },
    /auxiliaryPool\.rewards: must have 1 entries/,
  ],
];
for (const [what, given, message] of MALFORMED) {
  test(`openVectors: ${what} is a DataError with file, case and field`, async () => {
    const file = write("malformed.json", [given]);
    await assert.rejects(openVectors([file]), (error) => {
      assert.ok(error instanceof DataError && error.message.startsWith(`${file}: case 1 (`), String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

test("rlvr objective check: a control of one's own is held to the vectors of its method, from a path beside the file", async () => {
  const cases = casesOf("kl-cov").filter(
    ({ objective }) => (objective.control as { scope?: string }).scope !== "micro-batch",
  );
  const own = cases.map((given) => {
    const { name: _name, scope: _scope, ...options } = given.objective.control as Record<string, unknown>;
    const { metrics: _metrics, ...expect } = given.expect; // they carry the built-in control's name
    return { ...given, objective: { ...given.objective, control: { module: "./mine.ts", ...options } }, expect };
  });
  writeFileSync(join(root, "mine.ts"), readFileSync(example));
  const { code, stdout } = await cli("objective", "check", write("own.json", own), "--json");
  assert.equal(code, 0, stdout);
  assert.ok((JSON.parse(stdout) as { cases: number }).cases >= 4);
});

test("explain: dlogp and dH are the first-order changes of log-prob and entropy under a step down the gradient", async () => {
  const given = caseOf("siren", "siren/released/anchored-mse");
  const { tokens } = await explained("siren", "siren/released/anchored-mse");
  const logits = given.batch.logits as unknown as number[][][];
  const gradient = given.expect.dLogits as number[][][]; // of the independent implementation
  const measure = (z: number[], token: number): { logp: number; entropy: number } => {
    const logSum = Math.log(z.reduce((sum, x) => sum + Math.exp(x), 0));
    const logp = z.map((x) => x - logSum);
    return { logp: logp[token]!, entropy: -logp.reduce((sum, l) => sum + Math.exp(l) * l, 0) };
  };
  assert.equal(tokens.length, given.batch.mask!.flat().filter((bit) => bit === 1).length);
  for (const { row, position, token, push } of tokens) {
    const [z, g] = [logits[row]![position]!, gradient[row]![position]!];
    assert.ok(Math.abs(push.norm - Math.hypot(...g)) < 1e-9);
    const h = 1e-3; // central difference: its error is of the order of h² · |g|³
    const at = (size: number) =>
      measure(
        z.map((x, v) => x - size * g[v]!),
        token,
      );
    const [up, down] = [at(h), at(-h)];
    assert.ok(Math.abs(push.logp - (up.logp - down.logp) / (2 * h)) < 1e-9);
    assert.ok(Math.abs(push.entropy - (up.entropy - down.entropy) / (2 * h)) < 1e-9);
  }
});

test("explain: shows what the control did: clip-cov's tokens lose their gradient, kl-cov's get the penalty", async () => {
  const clip = await explained("clip-cov", casesOf("clip-cov")[0]!.name as string);
  const taken = clip.tokens.filter(({ selected }) => selected);
  assert.ok(taken.length > 0);
  for (const { push, pushWithout, weight } of taken) {
    assert.deepEqual([weight, push.norm], [0, 0]);
    assert.ok(pushWithout!.norm > 0);
  }
  const kl = await explained("kl-cov", "kl-cov/default/at-least-one-token");
  const [chosen] = kl.tokens.filter(({ selected }) => selected);
  // the token has become less probable (log-ratio < 0), so the penalty |l - lOld| pulls it back up
  assert.ok(chosen!.logRatio < 0 && chosen!.push.logp > chosen!.pushWithout!.logp);
  assert.deepEqual(kl.terms, { policy: kl.loss! - kl.terms.control!, kl: 0, control: kl.terms.control! });
  assert.deepEqual([kl.scalars, chosen!.control], [{ coefficient: 1 }, { selected: 1 }]);
});

test("explain: a case of every file fits into 120 columns", async () => {
  const files = await openVectors(
    ["siren", "epo", "aepo", "lp-reg", "kl", "importance", "adaptive-entropy"].map((name) => `${folder}${name}.json`),
  );
  for (const { cases } of files) {
    for (const given of [cases[0]!, cases.at(-1)!, ...cases.filter(({ name }) => /leak/.test(name)).slice(0, 1)]) {
      const text = explainText(await explainCase(given));
      const widest = text.split("\n").reduce((a, b) => (a.length >= b.length ? a : b));
      assert.ok(widest.length <= 120, `${given.name}: ${widest}`);
      assert.doesNotMatch(text, /undefined|NaN|\[object/);
    }
  }
});

test("rlvr objective explain: the first case or the named one; a wrong name exits with 2 and the nearest", async () => {
  const file = `${folder}kl-cov.json`;
  const table = await cli("objective", "explain", file);
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, /^kl-cov\/default\/at-least-one-token, step 0 of 100\n/);
  assert.match(
    table.stdout,
    /^row {2}pos {2}token {2}log-prob {2}log-ratio {2}advantage {2}entropy {2}sel {2}weight {2}\|grad\|/m,
  );
  assert.match(table.stdout, /^ {2}1 {4}2 {6}0 {3}-0\.2387 {4}-0\.0306 {5}0\.5000 {3}0\.7979 {2}yes {2}0\.0833/m);
  assert.match(table.stderr, /the first of \d cases; choose another one with --case NAME/);
  const wrong = await cli("objective", "explain", file, "--case", "kl-cov/default/at-least-one");
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /has no case kl-cov\/default\/at-least-one, did you mean kl-cov\/default\/at-least-one-token\?/,
  );
  const named = await cli("objective", "explain", file, "--case", casesOf("kl-cov")[1]!.name as string, "--json");
  const { name, tokens } = JSON.parse(named.stdout) as { name: string; tokens: object[] };
  assert.deepEqual([name, named.stderr], [casesOf("kl-cov")[1]!.name, ""]);
  assert.ok(tokens.length > 0);
});

/** The full divergence from the reference as a control: what objective.kl does, by the powers of a user's file. */
const REFERENCE_KL = `import { defineControl, z } from "rlvr/entropy-control";
export default defineControl({
  name: "reference-kl",
  options: z.strictObject({ coefficient: z.number() }),
  create: ({ coefficient }) => ({
    init: () => null,
    graph: {
      needsReference: true,
      penalty: (g, { logProbabilities: p, reference, weight }) =>
        g.mul(g.mul(g.reduceSum(g.mul(g.exp(p), g.sub(p, reference!.logProbabilities)), [-1]), weight), coefficient),
    },
  }),
});
`;

test("own control: sees the reference's distribution: KL(policy, reference) agrees with the vectors of objective.kl", async () => {
  writeFileSync(join(root, "reference-kl.ts"), REFERENCE_KL);
  const cases = casesOf("kl").filter(
    ({ objective, batch }) => (objective.kl as { estimator: string }).estimator === "full" && batch.mask!.length > 0,
  );
  const own = cases.map((given) => {
    const { kl, ...objective } = given.objective;
    const { policy, kl: term } = given.expect.terms as Record<string, number>;
    const control = { module: "./reference-kl.ts", coefficient: (kl as { coefficient: number }).coefficient };
    return {
      ...given,
      objective: { ...objective, control },
      expect: { ...given.expect, terms: { policy, kl: 0, control: term } },
    };
  });
  assert.ok(own.length > 0);
  const { code, stdout } = await cli("objective", "check", write("reference.json", own));
  assert.equal(code, 0, stdout);
  const without = own.map(({ batch: { refLogits: _logits, ...batch }, ...given }) => ({ ...given, batch }));
  const refused = await cli("objective", "check", write("without.json", without));
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /batch\.refLogits: is missing, the objective needs the distribution of the reference/);
});

test("own control: sees the reference's distribution in a run; before the first update the divergence is 0", async () => {
  writeFileSync(join(root, "reference-kl.ts"), REFERENCE_KL);
  writeFileSync(
    join(root, "reference.yaml"),
    `model: seedling-direct
tasks: {train: {name: countdown, format: steps}}
rollout: {promptsPerStep: 4, groupSize: 4, maxTokens: 32}
rewards: [{name: countdown}]
control: {module: ./reference-kl.ts, coefficient: 0.1}
optimizer: {name: adamw, lr: 1.0e-3}
steps: 2
`,
  );
  const out = join(root, "run");
  const { code, stderr } = await cli("train", join(root, "reference.yaml"), "--out", out, "--threads", "1", "--quiet");
  assert.equal(code, 0, stderr);
  const rows = readFileSync(join(out, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  const [before, after] = rows.map((line) => (JSON.parse(line) as { control_loss: number }).control_loss);
  assert.ok(Math.abs(before!) < 1e-6, `${before}`);
  assert.ok(after! > 1e-6, `${after}`);
});
