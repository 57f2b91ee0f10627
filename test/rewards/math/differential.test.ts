import assert from "node:assert/strict";
import { test } from "node:test";
import { ComputeEngine } from "@cortex-js/compute-engine";
import fc from "fast-check";
import { expressions } from "./expressions.ts";
import { isSame } from "./support.ts";

const engine = new ComputeEngine();
/** Doubles of the other side: about 15 digits, fewer after differences of large numbers. */
const CLOSE = 1e-8;
const FAR = 1e-6;

/** Value by compute-engine; null where it has none, or is too large to compare differences. */
function valueAt(latex: string, values: Readonly<Record<string, number>>): number | null {
  const value = engine.parse(latex).subs(values).N();
  return Number.isFinite(value.re) && Math.abs(value.re) < 1e6 && Math.abs(value.im) < CLOSE ? value.re : null;
}

const POINTS = [
  { x: 0.7, y: -1.3 },
  { x: -2.1, y: 0.4 },
];

/** Largest difference at the points; null where there are no values. */
function gap(a: string, b: string): number | null {
  const gaps = POINTS.map((point) => {
    const [left, right] = [valueAt(a, point), valueAt(b, point)];
    return left === null || right === null ? null : Math.abs(left - right) / Math.max(1, Math.abs(left));
  });
  return gaps.includes(null) ? null : Math.max(...(gaps as number[]));
}

let compared = 0;
function agrees(a: string, b: string): void {
  const distance = gap(a, b);
  if (distance === null || (distance > CLOSE && distance < FAR)) return;
  compared++;
  assert.equal(isSame(a, b), distance <= CLOSE, `${a} against ${b}: compute-engine's values differ by ${distance}`);
}

test("math: verdicts on generated numbers agree with the values of compute-engine", () => {
  compared = 0;
  fc.assert(
    fc.property(expressions([]), expressions([]), (a, b) => {
      agrees(a.plain, a.other);
      agrees(a.plain, b.plain);
      agrees(a.plain, `${a.other} + \\frac{1}{97}`);
    }),
    { numRuns: 60, seed: 3 },
  );
  assert.ok(compared > 120, `only ${compared} pairs could be compared`);
});

test("math: verdicts on generated expressions in two variables agree with the values of compute-engine", () => {
  compared = 0;
  fc.assert(
    fc.property(expressions(["x", "y"]), expressions(["x", "y"]), (a, b) => {
      agrees(a.plain, a.other);
      agrees(a.plain, b.plain);
      agrees(a.plain, a.other.replaceAll("x", "y"));
    }),
    { numRuns: 60, seed: 4 },
  );
  assert.ok(compared > 120, `only ${compared} pairs could be compared`);
});

test("math: identities that compute-engine confirms by their values are called equal", () => {
  for (const [a, b] of [
    ["\\sin(2x)", "2\\sin(x)\\cos(x)"],
    ["\\cos(x+y)", "\\cos(x)\\cos(y)-\\sin(x)\\sin(y)"],
    ["(x+y)^3", "x^3+3x^2y+3xy^2+y^3"],
    ["e^{x+y}", "e^xe^y"],
    ["\\frac{x^3-y^3}{x-y}", "x^2+xy+y^2"],
    ["\\tan(x)", "\\frac{\\sin(x)}{\\cos(x)}"],
    ["\\frac{1}{x}-\\frac{1}{x+1}", "\\frac{1}{x(x+1)}"],
    ["\\sqrt{3+2\\sqrt{2}}", "1+\\sqrt{2}"],
  ] as const) {
    assert.ok(gap(a, b)! <= CLOSE, `${a} against ${b}`);
    assert.ok(isSame(a, b), `${a} against ${b}`);
  }
});
