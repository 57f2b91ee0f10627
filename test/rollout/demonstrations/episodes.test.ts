import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { trainBytePairs } from "../../../src/policy/byte-pairs.ts";
import { createTokenizer } from "../../../src/policy/tokenizer.ts";
import {
  DemonstrationConfig,
  type DemonstrationSet,
  type EpisodeDemonstration,
  encodeEpisode,
  openDemonstrations,
  playConfigured,
  type RecordedEpisode,
  readRecordings,
} from "../../../src/rollout/demonstrations/index.ts";
import { DialogueConfig, openDialogue } from "../../../src/rollout/dialogue/index.ts";
import { EnvConfig } from "../../../src/rollout/envs/config.ts";
import { cutObservation, envCounterpart } from "../../../src/rollout/envs/counterpart.ts";
import { EnvRegistry } from "../../../src/rollout/envs/registry.ts";
import type { Dialogue, Segment } from "../../../src/rollout/types.ts";
import { ConfigError, DataError } from "../../../src/utils/errors.ts";
import { createRng } from "../../../src/utils/rng.ts";
import { temporaryFolder } from "../../policy/fixtures.ts";

const EPISODE: RecordedEpisode = {
  ...{ env: "corridor", version: "1", task: "walk", seed: 2, instruction: "walk to room 4", success: true },
  observation: "You are in room 2.",
  turns: [
    { action: "jump up", mistake: true, observation: "You land.", reward: 0, valid: true },
    { action: "right", mistake: false, observation: "You are in room 3.", reward: 0, valid: null },
    { action: "right", mistake: false, observation: "You are in room 4.", reward: 1, valid: true },
  ],
};
const TEXT = "walk to room 4\nYou are in room 2.\n> jump up\nYou land.\n> right\nYou are in room 3.\n> right\n";

const tokenizer = createTokenizer(
  trainBytePairs([TEXT, TEXT], { vocab: 400 }),
  { padId: 0, bosId: null, eosIds: [] },
  "trained",
);

/** Each message on a line of its own, `>` before a turn, a newline after it. */
const DIALOGUE: Dialogue = {
  open: (messages) => [...messages.map(line), template(">")],
  bridge: (_last, messages) => [...messages.map(line), template(">")],
  turnEndIds: tokenizer.encode("\n"),
  turnEndTexts: [],
};

/** The form that models without a chat template get. */
const PLAIN = openDialogue(tokenizer, DialogueConfig.parse({}));

function idsOf(segments: readonly Segment[]): number[] {
  return segments.flatMap((segment) => segment.ids);
}

function line({ content }: { content: string }): Segment {
  return { provenance: "environment", ids: tokenizer.encode(`${content}\n`) };
}

function template(text: string): Segment {
  return { provenance: "template", ids: tokenizer.encode(text) };
}

async function fromFile(t: TestContext, rows: readonly unknown[], options = {}): Promise<DemonstrationSet> {
  const file = join(temporaryFolder(t), "episodes.jsonl");
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return openDemonstrations(DemonstrationConfig.parse({ name: "episodes", file, ...options }));
}

function draw(set: DemonstrationSet, stream = 1): EpisodeDemonstration {
  const drawn = set.draw(createRng(stream));
  assert.ok("turns" in drawn);
  return drawn;
}

test("encodeEpisode: tokens are those of the whole text, and only actions with their ends are to be written", async (t) => {
  const set = await fromFile(t, [EPISODE], { imitateMistakes: false });
  const { promptIds, ids, inserts = [], imitated } = encodeEpisode(draw(set), tokenizer, DIALOGUE, 1000);
  const all = [...promptIds];
  const written: string[] = [];
  ids.forEach((id, i) => {
    const between = inserts.find(({ at }) => at === i);
    for (const segment of between?.segments ?? []) all.push(...segment.ids);
    all.push(id);
  });
  let from = 0;
  for (const to of [...inserts.map(({ at }) => at), ids.length]) {
    written.push(tokenizer.decode(ids.slice(from, to)));
    from = to;
  }
  assert.equal(tokenizer.decode(all), TEXT);
  assert.deepEqual(written, [" jump up\n", " right\n", " right\n"]);
  const mistaken = inserts[0]!.at;
  assert.deepEqual(
    imitated,
    ids.map((_id, i) => i >= mistaken),
  );
});

test("encodeEpisode: a transcript that is learned as a text has no turns, and all of it trains", async (t) => {
  const set = await fromFile(t, [EPISODE], { learn: "everything", imitateMistakes: false });
  const { promptIds, ids, ...rest } = encodeEpisode(draw(set), tokenizer, DIALOGUE, 1000);
  assert.equal(promptIds.length, 1);
  assert.equal(tokenizer.decode([...promptIds, ...ids]), TEXT);
  assert.deepEqual(rest, {});
});

test("encodeEpisode: what does not fit is cut before a turn", async (t) => {
  const demonstration = draw(await fromFile(t, [EPISODE]));
  const whole = encodeEpisode(demonstration, tokenizer, DIALOGUE, 1000);
  const length = (upTo: number): number =>
    whole.promptIds.length +
    (whole.inserts![upTo - 1]?.at ?? whole.ids.length) +
    whole.inserts!.slice(0, upTo - 1).flatMap(({ segments }) => segments.flatMap(({ ids }) => ids)).length;
  for (const turns of [1, 2, 3]) {
    const fits = encodeEpisode(demonstration, tokenizer, DIALOGUE, length(turns));
    assert.equal(fits.inserts!.length, turns - 1);
    assert.ok(fits.imitated!.every(Boolean));
    const tight = encodeEpisode(demonstration, tokenizer, DIALOGUE, length(turns) - 1);
    assert.equal(tight.inserts!.length, Math.max(0, turns - 2));
    assert.deepEqual(tight.ids, whole.ids.slice(0, tight.ids.length));
  }
});

test("episodes: what was played is laid out as a rollout lays it out", async (t) => {
  const env = EnvConfig.parse({ name: "lab", tasks: ["find"] });
  const maxObservation = 60; // shorter than many, so that what is cut is cut alike
  const play = DemonstrationConfig.parse({ name: "episodes", env, limit: 1, noise: 0.3, maxObservation });
  assert.ok(play.name === "episodes");
  const [recorded] = await playConfigured(play);
  assert.ok(recorded && recorded.turns.length > 2);
  const {
    promptIds,
    ids,
    inserts = [],
  } = encodeEpisode(draw(await openDemonstrations(play)), ...([tokenizer, PLAIN, 10_000] as const));

  const registry = new EnvRegistry();
  t.after(() => registry.close());
  const other = envCounterpart({ pool: await registry.open(env), start: recorded, showActions: false, maxObservation });
  const { messages } = await other.start();
  assert.deepEqual(promptIds, idsOf(PLAIN.open(messages)));
  let from = 0;
  for (const [i, { action, observation }] of recorded.turns.entries()) {
    const to = inserts[i]?.at ?? ids.length;
    const turn = ids.slice(from, to);
    const reply = await other.reply({ text: tokenizer.decode(turn, { skipSpecial: true }), isCut: false });
    assert.deepEqual([reply.action, reply.observation], [action, cutObservation(observation, maxObservation)]);
    if (i < recorded.turns.length - 1)
      assert.deepEqual(idsOf(inserts[i]!.segments), idsOf(PLAIN.bridge(turn.at(-1)!, reply.messages)));
    else assert.ok(reply.success);
    from = to;
  }
  await other.finish();
});

test("episodes: tasks are drawn uniformly, however many episodes they have", async (t) => {
  const rare = { ...EPISODE, task: "run", instruction: "run" };
  const set = await fromFile(t, [rare, ...new Array<RecordedEpisode>(30).fill(EPISODE)]);
  let count = 0;
  for (let i = 0; i < 1000; i++) if (draw(set, i).messages[0]!.content === "run") count++;
  assert.ok(Math.abs(count - 500) < 4 * Math.sqrt(250), `${count}`); // 4 standard deviations of a fair coin
  const only = await fromFile(t, [rare, EPISODE], { tasks: ["run"] });
  assert.ok([1, 2, 3, 4].every((i) => draw(only, i).messages[0]!.content === "run"));
});

test("episodes: what the policy writes around an action is an option", async (t) => {
  const set = await fromFile(t, [EPISODE], { turn: "Action: {action}." });
  assert.deepEqual(
    draw(set).turns.map(({ text }) => text),
    ["Action: jump up.", "Action: right.", "Action: right."],
  );
  assert.throws(() => DemonstrationConfig.parse({ name: "episodes", turn: "go" }), /must contain \{action\}/);
});

test("readRecordings: a row that is no episode is refused with its line and field", async (t) => {
  const file = join(temporaryFolder(t), "episodes.jsonl");
  const refuses = async (row: unknown, expected: RegExp): Promise<void> => {
    writeFileSync(file, `${JSON.stringify(EPISODE)}\n${JSON.stringify(row)}\n`);
    await assert.rejects(readRecordings(file), (error) => error instanceof DataError && expected.test(error.message));
  };
  const [first, ...others] = EPISODE.turns;
  await refuses(
    { ...EPISODE, turns: [first, { ...others[0], action: 3 }] },
    /line 2, field "turns\.1\.action": .*string/,
  );
  await refuses({ ...EPISODE, reward: 1 }, /line 2: .*"reward"/);
  await refuses({ ...EPISODE, success: undefined }, /line 2, field "success"/);
  await refuses([], /line 2: a row must be an object/);
  writeFileSync(file, "");
  await assert.rejects(readRecordings(file), /has no episodes/);
});

test("episodes: env and file exclude one another, unknown kinds and empty sets are explained", async (t) => {
  const open = (options: object) => openDemonstrations(DemonstrationConfig.parse({ name: "episodes", ...options }));
  await assert.rejects(open({}), (error) => error instanceof ConfigError && /got neither/.test(error.message));
  await assert.rejects(open({ env: { name: "lab" }, file: "x.jsonl" }), /got both/);
  assert.throws(() => open({ env: { name: "labb" } }), /did you mean \\"lab\\"/);
  assert.throws(() => open({ env: { name: "lab", sise: "tiny" } }), /sise/);
  const mistakes = { ...EPISODE, turns: EPISODE.turns.slice(0, 1) };
  await assert.rejects(fromFile(t, [mistakes], { imitateMistakes: false }), /no episode is left/);
});
