import { Command } from "commander";
import type { CheckResult } from "../run/verify/tally.ts";
import type { VerifyReport } from "../run/verify/verify.ts";
import { type MachineOptions, withExample, withMachine } from "./options.ts";
import { columns, EXIT, Exit, result, tell } from "./output.ts";

interface Options extends MachineOptions {
  readonly json?: boolean;
}

/** `rlvr models verify MODEL FILE…` */
export function verifyCommand(): Command {
  const command = new Command("verify")
    .description(
      "Compare a model with reference files: weights, token ids, chat template, greedy tokens, log-probabilities, gradient. Exit code 1 when a difference is too large.",
    )
    .argument("<model>", "shipped name, ORG/NAME, folder or .gguf file")
    .argument("<files...>", "reference files (JSON); what a file holds is seen from its keys")
    .action(verifyAction);
  return withExample(
    withMachine(command),
    "rlvr models verify models/smollm2-135m-instruct-gguf data/smollm2/reference.json data/smollm2/gradients.json",
  );
}

async function verifyAction(model: string, files: string[], { threads, json }: Options): Promise<void> {
  const { verifyModel } = await import("../run/verify/verify.ts");
  const report = await verifyModel({ model, files, threads, onProgress: tell });
  result(json, report, () => describe(report));
  if (!report.passed) throw new Exit(EXIT.failed);
}

function describe({ model, path, rounding, checks, passed }: VerifyReport): string {
  const rounded =
    rounding === "float32"
      ? []
      : [
          `weights are the reference's rounded to ${rounding}: bounds of rounding apply, greedy tokens may differ at near ties`,
        ];
  const table = columns([["compared", "cases", "largest", "allowed", "", "where"], ...checks.map(row)]);
  const problems = checks.filter((check) => !check.passed || check.allowed === null).flatMap((check) => check.problems);
  const failed = checks.filter((check) => !check.passed).length;
  const beyond = failed === 1 ? "1 kind beyond its bound" : `${failed} kinds beyond their bounds`;
  const verdict = passed ? "all within bounds" : beyond;
  return [`${model} (${path})`, ...rounded, table, ...problems, verdict].join("\n");
}

function row({ label, unit, cases, largest, allowed, where, passed }: CheckResult): string[] {
  const name = unit === "different" ? "" : ` ${unit}`;
  const number = (value: number): string =>
    unit === "different" ? `${value} differ` : value === 0 ? "0" : value.toExponential(1);
  return [
    label,
    String(cases),
    largest === null ? "not a number" : `${number(largest)}${name}`,
    allowed === null ? "any" : number(allowed),
    passed ? "ok" : "TOO LARGE",
    where,
  ];
}
