import { z } from "zod";
import { readCalls, readTools, type ToolList } from "../rollout/tools/index.ts";
import { ConfigError, RewardError } from "../utils/errors.ts";
import { nearest } from "../utils/nearest.ts";
import { onceFor } from "./once-for.ts";
import type { Reward, RewardDef } from "./types.ts";
import { correct, wrong } from "./verdicts.ts";

const Options = z.strictObject({
  form: z
    .enum(["any", "hermes", "llama", "fenced"])
    .default("any")
    .describe(
      'hermes (Qwen, too): <tool_call>{"name", "arguments"}</tool_call>; llama: the answer is {"name", "parameters"}, several with semicolons; ' +
        "fenced: blocks of JSON; any: the form whose mark is there",
    ),
  tools: z
    .array(z.record(z.string(), z.json()))
    .min(1)
    .nullable()
    .default(null)
    .describe("tools as in a chat request, with name and parameters (JSON schema); null = the task's own, data.tools"),
  calls: z.enum(["one", "some", "any"]).default("some").describe("exactly one, at least one, or also none"),
});

/** For one answer: only a pattern that backtracks needs as much. */
const DEADLINE_MS = 2000;
/** Of the calls, for the samples, characters. */
const MAX_SHOWN = 500;
/** Lists of tools of tasks that are kept ready. */
const MAX_KEPT = 64;

/**
 * Are the tool calls of the answer valid: well-formed, each to a tool that there is, with arguments that satisfy its schema? Whether it was wise to make
 * them is not judged. It runs in a thread that can be killed, since a schema's `pattern` may backtrack without end.
 */
export const toolCallReward: RewardDef<typeof Options> = {
  name: "tool-call",
  options: Options,
  deadlineMs: () => DEADLINE_MS,
  create: ({ form, tools, calls }): Reward => {
    const own = tools === null ? null : listOf(tools, (text) => new ConfigError(`tool-call: tools ${text}`));
    const ofTask = onceFor(MAX_KEPT, toolsOfTask);
    return {
      name: "tool-call",
      score({ task, text }) {
        const known = own ?? ofTask(task.data.tools, task.id);
        const read = readCalls(text, form);
        if ("problem" in read) return wrong(`the answer ${read.problem}`);
        const shown = JSON.stringify(read.calls).slice(0, MAX_SHOWN);
        const count = read.calls.length;
        if (count === 0) return calls === "any" ? correct("makes no call", shown) : wrong("the answer makes no call");
        if (calls === "one" && count > 1) return wrong(`the answer makes ${count} calls, one is wanted`, shown);
        for (const call of read.calls) {
          const check = known.get(call.name);
          if (!check) return wrong(noTool(call.name.slice(0, 80), known), shown);
          const problem = check(call.arguments);
          if (problem) return wrong(`arguments of ${call.name}, ${problem}`, shown);
        }
        return correct(`${count === 1 ? "the call is" : `all ${count} calls are`} valid`, shown);
      },
    };
  },
};

function noTool(name: string, tools: ToolList): string {
  const near = nearest(name, [...tools.keys()]);
  return `there is no tool ${JSON.stringify(name)}${near ? `; there is ${near}` : ""}`;
}

function listOf(tools: unknown, error: (text: string) => Error): ToolList {
  const read = readTools(tools);
  if ("problem" in read) throw error(read.problem);
  return read.tools;
}

function toolsOfTask(tools: unknown, id: string): ToolList {
  if (tools === undefined)
    throw new RewardError(`tool-call: task ${id} has no data.tools; give the reward a list of its own`);
  return listOf(tools, (text) => new RewardError(`tool-call: data.tools of task ${id} ${text}`));
}
