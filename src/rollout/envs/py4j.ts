import { createConnection, type Socket } from "node:net";
import { EnvError } from "../../utils/errors.ts";
import { decodeValue, encodeArgument, type JavaArgument, type JavaReference, type JavaValue } from "./py4j-values.ts";

/** Where a gateway listens and how patient to be. */
export interface GatewayOptions {
  readonly port: number;
  /** Longest wait for the connection and for every reply, ms. */
  readonly timeoutMs: number;
  /** Names the other side in messages. */
  readonly label: string;
}

/** A Java exception that a call threw; the connection is still good. */
export class JavaError extends EnvError {}

interface Waiting {
  readonly sent: string;
  readonly resolve: (reply: string) => void;
  readonly reject: (error: EnvError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Longest reply, bytes; more is taken for a flood. */
const MAX_REPLY = 64 * 2 ** 20;
const LF = 10;

/**
 * Client of the text protocol of Py4J's gateway (0.10.3 and later, without authentication): one request of lines, one line of reply, in order.
 * Requests may be written before earlier replies are there. A reply that makes no sense, a late one or a closed socket ends the connection: every
 * open call fails and says what was sent and what came.
 */
export class Gateway {
  readonly #socket: Socket;
  readonly #label: string;
  readonly #timeoutMs: number;
  readonly #waiting: Waiting[] = [];
  #parts: Buffer[] = [];
  #bytes = 0;
  #failure: EnvError | null = null;
  /** Written together: the calls of one turn of the event loop are one packet. */
  #outbox = "";

  private constructor(socket: Socket, { label, timeoutMs }: GatewayOptions) {
    this.#socket = socket;
    this.#label = label;
    this.#timeoutMs = timeoutMs;
    socket.setNoDelay(true);
    socket.unref(); // an idle connection holds no process
    socket.on("data", (part: Buffer) => this.#read(part));
    socket.on("error", (error) => this.#fail(`the connection broke (${error.message})`));
    socket.on("close", () => this.#fail("the connection was closed"));
  }

  /** Connects to a gateway on this machine. @throws EnvError when nobody answers in time */
  static connect(options: GatewayOptions): Promise<Gateway> {
    const { port, timeoutMs, label } = options;
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: "127.0.0.1", port });
      const fail = (why: string): void => {
        socket.destroy();
        reject(new EnvError(`${label}: no connection to 127.0.0.1:${port} (${why})`));
      };
      const refuse = (error: Error): void => fail(error.message);
      socket.once("error", refuse);
      socket.setTimeout(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`));
      socket.once("connect", () => {
        socket.setTimeout(0);
        socket.off("error", refuse);
        resolve(new Gateway(socket, options));
      });
    });
  }

  /** Why no more calls are possible; null while they are. */
  get failure(): EnvError | null {
    return this.#failure;
  }

  /** Calls a method. The target is a reference, `t` (the gateway's entry point) or `z:` and a class for a static one. @throws EnvError */
  async call(
    target: JavaReference | string,
    method: string,
    args: readonly JavaArgument[] = [],
    timeoutMs?: number,
  ): Promise<JavaValue> {
    const id = typeof target === "string" ? target : target.id;
    return this.#value(["c", id, method, ...args.map(encodeArgument)], timeoutMs);
  }

  /** Makes an object. @throws EnvError */
  async construct(className: string, args: readonly JavaArgument[] = [], timeoutMs?: number): Promise<JavaReference> {
    const lines = ["i", className, ...args.map(encodeArgument)];
    const value = await this.#value(lines, timeoutMs);
    if (typeof value === "object" && value !== null && "id" in value) return value;
    throw this.#fail(`sent ${shown(lines.join("\n"))}, got ${shown(String(value))} instead of an object`);
  }

  /** The JVM may forget an object; without this it keeps it. */
  async free({ id }: JavaReference): Promise<void> {
    await this.#value(["m", "d", id]);
  }

  /** Element of an array. */
  element({ id }: JavaReference, index: number): Promise<JavaValue> {
    return this.#value(["a", "g", id, encodeArgument(index)]);
  }

  /** Number of elements of an array. */
  length({ id }: JavaReference): Promise<JavaValue> {
    return this.#value(["a", "e", id]);
  }

  /** The texts of a `java.util.List` in one round trip, then frees it. */
  async strings(list: JavaReference): Promise<string[]> {
    const joined = this.call("z:java.lang.String", "join", ["\n", list]);
    const [text] = await Promise.all([joined, this.free(list)]);
    if (typeof text !== "string") throw this.#fail(`String.join returned ${shown(String(text))}`);
    return text === "" ? [] : text.split("\n");
  }

  /** The numbers of a `java.util.List` of whole numbers, then frees it. */
  async wholeNumbers(list: JavaReference): Promise<number[]> {
    const [text] = await Promise.all([this.call(list, "toString"), this.free(list)]);
    if (!/^\[[\d, ]*\]$/.test(String(text))) throw this.#fail(`List.toString returned ${shown(String(text))}`);
    return JSON.parse(String(text)) as number[];
  }

  /** Version of a package in the manifest of its JAR. */
  async versionOf(name: string): Promise<string> {
    const found = (await this.call("z:java.lang.Package", "getPackage", [name])) as JavaReference;
    const version = await this.call(found, "getImplementationVersion");
    await this.free(found);
    return String(version);
  }

  /** Ends the connection; open calls fail. */
  close(): void {
    this.#fail("the connection was closed by us");
  }

  async #value(lines: readonly string[], timeoutMs = this.#timeoutMs): Promise<JavaValue> {
    const sent = `${lines.join("\n")}\ne\n`;
    const reply = await this.#request(sent, timeoutMs);
    const malformed = (why: string): EnvError => this.#fail(`sent ${shown(sent)}, got ${shown(reply)}: ${why}`);
    if (reply[0] !== "!") throw malformed("a reply begins with !");
    const status = reply[1];
    if (status !== "y" && status !== "x") throw malformed(status === "z" ? "a fatal error" : "no such status");
    let value: JavaValue;
    try {
      // "!y" alone is how some versions say void
      value = reply === "!y" ? undefined : decodeValue(reply.slice(2));
    } catch (error) {
      throw malformed((error as Error).message);
    }
    if (status === "y") return value;
    throw await this.#exception(sent, value);
  }

  async #exception(sent: string, value: JavaValue): Promise<EnvError> {
    let trace = String(value);
    if (typeof value === "object" && value !== null && "id" in value) {
      trace = String(await this.#value(["p", `r${value.id}`]));
      await this.free(value);
    }
    return new JavaError(`${this.#label}: sent ${shown(sent)}, the JVM threw ${shown(trace, 600)}`);
  }

  #request(sent: string, timeoutMs: number): Promise<string> {
    if (this.#failure) return Promise.reject(new EnvError(`${this.#failure.message}; not sent: ${shown(sent)}`));
    return new Promise((resolve, reject) => {
      const late = (): void => void this.#fail(`no answer within ${timeoutMs} ms to ${shown(sent)}`);
      this.#waiting.push({ sent, resolve, reject, timer: setTimeout(late, timeoutMs) });
      if (this.#outbox === "") queueMicrotask(() => this.#flush());
      this.#outbox += sent;
    });
  }

  #flush(): void {
    if (!this.#failure) this.#socket.write(this.#outbox);
    this.#outbox = "";
  }

  #read(part: Buffer): void {
    let start = 0;
    for (let end = part.indexOf(LF); end >= 0; end = part.indexOf(LF, start)) {
      this.#parts.push(part.subarray(start, end));
      const line = Buffer.concat(this.#parts).toString("utf8");
      this.#parts = [];
      this.#bytes = 0;
      start = end + 1;
      this.#deliver(line);
    }
    if (start === part.length) return;
    this.#parts.push(part.subarray(start));
    this.#bytes += part.length - start;
    if (this.#bytes > MAX_REPLY) this.#fail(`a reply of more than ${MAX_REPLY} bytes to ${this.#open()}`);
  }

  #deliver(line: string): void {
    const next = this.#waiting.shift();
    if (!next) {
      this.#fail(`got ${shown(line)}, though nothing was asked`);
      return;
    }
    clearTimeout(next.timer);
    next.resolve(line);
  }

  #open(): string {
    return shown(this.#waiting[0]?.sent ?? "nothing");
  }

  /** Ends everything once; the first reason stays. */
  #fail(why: string): EnvError {
    if (this.#failure) return this.#failure;
    const before =
      this.#waiting.length > 0 && why.startsWith("the connection") ? ` while ${this.#open()} was open` : "";
    this.#failure = new EnvError(`${this.#label}: ${why}${before}`);
    this.#socket.destroy();
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(this.#failure);
    }
    return this.#failure;
  }
}

/** A text on one line, cut. */
function shown(text: string, most = 200): string {
  const line = text.trim();
  return JSON.stringify(line.length <= most ? line : `${line.slice(0, most)}… (${line.length} characters)`);
}
