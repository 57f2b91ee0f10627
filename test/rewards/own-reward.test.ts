import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ModuleRewardConfig, openRubric, type RubricResult, scorable } from "../../src/rewards/index.ts";
import type { Completion } from "../../src/rollout/index.ts";
import { ConfigError } from "../../src/utils/errors.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-reward-"));
after(() => rmSync(root, { recursive: true, force: true }));
let files = 0;

/** A file with this text. */
function write(text: string): string {
  const path = join(root, `reward-${files++}.ts`);
  writeFileSync(path, text);
  return path;
}
const config = (module: string, more: Partial<ModuleRewardConfig> = {}): ModuleRewardConfig => ({
  ...{ module, name: "mine", weight: 1, deadlineMs: 20_000, options: {} },
  ...more,
});
const task = { id: "t1", set: "s", prompt: "2 + 3", answer: "5", data: { level: 2 } };

/** The verdicts of one rubric over some texts, one after the other. */
async function scores(configs: ModuleRewardConfig[], texts: string[], pool = {}): Promise<RubricResult[]> {
  const rubric = await openRubric(configs, { lanes: 1, ...pool });
  try {
    const results: RubricResult[] = [];
    for (const text of texts) results.push(await rubric.score({ task, text, stop: "eos", tokens: text.length }));
    return results;
  } finally {
    await rubric.close();
  }
}

test("own reward: sees the whole completion and has options with defaults, sync and async", async () => {
  const path = write(`import { defineReward, graded, z } from "rlvr/rewards";
    export default defineReward({
      options: z.strictObject({ scale: z.number().default(4), later: z.boolean().default(false) }),
      create: ({ scale, later }) => {
        const judge = ({ task, text, stop, tokens }) =>
          graded(tokens / scale, [task.id, task.prompt, task.answer, task.data.level, text, stop].join(" "), text);
        return later ? async (completion) => judge(completion) : judge;
      },
    });`);
  const configs = [config(path), config(path, { name: "slower", weight: 0.5, options: { scale: 8, later: true } })];
  const [result] = await scores(configs, ["ok"]);
  const { mine, slower } = result!.terms;
  assert.deepEqual([mine!.outcome, mine!.score, mine!.reason], ["wrong", 0.5, "t1 2 + 3 5 2 ok eos"]);
  assert.deepEqual([slower!.score, result!.reward], [0.25, 0.5 + 0.5 * 0.25]);
});

test("own reward: a plain function and an object with a method are rewards, too, under the recipe's name", async () => {
  const plain = write(
    `export default ({ text }: { text: string }) => ({ outcome: text === "a" ? "correct" : "wrong", score: 0, reason: "" });`,
  );
  const object = write(
    `export default { name: "other", seen: "yes", score() { return { outcome: "correct", score: 1, reason: this.seen }; } };`,
  );
  const [result] = await scores([config(plain), config(object, { name: "second" })], ["b"]);
  assert.deepEqual([result!.outcome, result!.terms.second!.reason, result!.reward], ["wrong", "yes", 1]);
});

test("own reward: token ids, log-probs and entropies arrive where a completion has them", async (t) => {
  const path = write(`export default ({ ids, logp, entropy }) =>
    ({ outcome: "correct", score: 1, reason: [ids?.join(), logp?.constructor.name, logp?.[1], entropy?.[0]].join(" ") });`);
  const rubric = await openRubric([config(path)], { lanes: 1 });
  t.after(() => rubric.close());
  const sampled = { ids: [7, 8], logp: Float32Array.of(-1, -0.5), entropy: Float32Array.of(0.25, 0) };
  const completion = {
    ...sampled,
    policyLogp: sampled.logp,
    task,
    text: "a",
    stop: "eos",
    group: 0,
    member: 0,
    promptIds: [],
  };
  const { terms } = await rubric.score(scorable(completion as Completion));
  assert.equal(terms.mine!.reason, "7,8 Float32Array -0.5 0.25");
});

/** What it does to an answer, and what comes of it. */
const DEEDS: readonly (readonly [deed: string, outcome: string, reason: RegExp])[] = [
  ["throw new Error('a bug');", "error", /^reward mine threw: a bug$/],
  ["return { outcome: 'correct', score: NaN, reason: '' };", "error", /^reward mine returned the score NaN$/],
  ["return 1;", "error", /^reward mine returned 1, not a verdict$/],
  ["return Promise.reject(new Error('later'));", "error", /^reward mine threw: later$/],
  ["process.exit(0);", "error", /^the verifier ended its thread/],
];

test("own reward: what throws, returns NaN or ends its thread is an error, and the next answer is judged", async () => {
  for (const [deed, outcome, reason] of DEEDS) {
    const path = write(
      `export default ({ text }) => { if (text === "good") return { outcome: "correct", score: 1, reason: "" }; ${deed} };`,
    );
    const [bad, good] = await scores([config(path)], ["bad", "good"]);
    assert.deepEqual([bad!.outcome, bad!.reward, good!.outcome], [outcome, null, "correct"], deed);
    assert.match(bad!.terms.mine!.reason, reason);
  }
});

test("own reward: what never returns is a timeout, what allocates without end is an error, and the next answer is judged", async () => {
  const path = write(`export default ({ text }) => {
    const kept = [];
    while (text === "forever");
    while (text === "memory") kept.push(new Array(1e5).fill(text));
    return text === "never" ? new Promise(() => {}) : { outcome: "correct", score: 1, reason: "" };
  };`);
  const [forever, good, never] = await scores([config(path, { deadlineMs: 200 })], ["forever", "good", "never"]);
  assert.deepEqual([forever!.outcome, good!.outcome, never!.outcome], ["timeout", "correct", "timeout"]);
  assert.equal(never!.terms.mine!.reason, "no verdict within 200 ms");
  const [memory] = await scores([config(path)], ["memory"], { memoryMb: 64 });
  assert.deepEqual([memory!.outcome, memory!.reward], ["error", null]);
  assert.match(memory!.terms.mine!.reason, /needed more than 64 MiB of memory/);
});

const DEF = `import { defineReward, z } from "rlvr/rewards";\n`;
const REFUSED: readonly (readonly [what: string, text: string, message: RegExp])[] = [
  ["a file that throws", "throw new Error('boom');", /reward-\d+\.ts: cannot be loaded: boom$/],
  ["a syntax error", "export default {", /reward-\d+\.ts: cannot be loaded: .*Expected identifier/s],
  [
    "an import that is missing",
    'import "./none.ts"; export default () => 1;',
    /reward-\d+\.ts: cannot be loaded: .*none\.ts/,
  ],
  [
    "no default export",
    "export const x = 1;",
    /the default export must be a reward made by defineReward\(.*; got nothing$/,
  ],
  ["another value", "export default 3;", /the default export must be .*, or a function .*; got a number$/],
  ["another object", "export default { reward: 1 };", /the default export must be .*; got an object with reward$/],
  [
    "create() that throws",
    `${DEF}export default defineReward({ create: () => { throw new Error("boom"); } });`,
    /create\(\) failed: boom$/,
  ],
  [
    "create() that returns no reward",
    `${DEF}export default { create: () => 3 };`,
    /create\(\) must return a function .*; got a number$/,
  ],
  ["an end of the process", "process.exit(7);", /reward-\d+\.ts: .*ended its thread \(exit code 7\)/],
];

for (const [what, text, message] of REFUSED)
  test(`own reward: ${what} is a ConfigError that names reward and file, before anything is judged`, async () => {
    await assert.rejects(openRubric([config(write(text))], { lanes: 1 }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      return /^reward mine: /.test(error.message);
    });
  });

test("own reward: a missing file and options that do not fit are refused, all of them at once", async () => {
  const strict = write(
    `${DEF}export default defineReward({ options: z.strictObject({ x: z.number() }), create: () => () => 1 as never });`,
  );
  const configs = [
    config(join(root, "no-such.ts")),
    config(strict, { name: "typed", options: { x: "1" } }),
    config(strict, { name: "misspelt", options: { x: 1, y: 1 } }),
    config(write("export default () => 1;"), { name: "plain", options: { x: 1 } }),
  ];
  await assert.rejects(openRubric(configs, { lanes: 1 }), (error: Error) => {
    assert.match(error.message, /^reward mine: .*no-such\.ts: cannot be loaded: /m);
    assert.match(error.message, /^reward typed: .*\.ts: options\.x: .*expected number, received string$/m);
    assert.match(error.message, /^reward misspelt: .*\.ts: options: Unrecognized key: "y"$/m);
    assert.match(error.message, /^reward plain: .*takes no options/m);
    return true;
  });
});
