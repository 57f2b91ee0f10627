import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import type { Learner } from "../policy/index.ts";
import type { Completion, Message } from "../rollout/index.ts";
import { latestModel } from "../run/folder.ts";
import { atLeastZero, type MachineOptions, wholeNumber, withExample, withMachine } from "./options.ts";
import { columns, result, tell } from "./output.ts";

interface Options extends MachineOptions {
  readonly samples: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: number;
  readonly raw?: boolean;
  /** Absent: for a prompt on the command line, not in a chat. */
  readonly tokens?: boolean;
  readonly json?: boolean;
}

/** `rlvr sample MODEL [PROMPT]` */
export function sampleCommand(): Command {
  const command = new Command("sample")
    .description(
      "Sample text from a model, with the log-probability and entropy of every token; a chat when no prompt is given.",
    )
    .argument("<model>", "shipped name, ORG/NAME, folder, .gguf file, adapter, checkpoint or run folder")
    .argument("[prompt]", "what to complete or to answer")
    .option("-n, --samples <n>", "completions", wholeNumber(1), 1)
    .option("--max-tokens <n>", "tokens a completion", wholeNumber(1), 256)
    .option("--temperature <t>", "0 takes the most probable token", atLeastZero, 1)
    .option("--seed <n>", "seed of the draws", wholeNumber(0), 1)
    .option("--raw", "complete the prompt as it is, without the model's chat template")
    .option("--tokens", "in a chat too, show each token with its log-probability and entropy")
    .option("--no-tokens", "the text alone");
  withExample(withMachine(command), 'rlvr sample seedling "3,7,4>25:" --samples 4');
  return command.action(run);
}

async function run(model: string, prompt: string | undefined, options: Options): Promise<void> {
  const { openLearner } = await import("../policy/index.ts");
  const learner = await openLearner({
    model: latestModel(model),
    adapter: { kind: "none" },
    seed: options.seed,
    threads: options.threads,
  });
  try {
    if (prompt === undefined) await chat(learner, options);
    else {
      const messages: Message[] = [{ role: "user", content: prompt }];
      const completions = await complete(
        learner,
        options.raw || !learner.tokenizer.hasChatTemplate ? prompt : messages,
        options,
        0,
      );
      result(options.json, { prompt, completions: completions.map((c) => describe(learner, c)) }, () =>
        completions
          .map((completion) => (options.tokens === false ? completion.text : withTable(learner, completion)))
          .join("\n\n"),
      );
    }
  } finally {
    await learner.close();
  }
}

async function complete(
  learner: Learner,
  prompt: string | Message[],
  options: Options,
  turn: number,
): Promise<Completion[]> {
  const [{ generate, promptIds }, { createRng }] = await Promise.all([
    import("../rollout/index.ts"),
    import("../utils/rng.ts"),
  ]);
  const { temperature, samples } = options;
  const task = { id: `prompt-${turn}`, set: "prompt", prompt, answer: null, data: {} };
  const room = learner.config.maxPositions - promptIds(learner.tokenizer, task).length;
  const maxTokens = Math.max(1, Math.min(options.maxTokens, room)); // up to the end of the model's context
  const { completions } = await generate(learner, [{ task, group: 0, count: samples }], {
    sampling: { temperature, topK: 0, topP: 1, minP: 0, maxTokens, stop: [] },
    batchSize: 32,
    rng: createRng(options.seed).fork("sample"),
  });
  return completions;
}

/** Reads lines until the end of the input; keeps the conversation when the model has a chat template. */
async function chat(learner: Learner, options: Options): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const history: Message[] = [];
  const asChat = !options.raw && learner.tokenizer.hasChatTemplate;
  tell(asChat ? "a chat: end with Ctrl-D" : "each line is a prompt: end with Ctrl-D");
  terminal.setPrompt("> ");
  terminal.prompt();
  let turn = 0;
  for await (const line of terminal) {
    if (line.trim() !== "") {
      history.push({ role: "user", content: line });
      const completions = await complete(learner, asChat ? history : line, options, turn++);
      history.push({ role: "assistant", content: completions[0]!.text });
      for (const completion of completions)
        result(options.json, describe(learner, completion), () =>
          options.tokens ? withTable(learner, completion) : completion.text,
        );
    }
    terminal.prompt();
  }
}

function describe({ tokenizer }: Learner, { text, stop, ids, logp, entropy }: Completion): object {
  return {
    text,
    stop,
    tokens: ids.map((id, i) => ({ id, text: tokenizer.decode([id]), logp: logp[i], entropy: entropy[i] })),
  };
}

function withTable({ tokenizer }: Learner, { text, ids, logp, entropy, stop }: Completion): string {
  const rows = ids.map((id, i) => [
    String(id),
    JSON.stringify(tokenizer.decode([id])),
    logp[i]!.toFixed(4),
    entropy[i]!.toFixed(4),
  ]);
  return `${text}\n\n${columns([["id", "token", "log-prob", "entropy"], ...rows])}\nended by ${stop}`;
}
