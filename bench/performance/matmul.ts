import { compile, Graph, tensor } from "../../src/graph/index.ts";
import { createRng } from "../../src/utils/rng.ts";
import { serve } from "./protocol.ts";

const PRODUCTS = 4; // in one run, so that feeding and the sum at the end weigh little

/** ONNX Runtime's own float32 product of two square matrices, several in a row: what this machine's matrix units give at best. */
export async function serveMatMul(threads: number, size: number): Promise<void> {
  const g = new Graph();
  const a = g.input("a", [size, size]);
  const b = g.input("b", [size, size]);
  let product = a;
  for (let i = 0; i < PRODUCTS; i++) product = g.matMul(product, b);
  g.output("sum", g.reduceSum(product));
  const session = await compile(g, { name: "matmul", threads });
  const rng = createRng("bench");
  const bound = Math.sqrt(3 / size); // products keep the size of their left factor
  const matrix = (name: string, scale: number) => {
    const stream = rng.fork(name);
    const values = Float32Array.from({ length: size * size }, () => (2 * stream.uniform() - 1) * scale);
    return tensor("float32", [size, size], values);
  };
  const feeds = { a: matrix("a", 1), b: matrix("b", bound) };
  const repeat = async () => ({ sum: (await session.run(feeds)).sum!.data[0] as number });
  const start = performance.now();
  await repeat();
  await serve(repeat, { flops: PRODUCTS * 2 * size ** 3, first_s: (performance.now() - start) / 1000 });
  await session.dispose();
}
