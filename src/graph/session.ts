import * as ort from "onnxruntime-node";
import { messageOf, SessionError } from "../utils/errors.ts";
import type { GraphCore } from "./builder.ts";
import { toOnnx } from "./proto.ts";
import { describe } from "./shape.ts";
import type { DType, Tensor, Value } from "./types.ts";

/** How a graph is compiled. */
export interface SessionOptions {
  /** Shown in errors. */
  readonly name: string;
  /** Threads inside one operator; default all that ONNX Runtime sees. */
  readonly threads?: number;
}

/** Arrays by the names of a graph's inputs or outputs. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** A graph compiled by ONNX Runtime. `run` blocks its thread, so sessions live in a worker; `dispose` frees native memory. */
export interface Session {
  readonly name: string;
  readonly inputs: readonly Value[];
  run(feeds: Feeds): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/**
 * Threads that spin while they wait halve the time of nothing here, and on a machine that does other work they cost a factor of two to five
 * (EXPERIMENTS.md).
 */
const NO_SPINNING = { session: { intra_op: { allow_spinning: "0" } } };

/**
 * Compiles a graph for the CPU provider.
 * @throws SessionError naming the graph, and the node with its scope when ONNX Runtime names one
 */
export async function compile(graph: GraphCore, options: SessionOptions): Promise<Session> {
  const { name, threads } = options;
  const session = await ort.InferenceSession.create(toOnnx(graph), {
    executionProviders: ["cpu"],
    // extended fusions make operators that have no float64 kernel (QuickGelu)
    graphOptimizationLevel: graph.floatType === "float64" ? "basic" : "all",
    enableMemPattern: false, // shapes change from run to run: patterns only grow memory
    interOpNumThreads: 1,
    extra: NO_SPINNING,
    logSeverityLevel: 4, // what goes wrong is thrown, with more context than a log line has
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  }).catch((error: unknown) => {
    throw new SessionError(`cannot compile graph "${name}": ${messageOf(error)}`, { cause: error });
  });
  const inputs = [...graph.inputs];
  const outputNames = graph.outputs.map((output) => output.name);
  let disposed = false;
  return {
    name,
    inputs,
    async run(feeds) {
      if (disposed) throw new SessionError(`graph "${name}" was disposed`);
      const prepared = checkFeeds(name, inputs, feeds);
      const results = await session.run(prepared, outputNames).catch((error: unknown) => {
        throw new SessionError(`graph "${name}" failed${whereOf(error)}: ${messageOf(error)}`, { cause: error });
      });
      return Object.fromEntries(outputNames.map((output) => [output, fromOrt(results[output]!)]));
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await session.release();
    },
  };
}

/** ONNX Runtime names the failing node as `Name:'scope/Op_12'`; the scope is where our code built it. */
function whereOf(error: unknown): string {
  const node = /Name:'([^']+)'/.exec(messageOf(error))?.[1];
  return node ? ` at node ${node}` : "";
}

function checkFeeds(name: string, inputs: readonly Value[], feeds: Feeds): Record<string, ort.Tensor> {
  const sizes = new Map<string, number>();
  const prepared: Record<string, ort.Tensor> = {};
  for (const input of inputs) {
    const fed = feeds[input.name];
    if (!fed) {
      const names = Object.keys(feeds).join(", ") || "nothing";
      throw new SessionError(`graph "${name}": input ${input.name} ${describe(input)} is not fed, only ${names}`);
    }
    const fits =
      fed.dtype === input.dtype &&
      fed.shape.length === input.shape.length &&
      input.shape.every((dim, i) => {
        const size = fed.shape[i]!;
        if (typeof dim === "number") return dim === size;
        const bound = sizes.get(dim) ?? size;
        sizes.set(dim, bound);
        return bound === size;
      });
    if (!fits) {
      const symbols = [...sizes].map(([symbol, size]) => `${symbol}=${size}`).join(", ");
      throw new SessionError(
        `graph "${name}": input ${input.name} needs ${describe(input)}, got ${fed.dtype}[${fed.shape}]${symbols ? ` (${symbols})` : ""}`,
      );
    }
    prepared[input.name] = toOrt(fed);
  }
  return prepared;
}

const wrapped = new WeakMap<Tensor, ort.Tensor>(); // weights are fed at every run: one wrapper each

function toOrt(fed: Tensor): ort.Tensor {
  let made = wrapped.get(fed);
  if (!made) {
    made = new ort.Tensor(fed.dtype, fed.data as Float32Array, fed.shape);
    wrapped.set(fed, made);
  }
  return made;
}

function fromOrt(value: ort.Tensor): Tensor {
  return { dtype: value.type as DType, shape: value.dims, data: value.data as Tensor["data"] };
}
