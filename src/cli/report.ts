import { join } from "node:path";
import { Command } from "commander";
import { ConfigError } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import { withExample, withJson } from "./options.ts";
import { result } from "./output.ts";

/** `rlvr report DIR…` */
export function reportCommand(): Command {
  const command = new Command("report")
    .description("Write one self-contained HTML file for a run, or for several side by side.")
    .argument("<runs...>", "run folders")
    .option("-o, --output <file>", "where to write (default: report.html in the run folder)");
  withExample(withJson(command), "rlvr report runs/start", "rlvr report runs/a runs/b -o compare.html");
  return command.action(run);
}

async function run(folders: string[], options: { output?: string; json?: boolean }): Promise<void> {
  const [first, ...others] = folders as [string, ...string[]];
  if (others.length > 0 && !options.output)
    throw new ConfigError("several runs: name the file to write with -o FILE.html");
  const [{ readRun }, { renderReport }, { decoderOf }] = await Promise.all([
    import("../run/report/data.ts"),
    import("../run/report/html.ts"),
    import("../run/train.ts"),
  ]);
  const runs = folders.map((folder) => readRun(folder));
  const file = options.output ?? join(first, "report.html");
  const html = renderReport(runs, decoderOf(runs[0]!.recipe));
  writeFileAtomic(file, html);
  result(options.json, { report: file, bytes: Buffer.byteLength(html), runs: folders }, () => file);
}
