import { JavaError } from "./py4j.ts";

/** A simulator in a process of its own. */
export interface Simulator {
  /** Whether it runs and can be called. */
  readonly isAlive: boolean;
  /** Ends it, also in the middle of a call. */
  close(): Promise<void>;
}

/** A simulator that nobody asks for so long is ended, ms. */
const IDLE_MS = 60_000;

/**
 * The simulators of a source: all are known, so that all can be closed. The one that answered the source's own questions (which tasks, which
 * variations) becomes the first world.
 */
export class Simulators<S extends Simulator> {
  readonly #start: () => Promise<S>;
  readonly #open = new Set<S>();
  readonly #starting = new Set<Promise<unknown>>();
  #spare: S | null = null;
  #idle: NodeJS.Timeout | undefined;
  #asked: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(start: () => Promise<S>) {
    this.#start = start;
  }

  /** A simulator of one's own; the caller closes it, or {@link close} does. */
  async take(): Promise<S> {
    const spare = this.#spare;
    this.#spare = null;
    clearTimeout(this.#idle);
    if (spare?.isAlive) return spare;
    if (spare) await this.end(spare);
    return this.#new();
  }

  /** Asks one question of a simulator that nobody uses. Questions wait for one another, so that many of them need no more than one simulator. */
  ask<T>(question: (simulator: S) => Promise<T>): Promise<T> {
    const answer = this.#asked.then(() => this.#answer(question));
    this.#asked = answer.catch(() => {}); // told to the one who asked
    return answer;
  }

  async #answer<T>(question: (simulator: S) => Promise<T>): Promise<T> {
    const simulator = await this.take();
    try {
      const answer = await question(simulator);
      await this.#keep(simulator);
      return answer;
    } catch (error) {
      // a refusal harms nobody; after an exception of its own, such as that its memory is full, it may be in any state
      if (error instanceof JavaError) await this.end(simulator);
      else await this.#keep(simulator);
      throw error;
    }
  }

  async #keep(simulator: S): Promise<void> {
    if (this.#spare !== null || !simulator.isAlive || this.#isClosed) {
      await this.end(simulator);
      return;
    }
    this.#spare = simulator;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#spare = null;
      void this.end(simulator);
    }, IDLE_MS).unref();
  }

  /** Closes one that was taken. */
  async end(simulator: S): Promise<void> {
    this.#open.delete(simulator);
    await simulator.close();
  }

  /** Closes all, also those that are starting just now. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#spare = null;
    clearTimeout(this.#idle);
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#open].map((one) => this.end(one)));
  }

  async #new(): Promise<S> {
    const starting = this.#start();
    this.#starting.add(starting);
    try {
      const simulator = await starting;
      this.#open.add(simulator);
      if (this.#isClosed) await this.end(simulator);
      return simulator;
    } finally {
      this.#starting.delete(starting);
    }
  }
}
