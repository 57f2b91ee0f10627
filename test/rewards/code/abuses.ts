import type { CodeOptions } from "../../../src/rewards/code/options.ts";
import type { Outcome } from "../../../src/rewards/types.ts";
import type { Json } from "../../../src/rollout/types.ts";

/**
 * A program that tries to leave its sandbox, to stop the pool, or to be called right without being so. Unless it has other tests, what is expected of
 * it is the secret that lies around the sandbox: one that reaches it is called correct.
 */
export interface Abuse {
  readonly name: string;
  /** `{FILE}`, `{FOLDER}`, `{PORT}`, `{SOCKET}` and `{MARK}` stand for where the secret is, and for a name of this run. */
  readonly code: string;
  readonly tests: Json;
  readonly options: Partial<CodeOptions>;
  readonly outcome: Outcome;
  /** What the verdict says of the test that failed. */
  readonly reason: RegExp;
}

/** Stands for the secret in tests. */
export const SECRET = "{SECRET}";

/** Its function `solve` must return the secret. */
export const CALL: Json = [{ call: "solve", args: [1], expected: SECRET }];
/** It must print the secret. */
export const PRINT: Json = [{ input: "1\n", output: SECRET }];

/** Room for a program that ends by itself on a machine with other work; it is never waited for. */
export const PATIENT: Partial<CodeOptions> = { timeoutMs: 20_000, totalMs: 30_000, memoryMb: 256 };
/** What does not end is stopped early. */
export const BRIEF: Partial<CodeOptions> = { timeoutMs: 200, totalMs: 400, memoryMb: 256 };

type Row = readonly [name: string, code: string | readonly string[], reason: RegExp, options?: Partial<CodeOptions>];

function rows(tests: Json, outcome: Outcome, limits: Partial<CodeOptions>, table: readonly Row[]): Abuse[] {
  return table.map(([name, code, reason, options]) => ({
    name,
    code: typeof code === "string" ? code : code.join("\n"),
    ...{ tests, outcome, reason },
    options: { ...limits, ...options },
  }));
}

/** Programs that end by themselves, or are ended for what they use, and are wrong. */
export const wrong = (tests: Json, table: readonly Row[]): Abuse[] => rows(tests, "wrong", PATIENT, table);
/** Programs that never end. */
export const endless = (tests: Json, table: readonly Row[]): Abuse[] => rows(tests, "timeout", BRIEF, table);
