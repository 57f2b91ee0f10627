import assert from "node:assert/strict";
import { test } from "node:test";
import { createRubric } from "../../../src/rewards/index.ts";
import { PROBLEMS } from "./problems.ts";
import { answer, configOf, noPython } from "./support.ts";

/** Judges one right and one wrong program for each problem. */
async function grade(language: "python" | "javascript"): Promise<void> {
  const rubric = createRubric([configOf(language)], { lanes: 2 });
  const programs = PROBLEMS.flatMap(({ name, tests, [language]: [right, wrong] }) => [
    { name: `${name}, right`, code: right, tests, expected: "correct" },
    { name: `${name}, wrong`, code: wrong, tests, expected: "wrong" },
  ]);
  assert.ok(programs.length >= 50);
  const results = await Promise.all(programs.map(({ code, tests }) => rubric.score(answer(language, code, tests))));
  await rubric.close();
  programs.forEach(({ name, expected }, i) => {
    const { outcome, terms } = results[i]!;
    assert.equal(outcome, expected, `${name}: ${Object.values(terms)[0]!.reason}`);
  });
}

test("code-python: honest programs are judged as they deserve", { skip: noPython() }, () => grade("python"));

test("code-javascript: honest programs are judged as they deserve", () => grade("javascript"));
