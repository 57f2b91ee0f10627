/** Languages of candidate programs. */
export type CodeLanguage = "python" | "javascript";

/** What a value looks like between a sandbox and the judge: JSON, with one-key objects for what JSON lacks. */
export type Wire =
  | null
  | boolean
  | number
  | string
  | readonly Wire[]
  /** a number without a JSON form: nan, inf, -inf */
  | { readonly n: string }
  /** a whole number too large for a double */
  | { readonly i: string }
  /** a float with a whole value, where the language tells them apart */
  | { readonly f: string }
  /** tuple, set, dictionary or object (pairs), bytes in hex */
  | { readonly t: readonly Wire[] }
  | { readonly s: readonly Wire[] }
  | { readonly d: readonly (readonly [Wire, Wire])[] }
  | { readonly b: string }
  /** anything else: the name of its type. Equal to nothing. */
  | { readonly x: string };

/** One call of a candidate's function. `name` may be a path: `Solution.solve` makes a Solution and calls its method. */
export interface FunctionCall {
  readonly name: string;
  readonly args: readonly Wire[];
}

/** Limits of one candidate. */
export interface CodeLimits {
  /** For one test, ms. */
  readonly timeoutMs: number;
  /** For this request, ms. */
  readonly totalMs: number;
  readonly memoryMb: number;
  /** Of everything a test prints or returns. */
  readonly outputBytes: number;
}

/**
 * How one test ended. `ok`: by itself; `exception`: the program threw, did not compile or ended with another exit code than 0; the others are
 * limits it exceeded.
 */
export type RunStatus = "ok" | "exception" | "timeout" | "memory" | "output";

/** What came of running a program with an input. */
export interface ProgramRun {
  readonly status: RunStatus;
  readonly stdout: string;
  /** Why it did not end well, in words. */
  readonly detail: string;
  /** Time it ran, without waiting for a free core. */
  readonly ms: number;
}

/** What came of one call. */
export interface CallRun {
  readonly status: RunStatus;
  /** What it returned; null unless `ok`. */
  readonly value: Wire;
  readonly detail: string;
}

/** What came of several calls. */
export interface CallRuns {
  /** Of the first calls, at least one; fewer than asked when one of them ended the sandbox. */
  readonly runs: readonly CallRun[];
  readonly ms: number;
}

/** A sandbox for one language. It sees programs, inputs and arguments, never what is expected of them. */
export interface CodeRunner {
  readonly language: CodeLanguage;
  /**
   * Runs a whole program.
   * @throws RewardError when the sandbox itself failed: that says nothing about the program
   */
  program(code: string, stdin: string, limits: CodeLimits): Promise<ProgramRun>;
  /**
   * Loads a program once and calls its functions one after the other.
   * @param goOn is asked after each call; calls after a false one need not be made
   * @throws RewardError when the sandbox itself failed
   */
  calls(
    code: string,
    calls: readonly FunctionCall[],
    limits: CodeLimits,
    goOn: (run: CallRun, index: number) => boolean,
  ): Promise<CallRuns>;
}
