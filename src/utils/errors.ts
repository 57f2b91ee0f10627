/** Base of all errors that a user may cause or must act on; `cause` keeps the original. */
export class RlvrError extends Error {
  override readonly name: string = "RlvrError";
}

/** Sizes, ranks or types of arrays that do not fit together. */
export class ShapeError extends RlvrError {
  override readonly name = "ShapeError";
}

/** A recipe, plan or command line that cannot be run. Exit code 2. */
export class ConfigError extends RlvrError {
  override readonly name = "ConfigError";
}

/** A data row, file or model folder that cannot be read. Exit code 2. */
export class DataError extends RlvrError {
  override readonly name = "DataError";
}

/** A verifier that failed; never a score of 0. */
export class RewardError extends RlvrError {
  override readonly name = "RewardError";
}

/** An environment that failed. */
export class EnvError extends RlvrError {
  override readonly name = "EnvError";
}

/** ONNX Runtime refused a graph or failed while running it. */
export class SessionError extends RlvrError {
  override readonly name = "SessionError";
}

/** Training cannot go on: non-finite numbers, a broken invariant, a full disk. Exit code 1. */
export class TrainingError extends RlvrError {
  override readonly name = "TrainingError";
}

/** Message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
