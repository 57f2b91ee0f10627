import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { cli, type Ended } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-reward-"));
after(() => rmSync(root, { recursive: true, force: true }));

function file(name: string, rows: readonly unknown[]): string {
  const path = join(root, name);
  writeFileSync(path, rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`).join(""));
  return path;
}

const score = (reward: string, data: string, ...more: string[]): Promise<Ended> =>
  cli("reward", "score", "--reward", reward, "--data", data, ...more);

const pairs = file("pairs.jsonl", [
  { id: "half", gold: "\\frac{1}{2}", answer: "So \\boxed{0.5}.", equal: true, label: "certain" },
  { id: "third", gold: "\\frac{1}{3}", answer: "So \\boxed{0.33}.", equal: false, label: "certain" },
  { id: "unit", gold: "58", answer: "\\boxed{58\\text{ cm}}", equal: false, label: "convention" },
  { id: "none", gold: "7", answer: "I do not know.", equal: false, label: "certain" },
]);

interface Line {
  readonly id: string;
  readonly candidate: number;
  readonly outcome: string;
  readonly score: number;
  readonly reason: string;
  readonly parsed: string | null;
  readonly ms: number;
  readonly rule?: string;
  readonly gold?: string;
  readonly steps?: readonly { step: string; found: string }[];
}

const linesOf = ({ stdout }: Ended): Line[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

test("rlvr reward score: counts of outcomes by label, agreement, and the wrong answers that were accepted", async () => {
  const { code, stdout, stderr } = await score("math", pairs);
  assert.equal(code, 0, stderr);
  const [head, certain, convention, accepted] = stdout.trim().split("\n");
  assert.match(head!, /^rows +correct +wrong +unparseable +timeout +error +as labelled +wrong ones accepted$/);
  assert.match(certain!, /^certain +1 +1 +1 +0 +0 +3 of 3 \(100\.0 %\) +0$/);
  assert.match(convention!, /^convention +1 +0 +0 +0 +0 +0 of 1 \(0\.0 %\) +1$/);
  assert.equal(accepted, "accepted against its label: unit");
});

test("rlvr reward score: --json is one line an answer, in the order of the rows", async () => {
  const { code, ...ended } = await score("math", pairs, "--json");
  assert.equal(code, 0, ended.stderr);
  const lines = linesOf({ code, ...ended });
  assert.deepEqual(
    lines.map(({ id, candidate, outcome, score: points, parsed }) => [id, candidate, outcome, points, parsed]),
    [
      ["half", 0, "correct", 1, "0.5"],
      ["third", 0, "wrong", 0, "0.33"],
      ["unit", 0, "correct", 1, "58\\text{ cm}"],
      ["none", 0, "unparseable", 0, null],
    ],
  );
  for (const line of lines) {
    assert.deepEqual(Object.keys(line), ["id", "candidate", "outcome", "score", "reason", "parsed", "ms"]);
    assert.ok(line.reason !== "" && line.ms >= 0);
  }
});

test("rlvr reward score: --explain shows what was read and each rule, in text and in JSON", async () => {
  const text = await score("math", pairs, "--explain");
  assert.equal(text.code, 0, text.stderr);
  assert.deepEqual(text.stdout.split("\n").slice(0, 6), [
    "half: correct, equal to the gold answer (equal fractions)",
    "    extraction: box: 0.5",
    "    gold: \\frac{1}{2} is read as a quotient",
    "    answer: 0.5 is read as a number",
    "    kinds: scalar against scalar",
    "    equal fractions: equal",
  ]);
  const [line] = linesOf(await score("math", pairs, "--explain", "--json"));
  assert.deepEqual(
    [line!.rule, line!.gold, line!.steps![0]],
    ["equal fractions", "\\frac{1}{2}", { step: "extraction", found: "box: 0.5" }],
  );
});

test("rlvr reward score: rows with candidates have a line for each, and options of the reward are set by --set", async () => {
  const candidates = file("candidates.jsonl", [
    {
      family: "gcd",
      seed: 1,
      index: 3,
      question:
        "Find the Greatest Common Divisor (GCD) of these numbers: 12, 18. Give only the GCD as your final answer.",
      answer: "6",
      metadata: { numbers: [12, 18], result: 6 },
      candidates: [
        { kind: "gold", answer: "6", expect: "accept" },
        { kind: "off", answer: "7", expect: "reject" },
      ],
    },
  ]);
  const lines = linesOf(await score("math", candidates, "--json"));
  assert.deepEqual(
    lines.map(({ id, candidate, outcome }) => [id, candidate, outcome]),
    [
      ["gcd/1/3", 0, "correct"],
      ["gcd/1/3", 1, "wrong"],
    ],
  );
  const boxOnly = linesOf(await score("math", candidates, "--json", "--set", "from=box"));
  assert.deepEqual(
    boxOnly.map(({ outcome }) => outcome),
    ["unparseable", "unparseable"],
  );
});

test("rlvr reward score: a gold answer that can't be read is said once, with its line, and its row is an error", async () => {
  const data = file("gold.jsonl", [
    { id: "good", gold: "5", answer: "\\boxed{5}" },
    { id: "bad", gold: "\\frac{1}{2", answer: "\\boxed{5}" },
    { id: "good too", gold: "6", answer: "\\boxed{5}" },
  ]);
  const { code, stdout, stderr } = await score("math", data, "--json");
  assert.equal(code, 0);
  assert.equal(stderr.match(/can't be read/g)?.length, 1, stderr);
  assert.match(stderr, /gold\.jsonl.*line 2.*: the gold answer can't be read: } was expected, not the end/);
  assert.deepEqual(
    linesOf({ code, stdout, stderr, signal: null }).map(({ outcome }) => outcome),
    ["correct", "error", "wrong"],
  );
});

test("rlvr reward score: what is missing or misspelt exits with 2, names the nearest and judges nothing", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--reward", "math"], /required option '--data <file>'/],
    [["--reward", "maths", "--data", pairs], /maths.*(?:did you mean|nearest).*math/is],
    [["--reward", "math", "--data", join(root, "missing.jsonl")], /missing\.jsonl/],
    [["--reward", "math", "--data", pairs, "--set", "form=box"], /form.*from/s],
    [["--reward", "math", "--data", pairs, "--set", "from"], /must look like from=box/],
    [["--reward", "math", "--data", file("broken.jsonl", ['{"id": 1'])], /broken\.jsonl.*line 1/],
    [["--reward", "math", "--data", file("fields.jsonl", [{ id: "x", gold: "5" }])], /fields\.jsonl.*answer/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await cli("reward", "score", ...args);
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.equal(stdout, "", args.join(" "));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /, "a stack trace");
  }
});

test("rlvr reward score: --help has a worked example", async () => {
  const { code, stdout } = await cli("reward", "score", "--help");
  assert.equal(code, 0);
  assert.match(stdout, /\nExamples?:\n {2}\$ rlvr reward score --reward math --data/);
});
