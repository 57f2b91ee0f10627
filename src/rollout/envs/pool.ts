import { EnvError, messageOf } from "../../utils/errors.ts";
import type { Environment, EnvironmentSource } from "./types.ts";

/** How the worlds of a pool did. */
export interface EnvPoolStats {
  readonly started: number;
  /** Closed because they were broken; others took their places. */
  readonly replaced: number;
  readonly idle: number;
  readonly inUse: number;
}

/** Worlds of one source, made when they are needed and used again. */
export interface EnvPool {
  readonly source: EnvironmentSource;
  readonly size: number;
  /** A world of one's own; waits while all are in use. @throws EnvError when none can be started, or the pool is closed */
  acquire(): Promise<Environment>;
  /** Gives back a world that works; one that says of itself that it is broken is discarded. */
  release(world: Environment): void;
  /** Gives back a world that is broken, or in the middle of a call: it is closed, and another one is made when it is needed. */
  discard(world: Environment): void;
  stats(): EnvPoolStats;
  /** Closes all worlds, also those in use. */
  close(): Promise<void>;
}

/** Makes a pool of at most `size` worlds. The source stays the caller's to close. */
export function envPool(source: EnvironmentSource, { size }: { readonly size: number }): EnvPool {
  return new WorldPool(source, size);
}

interface Waiter {
  readonly resolve: (world: Environment) => void;
  readonly reject: (error: Error) => void;
}

class WorldPool implements EnvPool {
  readonly source: EnvironmentSource;
  readonly size: number;
  readonly #idle: Environment[] = [];
  readonly #inUse = new Set<Environment>();
  readonly #waiting: Waiter[] = [];
  #starting = 0;
  #started = 0;
  #replaced = 0;
  #isClosed = false;

  constructor(source: EnvironmentSource, size: number) {
    this.source = source;
    this.size = size;
  }

  acquire(): Promise<Environment> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
    });
  }

  release(world: Environment): void {
    if (world.isAlive === false) {
      this.discard(world);
      return;
    }
    if (!this.#inUse.delete(world)) return;
    this.#idle.push(world);
    this.#serve();
  }

  discard(world: Environment): void {
    if (!this.#inUse.delete(world)) return;
    this.#drop(world);
    this.#serve();
  }

  stats(): EnvPoolStats {
    return { started: this.#started, replaced: this.#replaced, idle: this.#idle.length, inUse: this.#inUse.size };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#serve();
    const all = [...this.#idle.splice(0), ...this.#inUse];
    this.#inUse.clear();
    await Promise.all(all.map((world) => world.close().catch(() => {})));
  }

  /** Hands worlds to those who wait, first come, first served. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      if (this.#isClosed) {
        this.#waiting.shift()!.reject(new EnvError(`${this.source.name}: the pool of environments is closed`));
        continue;
      }
      const world = this.#idle.pop();
      if (world?.isAlive === false) this.#drop(world);
      else if (world) this.#hand(world);
      else if (this.#inUse.size + this.#starting < this.size && this.#starting < this.#waiting.length)
        void this.#start();
      else return;
    }
  }

  #drop(world: Environment): void {
    this.#replaced++;
    void world.close().catch(() => {}); // it is broken already
  }

  #hand(world: Environment): void {
    this.#inUse.add(world);
    this.#waiting.shift()!.resolve(world);
  }

  async #start(): Promise<void> {
    this.#starting++;
    try {
      const world = await this.source.open();
      this.#started++;
      if (this.#isClosed) await world.close();
      else this.#idle.push(world);
    } catch (error) {
      const failure = error instanceof Error ? error : new EnvError(messageOf(error));
      this.#waiting.shift()?.reject(failure);
    } finally {
      this.#starting--;
      this.#serve();
    }
  }
}
