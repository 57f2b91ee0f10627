import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** Answers one request, given its lines without the closing `e`. Null: nothing is said. A function: does what it likes with the socket. */
export type Answer = (lines: readonly string[]) => string | null | ((socket: Socket) => void);

/** A gateway that speaks Py4J's protocol as a test tells it to. */
export interface FakeGateway {
  readonly port: number;
  /** All requests so far, each as its lines. */
  readonly requests: string[][];
}

/** Starts a fake gateway that ends with the test. */
export async function fakeGateway(t: TestContext, answer: Answer): Promise<FakeGateway> {
  const requests: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).setEncoding("utf8"));
    let text = "";
    let lines: string[] = [];
    socket.on("data", (part: string) => {
      const all = (text + part).split("\n");
      text = all.pop()!;
      for (const line of all) {
        // the command for the length of an array is an e itself
        if (line !== "e" || lines.join() === "a") {
          lines.push(line);
          continue;
        }
        const request = lines;
        lines = [];
        requests.push(request);
        const reply = answer(request);
        if (typeof reply === "function") reply(socket);
        else if (reply !== null) socket.write(`${reply}\n`);
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === "object" && address ? address.port : 0, requests };
}
