import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { defineControl, openControl, type TokenBatch } from "../../src/entropy-control/index.ts";
import { Graph } from "../../src/graph/index.ts";
import { ConfigError, TrainingError } from "../../src/utils/errors.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-control-"));
after(() => rmSync(root, { recursive: true, force: true }));
let files = 0;
const clip = { loss: { name: "clip" } };

/** A control file whose `create` returns this; null: the text is the whole file. */
function write(phases: string | null, whole = ""): string {
  const path = join(root, `control-${files++}.ts`);
  const head = `import { defineControl, logpAndEntropy, z } from "rlvr/entropy-control";\n`;
  writeFileSync(
    path,
    phases === null
      ? whole
      : `${head}export default defineControl({ name: "mine", options: z.strictObject({ x: z.number().default(1) }), create: ({ x }) => (${phases}) });\n`,
  );
  return path;
}

const open = async (phases: string, options: Record<string, unknown> = {}) =>
  (await openControl({ module: write(phases), ...options }, clip)).control;

const batch: TokenBatch = {
  rows: [{ start: 0, end: 2, group: 0, reward: 1, auxiliary: false }],
  microBatches: [[0]],
  live: Uint8Array.of(1, 1),
  turn: new Int32Array(2),
  advantage: Float64Array.of(1, 1),
  oldLogp: Float64Array.of(-1, -2),
  temperature: 1,
};
const measured = { batch, current: null, old: {} };
const context = { step: 0, totalSteps: 1, clip: null, weights: () => new Float64Array(2), draw: () => [] };

test("own control: its imports are the running package, in a folder without a project", async () => {
  const path = write(null, `export { defineControl as default } from "rlvr/entropy-control";\n`);
  const { importUserModule } = await import("../../src/utils/user-module.ts");
  assert.equal((await importUserModule(path)).default, defineControl);
});

test("own control: files beside it and other layers can be imported; a .mjs file works", async () => {
  writeFileSync(join(root, "helper.ts"), "export const name: string = 'beside';\n");
  const path = join(root, "plain.mjs");
  writeFileSync(
    path,
    `import { z } from "rlvr/entropy-control";
import { Graph } from "rlvr/graph";
import { name } from "./helper.ts";
export default { name, options: z.strictObject({}), create: () => ({ init: () => ({ isGraph: typeof Graph }) }) };\n`,
  );
  const { name, control } = await openControl({ module: path }, clip);
  assert.deepEqual([name, control.init()], ["beside", { isGraph: "function" }]);
});

test("own control: options have defaults and are checked, naming control and option", async () => {
  assert.deepEqual((await open("{ init: () => x }")).init(), 1);
  assert.deepEqual((await open("{ init: () => x }", { x: 3 })).init(), 3);
  await assert.rejects(open("{ init: () => x }", { x: "3" }), /control mine: .*expected number.*\n.*at x/);
  await assert.rejects(open("{ init: () => x }", { y: 3 }), /control mine: .*Unrecognized key: "y"/);
});

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ["a file that is missing", "", /control: .*no-such\.ts cannot be loaded: /],
  ["no control", "export default 3;", /the default export of .* must be a control, .*; got a number/],
  ["no default export", "export const x = 3;", /must be a control, .*; got none/],
  ["a file that throws", "throw new Error('boom');", /cannot be loaded: boom/],
  ["a syntax error", "export default {", /cannot be loaded: .*ERROR: Expected identifier but found end of file/s],
];
for (const [what, text, message] of REFUSED) {
  test(`own control: ${what} is a ConfigError that names the file`, async () => {
    const path = text === "" ? join(root, "no-such.ts") : write(null, text);
    await assert.rejects(
      openControl({ module: path }, clip),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  });
}

const BAD_START: readonly (readonly [string, RegExp])[] = [
  ["null as never", /create\(\) must return an object with init\(\) .*, got null/],
  ["{} as never", /must return an object with init\(\): the state at the start, or null/],
  ["{ init: () => null, slect: () => ({}) } as never", /unknown phase slect \(known: init, knobs, /],
  ["{ init: () => null, select: 3 } as never", /select must be a function/],
  [
    "{ init: () => new Map() } as never",
    /init\(\) must return plain JSON with finite numbers, since checkpoints keep it, got Map/,
  ],
  ["{ init: () => { throw new Error('boom'); } }", /control mine \(.*\.ts\): init\(\) failed: boom/],
];
for (const [phases, message] of BAD_START) {
  test(`own control: create() that returns ${phases} is refused before anything starts`, async () => {
    await assert.rejects(open(phases), (error) => error instanceof ConfigError && message.test(error.message));
  });
}

const BAD_STEP: readonly (readonly [string, RegExp])[] = [
  ["null as never", /select\(\) must return an object with features, scalars, .*, got null/],
  ["({ feature: {} }) as never", /select\(\) returned unknown feature \(known: features, /],
  ["({})", /select\(\) must return features\.top, which graph\.features lists/],
  [
    "({ features: { top: [1, 2] as never }, scalars: { c: 1 } })",
    /features\.top as a typed array with one entry per slot \[2\], got Array of 2/,
  ],
  [
    "({ features: { top: new Float64Array(3) }, scalars: { c: 1 } })",
    /one entry per slot \[2\], got Float64Array of 3/,
  ],
  ["({ features: { top: Float64Array.of(0, NaN) }, scalars: { c: 1 } })", /features\.top\[1\] is NaN/],
  ["({ features: { top: new Float64Array(2) } })", /must return scalars\.c, which graph\.scalars lists/],
  ["({ features: { top: new Float64Array(2) }, scalars: { c: Infinity } })", /scalar c is Infinity/],
  ["{ throw new Error('boom'); }", /control mine \(.*\): select\(\) failed: boom/],
];
for (const [body, message] of BAD_STEP) {
  test(`own control: select() => ${body} fails the step by name`, async () => {
    const control = await open(
      `{ init: () => null, graph: { features: ["top"], scalars: ["c"] }, select: () => ${body} }`,
    );
    assert.throws(
      () => control.select!(measured, null, context),
      (error) => error instanceof TrainingError && message.test(error.message),
    );
  });
}

test("own control: report() must name its metrics control/NAME, knobs() and next() must be plain numbers and JSON", async () => {
  const control = await open(
    `{ init: () => null, knobs: () => ({ k: NaN }), next: () => (() => 1) as never, report: () => ({ metrics: { "mine/x": 1 } }) }`,
  );
  const result = {
    ...measured,
    selection: {},
    update: { logp: batch.oldLogp, entropy: batch.oldLogp, values: {} },
    term: 0,
  };
  assert.throws(() => control.report!(result, null, context), /must name its metrics control\/NAME .*, got mine\/x/);
  assert.throws(() => control.knobs!(null, context), /knobs\(\) must return finite numbers, number k is NaN/);
  assert.throws(
    () => control.next!(null, { rollout: { batch, entropy: batch.oldLogp, old: {} }, results: [] }),
    /next\(\) must return plain JSON/,
  );
});

test("own control: a graph function of the wrong shape is named with the shape expected", async () => {
  const control = await open(
    `{ init: () => null, measure: { outputs: ["a"], build: () => ({}) }, graph: { penalty: (_g, { logits }) => logits, policyLoss: () => 3 as never } }`,
  );
  const g = new Graph();
  const column = g.input("x", ["c"]);
  const tokens = { logits: g.input("logits", ["c", 7]), logp: column } as never;
  assert.throws(
    () => control.graph!.penalty!(g, tokens),
    /graph\.penalty\(\) must return a value of shape \[c\], one number per token; got shape \[c, 7\]/,
  );
  assert.throws(
    () => control.graph!.policyLoss!(g, tokens),
    /graph\.policyLoss\(\) must return a value of shape \[c\], .*; got number/,
  );
  assert.throws(
    () => control.measure!.build(g, tokens),
    /measure\.build\(\) must return an object whose a is a value of shape \[c\]/,
  );
});
