import { afterThinking } from "../../utils/thinking.ts";
import type { Scorable, Verdict } from "../types.ts";
import { correct, unparseable, wrong } from "../verdicts.ts";
import { lastFencedBlock } from "./fenced.ts";
import type { CodeOptions } from "./options.ts";
import { sameOutput } from "./output.ts";
import { type CodeTest, readTests } from "./tests.ts";
import type { CallRun, CodeLimits, CodeRunner, RunStatus } from "./types.ts";
import { sameValue, showValue } from "./values.ts";

/** What came of one test. */
interface TestResult {
  readonly index: number;
  readonly passed: boolean;
  readonly status: RunStatus;
  readonly reason: string;
}

/** Longest program that is run, in characters. */
const MAX_LENGTH = 200_000;

/**
 * Runs a completion's program against the tests of its task. What is expected stays here: the sandbox gets inputs and arguments only.
 * @throws RewardError when the tests can't be read or the sandbox failed: that says nothing about the program
 */
export async function judgeCode(runner: CodeRunner, { task, text }: Scorable, options: CodeOptions): Promise<Verdict> {
  const tests = readTests(task, runner.language).slice(0, options.maxTests ?? undefined);
  const answer = afterThinking(text);
  const code = options.code === "whole" ? answer : lastFencedBlock(answer, runner.language);
  if (code === null || code.trim() === "") return unparseable(`there is no closed block of ${runner.language} code`);
  if (code.length > MAX_LENGTH) return wrong(`the program is longer than ${MAX_LENGTH} characters`);
  const results = await runTests(runner, code, tests, options);
  return { ...verdictOf(results, tests.length, options.partialCredit), parsed: code };
}

/** Without partial credit the first test that fails ends it. */
async function runTests(
  runner: CodeRunner,
  code: string,
  tests: readonly CodeTest[],
  options: CodeOptions,
): Promise<TestResult[]> {
  let spentMs = 0;
  const results: TestResult[] = [];
  for (let index = 0; index < tests.length; ) {
    if (!options.partialCredit && results.some(({ passed }) => !passed)) break;
    const left = Math.floor(options.totalMs - spentMs);
    if (left <= 0) {
      results.push({
        index,
        passed: false,
        status: "timeout",
        reason: `all tests together took longer than ${options.totalMs} ms`,
      });
      break;
    }
    const limits: CodeLimits = {
      timeoutMs: Math.min(options.timeoutMs, left),
      totalMs: left,
      memoryMb: options.memoryMb,
      outputBytes: options.outputKb * 1024,
    };
    const { results: next, ms } = await runSome(runner, code, tests.slice(index), { limits, options });
    spentMs += ms;
    results.push(...next.map((result) => ({ ...result, index: index + result.index })));
    index += next.length;
  }
  return results;
}

/** The first test, or as many calls as stand at the start. */
async function runSome(
  runner: CodeRunner,
  code: string,
  tests: readonly CodeTest[],
  { limits, options }: { limits: CodeLimits; options: CodeOptions },
): Promise<{ results: TestResult[]; ms: number }> {
  const [first] = tests;
  if (first?.kind === "program") {
    const { status, stdout, detail, ms } = await runner.program(code, first.stdin, limits);
    const passed = status === "ok" && sameOutput(stdout, first.expected, options);
    const reason = status === "ok" ? `printed ${quote(stdout)}, expected ${quote(first.expected)}` : detail;
    return { results: [{ index: 0, passed, status, reason }], ms };
  }
  const end = tests.findIndex(({ kind }) => kind === "program");
  const calls = tests.slice(0, end < 0 ? undefined : end).filter((test) => test.kind === "call");
  const judged = (run: CallRun, index: number): TestResult =>
    judgeCall(run, index, { test: calls[index]!, options, runner });
  const { runs, ms } = await runner.calls(
    code,
    calls.map(({ call }) => call),
    limits,
    (run, index) => options.partialCredit || judged(run, index).passed,
  );
  const results = runs.map(judged);
  return { results, ms };
}

function judgeCall(
  { status, value, detail }: CallRun,
  index: number,
  { test, options, runner }: { test: CodeTest & { kind: "call" }; options: CodeOptions; runner: CodeRunner },
): TestResult {
  const { call, expected } = test;
  const how = { language: runner.language, tolerance: options.tolerance };
  const allowed = test.or === undefined ? [expected] : [expected, test.or];
  const passed = status === "ok" && allowed.some((one) => sameValue(value, one, how));
  const seen = status === "ok" ? `returned ${showValue(value)}, expected ${showValue(expected)}` : detail;
  return { index, passed, status, reason: `${call.name}(…): ${seen}` };
}

/** Right when all tests passed. A test that was stopped by its time limit decides only when no other failed by itself. */
function verdictOf(results: readonly TestResult[], count: number, partialCredit: boolean): Verdict {
  const passed = results.filter((result) => result.passed).length;
  if (passed === count) return correct(`passed ${count} of ${count} tests`);
  const failures = results.filter((result) => !result.passed);
  const clear = failures.find(({ status }) => status !== "timeout");
  const shown = clear ?? failures[0]!;
  const reason = `passed ${passed} of ${count} tests; test ${shown.index + 1}: ${shown.reason}`;
  if (!clear && !(partialCredit && passed > 0)) return { outcome: "timeout", score: 0, reason };
  return { outcome: "wrong", score: partialCredit ? passed / count : 0, reason };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);
}
