import type { Drawn, Policy } from "../../policy/index.ts";
import type { Rng } from "../../utils/rng.ts";
import type { EpisodeConfig, SamplingConfig } from "../config.ts";
import type { Counterpart } from "../counterpart.ts";
import type { GenerateRequest, GenerateStats, Sampler } from "../generate.ts";
import type { Completion, Dialogue, Task } from "../types.ts";
import { EpisodeRow } from "./row.ts";

/** Options of {@link runEpisodes}. */
export interface EpisodeOptions {
  readonly sampling: SamplingConfig;
  readonly episode: EpisodeConfig;
  /** Episodes that go on at once. */
  readonly batchSize: number;
  /** Each episode draws from its own stream, forked by task, group and member. */
  readonly rng: Rng;
  readonly dialogue: Dialogue;
  /** Makes the other side of one episode. */
  readonly counterpart: (task: Task) => Counterpart;
}

const COMPACT_BELOW = 0.8; // drop finished rows when fewer than this share goes on
/** While at least this share draws tokens, those who wait for the other side, wait: reading is done for many at once. */
const DRAW_ABOVE = 0.5;

/**
 * Plays an episode for every completion of every request, many at once, and each in its own time: a turn that ended goes to the other side while the others
 * draw on; what comes back is read behind the cached past, so that no token is computed twice. When an episode ends, the next one takes its place.
 * What runs when depends on the tokens alone, never on how fast the other side answers.
 */
export async function runEpisodes(
  sampler: Sampler,
  requests: readonly GenerateRequest[],
  options: EpisodeOptions,
): Promise<{ completions: Completion[]; stats: GenerateStats }> {
  const contextTokens = Math.min(
    options.episode.contextTokens ?? sampler.policy.config.maxPositions,
    sampler.policy.config.maxPositions,
  );
  const { dialogue, episode, sampling } = options;
  const decode = (ids: readonly number[]): string => sampler.tokenizer.decode(ids, { skipSpecial: true });
  const setting = { dialogue, decode, episode, sampling, contextTokens };
  const rows = requests.flatMap(({ task, group, count }) =>
    Array.from({ length: count }, (_, member) => {
      const stream = options.rng.fork(task.id, group, member);
      return new EpisodeRow({ task, group, member, stream }, options.counterpart(task), setting);
    }),
  );
  const stage = new Stage(sampler.policy, rows, options, contextTokens);
  try {
    await stage.run();
  } finally {
    await Promise.all(rows.map((row) => row.finish("error", "the rollout was ended")));
  }
  return { completions: rows.map((row) => row.toCompletion()), stats: stage.stats };
}

/** The episodes that go on at once, one a row of the decoder. */
class Stage {
  readonly stats: GenerateStats = {
    ...{ promptTokens: 0, promptTokensComputed: 0, slotSteps: 0, liveSteps: 0, prefillSeconds: 0, decodeSeconds: 0 },
  };
  private readonly policy: Policy;
  private readonly options: EpisodeOptions;
  private readonly contextTokens: number;
  private readonly queue: EpisodeRow[];
  private slots: EpisodeRow[] = [];
  private replies: Promise<void>[] = [];

  constructor(policy: Policy, rows: readonly EpisodeRow[], options: EpisodeOptions, contextTokens: number) {
    this.policy = policy;
    this.options = options;
    this.contextTokens = contextTokens;
    this.queue = [...rows];
  }

  async run(): Promise<void> {
    while (this.queue.length > 0) {
      const first = await this.begin(this.options.batchSize);
      if (first.length === 0) continue;
      this.slots = first;
      await this.open();
      while (this.slots.some(({ phase }) => phase !== "done") || this.queue.length > 0) await this.turn();
      await this.policy.decodeEnd();
    }
  }

  /** Starts the next episodes; those that can't begin are over, and others are tried in their places. */
  private async begin(count: number): Promise<EpisodeRow[]> {
    const begun: EpisodeRow[] = [];
    while (begun.length < count && this.queue.length > 0) {
      const some = this.queue.splice(0, count - begun.length);
      await Promise.all(some.map((row) => row.begin()));
      begun.push(...some.filter(({ phase }) => phase === "ready"));
    }
    return begun;
  }

  /** Reads the openings; neighbours with the same one share its computation. */
  private async open(): Promise<void> {
    const prompts: (readonly number[])[] = [];
    const repeats: number[] = [];
    for (const { pending } of this.slots) {
      const last = prompts.at(-1);
      if (last && last.length === pending.length && last.every((id, i) => id === pending[i]))
        repeats[repeats.length - 1]!++;
      else {
        prompts.push(pending);
        repeats.push(1);
      }
    }
    const { temperature, topK, topP, minP } = this.options.sampling;
    const longest = Math.max(...prompts.map(({ length }) => length));
    const computed = prompts.reduce((sum, { length }) => sum + length, 0);
    const maxTokens = this.contextTokens - longest + 1;
    const start = { prompts, repeats, temperature, topK, topP, minP, maxTokens, uniforms: uniformsOf(this.slots) };
    this.take(this.slots, await this.read(computed, this.slots, () => this.policy.decodeStart(start)));
  }

  /** One token for all who draw, or what has come back for all who don't. */
  private async turn(): Promise<void> {
    const drawing = this.slots.filter(({ phase }) => phase === "drawing");
    // counted as they were sent: who has answered by now must not decide what runs
    const away = this.replies.length;
    if (drawing.length > 0 && drawing.length >= DRAW_ABOVE * (drawing.length + away)) {
      await this.draw(drawing);
      return;
    }
    await Promise.all(this.replies.splice(0));
    await this.refill();
    await this.extend(this.slots.filter(({ phase, restart }) => phase === "ready" && !restart));
    await this.extend(this.slots.filter(({ phase, restart }) => phase === "ready" && restart));
  }

  private async draw(drawing: readonly EpisodeRow[]): Promise<void> {
    const clock = performance.now();
    const active = Uint8Array.from(this.slots, ({ phase }) => (phase === "drawing" ? 1 : 0));
    const drawn = await this.policy.decodeStep(uniformsOf(this.slots, active), active);
    this.stats.decodeSeconds += (performance.now() - clock) / 1000;
    this.stats.slotSteps += this.slots.length;
    this.stats.liveSteps += drawing.length;
    this.take(this.slots, drawn, active);
  }

  /** New episodes take the places of those that are over; without new ones, places go. */
  private async refill(): Promise<void> {
    const free = this.slots.flatMap(({ phase }, i) => (phase === "done" ? [i] : []));
    const next = this.queue.length > 0 ? await this.begin(free.length) : [];
    for (const [i, row] of next.entries()) this.slots[free[i]!] = row;
    const kept = this.slots.flatMap(({ phase }, i) => (phase === "done" ? [] : [i]));
    if (this.queue.length > 0 || kept.length === 0 || kept.length >= COMPACT_BELOW * this.slots.length) return;
    await this.policy.decodeKeep(kept);
    this.slots = kept.map((i) => this.slots[i]!);
  }

  private async extend(rows: readonly EpisodeRow[]): Promise<void> {
    if (rows.length === 0) return;
    const computed = rows.reduce((sum, { pending, restart }) => sum + pending.length - (restart ? 0 : 1), 0);
    const extend = {
      rows: rows.map((row) => this.slots.indexOf(row)),
      tokens: rows.map(({ pending }) => pending),
      uniforms: uniformsOf(rows),
      restart: rows[0]!.restart,
    };
    this.take(rows, await this.read(computed, rows, () => this.policy.decodeExtend(extend)));
  }

  /** Times a reading and counts its tokens: those computed, and those that the contexts have. */
  private async read(computed: number, rows: readonly EpisodeRow[], work: () => Promise<Drawn>): Promise<Drawn> {
    const clock = performance.now();
    const drawn = await work();
    this.stats.prefillSeconds += (performance.now() - clock) / 1000;
    this.stats.promptTokensComputed += computed;
    this.stats.promptTokens += rows.reduce((sum, { contextLength }) => sum + contextLength, 0);
    return drawn;
  }

  private take(rows: readonly EpisodeRow[], drawn: Drawn, active?: Uint8Array): void {
    rows.forEach((row, i) => {
      if (active && !active[i]) return;
      const reply = row.take({
        ...{ id: drawn.ids[i]!, logp: drawn.logp[i]! },
        ...{ policyLogp: drawn.policyLogp[i]!, entropy: drawn.entropy[i]! },
      });
      if (!reply) return;
      reply.catch(() => {}); // thrown where it is waited for
      this.replies.push(reply);
    });
  }
}

function uniformsOf(rows: readonly EpisodeRow[], active?: Uint8Array): Float32Array {
  return Float32Array.from(rows, (row, i) => (!active || active[i] ? row.stream.uniform() : 0.5));
}
