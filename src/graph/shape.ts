import { ShapeError } from "../utils/errors.ts";
import type { Dim, Shape, Value } from "./types.ts";

/** "float32[B, T, 64]": a value's type as people read it. */
export function describe(value: Value): string {
  return `${value.dtype}[${value.shape.join(", ")}]`;
}

/** Product of two sizes: a number when it is known, else a canonical symbol such as "3*T" or "2*(P+C)". */
export function dimMul(a: Dim, b: Dim): Dim {
  const factors = [...factorsOf(a), ...factorsOf(b)];
  const known = factors.filter((factor) => typeof factor === "number").reduce((product, factor) => product * factor, 1);
  const symbols = factors.filter((factor) => typeof factor === "string").sort();
  if (symbols.length === 0 || known === 0) return known;
  if (known === 1 && symbols.length === 1) return symbols[0]!.replace(/^\((.*)\)$/, "$1");
  return known === 1 ? symbols.join("*") : [known, ...symbols].join("*");
}

/** Numbers and symbols whose product a size is; a sum is one factor, in parentheses. */
function factorsOf(dim: Dim): Dim[] {
  if (typeof dim === "number") return [dim];
  if (splitOutside(dim, "+").length > 1) return [`(${dim})`];
  return splitOutside(dim, "*").map((factor) => (/^\d+$/.test(factor) ? Number(factor) : factor));
}

/** Parts of a text between separators that are not inside parentheses. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (character === separator && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** Sum of two sizes: a number when both are known, else a symbol such as "P+C". */
export function dimAdd(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a === 0 || b === 0) return a === 0 ? b : a;
  return `${a}+${b}`;
}

/** Product of all sizes. */
export function dimProduct(shape: Shape): Dim {
  return shape.reduce<Dim>((product, dim) => dimMul(product, dim), 1);
}

/** Axis counted from the front; negative axes count from the end. @throws ShapeError outside the rank */
export function normalizeAxis(axis: number, rank: number, where: string): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (normal < 0 || normal >= rank) throw new ShapeError(`${where}: axis ${axis} is outside rank ${rank}`);
  return normal;
}

/**
 * Shape of an elementwise result under ONNX broadcasting. A symbol fits itself and 1 only.
 * @throws ShapeError naming both shapes
 */
export function broadcast(a: Shape, b: Shape, where: string): Shape {
  const rank = Math.max(a.length, b.length);
  const at = (shape: Shape, i: number): Dim => shape[i - (rank - shape.length)] ?? 1;
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [at(a, i), at(b, i)];
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new ShapeError(`${where}: shapes [${a}] and [${b}] do not broadcast: ${x} against ${y}`);
  });
}

/**
 * Checks a value's shape; letters stand for any size but the same size wherever they occur again.
 * @throws ShapeError with the shape expected and the shape got
 */
export function expectShape(value: Value, expected: Shape, where: string): void {
  const bound = new Map<string, Dim>();
  const fits =
    value.shape.length === expected.length &&
    expected.every((dim, i) => {
      const actual = value.shape[i]!;
      if (typeof dim === "number") return dim === actual;
      const seen = bound.get(dim) ?? actual;
      bound.set(dim, seen);
      return seen === actual;
    });
  if (!fits) throw new ShapeError(`${where}: expected [${expected}], got ${describe(value)}`);
}
