import type { Tokenizer } from "../../policy/index.ts";
import type { DialogueMessage } from "../types.ts";
import type { ToolFormat } from "./config.ts";
import type { ToolDefinition } from "./tool.ts";
import type { ToolBox } from "./toolbox.ts";

/** How a model sees its tools and their results. */
export interface ToolTexts {
  readonly format: ToolFormat;
  /** Variables of the chat template that show the tools: `tools`, or none. */
  readonly variables: { readonly tools?: readonly ToolDefinition[] };
  /** What is added to the system message where the template does not show them; else null. */
  readonly system: string | null;
  /** The messages that carry the results of one turn. */
  results(results: readonly { readonly name: string; readonly text: string }[]): DialogueMessage[];
}

/**
 * Chooses how tools are shown: by the model's chat template where it takes tools, since the model was trained on that; else in words of ours in the
 * system message, with results in a message of the user's.
 */
export function toolTexts(tokenizer: Tokenizer, box: ToolBox, format: ToolFormat): ToolTexts {
  if (format !== "fenced" && templateTakesTools(tokenizer))
    return {
      format,
      variables: { tools: box.definitions },
      system: null,
      results: (results) => results.map(({ text }) => ({ role: "tool", content: text })),
    };
  const say = { hermes: hermesWords, llama: llamaWords, fenced: fencedWords }[format];
  return {
    format,
    variables: {},
    system: say(box),
    results: (results) => [
      { role: "user", from: "tool", content: results.map((result) => WRAP[format](result)).join("\n") },
    ],
  };
}

/** Whether the chat template writes the tools that it is given. */
export function templateTakesTools(tokenizer: Tokenizer): boolean {
  if (!tokenizer.hasChatTemplate) return false;
  const name = "a_tool_that_is_looked_for";
  const tool: ToolDefinition = {
    type: "function",
    function: { name, description: name, parameters: { type: "object", properties: {} } },
  };
  try {
    const text = tokenizer.renderChat([{ role: "user", content: "u" }], {
      addGenerationPrompt: true,
      variables: { tools: [tool] },
    });
    return text.includes(name);
  } catch {
    return false; // it can't print them
  }
}

type Result = { readonly name: string; readonly text: string };

/** A result can't close what it stands in. */
const WRAP: Readonly<Record<ToolFormat, (result: Result) => string>> = {
  hermes: ({ text }) =>
    `<tool_response>\n${text.replaceAll("</tool_response>", "<\\/tool_response>")}\n</tool_response>`,
  llama: ({ name, text }) => `${name} returned:\n${text}`,
  fenced: ({ text }) => `\`\`\`output\n${text.replaceAll("```", "'''")}\n\`\`\``,
};

const LAST = "When you have the answer, write it without calling a function.";

function hermesWords(box: ToolBox): string {
  return [
    "# Tools",
    "",
    "You can call functions. Each line between the tags describes one:",
    `<tools>\n${listOf(box)}\n</tools>`,
    "",
    "To call one, write its name and arguments as a JSON object between tags, several calls one after the other:",
    '<tool_call>\n{"name": "the name", "arguments": {"an argument": "its value"}}\n</tool_call>',
    "",
    LAST,
  ].join("\n");
}

function llamaWords(box: ToolBox): string {
  return [
    "You can call functions. Each line describes one:",
    listOf(box),
    "",
    'To call one, answer with nothing but a JSON object, {"name": "the name", "parameters": {"an argument": "its value"}}; put ; between several calls.',
    LAST,
  ].join("\n");
}

function fencedWords(box: ToolBox): string {
  const { codeLanguage } = box;
  const isCode = codeLanguage !== null;
  const others = box.definitions.filter((tool) => !(isCode && tool.function.name === "code"));
  const code = [
    `A block marked ${codeLanguage} is run, and what it prints comes back:`,
    `\`\`\`${codeLanguage}\nprint(1)\n\`\`\``,
  ];
  const json = [
    "You can call functions. Each line describes one:",
    others.map((tool) => spaced(tool.function)).join("\n"),
    "",
    "To call one, write a block of JSON:",
    '```json\n{"name": "the name", "arguments": {"an argument": "its value"}}\n```',
  ];
  return [...(isCode ? code : []), ...(others.length > 0 ? json : []), LAST].join("\n");
}

function listOf({ definitions }: ToolBox): string {
  return definitions.map(spaced).join("\n");
}

/** JSON on one line with a space after each comma and colon, as the models' own templates print it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}: ${spaced(inner)}`).join(", ")}}`;
}
