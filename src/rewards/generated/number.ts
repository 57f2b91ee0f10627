import { RewardError } from "../../utils/errors.ts";
import { equals, formatRational } from "../../utils/rational.ts";
import { correct, unparseable, wrong } from "../verdicts.ts";
import { bare, brief, readNumber } from "./read.ts";
import type { Problem, Scorer } from "./scorer.ts";

/** One number, whole or decimal, equal to the gold one exactly. Sign, leading zeros, `.0` and thousands separators are free. */
export const scoreNumber: Scorer = (answer, problem) => judgeNumber(answer, problem);

/** The same; `r = 18` says 18 where r is the unknown. */
export const scoreSolution: Scorer = (answer, problem) => {
  const variable = /^[a-z]$/.exec(String((problem.metadata as { variable?: unknown } | null)?.variable))?.[0];
  if (variable === undefined) throw new RewardError("reasoning-task: simple_equations: metadata.variable is no letter");
  return judgeNumber(answer, problem, variable);
};

function judgeNumber(answer: string, problem: Problem, variable?: string) {
  const gold = readNumber(problem.answer);
  if (!gold) throw new RewardError(`reasoning-task: ${problem.family}: the gold answer ${problem.answer} is no number`);
  const text = bare(answer);
  if (text === null) return unparseable("the answer is too long for a number");
  const side = variable === undefined ? text : text.replace(new RegExp(`^${variable}\\s*=\\s*`), "");
  const value = readNumber(side);
  if (!value)
    return unparseable(side === "" ? "the answer is empty" : `${JSON.stringify(brief(side))} is not one number`);
  const seen = formatRational(value);
  return equals(value, gold) ? correct(`equals ${problem.answer}`, seen) : wrong(`expected ${problem.answer}`, seen);
}
