// Loaded into all threads of a command before it starts (NODE_OPTIONS=--require): ends its process with SIGKILL at one call of the file system,
// so that tests hit every phase of a run on purpose. RLVR_TEST_KILL is JSON: {call: "write" | "rename" | "remove", path: "regular expression", nth, delayMs?}.
// A write that is hit puts half of its bytes into the file first. With delayMs the call happens as usual and the end comes that much later.
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");

const plan = JSON.parse(process.env.RLVR_TEST_KILL ?? "null");
const { openSync, writeSync, renameSync, rmSync } = fs;
const paths = new Map();
let seen = 0;

/** Is this the call to end at? Starts the clock when the end comes later. */
function isDue(call, path) {
  if (call !== plan.call || !new RegExp(plan.path).test(path) || ++seen !== plan.nth) return false;
  if (plan.delayMs === undefined) return true;
  setTimeout(end, plan.delayMs);
  return false;
}

function end() {
  process.kill(process.pid, "SIGKILL");
}

if (plan) {
  fs.openSync = (path, ...rest) => {
    const file = openSync(path, ...rest);
    paths.set(file, String(path));
    return file;
  };
  fs.writeSync = (file, data, offset = 0, length = data.length - offset, ...rest) => {
    if (isDue("write", paths.get(file) ?? "")) {
      writeSync(file, data, offset, Math.floor(length / 2));
      end();
    }
    return writeSync(file, data, offset, length, ...rest);
  };
  fs.renameSync = (from, to) => {
    if (isDue("rename", String(to))) end();
    return renameSync(from, to);
  };
  fs.rmSync = (path, ...rest) => {
    if (isDue("remove", String(path))) end();
    return rmSync(path, ...rest);
  };
  syncBuiltinESMExports();
}
