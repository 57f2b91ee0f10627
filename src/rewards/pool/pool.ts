import { decideThreads } from "../../utils/threads.ts";
import type { Scorable, Verdict } from "../types.ts";
import { Lanes } from "./lanes.ts";
import { type ThreadLimits, VerifierThread } from "./thread.ts";
import type { PoolOptions, PoolStats, TimedVerdict, VerifierPool, VerifierSource } from "./types.ts";
import { failed } from "./verdict-check.ts";

/** Makes a pool. Threads start with the first answers; idle ones never keep the process alive. */
export function openPool(options: PoolOptions = {}): VerifierPool {
  const { lanes = decideThreads().verifiers, hanging = 6, memoryMb = 256, growthMb = 1024, startMs = 60_000 } = options;
  return new ThreadPool({ lanes, hanging }, { memoryMb, growthMb, startMs });
}

class ThreadPool implements VerifierPool {
  readonly #lanes: Lanes;
  readonly #laneCount: number;
  readonly #limits: ThreadLimits;
  readonly #all = new Set<VerifierThread>();
  readonly #idle: VerifierThread[] = [];
  readonly #count = { answers: 0, timeouts: 0, errors: 0, threadsStarted: 0, threadsKilled: 0 };
  readonly #time = { ms: 0, maxMs: 0, waitMs: 0, busyMs: 0, busySince: 0 };
  #nextId = 0;
  /** A thread kept ready beside the lanes, once an answer has hung. */
  #spare = 0;
  #isClosed = false;

  constructor(lanes: { lanes: number; hanging: number }, limits: ThreadLimits) {
    this.#lanes = new Lanes(lanes);
    this.#laneCount = lanes.lanes;
    this.#limits = limits;
  }

  async score(source: VerifierSource, completion: Scorable, deadlineMs: number): Promise<TimedVerdict> {
    const asked = performance.now();
    if (this.#lanes.size === 0) this.#time.busySince = asked;
    let begun = asked;
    let thread: VerifierThread | undefined;
    const { verdict, ms } = await this.#lanes.run({
      kind: source.kind === "builtin" ? source.config.name : source.path,
      deadlineMs,
      run: async (begin) => {
        if (this.#isClosed) return { verdict: failed("the pool of verifiers is closed"), ms: 0 };
        thread = this.#idle.pop() ?? this.#start();
        const answer = await thread.judge({ id: this.#nextId++, source, completion }, deadlineMs, () => {
          begun = performance.now();
          begin();
        });
        this.#giveBack(thread, answer.isAlive);
        return answer;
      },
      giveWay: () => {
        if (this.#isClosed) return;
        thread?.giveWay();
        this.#hung.add(thread!);
        this.#spare = 1;
        if (this.#idle.length === 0) this.#idle.push(this.#start());
      },
    });
    const waitMs = begun - asked;
    this.#record(verdict, ms, waitMs);
    return { ...verdict, ms, waitMs };
  }

  async load(source: VerifierSource): Promise<string | null> {
    const thread = this.#idle.pop() ?? this.#start();
    const request = { id: this.#nextId++, source, completion: null };
    const { verdict, isAlive } = await thread.judge(request, this.#limits.startMs, () => {});
    this.#giveBack(thread, isAlive);
    return verdict.outcome === "correct" ? null : verdict.reason;
  }

  stats(): PoolStats {
    const { answers } = this.#count;
    const { ms, maxMs, waitMs, busyMs, busySince } = this.#time;
    const busy = busyMs + (this.#lanes.size > 0 ? performance.now() - busySince : 0);
    return {
      ...this.#count,
      answersPerSecond: busy === 0 ? 0 : (answers * 1000) / busy,
      meanMs: answers === 0 ? 0 : ms / answers,
      maxMs,
      meanWaitMs: answers === 0 ? 0 : waitMs / answers,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#idle.length = 0;
    await Promise.all([...this.#all].map((thread) => thread.close()));
    this.#all.clear();
  }

  /** Threads that gave way run at a low priority, which not everyone may raise again. */
  readonly #hung = new Set<VerifierThread>();

  #start(): VerifierThread {
    const thread = new VerifierThread(this.#limits);
    this.#all.add(thread);
    this.#count.threadsStarted++;
    return thread;
  }

  #giveBack(thread: VerifierThread, isAlive: boolean): void {
    const wanted = isAlive && !this.#hung.has(thread) && this.#idle.length < this.#laneCount + this.#spare;
    if (wanted && !this.#isClosed) {
      this.#idle.push(thread);
      return;
    }
    this.#hung.delete(thread);
    this.#all.delete(thread);
    if (!isAlive) this.#count.threadsKilled++;
    else void thread.close();
  }

  #record(verdict: Verdict, ms: number, waitMs: number): void {
    this.#count.answers++;
    if (verdict.outcome === "timeout") this.#count.timeouts++;
    if (verdict.outcome === "error") this.#count.errors++;
    this.#time.ms += ms;
    this.#time.maxMs = Math.max(this.#time.maxMs, ms);
    this.#time.waitMs += waitMs;
    if (this.#lanes.size === 0) this.#time.busyMs += performance.now() - this.#time.busySince;
  }
}
