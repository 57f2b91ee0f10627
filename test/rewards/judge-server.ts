import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the server saw it. */
export interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: { readonly model: string; readonly messages: { readonly role: string; readonly content: string }[] };
}

/** A chat server of this machine. */
export interface JudgeServer {
  readonly url: string;
  readonly seen: Seen[];
  /** Most requests that were under way at the same time. */
  peak(): number;
  close(): Promise<void>;
}

/** Answers the n-th request, counted from 0. */
export type Answer = (seen: Seen, n: number, response: ServerResponse) => void | Promise<void>;

/** A chat completion as OpenAI-compatible servers send it. */
export function says(response: ServerResponse, content: string, finish = "stop"): void {
  const choices = [{ index: 0, message: { role: "assistant", content }, finish_reason: finish }];
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ choices, usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 } }));
}

/** Starts a real HTTP server on a free port. */
export async function judgeServer(answer: Answer): Promise<JudgeServer> {
  const seen: Seen[] = [];
  let [now, peak] = [0, 0];
  const server = createServer(async (request: IncomingMessage, response) => {
    peak = Math.max(peak, ++now);
    response.on("close", () => now--);
    let text = "";
    for await (const part of request) text += String(part);
    const one = {
      path: request.url!,
      authorization: request.headers.authorization,
      body: JSON.parse(text) as Seen["body"],
    };
    seen.push(one);
    await answer(one, seen.length - 1, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    peak: () => peak,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
