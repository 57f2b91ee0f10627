import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { cpus, freemem, totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import { messageOf } from "../../utils/errors.ts";
import { coresAtHand } from "../../utils/threads.ts";
import { onnxruntimeVersion, packageVersion } from "../environment.ts";

/** One line of the doctor's answer. */
export interface Finding {
  readonly what: string;
  /** `fail` makes the command exit with 1, `warn` does not. */
  readonly level: "ok" | "warn" | "fail";
  readonly detail: string;
}

const GIB = 2 ** 30;

/** Is this machine fit to train? Runs a small graph; writes nothing. */
export async function examineMachine(options: {
  readonly threads: number;
  readonly folder?: string;
}): Promise<Finding[]> {
  return [
    nodeVersion(),
    { what: "rlvr", level: "ok", detail: packageVersion() },
    await runtime(options.threads),
    await providers(),
    threads(options.threads),
    memory(),
    disk(options.folder ?? "."),
  ];
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNew = major > 20 || (major === 20 && minor >= 19);
  return {
    what: "Node",
    level: isNew ? "ok" : "fail",
    detail: `${process.versions.node}${isNew ? "" : ": rlvr needs 20.19 or newer"}`,
  };
}

/** Multiplies two matrices on ONNX Runtime and compares with the product worked out by hand. */
async function runtime(threadCount: number): Promise<Finding> {
  try {
    const { compile, Graph, tensorOf } = await import("../../graph/index.ts"); // here, so that a broken install is a finding
    const graph = new Graph();
    const a = graph.input("a", [2, 2]);
    const b = graph.input("b", [2, 2]);
    graph.output("product", graph.matMul(a, b));
    const session = await compile(graph, { name: "doctor", threads: threadCount });
    const start = performance.now();
    const { product } = await session.run({
      a: tensorOf("float32", [2, 2], [1, 2, 3, 4]),
      b: tensorOf("float32", [2, 2], [5, 6, 7, 8]),
    });
    const ms = performance.now() - start;
    await session.dispose();
    const right = String(product?.data) === "19,22,43,50";
    return right
      ? { what: "ONNX Runtime", level: "ok", detail: `${onnxruntimeVersion()}, ran a graph in ${ms.toFixed(1)} ms` }
      : {
          what: "ONNX Runtime",
          level: "fail",
          detail: `${onnxruntimeVersion()}: a product came out as ${product?.data}`,
        };
  } catch (error) {
    return {
      what: "ONNX Runtime",
      level: "fail",
      detail: `does not run: ${messageOf(error)}. Install again with: npm ci`,
    };
  }
}

async function providers(): Promise<Finding> {
  try {
    const { listSupportedBackends } = await import("onnxruntime-node");
    const names = listSupportedBackends().map(({ name }) => name);
    const detail = `${names.join(", ")}; this version trains on cpu`;
    return { what: "Providers", level: names.includes("cpu") ? "ok" : "fail", detail };
  } catch (error) {
    return { what: "Providers", level: "fail", detail: messageOf(error) };
  }
}

function threads(wanted: number): Finding {
  const cores = coresAtHand();
  const name = cpus()[0]?.model.trim() ?? "unknown processor";
  if (wanted > cores)
    return {
      what: "Threads",
      level: "warn",
      detail: `--threads ${wanted} is more than the ${cores} cores of ${name}: slower, not faster`,
    };
  return { what: "Threads", level: "ok", detail: `${wanted} of ${cores}, ${name}` };
}

function memory(): Finding {
  const [free, total] = [freemem() / GIB, totalmem() / GIB];
  const detail = `${free.toFixed(1)} GiB free of ${total.toFixed(1)} GiB`;
  if (free < 1)
    return {
      what: "Memory",
      level: "warn",
      detail: `${detail}: enough for seedling only; SmolLM2-135M with LoRA needs about 4 GiB`,
    };
  return { what: "Memory", level: "ok", detail };
}

function disk(folder: string): Finding {
  let place = resolve(folder);
  while (!existsSync(place)) place = dirname(place);
  const { bavail, bsize } = statfsSync(place);
  const free = (bavail * bsize) / GIB;
  const detail = `${free.toFixed(1)} GiB free in ${place}`;
  try {
    accessSync(place, constants.W_OK);
  } catch {
    return { what: "Disk", level: "fail", detail: `${place} cannot be written to` };
  }
  return free < 0.5
    ? { what: "Disk", level: "warn", detail: `${detail}: a run of seedling needs about 0.1 GiB, larger models more` }
    : { what: "Disk", level: "ok", detail };
}
