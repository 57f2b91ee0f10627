import { existsSync, readFileSync } from "node:fs";
import type { JudgedCompletion } from "../../../src/rewards/index.ts";
import { openDemonstrations } from "../../../src/rollout/demonstrations/index.ts";
import type { Task } from "../../../src/rollout/index.ts";
import { taskOfRow } from "../../../src/rollout/tasks/generated/index.ts";
import { openTaskSet, TaskConfig } from "../../../src/rollout/tasks/index.ts";
import { createRng } from "../../../src/utils/rng.ts";
import { PROBLEMS } from "../code/problems.ts";

/** Completions of which nobody would say that they cheat. */
export interface HonestSet {
  readonly name: string;
  /** null: the data is not on this machine. */
  readonly rows: readonly JudgedCompletion[] | null;
}

/** Every honest set: solutions that people wrote, answers graded as right, traces and programs that code made. */
export async function honestSets(): Promise<HonestSet[]> {
  return [
    { name: "GSM8K, gold solutions", rows: await gsm8k() },
    { name: "math answers graded equal", rows: mathAnswers() },
    { name: "countdown search traces", rows: await countdown() },
    { name: "reasoning-gym, gold answers alone", rows: reasoningGym() },
    { name: "programs, right and wrong", rows: programs() },
  ];
}

/** One completion, right unless it says otherwise; about four characters a token. */
export function completion(task: Partial<Task>, text: string, more: Partial<JudgedCompletion> = {}): JudgedCompletion {
  const whole = { id: "t", set: "test", prompt: "", answer: null, data: {}, ...task };
  return { task: whole, text, tokens: Math.ceil(text.length / 4), outcome: "correct", ...more };
}

function linesOf(file: string | URL): Record<string, never>[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function gsm8k(): Promise<JudgedCompletion[] | null> {
  const folder = `${process.env.RLVR_DATA}/gsm8k`;
  if (!existsSync(folder)) return null;
  const rows: JudgedCompletion[] = [];
  for (const split of ["train", "test"] as const) {
    const set = await openTaskSet(TaskConfig.parse({ name: "gsm8k", split, path: `${folder}/${split}.jsonl` }));
    const solutions = linesOf(`${folder}/${split}.jsonl`) as unknown as { answer: string }[];
    solutions.forEach(({ answer }, i) => {
      rows.push(completion(set.get(i), answer));
    });
  }
  return rows;
}

function mathAnswers(): JudgedCompletion[] {
  const rows = linesOf(new URL("../../../data/math-equivalence.jsonl", import.meta.url));
  return (rows as unknown as { id: string; gold: string; answer: string; equal: boolean }[])
    .filter(({ equal }) => equal)
    .map(({ id, gold, answer }) => completion({ id, answer: gold }, answer));
}

async function countdown(): Promise<JudgedCompletion[]> {
  const set = await openDemonstrations({ name: "countdown-traces", ...TRACES });
  const rng = createRng("honest");
  return Array.from({ length: 3000 }, (_, i) => {
    const drawn = set.draw(rng.fork(i));
    if ("turns" in drawn) throw new Error("countdown traces are no episodes");
    return completion({ prompt: drawn.prompt, data: { format: "steps" } }, drawn.completion);
  });
}

const TRACES = {
  ...{ solve: 0.8, giveUp: 0.1, tries: 4, fourNumbers: 0, arithmetic: 0.1 },
  ...{ maxNumber: 9, maxTarget: 99, holdOut: 0.15 },
};

function reasoningGym(): JudgedCompletion[] | null {
  const folder = `${process.env.RLVR_DATA}/reasoning-gym`;
  if (!existsSync(folder)) return null;
  const names = [
    "chain_sum",
    "gcd",
    "word_sorting",
    "number_sorting",
    "countdown",
    "basic_arithmetic",
    "simple_equations",
  ];
  return names.flatMap((name) =>
    linesOf(`${folder}/${name}.jsonl`).map((row) => {
      const task = taskOfRow(row);
      return completion(task, `<answer>${task.answer}</answer>`);
    }),
  );
}

function programs(): JudgedCompletion[] {
  return PROBLEMS.flatMap(({ name, tests, python, javascript }) =>
    [...python, ...javascript].map((code, i) => {
      const language = i < 2 ? "python" : "javascript";
      return completion({ id: name, data: { tests } }, `Here it is.\n\`\`\`${language}\n${code}\n\`\`\`\n`);
    }),
  );
}
