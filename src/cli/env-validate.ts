import type { Command } from "commander";
import { openEnvironment } from "./env-open.ts";
import { atLeastZero, collect, wholeNumber, withExample, withJson } from "./options.ts";
import { EXIT, Exit, result } from "./output.ts";

interface ValidateOptions {
  readonly set?: string[];
  readonly episodes: number;
  readonly seconds: number;
  readonly json?: boolean;
}

/** Adds `rlvr env validate`. */
export function addValidate(parent: Command): void {
  const command = parent
    .command("validate")
    .argument("<name>", "name of the environment, or a file of your own (docs/environments.md)")
    .description("Play an environment and say which parts of the contract it keeps; exit code 1 if one is broken.")
    .option("--set <option=value>", "an option of the environment; may be repeated", collect)
    .option("--episodes <n>", "episodes of the search for leaks", wholeNumber(10), 1000)
    .option("--seconds <n>", "longest time for them", atLeastZero, 60);
  withExample(withJson(command), "rlvr env validate lab", "rlvr env validate http --set url=http://127.0.0.1:8000");
  command.action(runValidate);
}

async function runValidate(name: string, { set, episodes, seconds, json }: ValidateOptions): Promise<void> {
  const { validateSource } = await import("../rollout/envs/contract/index.ts");
  const source = await openEnvironment({ name, ...(set ? { set } : {}) });
  let failed = 0;
  try {
    const findings = await validateSource(source, {
      episodes,
      seconds,
      onFinding: (finding) => {
        const { check, status, evidence } = finding;
        result(json, finding, () => `${check.padEnd(12)} ${status.padEnd(4)}  ${evidence}`);
      },
    });
    failed = findings.filter(({ status }) => status === "FAIL").length;
    if (!json) result(false, null, () => verdict(source.name, findings.length, failed));
  } finally {
    await source.close();
  }
  if (failed > 0) throw new Exit(EXIT.failed);
}

function verdict(name: string, checks: number, failed: number): string {
  return failed === 0 ? `${name} keeps the contract` : `${name}: ${failed} of ${checks} checks failed`;
}
