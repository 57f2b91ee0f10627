import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { trainBytePairs } from "../../src/policy/byte-pairs.ts";
import { type Learner, openLearner } from "../../src/policy/index.ts";
import { envPool } from "../../src/rollout/envs/index.ts";
import { type Completion, RolloutConfig, sampleCompletions, type Task } from "../../src/rollout/index.ts";
import { type RunData, readRun } from "../../src/run/report/data.ts";
import { episodeCharts } from "../../src/run/report/episode-curves.ts";
import { renderReport } from "../../src/run/report/html.ts";
import { ledgerView } from "../../src/run/report/ledger.ts";
import { actionAt, isEpisode, turnsView } from "../../src/run/report/turns.ts";
import { toSampleRow } from "../../src/trainers/completion-rows.ts";
import { episodeMetrics } from "../../src/trainers/episode-metrics.ts";
import type { SampleRow } from "../../src/trainers/types.ts";
import { createRng } from "../../src/utils/rng.ts";
import { digitsSource, type Fault } from "../rollout/episodes/digits-env.ts";
import { quadraticRun } from "./quadratic-run.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-report-episodes-"));
let learner: Learner;
before(async () => {
  const files = trainBytePairs(["[earlier turns are left out] [earlier turns: "], { vocab: 280 });
  writeFileSync(join(folder, "tokenizer.json"), files.tokenizerJson);
  writeFileSync(join(folder, "tokenizer_config.json"), files.tokenizerConfigJson);
  const init = {
    ...{ width: 16, layers: 2, heads: 2, kvHeads: 1, ffWidth: 32, ropeTheta: 10000, maxPositions: 600, initScale: 1.5 },
    tokenizer: { file: folder },
  };
  learner = await openLearner({ model: { init, seed: 3 }, adapter: { kind: "none" }, seed: 0, threads: 1 });
});
after(async () => {
  await learner.close();
  rmSync(folder, { recursive: true, force: true });
});

const decode = (ids: readonly number[]): string => learner.tokenizer.decode(ids);

/** Real episodes in the world of digits, as completions and as rows of the samples file. */
async function play(turns: number, episode: object = {}, faults: Readonly<Record<number, Fault>> = {}) {
  const worlds = envPool(digitsSource(turns, faults), { size: 4 });
  const config = RolloutConfig.parse({
    ...{ maxTokens: 400, batchSize: 4, episode: { turnTokens: 6, ...episode } },
    dialogue: {
      plain: { turnEnd: ";", prompt: ":", system: "{text}", user: "{text}", observation: "{text}", tool: "{text}" },
    },
  });
  const task: Task = {
    id: "digits/count/1",
    set: "digits",
    prompt: "",
    answer: null,
    data: { task: "count", seed: 1 },
  };
  const { completions } = await sampleCompletions(learner, { worlds }, [{ task, group: 0, count: 2 }], {
    ...{ sampling: config, rollout: config, rng: createRng("report") },
  });
  await worlds.close();
  return { completions, rows: completions.map(toRow) };
}

function toRow(completion: Completion): SampleRow & { readonly episode: NonNullable<SampleRow["episode"]> } {
  const row = toSampleRow(
    { completion, scored: { reward: 1, terms: {} } as never, advantage: 0 },
    { step: 1, tokenizer: learner.tokenizer },
  );
  assert.ok(isEpisode(row));
  return row;
}

/** What a reader sees. */
const seen = (html: string): string =>
  html
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");

const items = (html: string): string[] => [...html.matchAll(/<li[^>]*><header>.*?<\/li>/gs)].map(([item]) => item);
const parts = (item: string, kind: string): string[] =>
  [...item.matchAll(/<dd class="(\w+)">(.*?)<\/dd>/gs)]
    .filter(([, name]) => name === kind)
    .map(([, , text]) => seen(text!));

test("turnsView: each turn with what was seen before it, its tokens, its reward and its mean entropy; then the end", async () => {
  const { rows } = await play(5);
  let compared = 0;
  for (const row of rows) {
    const { turns } = row.episode;
    const shown = items(turnsView(row, decode));
    assert.equal(shown.length, 6, "five turns and the end");
    for (const [i, { start, end, reward }] of turns.entries()) {
      const item = shown[i]!;
      assert.ok(item.includes(`<header><b>${i + 1}</b>`));
      const ids = row.ids.slice(start, end);
      const text = parts(item, "thought").join("") + parts(item, "did").join("");
      if (!item.includes("as it was read") && !item.includes("no action")) {
        assert.equal(text, whole(decode(ids)));
        compared++;
      }
      assert.deepEqual(parts(item, "saw"), [i === 0 ? "1?\n1>" : turns[i - 1]!.observation]);
      assert.ok(seen(item).includes(`reward ${reward} · entropy `));
      const entropy = Number(/entropy ([\d.]+)/.exec(seen(item))![1]);
      let sum = 0;
      for (let t = start; t < end; t++) sum += row.entropy[t]!;
      assert.ok(Math.abs(entropy - sum / (end - start)) < 0.01 * entropy, `${entropy}`);
    }
    assert.match(seen(shown[5]!), /^endsolvedreturn \d+ · ended by: the environment ended it/);
    assert.deepEqual(parts(shown[5]!, "saw"), [turns[4]!.observation]);
  }
  assert.ok(compared > 0, "an action that stands in the text as it is");
});

/** Bytes that end in the middle of a sign are not shown. */
const whole = (text: string): string => text.replace(/\ufffd+$/, "");

test("turnsView: an episode that broke says what broke, one without a turn too, and texts are escaped", async () => {
  const { rows } = await play(5, {}, { 1: "throws" });
  const broken = turnsView({ ...rows[0]!, episode: { ...rows[0]!.episode, error: "the <b>world</b> fell" } }, decode);
  assert.match(seen(broken), /not solvedreturn 0 · ended by: a faulterrorthe <b>world<\/b> fell/);
  assert.ok(!broken.includes("<b>world"));
  const unborn = await play(5, {}, { 1: "reset" });
  const html = turnsView(unborn.rows[0]!, decode);
  assert.equal(items(html).length, 1);
  assert.deepEqual(parts(html, "fault"), ["the world can't be reset"]);
});

test("turnsView: what stands before the action is the thought, and without a tokenizer the action alone is there", async () => {
  const { rows } = await play(1);
  const ids = learner.tokenizer.encode("no key yet.\nAction:  go 7;");
  const entropy = ids.map((_, i) => (i === 0 ? 1.1 : 0.3)); // 1.1 nats have the colour e5, 0.3 have e1
  const turns = [{ ...rows[0]!.episode.turns[0]!, start: 0, end: ids.length, action: "go 7" }];
  const row = { ...rows[0]!, ids, entropy, episode: { ...rows[0]!.episode, turns } };
  const [item] = items(turnsView(row, decode));
  assert.deepEqual([parts(item!, "thought"), parts(item!, "did")], [["no key yet.\n"], ["Action:  go 7;"]]);
  assert.match(item!, /<dd class="thought"><i class="e5">n<\/i><i class="e1">o/);
  const [other] = items(
    turnsView({ ...row, episode: { ...row.episode, turns: [{ ...turns[0]!, action: "go 8" }] } }, decode),
  );
  assert.deepEqual(
    [parts(other!, "thought"), parts(other!, "did")],
    [["no key yet.\nAction:  go 7;"], ["go 8 (as it was read)"]],
    "an action that isn't in the text as it is",
  );
  const [blind] = items(turnsView(row, null));
  assert.deepEqual([parts(blind!, "thought"), parts(blind!, "did")], [[], ["go 7"]]);
});

test("turnsView: whether an action was understood is shown, and not where nobody knows", async () => {
  const { rows } = await play(3);
  const row = rows[0]!;
  const turns = ([true, false, null] as const).map((valid, i) => ({ ...row.episode.turns[i]!, valid }));
  const html = turnsView({ ...row, episode: { ...row.episode, turns } }, decode);
  const tags = items(html).map((item) => />((?:in)?valid)</.exec(item)?.[1]);
  assert.deepEqual(tags, ["valid", "invalid", undefined, undefined]);
  assert.equal(html.match(/<i class="e\d[ a-z]*" title="turn 2: [^"]*, not understood">×<\/i>/g)!.length, 1);
});

test("actionAt: the label or the tag of an action belongs to it", () => {
  assert.equal(actionAt("I need the key.\nAction: take key", "take key"), 16);
  assert.equal(actionAt("<think>go?</think><action>go</action>", "go"), 18);
  assert.equal(actionAt(" go north\n", "go north"), 1);
  assert.equal(actionAt("two  blanks", "two blanks"), -1);
  assert.equal(actionAt("nothing", ""), -1);
});

test("turnsView: of very long episodes the first and the last turns are shown, and how many are not", async () => {
  const { rows } = await play(3);
  const row = rows[0]!;
  const turns = Array.from({ length: 75 }, () => row.episode.turns[0]!);
  const html = turnsView({ ...row, episode: { ...row.episode, turns } }, decode);
  const numbers = items(html).map((item) => /<header><b>(\w+)<\/b>/.exec(item)![1]);
  assert.deepEqual([numbers.length, numbers[39], numbers[40], numbers[59], numbers[60]], [61, "40", "56", "75", "end"]);
  assert.match(html, /15 turns are left out here/);
});

test("ledgerView: every token once, with its provenance, and where contexts begin anew", async () => {
  const { rows } = await play(20, { contextTokens: 120, overflow: "slide", keepTurns: 2 });
  for (const row of rows) {
    const html = ledgerView(row, decode);
    const shown = [...html.matchAll(/<i class="p (\w+)" title="\w+: tokens (\d+) to (\d+)"><b>(\w+) (\d+)<\/b>/g)];
    const counts = new Map<string, number>();
    let next = 0;
    for (const [, kind, from, to, name, count] of shown) {
      assert.equal(name, kind);
      assert.equal(Number(from), next, "no gap");
      assert.equal(Number(to) - Number(from) + 1, Number(count));
      next = Number(to) + 1;
      counts.set(name!, (counts.get(name!) ?? 0) + Number(count));
    }
    const inserted = row.inserts!.flatMap(({ segments }) => segments);
    assert.equal(next, row.promptIds.length + row.ids.length + inserted.reduce((sum, { ids }) => sum + ids.length, 0));
    assert.equal(counts.get("sampled"), row.ids.length);
    const again = inserted.filter(({ provenance }) => provenance === "history");
    assert.equal(
      counts.get("history"),
      again.reduce((sum, { ids }) => sum + ids.length, 0),
    );
    const restarts = row.inserts!.filter(({ restart }) => restart).length;
    assert.ok(restarts > 0);
    assert.equal(html.match(/a new context begins/g)!.length, restarts);
    assert.ok(html.includes(`, ${restarts + 1} contexts</summary>`));
    assert.equal(turnsView(row, decode).match(/A new context begins here/g)!.length, restarts);
  }
});

test("ledgerView: a record that contradicts itself is said to, and the page is made", async () => {
  const { rows } = await play(3);
  const row = { ...rows[0]!, inserts: [{ at: 10_000, segments: [] }] };
  assert.match(ledgerView(row, decode), /The ledger of this completion is not whole: .*10000/);
});

test("episodeCharts: training and held-out lines, turns, and the entropy of the first, a middle and the last turn", async () => {
  const { completions } = await play(3);
  const metrics = episodeMetrics(completions);
  const rows = [1, 2, 3].map((step) => ({
    ...{ step, ...metrics, "num_turns/mean": 3 + step, "num_turns/min": 1, "num_turns/max": 9 },
    ...Object.fromEntries([0, 1, 2, 3, 4].map((turn) => [`entropy/turn_${turn}`, step / (1 + turn)])),
    ...(step === 3 ? { "entropy/turn_5": 1 } : {}),
  }));
  const evaluations = [0, 3].map((step) => ({ step, metrics: { "eval_env/success": 0.25 + step / 10 } }));
  const run = { name: "a", rows, evaluations } as never as RunData;
  const charts = new Map(episodeCharts([run]).map((chart) => [chart.id, chart]));
  assert.deepEqual(
    charts.get("env-success")!.series.map(({ label, points }) => [label, points.map(([, y]) => y)]),
    [
      ["held-out", [0.25, 0.55]],
      ["training", [1, 1, 1]],
    ],
  );
  assert.deepEqual(
    charts.get("entropy-turns")!.series.map(({ label, points }) => [label, points[1]![1]]),
    [
      ["turn 1", 2],
      ["turn 3", 2 / 3],
      ["turn 5", 2 / 5],
    ],
  );
  assert.deepEqual(
    charts.get("num-turns")!.series.map(({ label }) => label),
    ["mean", "min", "max"],
  );
  assert.ok(!charts.has("env-ends"), "nothing went wrong");
  const two = episodeCharts([run, { ...run, name: "b", evaluations: [] }]);
  assert.deepEqual(
    two.find(({ id }) => id === "env-success")!.series.map(({ label, points }) => [label, points.length]),
    [
      ["a", 2],
      ["b", 3],
    ],
  );
});

test("renderReport: runs of episodes have the section and the turns, others have neither", async () => {
  const path = join(folder, "run");
  await quadraticRun(path, { steps: 8 });
  const data = readRun(path);
  const plain = renderReport([data], decode);
  assert.doesNotMatch(plain, /<h2>Episodes|class="turns"|class="ledger"/);
  const { completions, rows } = await play(4);
  const metrics = episodeMetrics(completions);
  const html = renderReport(
    [
      {
        ...data,
        rows: data.rows.map((row) => ({ ...row, ...metrics })),
        pairs: [{ before: rows[0]!, after: rows[1]! }],
        groups: [rows],
      },
    ],
    decode,
  );
  assert.match(html, /<section><h2>Episodes<\/h2>/);
  assert.equal(html.match(/<ol class="turns">/g)!.length, 4);
  assert.equal(html.match(/<details class="ledger">/g)!.length, 4);
  assert.match(html, /<code>digits\/count\/1<\/code>/);
  assert.doesNotMatch(html, /(src|href)="(?!data:)/, "nothing is loaded");
});
