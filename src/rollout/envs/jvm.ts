import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { ConfigError, EnvError } from "../../utils/errors.ts";
import { Gateway } from "./py4j.ts";

/** How a simulator's gateway is started. */
export interface JvmOptions {
  readonly jar: string;
  /** Path of the `java` program. */
  readonly java: string;
  readonly mainClass: string;
  /**
   * How it gets its port: `printed`: it chooses one and prints it on its first line. A text: it takes the port as its argument, and prints a line with
   * this text when it listens.
   */
  readonly port: "printed" | { readonly readyText: string };
  /** Longest wait for the start and for every call, ms. */
  readonly startMs: number;
  readonly callMs: number;
  /** Names the environment in messages. */
  readonly label: string;
  /** Largest heap, MB; default 128, with which the process takes about 220 MB. */
  readonly heapMb?: number;
}

/** Keeps a JVM at about 220 MB; a default heap grows to more than 1 GB at the same speed. */
const HEAP_MB = 128;

/**
 * Becomes the JVM. A watcher beside it waits for its end of a pipe that only we hold: when we are gone, however we went, the pipe closes, and it kills
 * the JVM. (A line on the pipe says that the JVM has ended by itself, so that nobody is killed who got its number later.)
 */
const GUARDED = '(read -r _ <&3 || kill -9 $$) >/dev/null 2>&1 & exec "$@" 3<&-';

/** Property of a JVM that says who started it. */
const MARK = "rlvr.mark";

/** Tries at other ports when one was taken in between. */
const PORT_TRIES = 5;

/** One JVM with a Py4J gateway, in a process of its own that ends with ours. */
export class Jvm {
  readonly gateway: Gateway;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess, ended: Promise<void>, gateway: Gateway) {
    this.#child = child;
    this.#ended = ended;
    this.gateway = gateway;
  }

  /** Starts a JVM and connects to it. @throws EnvError when it does not start in time, with what it printed */
  static async start(options: JvmOptions): Promise<Jvm> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await startOnce(options, (child, ended, gateway) => new Jvm(child, ended, gateway));
      } catch (error) {
        if (options.port === "printed" || attempt >= PORT_TRIES || !/already in use|BindException/.test(String(error)))
          throw error;
      }
    }
  }

  /** Process id of the JVM. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether the process runs and the connection is good. */
  get isAlive(): boolean {
    return this.gateway.failure === null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Kills the JVM, also in the middle of a call, and waits for its end. */
  async close(): Promise<void> {
    this.gateway.close();
    this.#child.ref(); // an idle JVM holds no process, its end does
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

async function startOnce<T>(
  options: JvmOptions,
  make: (child: ChildProcess, ended: Promise<void>, gateway: Gateway) => T,
): Promise<T> {
  const { jar, java, mainClass, port, startMs, callMs, label, heapMb = HEAP_MB } = options;
  const given = port === "printed" ? null : await freePort();
  const mark = randomUUID();
  const memory = ["-Xss4m", "-Xms32m", `-Xmx${heapMb}m`, "-XX:+UseSerialGC"];
  const program = [java, ...memory, `-D${MARK}=${mark}`, "-cp", resolve(jar), mainClass];
  const args = given === null ? ["--die-on-broken-pipe", "0"] : [String(given)];
  const child = spawn("/bin/sh", ["-c", GUARDED, "sh", ...program, ...args], {
    cwd: dirname(resolve(jar)),
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    detached: true, // Ctrl-C is for us: the step that runs is finished first
  });
  const ended = new Promise<void>((done) => {
    child.once("error", () => done()); // it was never there
    child.once("exit", () => {
      const guard = child.stdio[3];
      if (guard && "end" in guard) guard.on("error", () => {}).end("ended\n");
      done();
    });
  });
  for (const stream of child.stdio) {
    stream?.on("error", () => {}); // the end of the process says more
    if (stream && "unref" in stream) (stream.unref as () => void)();
  }
  child.unref();
  try {
    const ready = port === "printed" ? /^(\d+)$/ : new RegExp(`()${port.readyText}`);
    const found = await firstLine(child, ready, { label, startMs });
    const gateway = await Gateway.connect({ port: given ?? Number(found), timeoutMs: callMs, label });
    await requireOwn(gateway, mark);
    return make(child, ended, gateway);
  } catch (error) {
    child.ref();
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
}

/** Waits for a line of the output; reads on for the life of the process, so that no pipe fills up. */
function firstLine(
  child: ChildProcess,
  ready: RegExp,
  { label, startMs }: { readonly label: string; readonly startMs: number },
): Promise<string> {
  return new Promise((found, reject) => {
    const text = { out: "", err: "" };
    let isWaiting = true;
    const settle = (done: () => void): void => {
      isWaiting = false;
      clearTimeout(timer);
      done();
    };
    const fail = (why: string): void =>
      settle(() => reject(new EnvError(`${label}: the JVM ${why}; it printed: ${tail(text.out + text.err)}`)));
    const timer = setTimeout(() => fail(`was not ready within ${startMs} ms`), startMs);
    const read = (name: "out" | "err", stream: Readable): void => {
      stream.on("data", (part: Buffer) => {
        if (!isWaiting) return;
        text[name] = (text[name] + part.toString("utf8")).slice(-100_000);
        const line = text.out.split("\n").find((one) => ready.test(one.trim()));
        const match = line === undefined ? null : ready.exec(line.trim());
        if (match) settle(() => found(match[1]!));
      });
    };
    read("out", child.stdout!);
    read("err", child.stderr!);
    child.once("error", (error) => isWaiting && fail(`could not be started (${error.message})`));
    child.once("close", (code, signal) => isWaiting && fail(`ended with ${signal ?? `exit code ${code}`}`));
  });
}

/** Another gateway may have taken the port that was free a moment ago: ours knows the mark that it was started with. */
async function requireOwn(gateway: Gateway, mark: string): Promise<void> {
  const found = await gateway.call("z:java.lang.System", "getProperty", [MARK]);
  if (found === mark) return;
  gateway.close();
  throw new EnvError("the port is already in use: another gateway answered");
}

function freePort(): Promise<number> {
  return new Promise((found, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => found(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function tail(text: string): string {
  return JSON.stringify(text.trim().slice(-500));
}

/** Finds `java`: the option, `JAVA_HOME`, the search path. @throws ConfigError when there is none */
export function findJava(option: string | null): string {
  const home = process.env.JAVA_HOME;
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates =
    option === null
      ? [...(home ? [join(home, "bin", "java")] : []), ...folders.map((folder) => join(folder, "java"))]
      : [option];
  const found = candidates.find(isProgram);
  if (found !== undefined) return found;
  throw new ConfigError(
    `java: ${option === null ? "no Java on this machine (neither in JAVA_HOME nor on PATH)" : `${option} is no program`}; ` +
      "the simulators need Java 8 or newer, such as `apt-get install -y default-jre-headless` brings",
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a simulator's JAR may be. */
export interface JarPlace {
  /** The recipe's option; null: not given. */
  readonly option: string | null;
  /** Name of the environment variable with its path. */
  readonly variable: string;
  /** Its path below the working folder or the package. */
  readonly path: string;
  /** The command that brings it. */
  readonly script: string;
}

/** Finds a JAR: the option, the environment variable, the working folder, the package. @throws ConfigError naming the command that brings it */
export function findJar({ option, variable, path, script }: JarPlace): string {
  const named = option ?? process.env[variable];
  const packaged = fileURLToPath(new URL(`../../../${path}`, import.meta.url));
  const found = (named ? [named] : [path, packaged]).find((one) => existsSync(one));
  if (found !== undefined) return resolve(found);
  const from = option === null && named ? ` (from ${variable})` : "";
  throw new ConfigError(
    `jar: ${named ?? path} is not there${from}; \`${script}\` brings it to ${dirname(path)}, or give its path in ${variable}`,
  );
}
