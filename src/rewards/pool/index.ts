export { openPool } from "./pool.ts";
export type { PoolOptions, PoolStats, TimedVerdict, VerifierPool, VerifierSource } from "./types.ts";
