export type { AdamWOptions } from "./adamw.ts";
export { adamw, flattenMoments } from "./adamw.ts";
export { clipByGlobalNorm, firstNonFinite, globalNorm } from "./clip.ts";
export { OptimizerConfig, ScheduleConfig } from "./config.ts";
export { learningRate } from "./schedule.ts";
export type { Floats, Optimizer, OptimizerState, ParameterTree } from "./types.ts";
export { zerosLike, zerosOf } from "./types.ts";
