import type { Tokenizer } from "../../policy/index.ts";
import { ConfigError } from "../../utils/errors.ts";
import type { Dialogue, DialogueMessage, Segment } from "../types.ts";
import type { PlainConfig } from "./config.ts";
import { encodePieces, joined, type Piece, provenanceOf, trustOf } from "./pieces.ts";

/**
 * Turns of a model without a chat template: messages as the options write them, then the prompt; the policy's turn ends with `turnEnd`.
 * @throws ConfigError when `turnEnd` is not one token, or the model cannot express the texts around the messages
 */
export function plainDialogue(tokenizer: Tokenizer, config: PlainConfig): Dialogue {
  const encode = (text: string, option: string): number[] => {
    try {
      return tokenizer.encode(text);
    } catch (error) {
      throw new ConfigError(`dialogue.plain.${option} ${JSON.stringify(text)} cannot be written by this model`, {
        cause: error,
      });
    }
  };
  const end = encode(config.turnEnd, "turnEnd");
  if (end.length !== 1)
    throw new ConfigError(
      `dialogue.plain.turnEnd ${JSON.stringify(config.turnEnd)} must be one token of the model, it is ${end.length}; take another text`,
    );
  for (const option of ["start", "prompt", "system", "user", "observation", "tool"] as const)
    encode(config[option].replace("{text}", ""), option);
  const endId = end[0]!;
  const prompt = template(config.prompt);
  return {
    open: (messages) =>
      encodePieces(tokenizer, [
        template(config.start),
        ...messages.flatMap((message) => write(message, config)),
        prompt,
      ]),
    bridge(last, messages) {
      const rest = encodePieces(tokenizer, [...messages.flatMap((message) => write(message, config)), prompt]);
      const close: Segment = { provenance: "template", ids: [endId] };
      return tokenizer.decode([last]).endsWith(config.turnEnd) ? rest : joined([close, ...rest]);
    },
    turnEndIds: [endId, ...tokenizer.eosIds.filter((id) => id !== endId)],
    turnEndTexts: isAlsoWithin(tokenizer, config.turnEnd, endId) ? [config.turnEnd] : [],
  };
}

function write(message: DialogueMessage, config: PlainConfig): Piece[] {
  const provenance = provenanceOf(message);
  const format = {
    ...{ system: config.system, user: config.user, environment: config.observation, tool: config.tool },
    ...{ template: "{text}", history: "{text}" },
  }[provenance];
  const at = format.indexOf("{text}");
  return [
    template(format.slice(0, at)),
    { text: message.content, provenance, trust: trustOf(message) },
    template(format.slice(at + "{text}".length)),
  ];
}

function template(text: string): Piece {
  return { text, provenance: "template", trust: "all" };
}

/** Whether another token holds the text that ends a turn. */
function isAlsoWithin(tokenizer: Tokenizer, text: string, id: number): boolean {
  for (let other = 0; other < tokenizer.vocabSize; other++) {
    if (other !== id && tokenizer.decode([other]).includes(text)) return true;
  }
  return false;
}
