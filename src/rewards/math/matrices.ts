import { type Budget, LIMITS } from "./budget.ts";
import { exactValue } from "./evaluate.ts";
import { contains, type Node, wholeNode } from "./nodes.ts";

type Rows = readonly (readonly Node[])[];

export function hasMatrix(node: Node): boolean {
  return contains(node, ({ kind }) => kind === "matrix");
}

/** A matrix, or sums, products, multiples, powers and transposes of matrices, worked out element by element; null when the sizes do not fit or it is none. */
export function matrixOf(node: Node, budget: Budget): Rows | null {
  budget.spend();
  switch (node.kind) {
    case "matrix":
      return node.rows;
    case "negative": {
      const rows = matrixOf(node.of, budget);
      return rows && each(rows, (cell) => ({ kind: "negative", of: cell }));
    }
    case "sum":
      return node.terms.map((term) => matrixOf(term, budget)).reduce((a, b) => a && b && addRows(a, b));
    case "product":
      return productRows(node.factors, budget);
    case "quotient": {
      const rows = matrixOf(node.above, budget);
      return rows && !hasMatrix(node.below)
        ? each(rows, (cell) => ({ kind: "quotient", above: cell, below: node.below }))
        : null;
    }
    case "power":
      return powerRows(node.base, node.exponent, budget);
    default:
      return null;
  }
}

function each(rows: Rows, change: (cell: Node) => Node): Rows {
  return rows.map((row) => row.map(change));
}

function addRows(a: Rows, b: Rows): Rows | null {
  if (a.length !== b.length || a[0]!.length !== b[0]!.length) return null;
  return a.map((row, i) => row.map((cell, j): Node => ({ kind: "sum", terms: [cell, b[i]![j]!] })));
}

function productRows(factors: readonly Node[], budget: Budget): Rows | null {
  const scalars = factors.filter((factor) => !hasMatrix(factor));
  const matrices = factors.filter(hasMatrix).map((factor) => matrixOf(factor, budget));
  const rows = matrices.reduce((a, b) => a && b && multiplyRows(a, b, budget));
  return rows && scalars.length > 0
    ? each(rows, (cell) => ({ kind: "product", factors: [...scalars, cell] }))
    : (rows ?? null);
}

function multiplyRows(a: Rows, b: Rows, budget: Budget): Rows | null {
  if (a[0]!.length !== b.length || a.length * b[0]!.length > LIMITS.elements) return null;
  budget.spend(a.length * b.length * b[0]!.length);
  return a.map((row) =>
    b[0]!.map(
      (_, j): Node => ({
        kind: "sum",
        terms: row.map((cell, k): Node => ({ kind: "product", factors: [cell, b[k]![j]!] })),
      }),
    ),
  );
}

function powerRows(base: Node, exponent: Node, budget: Budget): Rows | null {
  const rows = matrixOf(base, budget);
  if (!rows) return null;
  if (exponent.kind === "variable" && (exponent.name === "T" || exponent.name === "t"))
    return rows[0]!.map((_, j) => rows.map((row) => row[j]!));
  const power = exactValue(exponent, budget);
  if (power?.denominator !== 1n || power.numerator > 4n || power.numerator < 1n) return null;
  let result: Rows | null = rows;
  for (let i = 1n; i < power.numerator && result; i++) result = multiplyRows(result, rows, budget);
  return result;
}

/** Whether it is the identity matrix, written out. */
export function isIdentity(rows: Rows, budget: Budget): boolean {
  if (rows.length !== rows[0]!.length) return false;
  return rows.every((row, i) =>
    row.every((cell, j) => {
      const value = exactValue(cell, budget);
      const wanted = wholeNode(i === j ? 1 : 0).value;
      return value !== null && value.numerator === wanted.numerator * value.denominator;
    }),
  );
}
