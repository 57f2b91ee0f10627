import type { Feeds, Graph, Tensor } from "../../src/graph/index.ts";
import { compile } from "../../src/graph/index.ts";

/** Compiles a graph, runs it once and frees it; results as plain numbers by the names of the outputs. */
export async function run(g: Graph, feeds: Feeds): Promise<Record<string, number[]>> {
  const results = await runTensors(g, feeds);
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

/** The same with shapes and types. */
export async function runTensors(g: Graph, feeds: Feeds): Promise<Record<string, Tensor>> {
  const session = await compile(g, { name: "test", threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}
