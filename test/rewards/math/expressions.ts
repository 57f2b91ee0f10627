import fc from "fast-check";

/** A generated expression in LaTeX, and the same one with terms and factors exchanged and fractions written in other ways. */
export interface Written {
  readonly plain: string;
  readonly other: string;
}

const both = (text: string): Written => ({ plain: text, other: text });

const number = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((n) => both(String(n))),
  fc.integer({ min: 1, max: 99 }).map((n) => ({ plain: `${n}.5`, other: `\\frac{${2 * n + 1}}{2}` })),
  fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 2, max: 12 })).map(([above, below]) => ({
    plain: `\\frac{${above}}{${below}}`,
    other: `\\frac{${3 * above}}{${3 * below}}`,
  })),
  fc.integer({ min: 2, max: 12 }).map((n) => ({ plain: `\\sqrt{${n}}`, other: `${n}^{1/2}` })),
  fc.constant(both("\\pi")),
);

/** Expressions of numbers, sums, products, quotients, powers and sines; with variables when some are named. */
export function expressions(variables: readonly string[]): fc.Arbitrary<Written> {
  const leaf = variables.length === 0 ? number : fc.oneof(number, fc.constantFrom(...variables).map(both));
  return fc.letrec<{ node: Written }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small", maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => pair("", a, " + ", b, "", true)),
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => pair("", a, " - ", b, "", false)),
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => pair("", a, " \\cdot ", b, "", true)),
      fc.tuple(tie("node"), fc.integer({ min: 2, max: 3 })).map(([a, n]) => ({
        plain: `(${a.plain})^{${n}}`,
        other: new Array(n).fill(`(${a.other})`).join(""),
      })),
      tie("node").map((a) => ({ plain: `\\sin(${a.plain})`, other: `-\\sin\\left(-(${a.other})\\right)` })),
      fc.tuple(tie("node"), fc.integer({ min: 2, max: 9 })).map(([a, n]) => ({
        plain: `\\frac{${a.plain}}{${n}}`,
        other: `\\frac{1}{${n}}\\left(${a.other}\\right)`,
      })),
    ),
  })).node;
}

function pair(before: string, a: Written, sign: string, b: Written, after: string, commutes: boolean): Written {
  const write = (x: string, y: string): string => `${before}(${x})${sign}(${y})${after}`;
  return { plain: write(a.plain, b.plain), other: commutes ? write(b.other, a.other) : write(a.other, b.other) };
}
