import { EnvError, messageOf } from "../../utils/errors.ts";
import type { Rng } from "../../utils/rng.ts";
import type { EpisodeConfig, SamplingConfig } from "../config.ts";
import type { Counterpart, CounterpartReply } from "../counterpart.ts";
import { idsOf } from "../ledger.ts";
import type {
  Completion,
  Dialogue,
  DialogueMessage,
  EpisodeEnd,
  Insert,
  Segment,
  StopReason,
  Task,
  TurnRecord,
} from "../types.ts";
import { newContext } from "./overflow.ts";

/** What every episode of a rollout shares. */
export interface EpisodeSetting {
  readonly dialogue: Dialogue;
  readonly decode: (ids: readonly number[]) => string;
  readonly episode: EpisodeConfig;
  readonly sampling: Pick<SamplingConfig, "maxTokens">;
  /** Positions of a context. */
  readonly contextTokens: number;
}

/** Where an episode stands: before its start, drawing tokens, with the other side, about to read what came back, over. */
export type Phase = "new" | "drawing" | "waiting" | "ready" | "done";

/** One drawn token. */
export interface DrawnToken {
  readonly id: number;
  readonly logp: number;
  readonly policyLogp: number;
  readonly entropy: number;
}

/** One episode while it goes on. */
export class EpisodeRow {
  readonly task: Task;
  readonly group: number;
  readonly member: number;
  readonly stream: Rng;
  phase: Phase = "new";
  /** Tokens to read before the next one is drawn, and whether they are a whole new context. */
  pending: readonly number[] = [];
  restart = true;
  /** Tokens of the context: those read, and the one drawn last. */
  contextLength = 0;
  readonly #setting: EpisodeSetting;
  readonly #counterpart: Counterpart;
  readonly #tokens: DrawnToken[] = [];
  readonly #turnOf: number[] = [];
  readonly #records: TurnRecord[] = [];
  readonly #states: string[] = [];
  readonly #inserts: Insert[] = [];
  #messages: readonly DialogueMessage[] = [];
  #prompt: readonly Segment[] = [];
  #turnStart = 0;
  #spentMs = 0;
  #resetMs = 0;
  #success = false;
  #end: EpisodeEnd = "error";
  #error: string | null = null;

  constructor(
    place: { readonly task: Task; readonly group: number; readonly member: number; readonly stream: Rng },
    counterpart: Counterpart,
    setting: EpisodeSetting,
  ) {
    this.task = place.task;
    this.group = place.group;
    this.member = place.member;
    this.stream = place.stream;
    this.#counterpart = counterpart;
    this.#setting = setting;
  }

  /** Starts the other side; the episode is ready to read its prompt then, or over. */
  async begin(): Promise<void> {
    const start = await this.#guarded(() => this.#counterpart.start());
    if (!start) return;
    this.#resetMs = start.ms;
    this.#messages = start.messages;
    this.#states.push(start.state ?? "");
    const prompt = await this.#written(() => this.#setting.dialogue.open(start.messages));
    if (!prompt) return;
    this.#prompt = prompt;
    const ids = idsOf(prompt);
    if (ids.length + this.#setting.episode.turnTokens > this.#setting.contextTokens) {
      const { contextTokens } = this.#setting;
      const room = `the ${contextTokens} of the context leave no room for a turn of ${this.#setting.episode.turnTokens}`;
      await this.finish("error", `the opening has ${ids.length} tokens: ${room}`);
      return;
    }
    this.#read(ids, true);
  }

  /** Takes the next token; the turn may end with it, and goes to the other side then. @returns what the other side does, for waiting */
  take(token: DrawnToken): Promise<void> | null {
    this.phase = "drawing";
    this.#tokens.push(token);
    this.#turnOf.push(this.#records.length);
    this.contextLength++;
    const { dialogue, episode, sampling, decode } = this.#setting;
    const ids = this.#turnIds();
    const ended =
      dialogue.turnEndIds.includes(token.id) ||
      (dialogue.turnEndTexts.length > 0 && dialogue.turnEndTexts.some((text) => decode(ids).includes(text)));
    const full = this.#tokens.length >= sampling.maxTokens;
    if (!ended && !full && ids.length < episode.turnTokens) return null;
    this.phase = "waiting";
    return this.#respond(!ended, full);
  }

  /** Ends the episode and gives back what it used. */
  async finish(end: EpisodeEnd, error: string | null = null): Promise<void> {
    if (this.phase === "done") return;
    this.phase = "done";
    this.#end = end;
    this.#error = error;
    await this.#counterpart.finish();
  }

  /** The episode as it is kept. */
  toCompletion(): Completion {
    const { decode } = this.#setting;
    const tokens = this.#tokens;
    const ids = tokens.map(({ id }) => id);
    const promptIds = idsOf(this.#prompt);
    return {
      ...{ task: this.task, group: this.group, member: this.member, promptIds, ids },
      logp: Float32Array.from(tokens, ({ logp }) => logp),
      policyLogp: Float32Array.from(tokens, ({ policyLogp }) => policyLogp),
      entropy: Float32Array.from(tokens, ({ entropy }) => entropy),
      turns: Int32Array.from(this.#turnOf),
      states: this.#states.slice(0, Math.max(1, this.#records.length)),
      ...{ promptSegments: this.#prompt, inserts: this.#inserts },
      text: decode(ids),
      answer: decode(ids.slice(this.#records.at(-1)?.start ?? 0)),
      stop: STOPS[this.#end],
      episode: {
        ...{ turns: this.#records, end: this.#end, success: this.#success, error: this.#error, resetMs: this.#resetMs },
        return: this.#records.reduce((sum, { reward }) => sum + reward, 0),
      },
    };
  }

  #turnIds(): number[] {
    return this.#tokens.slice(this.#turnStart).map(({ id }) => id);
  }

  async #respond(isCut: boolean, isFull: boolean): Promise<void> {
    const { decode, episode } = this.#setting;
    if (isCut && isFull) {
      this.#record(null);
      await this.finish("tokens");
      return;
    }
    const reply = await this.#guarded(() => this.#counterpart.reply({ text: decode(this.#turnIds()), isCut }));
    this.#record(reply);
    if (!reply) return;
    this.#success = reply.success;
    this.#states.push(reply.state ?? "");
    if (reply.isCutOff) await this.finish("tokens");
    else if (reply.done) await this.finish("environment");
    else if (this.#records.length >= episode.maxTurns) await this.finish("turns");
    else if (isFull) await this.finish("tokens");
    else await this.#goOn(reply.messages);
  }

  #record(reply: CounterpartReply | null): void {
    const none = { action: null, observation: "", reward: 0, valid: null, info: {}, ms: 0 };
    const { action, observation, reward, valid, info, ms } = reply ?? none;
    this.#records.push({
      ...{ start: this.#turnStart, end: this.#tokens.length },
      ...{ action, observation, reward, valid, info, ms },
    });
    this.#turnStart = this.#tokens.length;
  }

  /** Lays what came back behind the turn, or begins a new context with it. */
  async #goOn(messages: readonly DialogueMessage[]): Promise<void> {
    const { dialogue, episode, contextTokens } = this.#setting;
    const last = this.#tokens.at(-1)!.id;
    const segments = await this.#written(() => dialogue.bridge(last, messages));
    if (!segments) return;
    const ids = idsOf(segments);
    const at = this.#tokens.length;
    if (this.contextLength + ids.length + episode.turnTokens <= contextTokens) {
      this.#inserts.push({ at, segments });
      this.#read([last, ...ids], false);
      return;
    }
    const context = await this.#written(() =>
      newContext({
        ...{ dialogue, episode, room: contextTokens - episode.turnTokens, messages: this.#messages },
        ...{ records: this.#records, inserts: this.#inserts, bridge: segments, ids: this.#tokens.map(({ id }) => id) },
      }),
    );
    if (!context) {
      await this.finish("context");
      return;
    }
    this.#inserts.push({ at, segments: context, restart: true, bridge: segments });
    this.#read(idsOf(context), true);
  }

  #read(pending: readonly number[], restart: boolean): void {
    this.pending = pending;
    this.restart = restart;
    this.contextLength = restart ? pending.length : this.contextLength + pending.length - 1; // the last drawn token counts already
    this.phase = "ready";
  }

  /** Tokens of messages; a text that the model can't read ends the episode as an error. */
  async #written<T>(write: () => T): Promise<T | null> {
    try {
      return write();
    } catch (error) {
      const where = `${this.task.id}, turn ${this.#records.length + 1}`;
      await this.finish("error", `${where}: the model can't read what came back: ${messageOf(error)}`);
      return null;
    }
  }

  /** Runs a call of the other side within what is left of the episode's time. A fault ends the episode, with its record; never the rollout. */
  async #guarded<T>(call: () => Promise<T>): Promise<T | null> {
    const { deadlineSeconds } = this.#setting.episode;
    const clock = performance.now();
    try {
      return await within(call(), deadlineSeconds * 1000 - this.#spentMs);
    } catch (error) {
      const late = error instanceof LateError;
      const text = late ? `no answer within the ${deadlineSeconds} s of the episode` : messageOf(error);
      await this.finish(late ? "deadline" : "error", text);
      return null;
    } finally {
      this.#spentMs += performance.now() - clock;
    }
  }
}

const STOPS: Readonly<Record<EpisodeEnd, StopReason>> = {
  environment: "environment",
  turns: "budget",
  tokens: "length",
  context: "budget",
  deadline: "error",
  error: "error",
};

class LateError extends EnvError {}

async function within<T>(pending: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError("late")), Math.max(0, ms));
  });
  try {
    return await Promise.race([pending, late]);
  } finally {
    clearTimeout(timer);
    pending.catch(() => {}); // what comes too late is of no use
  }
}
