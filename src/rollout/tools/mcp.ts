import { createRequire } from "node:module";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ConfigError, EnvError, messageOf } from "../../utils/errors.ts";
import { jsonCheck } from "../../utils/json-check.ts";
import { nearest } from "../../utils/nearest.ts";
import type { McpConfig } from "./config.ts";
import type { JsonObject, Tool } from "./tool.ts";

/** The tools of an MCP server, and the server. */
export interface McpTools {
  readonly tools: readonly Tool[];
  /** Ends the connection, and the server where it was started here. */
  close(): Promise<void>;
}

/** Length of a server's error output that is kept for messages. */
const ERROR_CHARS = 1000;
/** Longest time of a call for the SDK: the deadline of calls is kept by whoever makes them. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * Connects to an MCP server and asks for its tools. A server that ends is started again at the next call.
 * @param folder of the recipe
 * @throws ConfigError when it can't be reached or lacks a tool that is asked for
 */
export async function openMcp(config: McpConfig, folder: string): Promise<McpTools> {
  const connection = new Connection(config, folder);
  try {
    const listed = await withTimeout(connection.list(), config.startMs, connection);
    return { tools: listed.map((tool) => toolOf(tool, connection)), close: () => connection.close() };
  } catch (error) {
    await connection.close();
    throw error instanceof ConfigError ? error : new ConfigError(connection.describe(error), { cause: error });
  }
}

interface Listed {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

function toolOf({ name, description, parameters }: Listed, connection: Connection): Tool {
  const made = jsonCheck(parameters, "ignored");
  if ("problem" in made) throw new ConfigError(`tools: the parameters of the MCP tool ${name} ${made.problem}`);
  return {
    ...{ name, description, parameters },
    read(given) {
      const problem = made.check(given);
      return problem === null ? { value: given } : { problem };
    },
    run: (value, { signal }) => connection.call(name, value as Record<string, unknown>, signal),
  };
}

/** One connection at a time; it is made anew when it broke. */
class Connection {
  readonly #config: McpConfig;
  readonly #folder: string;
  #client: Promise<Client> | null = null;
  #open: Transport | null = null;
  #isClosed = false;
  #errors = "";

  constructor(config: McpConfig, folder: string) {
    this.#config = config;
    this.#folder = folder;
  }

  async list(): Promise<Listed[]> {
    const client = await this.#connected();
    const tools: Listed[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor });
      for (const { name, description = "", inputSchema } of page.tools)
        tools.push({ name, description, parameters: inputSchema as unknown as JsonObject });
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return this.#chosen(tools);
  }

  #chosen(tools: readonly Listed[]): Listed[] {
    const { only } = this.#config;
    if (only === undefined) return [...tools];
    return only.map((wanted) => {
      const found = tools.find(({ name }) => name === wanted);
      if (found) return found;
      const names = tools.map(({ name }) => name);
      const near = nearest(wanted, names);
      throw new ConfigError(
        `tools: the MCP server ${this.#name()} has no tool ${JSON.stringify(wanted)}${near ? `; did you mean ${near}?` : ""} It has ${names.join(", ")}`,
      );
    });
  }

  /** @throws EnvError with the server's own words when the tool failed */
  async call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<string> {
    const client = await this.#connected();
    const result = await client.callTool({ name, arguments: args }, undefined, { signal, timeout: NEVER_MS });
    const text = textOf(result.content);
    if (result.isError) throw new EnvError(text);
    return text;
  }

  describe(error: unknown): string {
    const said = this.#errors.trim();
    return `tools: the MCP server ${this.#name()} could not be opened: ${messageOf(error)}${said ? `; it said: ${said}` : ""}`;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#open?.close().catch(() => {}); // it is gone already
    await this.#client?.catch(() => {});
  }

  #name(): string {
    const { command, args, url } = this.#config;
    return url ?? [command, ...args].join(" ");
  }

  #connected(): Promise<Client> {
    if (this.#isClosed) throw new EnvError(`the MCP server ${this.#name()} was closed`);
    this.#client ??= this.#connect();
    this.#client.catch(() => {
      this.#client = null;
    });
    return this.#client;
  }

  async #connect(): Promise<Client> {
    const { Client: SdkClient } = await import("@modelcontextprotocol/sdk/client/index.js");
    const client = new SdkClient({ name: "rlvr", version: ownVersion() });
    const transport = await this.#transport();
    this.#open = transport;
    client.onclose = () => {
      this.#client = null;
    };
    await client.connect(transport);
    return client;
  }

  async #transport(): Promise<Transport> {
    const { command, args, env, cwd, url, headerVariables } = this.#config;
    if (url !== undefined) {
      const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
      const headers = headersOf(headerVariables);
      return new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }) as Transport;
    }
    const { StdioClientTransport, getDefaultEnvironment } = await import("@modelcontextprotocol/sdk/client/stdio.js");
    const transport = new StdioClientTransport({
      ...{ command: command!, args, cwd: cwd ?? this.#folder, stderr: "pipe" },
      env: { ...getDefaultEnvironment(), ...env },
    });
    transport.stderr?.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-ERROR_CHARS);
    });
    return transport;
  }
}

/** @throws ConfigError when a variable is not set */
function headersOf(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([header, variable]) => {
      const value = process.env[variable];
      if (value === undefined)
        throw new ConfigError(
          `tools: the environment variable ${variable} (header ${header} of an MCP server) is not set`,
        );
      return [header, value];
    }),
  );
}

/** Texts as they are; of anything else, what it is. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return "";
  return content
    .map((item: { type?: unknown; text?: unknown }) =>
      typeof item.text === "string" ? item.text : `[${String(item.type)}]`,
    )
    .join("\n");
}

async function withTimeout<T>(work: Promise<T>, ms: number, connection: Connection): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConfigError(connection.describe(`no list of tools within ${ms} ms`))), ms);
  });
  work.catch(() => {}); // may fail after its time
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function ownVersion(): string {
  const { version } = createRequire(import.meta.url)("../../../package.json") as { version: string };
  return version;
}
