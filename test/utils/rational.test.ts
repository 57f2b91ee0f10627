import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  add,
  divide,
  equals,
  formatRational,
  multiply,
  negate,
  parseDecimal,
  type Rational,
  rational,
  reduce,
} from "../../src/utils/rational.ts";

const fraction: fc.Arbitrary<Rational> = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.bigInt({ min: 1n, max: 10n ** 20n }))
  .map(([above, below]) => rational(above, below));

test("rational: numbers worked out by hand", () => {
  const [half, third] = [rational(1, 2), rational(1, 3)];
  assert.equal(formatRational(add(half, third)), "5/6");
  assert.equal(formatRational(multiply(half, negate(third))), "-1/6");
  assert.equal(formatRational(divide(half, third)!), "3/2");
  assert.equal(formatRational(rational(6, -4)), "-3/2");
  assert.equal(formatRational(rational(-8, -4)), "2");
  assert.equal(formatRational(rational(0, -7)), "0");
  assert.deepEqual(reduce(rational(0, 7)), { numerator: 0n, denominator: 1n });
  assert.equal(divide(half, rational(0, 5)), null);
  assert.throws(() => rational(1, 0), RangeError);
});

test("rational: the laws of a field hold exactly (property)", () => {
  fc.assert(
    fc.property(fraction, fraction, fraction, (a, b, c) => {
      assert.ok(equals(add(a, b), add(b, a)));
      assert.ok(equals(add(add(a, b), c), add(a, add(b, c))));
      assert.ok(equals(multiply(a, add(b, c)), add(multiply(a, b), multiply(a, c))));
      assert.ok(equals(add(a, negate(a)), rational(0)));
      const quotient = divide(a, b);
      if (quotient) assert.ok(equals(multiply(quotient, b), a) && quotient.denominator > 0n);
      else assert.equal(b.numerator, 0n);
      assert.equal(formatRational(a), formatRational(reduce(a)));
    }),
  );
});

test("parseDecimal: decimals, and nothing else", () => {
  for (const [text, value] of [
    ["12", "12"],
    ["-12.50", "-25/2"],
    ["+.5", "1/2"],
    ["5.", "5"],
    ["1e3", "1000"],
    ["25E-2", "1/4"],
    ["0.1e1", "1"],
    ["007", "7"],
  ] as const)
    assert.equal(formatRational(parseDecimal(text)!), value, text);
  for (const text of ["", ".", "-", "1,000", "1e", "e5", "1e1000", " 1", "1 ", "0x1", "1_0", "٣", "Infinity", "--1"])
    assert.equal(parseDecimal(text), null, text);
  assert.equal(parseDecimal("9".repeat(501)), null);
});

test("parseDecimal: gives back what was written (property)", () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.nat({ max: 30 }), (digits, places) => {
      const [sign, size] = digits < 0n ? ["-", -digits] : ["", digits];
      const padded = String(size).padStart(places + 1, "0");
      const text = `${sign}${padded.slice(0, padded.length - places)}.${padded.slice(padded.length - places)}`;
      assert.ok(equals(parseDecimal(text)!, rational(digits, 10n ** BigInt(places))), text);
    }),
  );
});
