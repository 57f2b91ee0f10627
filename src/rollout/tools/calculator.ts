import { z } from "zod";
import { calculate } from "./arithmetic.ts";
import { defineTool } from "./tool.ts";

/** Exact arithmetic: the model writes an expression and reads its value. */
export const calculator = defineTool({
  name: "calculator",
  description:
    "Works out an arithmetic expression exactly: + - * / % (remainder), ^ (power), brackets, decimals, abs, sqrt, floor, ceil, round, min, max.",
  parameters: z.strictObject({ expression: z.string().describe("for example (3 + 4.5) * 2^10") }),
  run: ({ expression }) => calculate(expression),
});
