import type { StopReason } from "../rollout/index.ts";
import type { Verdict } from "./types.ts";
import { correct, wrong } from "./verdicts.ts";

const STEP = /^(\d{1,4})([-+*/])(\d{1,4})=(\d{1,4})$/;

/** The last try of a trace, without its closing ` yes` or ` no`: what counts as the answer. */
export function lastTry(text: string): string {
  const tries = text.split(" no");
  if (tries.length > 1 && tries.at(-1) === "") tries.pop(); // the trace ended with " no"
  return tries.at(-1)!.replace(/ yes$/, "");
}

/**
 * Judges a trace such as `7-4=3,3+3=6 no3+4=7,7+7=14 yes`: in the last try each step uses two values still at hand, its arithmetic is right,
 * one value is left and it is the target; and the completion ended by itself.
 */
export function judgeSteps(text: string, numbers: readonly number[], target: number, stop: StopReason): Verdict {
  const attempt = lastTry(text);
  if (stop !== "eos") return wrong("was cut off before it ended", attempt);
  if (text.endsWith(" no")) return wrong('gave up: the last try is rejected by its own " no"', attempt);
  const values = [...numbers];
  for (const part of attempt.split(",")) {
    const match = STEP.exec(part);
    if (!match) return wrong(`"${part.slice(0, 40)}" is not a step such as 3+4=7`, attempt);
    const [left, right, result] = [Number(match[1]), Number(match[3]), Number(match[4])];
    for (const operand of [left, right]) {
      const at = values.indexOf(operand);
      if (at < 0) return wrong(`${part}: ${operand} is not at hand`, attempt);
      values.splice(at, 1);
    }
    if (apply(left, match[2]!, right) !== result) return wrong(`${part} is false`, attempt);
    values.push(result);
  }
  if (values.length > 1) return wrong(`values ${values.join(", ")} are left over`, attempt);
  return values[0] === target
    ? correct(`makes ${target}`, attempt)
    : wrong(`makes ${values[0]}, not ${target}`, attempt);
}

function apply(left: number, sign: string, right: number): number {
  if (sign === "+") return left + right;
  if (sign === "-") return left - right;
  if (sign === "*") return left * right;
  return left / right;
}

/** A try as one bracketed expression: `7-4=3,3+3=6` → `((7-4)+3)`. Steps are taken as they are, right or wrong. */
export function foldSteps(attempt: string): string {
  const made = new Map<string, string[]>();
  const use = (operand: string): string => made.get(operand)?.pop() ?? operand;
  let last = "";
  for (const part of attempt.split(",")) {
    const match = STEP.exec(part);
    if (!match) return last;
    last = `(${use(match[1]!)}${match[2]}${use(match[3]!)})`;
    made.set(match[4]!, [...(made.get(match[4]!) ?? []), last]);
  }
  return last;
}
