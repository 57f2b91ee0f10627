import { z } from "zod";
import type { Json, Task } from "../../rollout/types.ts";
import { RewardError } from "../../utils/errors.ts";
import { parseAssert } from "./asserts.ts";
import type { CodeLanguage, FunctionCall, Wire } from "./types.ts";
import { toWire } from "./values.ts";

/** One test of a candidate: what goes into the sandbox, and what is compared outside. */
export type CodeTest =
  | { readonly kind: "program"; readonly stdin: string; readonly expected: string }
  | { readonly kind: "call"; readonly call: FunctionCall; readonly expected: Wire; readonly or?: Wire };

const AnyJson = z.json() as z.ZodType<Json>;
const InputOutput = z.strictObject({ input: z.string(), output: z.string() });
const Call = z.strictObject({ call: z.string().min(1), args: z.array(AnyJson), expected: AnyJson });
const Columns = z.object({ inputs: z.array(AnyJson).min(1), outputs: z.array(AnyJson), fn_name: z.string().nullish() });

const FORMS =
  '{"input", "output"} (standard input and output), {"call", "args", "expected"}, or a line such as "assert f(1) == 2" with literals only; ' +
  'or {"inputs", "outputs", "fn_name"} for all tests';

/**
 * Reads `tests` of a task's data: a list, or columns as in PRIME, APPS and LiveCodeBench.
 * @throws RewardError naming the task and the field: tests that can't be read say nothing about an answer
 */
export function readTests({ id, data }: Task, language: CodeLanguage): CodeTest[] {
  const { tests } = data;
  const refuse: Refuse = (field, problem) =>
    new RewardError(`code-${language}: task ${id}, data.tests${field}: ${problem}`);
  if (Array.isArray(tests)) {
    if (tests.length === 0) throw refuse("", `there are none; a test is ${FORMS}`);
    return tests.map((test, i) => readOne(test, language, (field, problem) => refuse(`[${i}]${field}`, problem)));
  }
  if (typeof tests !== "object" || tests === null) throw refuse("", `needs a list of ${FORMS}, got ${short(tests)}`);
  return fromColumns(checked(Columns, tests, refuse), refuse);
}

type Refuse = (field: string, problem: string) => RewardError;

function readOne(test: Json, language: CodeLanguage, refuse: Refuse): CodeTest {
  if (typeof test === "string") {
    const parsed = parseAssert(test, language);
    if (!parsed) throw refuse("", `can't be read: ${short(test)}; a test is ${FORMS}`);
    return { kind: "call", ...parsed };
  }
  if (typeof test !== "object" || test === null || Array.isArray(test))
    throw refuse("", `a test is ${FORMS}, got ${short(test)}`);
  if ("call" in test) {
    const { call, args, expected } = checked(Call, test, refuse);
    return { kind: "call", call: { name: call, args: args.map(toWire) }, expected: toWire(expected) };
  }
  const { input, output } = checked(InputOutput, test, refuse);
  return { kind: "program", stdin: input, expected: output };
}

/** @throws what `refuse` makes of the first problem */
function checked<T>(schema: z.ZodType<T>, value: Json, refuse: Refuse): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = (issue?.path ?? []).map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  throw refuse(field, `${issue?.message ?? "can't be read"}, got ${short(value)}; a test is ${FORMS}`);
}

/**
 * With a function name, an input is the list of its arguments, or a text with one in JSON on each line; without it, an input is a text or its
 * lines. Where every expected value stands in a list of its own, as in APPS, the value in it counts too.
 */
function fromColumns({ inputs, outputs, fn_name }: z.infer<typeof Columns>, refuse: Refuse): CodeTest[] {
  if (inputs.length !== outputs.length)
    throw refuse("", `there are ${inputs.length} inputs and ${outputs.length} outputs`);
  const isWrapped = outputs.every((output) => Array.isArray(output) && output.length === 1);
  return inputs.map((input, i): CodeTest => {
    const output = outputs[i]!;
    if (!fn_name)
      return {
        kind: "program",
        stdin: lines(input, (problem) => refuse(`.inputs[${i}]`, problem)),
        expected: lines(output, (problem) => refuse(`.outputs[${i}]`, problem)),
      };
    const isText = typeof input === "string";
    const args = isText ? argumentsIn(input) : Array.isArray(input) ? input : [input];
    const expected = isText && typeof output === "string" ? fromJson(output) : output;
    const inner = isWrapped ? { or: toWire((output as Json[])[0]!) } : {};
    return {
      kind: "call",
      call: { name: fn_name, args: args.map(toWire) },
      expected: toWire(expected),
      ...inner,
    };
  });
}

function argumentsIn(text: string): Json[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(fromJson);
}

/** A text that is no JSON stands for itself. */
function fromJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function lines(value: Json, refuse: (problem: string) => RewardError): string {
  const parts = Array.isArray(value) ? value : [value];
  const odd = parts.find((part) => typeof part !== "string" && typeof part !== "number");
  if (odd !== undefined) throw refuse(`needs a text or its lines without "fn_name", got ${short(value)}`);
  return parts.join("\n");
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
