import { CommanderError } from "commander";
import { ConfigError, DataError, messageOf, RlvrError } from "../utils/errors.ts";

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** A command that ends with a code of its own, everything having been printed. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Diagnostics and progress: always stderr, so that stdout stays clean for results. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The result: for machines with `--json`, for people otherwise. */
export function result(json: boolean | undefined, value: unknown, text: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text()}\n`);
}

/** Prints what went wrong and returns the exit code. A stack trace only for our own bugs and with `RLVR_DEBUG=1`. */
export function report(error: unknown): number {
  if (error instanceof Exit) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput; // commander has printed it
  const debug = process.env.RLVR_DEBUG === "1";
  const isOurBug = !(error instanceof RlvrError) && !isSystemError(error);
  const message = messageOf(error);
  const problems = message.split("\n").length;
  if (debug || isOurBug) tell(`rlvr: ${error instanceof Error ? error.stack : error}`);
  else if (error instanceof ConfigError && problems > 1)
    tell(`rlvr: ${problems} problems, nothing was started\n${message}`);
  else tell(`rlvr: ${message}`);
  if (isOurBug) tell("rlvr: this is a bug of rlvr, please report it with the lines above");
  return error instanceof ConfigError || error instanceof DataError ? EXIT.badInput : EXIT.failed;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

/** Columns aligned for a terminal; the first row is the head. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
