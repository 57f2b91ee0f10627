/** Shortest time after which a job may count as hanging, ms. */
const SLOW_MS = 50;
/** The same while nothing is known of this kind of job. */
const SLOW_UNKNOWN_MS = 250;
/** A job is slow when it has run this many times longer than the mean of its kind. */
const SLOW_FACTOR = 8;

/** How many jobs run at once, and how many may hang beside them. */
export interface LaneLimits {
  readonly lanes: number;
  readonly hanging: number;
}

/** One job: its kind tells what is usual, its deadline ends it, by itself. */
export interface LaneJob<T> {
  readonly kind: string;
  readonly deadlineMs: number;
  /** @param begin is called when the work itself begins, after anything that was to be started before */
  run(begin: () => void): Promise<T>;
  /** The job is slow and gives up its lane: it should let others have the cores. */
  giveWay(): void;
}

/**
 * Runs jobs side by side so that one that hangs costs the others next to nothing: a job that runs much longer than its kind does (and at most
 * a quarter of its deadline) gives its lane to the next and goes on beside it.
 */
export class Lanes {
  readonly #limits: LaneLimits;
  readonly #waiting: (() => void)[] = [];
  readonly #usual = new Map<string, { count: number; ms: number }>();
  #running = 0;
  #hanging = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** Jobs that run or wait. */
  get size(): number {
    return this.#running + this.#hanging + this.#waiting.length;
  }

  /** Starts the job when a lane is free, in the order of the calls. */
  async run<T>(job: LaneJob<T>): Promise<T> {
    if (this.#running >= this.#limits.lanes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    let hangs = false;
    let timer: NodeJS.Timeout | undefined;
    let start = performance.now();
    const look = (): void => {
      if (this.#hanging >= this.#limits.hanging) {
        timer = setTimeout(look, SLOW_MS);
        return;
      }
      hangs = true;
      this.#hanging++;
      this.#free();
      job.giveWay();
    };
    const begin = (): void => {
      start = performance.now();
      clearTimeout(timer);
      if (!hangs) timer = setTimeout(look, this.#slowMs(job));
    };
    try {
      return await job.run(begin);
    } finally {
      clearTimeout(timer);
      this.#learn(job.kind, performance.now() - start, hangs);
      if (hangs) this.#hanging--;
      else this.#free();
    }
  }

  #slowMs({ kind, deadlineMs }: LaneJob<unknown>): number {
    const usual = this.#usual.get(kind);
    const wanted = usual ? Math.max(SLOW_MS, (SLOW_FACTOR * usual.ms) / usual.count) : SLOW_UNKNOWN_MS;
    return Math.min(wanted, deadlineMs / 4);
  }

  /** Jobs that hung are no measure of what is usual. */
  #learn(kind: string, ms: number, hung: boolean): void {
    if (hung) return;
    const usual = this.#usual.get(kind) ?? { count: 0, ms: 0 };
    this.#usual.set(kind, { count: usual.count + 1, ms: usual.ms + ms });
  }

  #free(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}
