import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { quickJsRunner } from "../../../src/rewards/code/index.ts";
import { calculate } from "../../../src/rollout/tools/arithmetic.ts";
import { codeTool } from "../../../src/rollout/tools/code.ts";
import {
  CodeToolConfig,
  defineTool,
  openTools,
  type Tool,
  ToolLimits,
  ToolsConfig,
  toolBox,
} from "../../../src/rollout/tools/index.ts";
import { runTool } from "../../../src/rollout/tools/run-tool.ts";
import { ConfigError } from "../../../src/utils/errors.ts";
import { temporaryFolder } from "../../policy/fixtures.ts";

const LIMITS = ToolLimits.parse({});
const double = defineTool({
  name: "double",
  description: "Doubles.",
  parameters: z.strictObject({ number: z.number().describe("any"), times: z.int().default(1) }),
  run: ({ number, times }) => ({ result: number * 2 ** times }),
});

test("calculator: values are exact", () => {
  const cases: Readonly<Record<string, string>> = {
    "1 + 2 * 3": "7",
    "(1 + 2) × 3 ÷ 2": "4.5",
    "0.1 + 0.2": "0.3",
    "-2^2": "-4",
    "2^-1": "0.5",
    "2**3**2": "512",
    "--3 - -3": "6",
    "1/8": "0.125",
    "7/3": "7/3 ≈ 2.33333333333",
    "-7 % 3": "2",
    "1/3 + 1/6 - 1/2": "0",
    "2^100": "1267650600228229401496703205376",
    "2^300": "≈ 2.03703597633e+90",
    "1/7000000000": "1/7000000000 ≈ 1.42857142857e-10",
    "sqrt(9/4)": "1.5",
    "sqrt(2)": "≈ 1.41421356237",
    "max(1, 2.5, 2) + min(4, 3) + abs(-1)": "6.5",
    "floor(-1.5) + ceil(-1.5) + round(2.5)": "0",
    "1.5e3": "1500",
  };
  for (const [expression, value] of Object.entries(cases)) assert.equal(calculate(expression), value, expression);
});

test("calculator: agrees with arithmetic of whole numbers and doubles", () => {
  const number = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(number, number, number, (a, b, c) => {
      assert.equal(calculate(`${a}*(${b}-${c})`), String(BigInt(a) * (BigInt(b) - BigInt(c))));
      const shown = calculate(`${a}/${b + 1}`);
      const close = Number(shown.split("≈").at(-1));
      assert.ok(Math.abs(close - a / (b + 1)) <= 1e-11 * Math.abs(a / (b + 1)), `${shown} for ${a}/${b + 1}`);
    }),
  );
});

test("calculator: what is no expression, or grows beyond bounds, is refused in words and at once", () => {
  const bad: [string, RegExp][] = [
    ["", /ends where a number is due/],
    ["1 +", /ends where a number is due/],
    ["(1", /"\)" is missing before the end/],
    ["1 2", /"2" is not expected here/],
    ["* 2", /a number is missing before "\*"/],
    ["x + 1", /no function "x"/],
    ["constructor(1)", /no function "constructor"/],
    ["1 / (2 - 2)", /division by zero/],
    ["0 ^ -1", /division by zero/],
    ["2 ^ 0.5", /whole number/],
    ["sqrt(-1)", /not real/],
    ["sqrt(1, 2)", /takes one number/],
    ["9^9^9^9", /more than 16384 bits/],
    ["2^9999999999999999999", /more than 16384 bits/],
    [`${"(".repeat(200)}1`, /nested deeper/],
    [`${"2^".repeat(200)}1`, /nested deeper|bits/],
    ["1".repeat(2000), /longer than 1000/],
    ["process.exit()", /no function|no number/],
    ["1; 2", /"; 2" is no number/],
  ];
  for (const [expression, message] of bad) assert.throws(() => calculate(expression), message, expression);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0123456789+-*/%^(),. sqrtmax") }), (text) => {
      try {
        calculate(text);
      } catch (error) {
        assert.ok(error instanceof RangeError, `${text}: ${error}`);
      }
    }),
  );
});

test("runTool: a tool that throws, hangs, floods or returns nothing gives a text", async () => {
  const tool = (run: Tool["run"]): Tool => ({ ...double, run });
  const run = async (of: Tool["run"]): Promise<[string, string]> => {
    const { end, text } = await runTool(tool(of), {}, { deadlineMs: 30, maxChars: 100 });
    return [end, text];
  };
  let signal: AbortSignal | undefined;
  const cases: [Tool["run"], string, string | RegExp][] = [
    [() => "fine", "ok", "fine"],
    [() => ({ a: [1] }), "ok", '{"a":[1]}'],
    [() => undefined, "ok", "Done."],
    [async () => 5, "ok", "5"],
    [
      () => {
        throw new Error("broken");
      },
      "error",
      "Error: broken",
    ],
    [() => Promise.reject("text"), "error", "Error: text"],
    [() => ({ big: 1n }), "error", /BigInt/],
    [
      () => {
        throw new Error("y".repeat(1000));
      },
      "error",
      /^Error: y+\n\[cut: the result has 1007 characters\]$/,
    ],
    [() => "x".repeat(1000), "cut", /^x{100}\n\[cut: the result has 1000 characters\]$/],
    [
      (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      "timeout",
      "Error: double took longer than 30 ms.",
    ],
    [
      (_, context) =>
        new Promise((_resolve, reject) => context.signal.addEventListener("abort", () => reject(new Error("late")))),
      "timeout",
      /longer/,
    ],
  ];
  for (const [of, end, text] of cases) {
    const result = await run(of);
    assert.equal(result[0], end);
    if (typeof text === "string") assert.equal(result[1], text);
    else assert.match(result[1], text);
  }
  assert.equal(signal?.aborted, true);
});

test("defineTool: the schema checks arguments, fills defaults and is shown as JSON schema", () => {
  assert.deepEqual(double.read({ number: 2 }), { value: { number: 2, times: 1 } });
  assert.deepEqual(double.read({ number: "2" }), {
    problem: "number: Invalid input: expected number, received string",
  });
  assert.match(JSON.stringify(double.read({ number: 2, extra: 1 })), /Unrecognized key/);
  assert.deepEqual(double.parameters.required, ["number"]);
  assert.deepEqual((double.parameters.properties as Record<string, unknown>).number, {
    description: "any",
    type: "number",
  });
  assert.throws(
    () => defineTool({ ...double, name: "two words", parameters: z.object({}), run: () => "" }),
    ConfigError,
  );
});

test("toolBox: a turn's calls have typed outcomes, in every format", () => {
  const box = toolBox([double], {
    limits: ToolLimits.parse({ callsPerTurn: 2 }),
    close: async () => {},
    codeLanguage: "python",
  });
  const one = { name: "double", arguments: { number: 1 } };
  const tagged = (...calls: unknown[]): string =>
    calls.map((call) => `<tool_call>\n${JSON.stringify(call)}\n</tool_call>`).join("\n");
  const kinds = (text: string, format: "hermes" | "llama" | "fenced", isCut = false): string => {
    const read = box.read(text, format, isCut);
    return read.kind === "calls" ? read.calls.map(({ kind }) => kind).join() : read.kind;
  };
  const cases: [string, string, string?][] = [
    ["The answer is 4.", "none"],
    [tagged(one), "call"],
    [tagged([one, one]), "call,call"],
    [tagged([]), "none"],
    [`<think>${tagged(one)}</think>No.`, "none"],
    [tagged(one, { name: "duble", arguments: {} }), "call,unknown-tool"],
    [tagged({ name: "double", arguments: { number: "1" } }), "bad-arguments"],
    [tagged({ name: "toString", arguments: {} }), "unknown-tool"],
    [tagged(one, one, one), "malformed"],
    ["<tool_call>double(1)</tool_call>", "malformed"],
    ['<tool_call>{"name": "dou', "malformed", "truncated"],
    [`${tagged(one)}<tool_call>`, "malformed", "truncated"],
    ["<tool_call>nonsense</tool_call>", "malformed", "malformed"],
  ];
  for (const [text, kind, cut = kind] of cases) {
    assert.equal(kinds(text, "hermes"), kind, text);
    assert.equal(kinds(text, "hermes", true), cut, `cut: ${text}`);
  }
  assert.equal(kinds('{"name": "double", "parameters": {"number": 1}}', "llama"), "call");
  assert.equal(kinds('{"name": "double", "parameters": {"nu', "llama", true), "truncated");
  assert.equal(kinds("It is 4.", "llama"), "none");
  assert.equal(kinds(`\`\`\`json\n${JSON.stringify(one)}\n\`\`\``, "fenced"), "call");
  assert.equal(kinds("```python\nprint(1)\n```", "fenced"), "unknown-tool", "this box has a language but no code tool");
  assert.equal(kinds("```python\nprint(1)", "fenced", true), "truncated");
  assert.equal(kinds("```python\nprint(1)", "fenced"), "malformed");
  assert.equal(kinds("```text\nprint(1)\n```", "fenced"), "none");
});

test("code tool: programs run in the sandbox; fenced code is a call", async () => {
  const tool = codeTool(quickJsRunner(), CodeToolConfig.parse({ language: "javascript", timeoutMs: 300, outputKb: 1 }));
  const box = toolBox([tool], { limits: LIMITS, close: async () => {}, codeLanguage: "javascript" });
  const run = async (program: string): Promise<[string, string]> => {
    const read = box.read(`I compute.\n\`\`\`js\n${program}\n\`\`\``, "fenced", false);
    assert.ok(read.kind === "calls" && read.calls[0]!.kind === "call");
    const { end, text } = await box.run(tool, read.calls[0]!.kind === "call" ? read.calls[0]!.value : null);
    return [end, text];
  };
  assert.deepEqual(await run("print(6 * 7)"), ["ok", "42\n"]);
  assert.deepEqual(await run("let a = 1"), ["ok", "The program printed nothing."]);
  assert.deepEqual(await run("print(1); throw new Error('no')"), ["error", "Error: Error: no\nPrinted before: 1\n"]);
  assert.match((await run("for (;;) {}"))[1], /took longer than 300 ms/);
  assert.match((await run("for (;;) print('x'.repeat(100))"))[1], /printed more than 1024 bytes/);
});

test("openTools: built-ins and files of one's own; what is not there is refused", async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  file(
    "tools.ts",
    `import { defineTool, z } from "rlvr/rollout";\nexport default [defineTool({ name: "shout", description: "Shouts.", parameters: z.strictObject({ text: z.string() }), run: ({ text }: { text: string }) => text.toUpperCase() })];\n`,
  );
  file("none.ts", "export default { name: 'shout' };\n");
  file(
    "twice.ts",
    `import { defineTool, z } from "rlvr/rollout";\nexport default defineTool({ name: "calculator", description: "", parameters: z.object({}), run: () => "" });\n`,
  );
  const open = (tools: unknown) => openTools(ToolsConfig.parse(tools), LIMITS, { folder, code: () => quickJsRunner() });
  const box = await open(["calculator", { code: { language: "javascript" } }, { module: "tools.ts" }]);
  assert.deepEqual([...box.tools.keys()], ["calculator", "code", "shout"]);
  assert.equal(box.codeLanguage, "javascript");
  const { text } = await box.run(box.tools.get("shout")!, { text: "hi" });
  assert.equal(text, "HI");
  await box.close();
  for (const [tools, message] of [
    [[{ module: "missing.ts" }], /module missing\.ts could not be loaded/],
    [[{ module: "none.ts" }], /default export of none\.ts must be a tool/],
    [["calculator", { module: "twice.ts" }], /two tools are named calculator/],
  ] as const)
    await assert.rejects(
      open(tools),
      (error) => error instanceof ConfigError && message.test(error.message),
      String(message),
    );
  await assert.rejects(openTools(["code"], LIMITS, { folder }), /needs a sandbox/);
  for (const tools of [[], ["calculater"], [{ code: { lang: "python" } }], [{ mcp: {} }]])
    assert.equal(ToolsConfig.safeParse(tools).success, false);
});
