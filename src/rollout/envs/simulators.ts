/** A simulator in a process of its own. */
export interface Simulator {
  /** Whether it runs and can be called. */
  readonly isAlive: boolean;
  /** Ends it, also in the middle of a call. */
  close(): Promise<void>;
}

/**
 * The simulators of a source: all are known, so that all can be closed. The one that answered the source's own questions (which tasks, which
 * variations) becomes the first world.
 */
export class Simulators<S extends Simulator> {
  readonly #start: () => Promise<S>;
  readonly #open = new Set<S>();
  readonly #starting = new Set<Promise<unknown>>();
  #spare: S | null = null;
  #isClosed = false;

  constructor(start: () => Promise<S>) {
    this.#start = start;
  }

  /** A simulator of one's own; the caller closes it, or {@link close} does. */
  async take(): Promise<S> {
    const spare = this.#spare;
    this.#spare = null;
    if (spare?.isAlive) return spare;
    if (spare) await this.end(spare);
    return this.#new();
  }

  /** Asks one question of a simulator that nobody uses. Questions are to follow one another. */
  async ask<T>(question: (simulator: S) => Promise<T>): Promise<T> {
    const simulator = await this.take();
    try {
      const answer = await question(simulator);
      if (this.#spare === null) this.#spare = simulator;
      else await this.end(simulator);
      return answer;
    } catch (error) {
      await this.end(simulator);
      throw error;
    }
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
