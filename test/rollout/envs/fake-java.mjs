#!/usr/bin/env node
// Stands for `java` in tests: a gateway that knows one property, and the faults that its main class names.
import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:net";

const args = process.argv.slice(2);
const mainClass = args[args.indexOf("-cp") + 2];
const port = Number(args.at(-1));
const mark = args.find((arg) => arg.startsWith("-Drlvr.mark=")).slice("-Drlvr.mark=".length);

/** How often it was started here before. */
function startsBefore() {
  appendFileSync("starts", "x");
  return readFileSync("starts", "utf8").length - 1;
}

if (mainClass === "crash") {
  console.error("Error: Could not find or load main class crash");
  process.exit(1);
}
const isTaken = mainClass === "taken" && startsBefore() < 2;
const server = createServer((socket) => {
  socket.setEncoding("utf8").on("data", (text) => {
    for (const request of text.split("\ne\n").slice(0, -1)) {
      if (request.includes("exit")) process.exit(3);
      if (request.includes("silence")) continue;
      if (request.includes("chatter")) process.stdout.write("debugging text\n".repeat(100_000));
      socket.write(request.includes("rlvr.mark") ? `!ys${isTaken ? "another" : mark}\n` : "!yi7\n");
    }
  });
});
if (mainClass !== "hang")
  server.listen(port, "127.0.0.1", () => {
    console.log(port === 0 ? String(server.address().port) : "Server started... ");
  });
else setInterval(() => {}, 1000);
