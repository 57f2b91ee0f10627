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
  ["{ init: () => null, measure: 3 } as never", /measure must be a program: \{outputs: names, build: /],
  ["{ init: () => null, measure: { build: () => ({}) } } as never", /measure must be a program: /],
  ["{ init: () => null, graph: { penalti: () => 3 } } as never", /unknown graph\.penalti \(known: features, /],
  ["{ init: () => null, graph: { features: 'top' } } as never", /graph\.features must be a list of names/],
  ["{ init: () => null, graph: { penalty: 3 } } as never", /graph\.penalty must be a function \(g, tokens\) => value/],
  ["{ init: () => null, graph: { features: ['a'] } }", /graph lists a: select\(\) must be there to return them/],
  ["{ init: () => null, slotAfterEnd: 'yes' } as never", /slotAfterEnd must be true or false/],
  ["Promise.resolve({ init: () => null }) as never", /must return an object with init\(\): the state at the start/],
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
  [
    "({ features: { top: new Float64Array(2), tip: new Float64Array(2) }, scalars: { c: 1 } })",
    /returned features\.tip, which graph\.features does not list \(top\)/,
  ],
  [
    "({ features: { top: new Float64Array(2) }, scalars: { c: 1 }, policyTokens: Uint8Array.of(1, 2) })",
    /policyTokens of 0 and 1, with 1 at live tokens only; policyTokens\[1\] is 2/,
  ],
  ["Promise.resolve({}) as never", /select\(\) must return /],
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

test("own control: a plan of the wrong shape is named with the shape expected", async () => {
  const plan = (text: string) =>
    open(`{ init: () => null, plan: () => (${text}) as never }`).then((control) => control.plan!(null));
  const good = "promptShare: 0.5, temperature: 1.2, place: 'add', qualify: () => [0], count: (n) => n";
  assert.deepEqual((await plan(`{ ${good} }`))!.qualify([0], [1]), [0]);
  for (const [text, message] of [
    ["3", /plan\(\) must return null, or \{promptShare, .*\} with the functions qualify and count, got 3/],
    [`{ ${good}, promptShare: 2 }`, /promptShare is 2/],
    [`{ ${good}, temperature: 0 }`, /temperature is 0/],
    [`{ ${good}, place: 'top' }`, /place "replace" or "add", it is "top"/],
  ] as const)
    await assert.rejects(plan(text), (error) => error instanceof TrainingError && message.test(error.message));
  const outside = await plan(`{ ${good}, qualify: () => [5] }`);
  assert.throws(() => outside!.qualify([0], [1]), /plan\.qualify\(\) must return different indices of the 1 auxiliary/);
  const half = await plan(`{ ${good}, count: () => 0.5 }`);
  assert.throws(() => half!.count(1), /plan\.count\(\) must return a whole number of rows, 0 or more, got 0\.5/);
});

test("own control: rows() and old() of the wrong shape, a check() that throws, a name that is taken", async () => {
  const control = await open(
    "{ init: () => null, rows: () => ({ advantages: [1], inBase: [true] }), old: () => 3 as never }",
  );
  assert.throws(
    () => control.rows!([{ auxiliary: true }, { auxiliary: false }]),
    /advantages with a number or null for each of the 2 rows/,
  );
  assert.throws(() => control.old!(null), /old\(\) must return null, or a program: .*, got 3/);
  const whole = (name: string, check: string): string =>
    write(
      null,
      `import { z } from "rlvr/entropy-control";\nexport default { name: "${name}", options: z.strictObject({}), check: ${check}, create: () => ({ init: () => null }) };\n`,
    );
  for (const [name, check, message] of [
    ["mine", "() => { throw new Error('boom'); }", /check\(\) failed: boom/],
    ["mine", "() => 3", /check\(\) must return the problem in words, or null; got a number/],
    ["siren", "() => null", /calls itself siren, the name of a built-in control; give it another/],
  ] as const)
    await assert.rejects(
      openControl({ module: whole(name, check) }, clip),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
});
