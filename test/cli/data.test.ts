import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parquetWriteBuffer } from "hyparquet-writer";
import { openTaskSet, TaskConfig } from "../../src/rollout/tasks/index.ts";
import { startFakeHub } from "../support/fake-hub.ts";
import { type Ended, type StartOptions, startCli } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-cli-data-"));

function gsm8k(questions: readonly string[]): Uint8Array {
  const answers = questions.map((_, i) => `So ${i}.\n#### 1,00${i}`);
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "question", data: [...questions], type: "STRING" },
        { name: "answer", data: answers, type: "STRING" },
      ],
    }),
  );
}

/** 3 MB that do not compress. */
const NOISE = Buffer.concat(Array.from({ length: 98_304 }, (_, i) => createHash("sha256").update(`${i}`).digest()));
const hub = await startFakeHub({
  "datasets/openai/gsm8k": {
    files: {
      "README.md": "# GSM8K",
      "main/train-00000-of-00001.parquet": gsm8k(["How many apples are there?", "How many pears are there?"]),
      "main/test-00000-of-00001.parquet": gsm8k(["How many plums are there?"]),
      "socratic/train-00000-of-00001.parquet": gsm8k(["What?"]),
    },
  },
  "datasets/org/mixed": {
    files: {
      "dataset_infos.json": "{}",
      "a.jsonl": '{"question":"q","answer":"a"}',
      "b/c.csv": "question,answer\nr,s\n",
      "x.py": "",
    },
  },
  "datasets/org/code": { files: { "x.py": "" } },
  "datasets/org/large": { files: { "noise.parquet": NOISE } },
});
after(async () => {
  await hub.close();
  rmSync(root, { recursive: true });
});

const ENV = {
  HF_ENDPOINT: hub.endpoint,
  HF_HOME: join(root, "hf"),
  HF_TOKEN: "",
  HF_HUB_CACHE: "",
  HF_HUB_OFFLINE: "",
};

function data(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return startCli(["data", ...args], { cwd: root, ...options, env: { ...ENV, ...options.env } }).ended;
}

test("data pull: brings a known set into the hub's cache, where tasks find it by name", async () => {
  const pulled = await data(["pull", "gsm8k"]);
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.match(pulled.stdout, new RegExp(`^gsm8k at commit ${hub.commit}\n`));
  assert.match(pulled.stdout, /fetched {2}\S+hf\/hub\/datasets--openai--gsm8k\/snapshots\/[0-9a-f]{40}\/main\/test-/);
  assert.match(pulled.stdout, /path: hub:gsm8k\}\}\n$/);
  assert.match(pulled.stderr, /^main\/train-00000-of-00001\.parquet {2}\d+ bytes$/m);
  assert.ok(!pulled.stdout.includes("socratic"));
  const again = JSON.parse((await data(["pull", "gsm8k", "--json"])).stdout);
  assert.deepEqual(
    again.files.map(({ fetched }: { fetched: number }) => fetched),
    [0, 0],
  );

  const before = { ...process.env };
  Object.assign(process.env, ENV);
  delete process.env.RLVR_DATA;
  try {
    const open = (config: object) => openTaskSet(TaskConfig.parse(config));
    const [file, test, own] = [
      await open({ name: "file", path: "hub:gsm8k", holdOut: 0 }),
      await open({ name: "file", path: "hub:gsm8k/test", split: "test", holdOut: 1 }),
      await open({ name: "gsm8k" }),
    ];
    assert.deepEqual([file.size, test.size, own.size], [2, 1, 2]);
    assert.deepEqual([file.get(1).answer, test.get(0).answer, own.get(0).answer], ["1001", "1000", "1000"]);
    await assert.rejects(
      open({ name: "file", path: "hub:math" }),
      /^DataError: hub:math: is not on this machine; bring it with: npx rlvr data pull math$/,
    );
    await assert.rejects(open({ name: "file", path: "hub:math-500/train" }), /math-500 has no train split, only test/);
    await assert.rejects(open({ name: "file", path: "hub:org/none/x.jsonl" }), /npx rlvr data pull org\/none$/);
    process.env.HF_HOME = join(root, "empty");
    await assert.rejects(
      open({ name: "gsm8k" }),
      /^DataError: gsm8k: the problems are not here: bring them with: npx rlvr data pull gsm8k; or/,
    );
  } finally {
    process.env = before;
  }
});

test("data pull: any other set by ORG/NAME, its data files only, or those that are named", async () => {
  const all = JSON.parse((await data(["pull", "org/mixed", "--json"])).stdout);
  assert.deepEqual(
    all.files.map(({ path }: { path: string }) => path),
    ["a.jsonl", "b/c.csv"],
  );
  const one = JSON.parse((await data(["pull", "org/mixed", "--file", "b/*", "--json"])).stdout);
  assert.equal(readFileSync(one.files[0].local, "utf8"), "question,answer\nr,s\n");
  const none = await data(["pull", "org/mixed", "--file", "*.csv"]);
  assert.deepEqual(
    [none.code, none.stderr],
    [
      2,
      "rlvr: org/mixed: has no file *.csv; it holds dataset_infos.json, a.jsonl, b/c.csv, x.py; choose with --file\n",
    ],
  );
  const code = await data(["pull", "org/code"]);
  assert.deepEqual(
    [code.code, code.stderr],
    [2, "rlvr: org/code: has no data file; it holds x.py; choose with --file\n"],
  );
});

test("data pull: what cannot be pulled: exit codes and messages", async () => {
  const unknown = await data(["pull", "gsm9k"]);
  assert.equal(unknown.code, 2);
  assert.match(
    unknown.stderr,
    /^rlvr: gsm9k: no data set is known by this name; known are gsm8k, math, .*; did you mean "gsm8k"\? Any other one of the hub is named ORG\/NAME\n$/,
  );
  const missing = await data(["pull", "org/none"]);
  assert.deepEqual([missing.code, missing.stdout], [2, ""]);
  assert.match(missing.stderr, /^rlvr: org\/none: the hub knows no such data set \(401\)/);
  const offline = await data(["pull", "org/none"], { env: { HF_HUB_OFFLINE: "1" } });
  assert.deepEqual(
    [offline.code, offline.stderr],
    [2, "rlvr: org/none: cannot be fetched while HF_HUB_OFFLINE is set\n"],
  );
});

test("data pull: a disk that fills says so, keeps what came, and the next call goes on", async () => {
  const full = await data(["pull", "org/large"], { fileLimitKb: 1024 });
  assert.equal(full.code, 1);
  assert.match(
    full.stderr,
    /^rlvr: \S+hf\/hub: the disk is full \(EFBIG.*\); make room, then the same command goes on where it stopped\n$/,
  );
  const blob = join(
    root,
    "hf",
    "hub",
    "datasets--org--large",
    "blobs",
    createHash("sha256").update(NOISE).digest("hex"),
  );
  assert.equal(readFileSync(`${blob}.incomplete`).length, 1024 * 1024);
  const whole = JSON.parse((await data(["pull", "org/large", "--json"])).stdout);
  assert.equal(whole.files[0].fetched, NOISE.length - 1024 * 1024);
  assert.ok(readFileSync(blob).equals(NOISE) && !existsSync(`${blob}.incomplete`));
});

test("data list: the known sets, their rows and licences, and which are here", async () => {
  const list = await data(["list"]);
  assert.equal(list.code, 0);
  assert.match(
    list.stdout,
    /^name +here +train +test +licence +on the hub +what\ngsm8k +yes +7,473 +1,319 +MIT +openai\/gsm8k +grade-school/,
  );
  assert.match(list.stdout, /^deepscaler +no +40,315 +– +MIT /m);
  const sets = JSON.parse((await data(["list", "--json"])).stdout);
  assert.deepEqual([sets[0].commit, sets[0].here.length, sets[1].commit], [hub.commit, 2, null]);
});

test("data inspect: a report to read, with what is in another file too", async () => {
  const [train, other] = [join(root, "train.csv"), join(root, "test.jsonl")];
  writeFileSync(train, "question,answer\n4>2:,1\n4>2:,2\nbroken\n8>2:,3\n");
  writeFileSync(other, '{"problem": "8>2:", "answer": "3"}\n');
  const { code, stdout, stderr } = await data([
    "inspect",
    "train.csv",
    "--against",
    "test.jsonl",
    "--model",
    "seedling",
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(
    stdout,
    `train.csv: 3 rows
column    values  empty  characters: min  median  p95  max  tokens: min  median  p95  max
question  text           4                4       4    4    4            4       4    4
answer    text           1                1       1    1    1            1       1    1
question: column question (columns as in preset plain)
malformed rows: 1
  train.csv, line 4: has 1 field, the header names 2 (question, answer); the last one is "broken". A field with a separator or line break in it needs quotes around it
repeated questions: 1
  train.csv, line 3 repeats row 1

against test.jsonl: 3 questions, 1 there
the same question: 1
  train.csv, line 5 = test.jsonl, line 1: 8>2:
runs of 8 words in common: 33.33 % of all; 1 question shares at least half of theirs
`,
  );
});

test("data inspect: a file of 40 MB is read in a heap of 48 MB, of which the program itself takes half", async () => {
  const path = join(root, "large.jsonl");
  const text = "a long question about apples and pears ".repeat(24);
  for (let part = 0; part < 4; part++) {
    const rows = Array.from(
      { length: 10_000 },
      (_, i) => `{"question":"${part * 10_000 + i} ${text}","answer":"${i}"}`,
    );
    writeFileSync(path, `${rows.join("\n")}\n`, { flag: "a" });
  }
  const { code, stdout, stderr } = await data(["inspect", path, "--json"], {
    env: { NODE_OPTIONS: "--max-old-space-size=48" },
  });
  rmSync(path);
  assert.equal(code, 0, stderr.slice(0, 500));
  const report = JSON.parse(stdout);
  assert.deepEqual(
    [report.rows, report.duplicates.count, report.columns[0].characters.max],
    [40_000, 0, 5 + 1 + 24 * 39],
  );
});

test("data difficulty: a table to read, a line for each problem to filter by", async () => {
  const args = [
    "difficulty",
    "seedling",
    "--tasks",
    "countdown",
    "--samples",
    "2",
    "--limit",
    "3",
    "--max-tokens",
    "1",
  ];
  const env = { RLVR_CACHE: join(root, "cache") };
  const { code, stdout, stderr } = await data([...args, "-o", "rates.jsonl"], { env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^seedling on countdown: 3 problems, 2 samples each, 0 from the cache; mean pass rate 0\.000\n/);
  assert.match(stdout, /^0 \(never\) +3 +100\.0 %$/m);
  assert.match(
    stdout,
    /written to rates\.jsonl; for the task set file: difficulty: \{file: rates\.jsonl, min: 0\.05, max: 0\.95\}\n$/,
  );
  const rows = readFileSync(join(root, "rates.jsonl"), "utf8").trim().split("\n");
  assert.deepEqual(
    rows.map((row) => JSON.parse(row).passRate),
    [0, 0, 0],
  );
  const bad = await data(["difficulty", "seedling", "--tasks", "countdwn"], { env });
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /^rlvr: --tasks countdwn: no task set, .*did you mean "countdown"\?\n$/);
});
