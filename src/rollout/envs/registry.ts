import { canonicalJson } from "../../utils/hash.ts";
import { type EnvConfig, openSource } from "./config.ts";
import { type EnvPool, envPool } from "./pool.ts";

/** Worlds of a source that sets no limit of its own. */
const MANY = 4096;

/** The environments of a run: equal ones, such as those of training and evaluation, share their worlds. */
export class EnvRegistry {
  readonly #pools = new Map<string, Promise<EnvPool>>();

  /** @throws ConfigError when something is missing that the environment needs */
  open(config: EnvConfig): Promise<EnvPool> {
    const key = canonicalJson(config);
    let pool = this.#pools.get(key);
    if (!pool) {
      pool = openPool(config);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Closes all worlds. */
  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    for (const opening of pools) {
      const pool = await opening.catch(() => null); // told to the one who opened it
      await pool?.close();
      await pool?.source.close();
    }
  }
}

async function openPool(config: EnvConfig): Promise<EnvPool> {
  const source = await openSource(config);
  return envPool(source, { size: source.maxWorlds ?? MANY });
}
