// A real MCP server of the SDK. Arguments: stdio, http (prints its port), silent (never answers), or broken (ends with a message).
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

function makeServer() {
  const server = new McpServer({ name: "test", version: "1" });
  const text = (value) => ({ content: [{ type: "text", text: String(value) }] });
  const numbers = { a: z.number(), b: z.number() };
  server.registerTool("add", { description: "Adds.", inputSchema: numbers }, ({ a, b }) => text(a + b));
  server.registerTool("pid", { description: "Tells its process." }, () => text(process.pid));
  server.registerTool("fail", { description: "Fails." }, () => ({ ...text("no luck"), isError: true }));
  server.registerTool("hang", { description: "Hangs." }, () => new Promise(() => {}));
  server.registerTool("flood", { description: "Floods." }, () => text("x".repeat(1_000_000)));
  server.registerTool("die", { description: "Ends the server." }, () => process.exit(1));
  server.registerTool("picture", { description: "Draws." }, () => ({
    content: [
      { type: "image", data: "AAAA", mimeType: "image/png" },
      { type: "text", text: process.env.CAPTION ?? "" },
    ],
  }));
  return server;
}

const mode = process.argv[2];
if (mode === "stdio") await makeServer().connect(new StdioServerTransport());
else if (mode === "http") {
  const listener = createServer(async (request, response) => {
    if (request.headers.authorization !== "Bearer let-me-in") {
      response.writeHead(401).end();
      return;
    }
    const transport = new StreamableHTTPServerTransport({});
    await makeServer().connect(transport);
    await transport.handleRequest(request, response);
  });
  listener.listen(0, "127.0.0.1", () => console.log(listener.address().port));
  process.stdin.resume().once("end", () => process.exit());
} else if (mode === "silent") process.stdin.resume();
else {
  console.error("the licence has run out");
  process.exit(3);
}
