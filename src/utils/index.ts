export * from "./errors.ts";
export * from "./files.ts";
export * from "./hash.ts";
export * from "./metrics.ts";
export * from "./nearest.ts";
export * from "./rng.ts";
