import { ShapeError } from "../../utils/errors.ts";
import { describe, dimProduct, normalizeAxis } from "../shape.ts";
import type { OwnGradient, Value } from "../types.ts";
import { MovementOps } from "./movement.ts";

/** Reading and writing at indices (int64, where nothing else is said). */
export class IndexingOps extends MovementOps {
  /** Rows (slices of axis 0) of a table. table [V, ..], ids [..] int64 or int32 → [.. of ids, .. of a row] */
  gather(table: Value, ids: Value): Value {
    if (ids.dtype !== "int32") expectInt(ids, "gather(ids)");
    return this.single(
      "Gather",
      [table, ids],
      { dtype: table.dtype, shape: [...ids.shape, ...table.shape.slice(1)] },
      {
        axis: { int: 0 },
      },
    );
  }

  /**
   * `gather` that puts every row to a place of its own, with the inverse as its gradient: a copy, where that of `gather` adds up.
   * @param ids rows of the table, each at most once, but for rows whose results get no cotangent
   * @param inverse for each row of the table its place in the result, flattened; for a row that is not in it a place that gets no cotangent
   */
  rearrange(table: Value, ids: Value, inverse: Value): Value {
    const gradient: OwnGradient = (g, ct, { inputs: [x], remembered: [back] }) => {
      const rows = g.reshape(ct, [dimProduct(ct.shape.slice(0, ids.shape.length)), ...x!.shape.slice(1)]);
      return [g.reshape(g.gather(rows, g.flatten(back!)), x!.shape)];
    };
    return this.withGradient(this.gather(table, ids), [table], gradient, [inverse]);
  }

  /** out[.., i, ..] = x[.., indices[.., i, ..], ..] along an axis; all other sizes are those of `indices`. */
  gatherElements(x: Value, indices: Value, axis: number): Value {
    expectInt(indices, "gatherElements(indices)");
    const at = normalizeAxis(axis, x.shape.length, "gatherElements()");
    return this.single("GatherElements", [x, indices], { dtype: x.dtype, shape: indices.shape }, { axis: { int: at } });
  }

  /** One element of the last axis for each position. x [.., n], ids [..] → [..] */
  gatherLast(x: Value, ids: Value): Value {
    const axis = x.shape.length - 1;
    return this.squeeze(this.gatherElements(x, this.unsqueeze(ids, [axis]), axis), [axis]);
  }

  /** A copy of x in which updates are added at indices along an axis; repeated indices add up. */
  scatterAddElements(x: Value, indices: Value, updates: Value, axis: number): Value {
    expectInt(indices, "scatterAddElements(indices)");
    const at = normalizeAxis(axis, x.shape.length, "scatterAddElements()");
    const attributes = { axis: { int: at }, reduction: { string: "add" } };
    return this.single("ScatterElements", [x, indices, updates], x, attributes);
  }

  /** A copy of the table in which rows are added at ids; repeated ids add up. table [V, ..], ids [n], rows [n, ..] */
  scatterAddRows(table: Value, ids: Value, rows: Value): Value {
    expectInt(ids, "scatterAddRows(ids)");
    const column = this.unsqueeze(ids, [ids.shape.length]);
    return this.single("ScatterND", [table, column, rows], table, { reduction: { string: "add" } });
  }
}

function expectInt(value: Value, where: string): void {
  if (value.dtype !== "int64") throw new ShapeError(`${where}: expected int64, got ${describe(value)}`);
}
