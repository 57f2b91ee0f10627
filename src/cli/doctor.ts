import { Command } from "commander";
import type { Finding } from "../run/doctor/machine.ts";
import { type MachineOptions, withExample, withMachine } from "./options.ts";
import { columns, EXIT, Exit, result } from "./output.ts";

/** `rlvr doctor [RUN]` */
export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description(
      "Is this machine fit to train? With a run folder: is the run whole? Exits with 1 when something is broken.",
    )
    .argument("[run]", "a run folder");
  withExample(withMachine(command), "rlvr doctor", "rlvr doctor runs/start");
  return command.action(run);
}

async function run(folder: string | undefined, options: MachineOptions & { json?: boolean }): Promise<void> {
  const findings = folder === undefined ? await machine(options) : await runFolder(folder);
  const signs: Record<Finding["level"], string> = { ok: "ok", warn: "warning", fail: "BROKEN" };
  const fit = findings.every(({ level }) => level !== "fail");
  result(options.json, { fit, findings }, () =>
    columns(findings.map(({ what, level, detail }) => [what, signs[level], detail])),
  );
  if (!fit) throw new Exit(EXIT.failed);
}

async function machine({ threads }: MachineOptions): Promise<Finding[]> {
  const { examineMachine } = await import("../run/doctor/machine.ts");
  return examineMachine({ threads });
}

async function runFolder(folder: string): Promise<Finding[]> {
  const [{ examineRun }, { readRecipeOf }] = await Promise.all([
    import("../run/doctor/run.ts"),
    import("../run/folder.ts"),
  ]);
  if (!(await import("node:fs")).existsSync(folder)) readRecipeOf(folder); // says that there is no run
  return examineRun(folder);
}
