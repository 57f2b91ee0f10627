import { type Command, InvalidArgumentError, Option } from "commander";
import { bytesOf, MEMORY_FORM } from "../trainers/memory-amount.ts";
import { coresAtHand } from "../utils/threads.ts";

/** Options that every command which computes has. */
export interface MachineOptions {
  readonly device: string;
  readonly threads: number;
}

/** A whole number of at least `least`, or a usage error. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || text.trim() === "")
      throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
    return value;
  };
}

/** An amount of memory such as `4GB`, or a usage error. */
export function memoryAmount(text: string): string {
  if (bytesOf(text) === null) throw new InvalidArgumentError(`It ${MEMORY_FORM}.`);
  return text.trim();
}

/** A number of at least 0, or a usage error. */
export function atLeastZero(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || text.trim() === "")
    throw new InvalidArgumentError("It must be a number of at least 0.");
  return value;
}

/** `cpu`, or a usage error that says what is not there yet. */
function deviceName(text: string): string {
  if (text === "cpu") return text;
  const known = ["webgpu", "cuda"].includes(text);
  throw new InvalidArgumentError(
    known
      ? `${text} is not there yet: this version computes on the processor. Leave --device out, or give cpu.`
      : "Allowed choices are cpu (webgpu and cuda are not there yet).",
  );
}

/** `1,8,32` */
export function numberList(text: string): number[] {
  return text.split(",").map(wholeNumber(1));
}

/** Collects a repeated option. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Adds `--json`. */
export function withJson(command: Command): Command {
  return command.option("--json", "print the result as JSON on stdout");
}

/** Adds `--device`, `--threads` and `--json`. */
export function withMachine(command: Command): Command {
  const device = new Option("--device <name>", "where to compute; cpu is all there is so far")
    .argParser(deviceName)
    .default("cpu");
  return withJson(command)
    .addOption(device)
    .option("--threads <n>", "processor threads", wholeNumber(1), coresAtHand());
}

/** Adds a worked example under the help. */
export function withExample(command: Command, ...lines: string[]): Command {
  return command.addHelpText("after", `\nExample:\n${lines.map((line) => `  $ ${line}`).join("\n")}`);
}
