import { Command } from "commander";
import { packageVersion } from "../run/environment.ts";
import { dataCommand } from "./data.ts";
import { doctorCommand } from "./doctor.ts";
import { envCommand } from "./env.ts";
import { evalCommand } from "./eval.ts";
import { exportCommand } from "./export.ts";
import { modelsCommand } from "./models.ts";
import { objectiveCommand } from "./objective.ts";
import { withExample } from "./options.ts";
import { report } from "./output.ts";
import { reportCommand } from "./report.ts";
import { rewardCommand } from "./reward.ts";
import { sampleCommand } from "./sample.ts";
import { trainCommand } from "./train.ts";

/** The program with all its commands. */
function program(): Command {
  const root = new Command("rlvr")
    .description("Fine-tune language models with reinforcement learning from verifiable rewards.")
    .version(packageVersion(), "-V, --version")
    .helpCommand(false);
  for (const command of [
    trainCommand(),
    evalCommand(),
    sampleCommand(),
    reportCommand(),
    exportCommand(),
    doctorCommand(),
    modelsCommand(),
    dataCommand(),
    objectiveCommand(),
    rewardCommand(),
    envCommand(),
  ])
    root.addCommand(command);
  withExample(root, "rlvr train recipes/start.yaml", "rlvr report runs/start");
  for (const command of [root, ...root.commands, ...root.commands.flatMap((inner) => inner.commands)])
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "rlvr: ")) });
  return root;
}

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
