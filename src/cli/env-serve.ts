import { once } from "node:events";
import type { Command } from "commander";
import { openEnvironment } from "./env-open.ts";
import { collect, wholeNumber, withExample } from "./options.ts";
import { tell } from "./output.ts";

interface ServeCommandOptions {
  readonly set?: string[];
  readonly host: string;
  readonly port: number;
}

/** Adds `rlvr env serve`. */
export function addServe(parent: Command): void {
  const command = parent
    .command("serve")
    .argument("<name>", "name of the environment, or a file of your own (docs/environments.md)")
    .description("Serve an environment over HTTP, for the environment http of another process; Ctrl-C ends it.")
    .option("--set <option=value>", "an option of the environment; may be repeated", collect)
    .option("--host <address>", "address to listen on; there is no password", "127.0.0.1")
    .option("--port <n>", "port to listen on; 0: any free one", wholeNumber(0), 8000);
  withExample(command, "rlvr env serve ./my-env.ts --port 8000").action(runServe);
}

async function runServe(name: string, { set, host, port }: ServeCommandOptions): Promise<void> {
  const { serveSource } = await import("../rollout/envs/http/index.ts");
  const source = await openEnvironment({ name, ...(set ? { set } : {}) });
  try {
    const server = await serveSource(source, { host, port });
    process.stdout.write(`${server.url}\n`);
    tell(`rlvr: ${source.name} ${source.version} is served; Ctrl-C ends it`);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    await server.close();
  } finally {
    await source.close();
  }
}
