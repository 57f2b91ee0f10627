import { z } from "zod";
import type { Json, Task } from "../../rollout/types.ts";
import { RewardError } from "../../utils/errors.ts";
import { parseAssert } from "./asserts.ts";
import type { CodeLanguage, FunctionCall, Wire } from "./types.ts";
import { toWire } from "./values.ts";

/** One test of a candidate: what goes into the sandbox, and what is compared outside. */
export type CodeTest =
  | { readonly kind: "program"; readonly stdin: string; readonly expected: string }
  | { readonly kind: "call"; readonly call: FunctionCall; readonly expected: Wire };

const AnyJson = z.json() as z.ZodType<Json>;
const One = z.union([
  z.strictObject({ input: z.string(), output: z.string() }),
  z.strictObject({ call: z.string(), args: z.array(AnyJson), expected: AnyJson }),
  z.string(),
]);
const Many = z.object({
  inputs: z.array(AnyJson),
  outputs: z.array(AnyJson),
  fn_name: z.string().nullish(),
});
const Tests = z.union([z.array(One).min(1), Many]);

const FORMS =
  '{"input", "output"} (standard input and output), {"call", "args", "expected"}, or a line such as "assert f(1) == 2" with literals only; ' +
  'or {"inputs", "outputs", "fn_name"} for all tests';

/**
 * Reads `tests` of a task's data.
 * @throws RewardError naming the task and the test: tests that can't be read say nothing about an answer
 */
export function readTests({ id, data }: Task, language: CodeLanguage): CodeTest[] {
  const result = Tests.safeParse(data.tests);
  if (!result.success)
    throw new RewardError(`code-${language}: task ${id} needs tests in its data: a list of ${FORMS}`);
  if (!Array.isArray(result.data)) return fromColumns(id, result.data);
  return result.data.map((test, i) => {
    if (typeof test !== "string") return fromObject(test);
    const parsed = parseAssert(test, language);
    if (!parsed)
      throw new RewardError(
        `code-${language}: task ${id}, test ${i + 1} can't be read: ${test.slice(0, 80)}; a test is ${FORMS}`,
      );
    return { kind: "call", ...parsed };
  });
}

function fromObject(test: Exclude<z.infer<typeof One>, string>): CodeTest {
  if ("input" in test) return { kind: "program", stdin: test.input, expected: test.output };
  return { kind: "call", call: { name: test.call, args: test.args.map(toWire) }, expected: toWire(test.expected) };
}

/** The columns of PRIME and LiveCodeBench: with a function name, an input is the list of its arguments, or a text with one in JSON on each line. */
function fromColumns(id: string, { inputs, outputs, fn_name }: z.infer<typeof Many>): CodeTest[] {
  if (inputs.length === 0 || inputs.length !== outputs.length)
    throw new RewardError(`task ${id}: tests has ${inputs.length} inputs and ${outputs.length} outputs`);
  return inputs.map((input, i) => {
    const output = outputs[i]!;
    if (fn_name) {
      const args =
        typeof input === "string"
          ? input
              .split("\n")
              .filter((line) => line.trim() !== "")
              .map(fromJson)
          : input;
      const expected = typeof output === "string" && typeof input === "string" ? fromJson(output) : output;
      return {
        kind: "call",
        call: { name: fn_name, args: (Array.isArray(args) ? args : [args]).map(toWire) },
        expected: toWire(expected),
      };
    }
    return { kind: "program", stdin: lines(input), expected: lines(output) };
  });
}

/** A text that is no JSON stands for itself. */
function fromJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function lines(value: Json): string {
  return Array.isArray(value) ? value.map(String).join("\n") : String(value);
}
