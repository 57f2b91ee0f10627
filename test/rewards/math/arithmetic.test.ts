import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type BigFloat, fromRatio, size, subtractFloats, toDouble } from "../../../src/rewards/math/big-float.ts";
import { Budget, OverBudget } from "../../../src/rewards/math/budget.ts";
import { complexField } from "../../../src/rewards/math/complex-field.ts";
import { evaluate, exactValue } from "../../../src/rewards/math/evaluate.ts";
import { modularField, PRIME } from "../../../src/rewards/math/modular-field.ts";
import { parse } from "../../../src/rewards/math/parser.ts";

const budget = (): Budget => new Budget();
const nodeOf = (latex: string) => parse(latex, { joinCommas: true }, budget());

/** Value to about 60 digits, which must be real. */
function value(latex: string): BigFloat {
  const field = complexField(budget());
  return evaluate(nodeOf(latex), { field, values: new Map(), budget: budget() }).re;
}

/** Digits of constants to 60 places: OEIS A000796, A001113, A002162, A002193, A001622, A002392. */
const CONSTANTS: readonly (readonly [latex: string, digits: string])[] = [
  ["\\pi", "3.141592653589793238462643383279502884197169399375105820974944"],
  ["e", "2.718281828459045235360287471352662497757247093699959574966967"],
  ["\\ln 2", "0.693147180559945309417232121458176568075500134360255254120680"],
  ["\\sqrt{2}", "1.414213562373095048801688724209698078569671875376948073176679"],
  ["\\frac{1+\\sqrt{5}}{2}", "1.618033988749894848204586834365638117720309179805762862135448"],
  ["\\ln 10", "2.302585092994045684017991454684364207601101488628772976033327"],
];

test("evaluate: constants to 60 digits", () => {
  for (const [latex, digits] of CONSTANTS) {
    const [, places] = digits.split(".") as [string, string];
    const known = fromRatio(BigInt(digits.replace(".", "")), 10n ** BigInt(places.length));
    const gap = subtractFloats(value(latex), known);
    assert.ok(size(gap) < -195, `${latex}: 2^${size(gap)}`); // 10^-59 is about 2^-196
  }
});

const FUNCTIONS: readonly (readonly [latex: string, double: (x: number) => number, low: number, high: number])[] = [
  ["\\sin", Math.sin, -40, 40],
  ["\\cos", Math.cos, -40, 40],
  ["\\tan", Math.tan, -1.5, 1.5],
  ["\\ln", Math.log, 0.001, 1000],
  ["\\exp", Math.exp, -30, 30],
  ["\\arctan", Math.atan, -100, 100],
  ["\\arcsin", Math.asin, -1, 1],
  ["\\arccos", Math.acos, -1, 1],
  ["\\sinh", Math.sinh, -20, 20],
  ["\\cosh", Math.cosh, -20, 20],
  ["\\tanh", Math.tanh, -20, 20],
];

test("evaluate: elementary functions agree with doubles, and their error bounds are small", () => {
  for (const [latex, double, low, high] of FUNCTIONS)
    fc.assert(
      fc.property(fc.integer({ min: Math.ceil(low * 1000), max: Math.floor(high * 1000) }), (thousandths) => {
        const found = value(
          `${latex}\\left(${thousandths < 0 ? "-" : ""}\\frac{${Math.abs(thousandths)}}{1000}\\right)`,
        );
        const wanted = double(thousandths / 1000);
        assert.ok(
          Math.abs(toDouble(found) - wanted) <= 1e-13 * Math.max(1, Math.abs(wanted)),
          `${latex} ${thousandths}`,
        );
        assert.ok(found.err < Math.max(size(found), 0) - 180, `${latex} ${thousandths}: 2^${found.err}`);
      }),
      { numRuns: 60, seed: 7 },
    );
});

test("evaluate: whole numbers of any size are exact, and modulo a prime the same", () => {
  const whole = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
  fc.assert(
    fc.property(whole, whole, fc.integer({ min: 0, max: 6 }), (a, b, n) => {
      const node = nodeOf(`(${a})(${b}) - (${a} + ${b})^{${n}}`);
      const wanted = a * b - (a + b) ** BigInt(n);
      const exact = exactValue(node, budget())!;
      assert.equal(exact.numerator, wanted * exact.denominator);
      const modular = evaluate(node, { field: modularField(budget()), values: new Map(), budget: budget() });
      assert.equal(modular, ((wanted % PRIME) + PRIME) % PRIME);
    }),
    { numRuns: 100, seed: 9 },
  );
});

test("evaluate: exact values of functions on whole numbers", () => {
  for (const [latex, wanted] of [
    ["20!", 2432902008176640000n],
    ["7!!", 105n],
    ["\\binom{50}{25}", 126410606437752n],
    ["\\gcd(84, 180)", 12n],
    ["\\operatorname{lcm}(84, 180)", 1260n],
    ["\\lfloor -\\frac{7}{2} \\rfloor", -4n],
    ["\\lceil -\\frac{7}{2} \\rceil", -3n],
    ["-7 \\bmod 5", -2n], // −(7 mod 5)
    ["\\log_2 1024", 10n],
    ["\\max(3, -8, 5)", 5n],
    ["204_5", 54n],
    ["\\text{FF}_{16}", 255n],
  ] as const) {
    const exact = exactValue(nodeOf(latex), budget());
    assert.equal(exact && exact.numerator / exact.denominator, wanted, latex);
  }
});

test("Budget: work beyond it is an error of its own, whatever is computed", () => {
  assert.throws(() => exactValue(nodeOf("2000! \\cdot 1999!"), new Budget(500)), OverBudget);
  assert.throws(() => parse("1+".repeat(400), { joinCommas: true }, new Budget(100)), OverBudget);
});
