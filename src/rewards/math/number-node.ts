import { rational } from "../../utils/rational.ts";
import { Unreadable } from "./budget.ts";
import type { NodeOf } from "./nodes.ts";

const MAX_EXPONENT = 5000;

/** A numeral of `numerals.ts` as an exact fraction. @throws Unreadable when the exponent is out of bounds */
export function numberNode(text: string, digits?: number): NodeOf<"number"> {
  const [mantissa, exponent = "0"] = text.split("e") as [string, string?];
  const [whole, part = ""] = mantissa.split(".") as [string, string?];
  const [fixed, repeating = ""] = part.split(/[()]/) as [string, string?];
  const power = Number(exponent);
  if (Math.abs(power) > MAX_EXPONENT) throw new Unreadable(`the exponent ${exponent} is beyond ${MAX_EXPONENT}`);
  let numerator = BigInt(whole + fixed);
  let denominator = 10n ** BigInt(fixed.length);
  if (repeating !== "") {
    // 0.16(3): (163 − 16) / 900
    numerator = BigInt(whole + fixed + repeating) - numerator;
    denominator *= 10n ** BigInt(repeating.length) - 1n;
  }
  if (power > 0) numerator *= 10n ** BigInt(power);
  if (power < 0) denominator *= 10n ** BigInt(-power);
  return { kind: "number", value: rational(numerator, denominator), ...(digits === undefined ? {} : { digits }) };
}
