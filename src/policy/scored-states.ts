import type { Graph, Tensor, Value } from "../graph/index.ts";

/**
 * Hidden states of the scored tokens, out of those of all rows. A row may be scored several times: completions of one prompt all begin behind its last
 * token. The gradient is made of gathers, since ONNX Runtime's scatter by rows loses additions to one row on several threads.
 *
 * Inputs that it declares: states/rows [n, c] row of each scored token; states/several [E, K] scored tokens of the rows that have more than one; states/back [N]
 * for each row its scored token, or n*c + 1 + its place in `several`; n*c stands for nothing.
 * @param y [N, D]
 * @returns [n, c, D]
 */
export function scoredStates(g: Graph, y: Value): Value {
  const rows = g.input("states/rows", ["n", "c"], "int32");
  const several = g.input("states/several", ["E", "K"], "int32");
  const back = g.input("states/back", [y.shape[0]!], "int32");
  return g.withGradient(
    g.gather(y, rows),
    [y],
    (g, ct, { remembered: [several, back] }) => {
      const width = ct.shape[2]!;
      const one = g.concat([g.reshape(ct, ["n*c", width]), g.full([1, width], 0, ct.dtype)], 0);
      const sums = g.reduceSum(g.gather(one, several!), [1]);
      return [g.gather(g.concat([one, sums], 0), back!)];
    },
    [several, back],
  );
}

/**
 * Feeds of {@link scoredStates}.
 * @param scored row of each scored token
 * @param places n*c, at least as many; what is beyond the scored tokens repeats the last one and is not read back
 * @param rows N
 */
export function scoredFeeds(
  scored: Int32Array,
  [n, c]: readonly [number, number],
  rows: number,
): Record<string, Tensor> {
  const nothing = n * c;
  const byRow = new Map<number, number[]>();
  scored.forEach((row, i) => {
    const present = byRow.get(row);
    if (present) present.push(i);
    else byRow.set(row, [i]);
  });
  const shared = [...byRow].filter(([, places]) => places.length > 1);
  const most = Math.max(1, ...shared.map(([, places]) => places.length));
  const several = new Int32Array(Math.max(1, shared.length) * most).fill(nothing);
  const back = new Int32Array(rows).fill(nothing);
  for (const [row, places] of byRow) back[row] = places[0]!;
  shared.forEach(([row, places], e) => {
    several.set(places, e * most);
    back[row] = nothing + 1 + e;
  });
  const all = new Int32Array(nothing).fill(scored.at(-1)!);
  all.set(scored);
  return {
    "states/rows": { dtype: "int32", shape: [n, c], data: all },
    "states/several": { dtype: "int32", shape: [several.length / most, most], data: several },
    "states/back": { dtype: "int32", shape: [rows], data: back },
  };
}
