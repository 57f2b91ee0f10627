import { canonicalJson, sha256 } from "../../utils/hash.ts";
import { failed } from "../pool/verdict-check.ts";
import type { Reward, RewardDef, RewardUsage, Scorable, Verdict } from "../types.ts";
import { judgeCache } from "./cache.ts";
import { judgeClient } from "./client.ts";
import { JudgeOptions } from "./options.ts";
import { checkTemplate, judgeMessages } from "./prompt.ts";
import { readVerdict } from "./reply.ts";

/**
 * Asks a model at an OpenAI-compatible endpoint whether the answer is right. Verdicts are kept by content, so that a run that is resumed gives the same
 * bytes; two equal answers under way make one request. A reply that can't be read, and a server that fails, are an `error`, never a score. A model can be
 * talked into a verdict: fences make it harder, not impossible.
 */
export const llmJudge: RewardDef<typeof JudgeOptions> = {
  name: "llm-judge",
  options: JudgeOptions,
  runs: () => "main", // it waits for a server; each request has its deadline
  create: (options): Reward => {
    checkTemplate(options.prompt);
    const judge = new Judge(options);
    return {
      name: "llm-judge",
      isBounded: true,
      score: (completion) => judge.score(completion),
      usage: () => judge.usage(),
    };
  },
};

class Judge {
  readonly #options: JudgeOptions;
  readonly #client;
  readonly #cache;
  readonly #pending = new Map<string, Promise<Verdict>>();
  readonly #count = { cached: 0, promptTokens: 0, completionTokens: 0 };

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#client = judgeClient(options);
    this.#cache = options.cache === null ? null : judgeCache(options.cache);
  }

  usage(): RewardUsage {
    return { requests: this.#client.requests(), ...this.#count };
  }

  async score(completion: Scorable): Promise<Verdict> {
    const messages = judgeMessages(completion, this.#options);
    const { url, model, temperature, maxTokens, verdict, passFrom } = this.#options;
    const key = sha256(canonicalJson({ messages, url, model, temperature, maxTokens, verdict, passFrom }));
    const pending = this.#pending.get(key);
    if (pending) return pending;
    const known = this.#cache?.get(key);
    if (known) {
      this.#count.cached++;
      return known.verdict;
    }
    const asked = this.#ask(key, messages).finally(() => this.#pending.delete(key));
    this.#pending.set(key, asked);
    return asked;
  }

  async #ask(key: string, messages: ReturnType<typeof judgeMessages>): Promise<Verdict> {
    const reply = await this.#client.ask(messages);
    if (reply.kind === "timeout") return { outcome: "timeout", score: 0, reason: reply.reason };
    if (reply.kind === "error") return failed(reply.reason);
    const { text, tokens } = reply;
    this.#count.promptTokens += tokens.prompt;
    this.#count.completionTokens += tokens.completion;
    const verdict = readVerdict(text, this.#options);
    const { outcome, score, reason } = verdict;
    if (outcome === "correct" || outcome === "wrong")
      this.#cache?.put(key, { model: this.#options.model, verdict: { outcome, score, reason }, reply: text, tokens });
    return verdict;
  }
}
