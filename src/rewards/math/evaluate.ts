import { type Rational, rational, reduce } from "../../utils/rational.ts";
import { type Budget, LIMITS } from "./budget.ts";
import { exactField } from "./exact-field.ts";
import { type Field, NoValue, unknownFunctionValue } from "./field.ts";
import { contains, type Node, type NodeOf } from "./nodes.ts";

/** Values of the variables, and the arithmetic in which to compute. */
export interface Setting<T> {
  readonly field: Field<T>;
  readonly values: ReadonlyMap<string, T>;
  readonly budget: Budget;
}

/**
 * Value of an expression.
 * @throws NoValue when it has none here, or is no number at all (a list, a set, a word)
 * @throws OverBudget
 */
export function evaluate<T>(node: Node, setting: Setting<T>): T {
  const { field, budget } = setting;
  budget.spend();
  switch (node.kind) {
    case "number":
      return field.number(node.value);
    case "based":
      return field.number(rational(basedValue(node)));
    case "constant":
      return field.constant(node.name);
    case "variable": {
      const value = setting.values.get(node.name);
      if (value === undefined) throw new NoValue(`${node.name} has no value`);
      return value;
    }
    case "sum":
      return node.terms.map((term) => evaluate(term, setting)).reduce(field.add);
    case "product":
      return node.factors.map((factor) => evaluate(factor, setting)).reduce(field.multiply);
    case "quotient":
      return field.divide(evaluate(node.above, setting), evaluate(node.below, setting));
    case "negative":
      return field.negate(evaluate(node.of, setting));
    case "percent":
      return field.divide(evaluate(node.of, setting), field.number(rational(100)));
    case "degree":
      return field.multiply(
        evaluate(node.of, setting),
        field.divide(field.constant("pi"), field.number(rational(180))),
      );
    case "money":
      return evaluate(node.of, setting);
    case "power":
      return evaluatePower(node, setting);
    case "call":
      return evaluateCall(node, setting);
    case "apply":
      return field.number(
        unknownFunctionValue(
          node.name,
          node.args.map((arg) => field.key(evaluate(arg, setting))),
        ),
      );
    case "big":
      return evaluateBig(node, setting);
    default:
      throw new NoValue(`a ${node.kind} is not a number`);
  }
}

/** A number in a base as a whole number. */
export function basedValue({ digits, base }: NodeOf<"based">): bigint {
  let value = 0n;
  for (const digit of digits) value = value * BigInt(base) + BigInt(Number.parseInt(digit, 16));
  return value;
}

/** Exact value of an expression without variables; null when it is not a fraction. */
export function exactValue(node: Node, budget: Budget): Rational | null {
  if (node.kind === "number") return node.value;
  if (contains(node, ({ kind }) => kind === "variable" || kind === "constant" || kind === "apply")) return null;
  try {
    return evaluate(node, { field: exactField(budget), values: new Map(), budget });
  } catch (error) {
    if (error instanceof NoValue) return null;
    throw error;
  }
}

function evaluatePower<T>({ base, exponent }: NodeOf<"power">, setting: Setting<T>): T {
  const { field, budget } = setting;
  const exact = exactValue(exponent, budget);
  if (exact !== null) {
    const lowest = reduce(exact);
    const value = evaluate(base, setting);
    return lowest.denominator === 1n ? field.powerWhole(value, lowest.numerator) : field.powerRational(value, lowest);
  }
  const power = evaluate(exponent, setting);
  const whole = field.whole(power);
  if (whole !== null) return field.powerWhole(evaluate(base, setting), whole);
  return field.power(evaluate(base, setting), power);
}

function evaluateCall<T>({ name, args }: NodeOf<"call">, setting: Setting<T>): T {
  const { field, budget } = setting;
  if (name === "det") {
    const matrix = args[0]!;
    if (matrix.kind !== "matrix") throw new NoValue("det of something that is no matrix");
    return determinant(
      matrix.rows.map((row) => row.map((cell) => evaluate(cell, setting))),
      field,
      budget,
    );
  }
  if (name === "binom" && args.length === 2) {
    const k = exactValue(args[1]!, budget);
    if (k?.denominator === 1n && k.numerator >= 0n && k.numerator <= 60n && exactValue(args[0]!, budget) === null)
      return fallingBinomial(evaluate(args[0]!, setting), Number(k.numerator), field);
  }
  const exact = args.map((arg) => exactValue(arg, budget));
  if (exact.every((value) => value !== null) && EXACT_FIRST.has(name)) {
    try {
      return field.number(exactField(budget).call(name, exact));
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
    }
  }
  return field.call(
    name,
    args.map((arg) => evaluate(arg, setting)),
  );
}

/** Functions whose exact values all fields share. */
const EXACT_FIRST = new Set(["gcd", "lcm", "factorial", "binom", "floor", "ceil", "mod", "max", "min", "abs"]);

/** n (n − 1) … (n − k + 1) / k! */
function fallingBinomial<T>(n: T, k: number, field: Field<T>): T {
  let result = field.number(rational(1));
  for (let i = 0; i < k; i++) {
    result = field.divide(
      field.multiply(result, field.add(n, field.number(rational(-i)))),
      field.number(rational(i + 1)),
    );
  }
  return result;
}

/** By expansion along the first row. */
function determinant<T>(rows: readonly (readonly T[])[], field: Field<T>, budget: Budget): T {
  if (rows.some((row) => row.length !== rows.length)) throw new NoValue("det of a matrix that is not square");
  if (rows.length > 5) throw new NoValue("a determinant that is too large");
  if (rows.length === 1) return rows[0]![0]!;
  budget.spend(rows.length);
  return rows[0]!
    .map((value, column) => {
      const minor = rows.slice(1).map((row) => row.filter((_, i) => i !== column));
      const term = field.multiply(value, determinant(minor, field, budget));
      return column % 2 === 0 ? term : field.negate(term);
    })
    .reduce(field.add);
}

function evaluateBig<T>({ op, variable, from, to, body }: NodeOf<"big">, setting: Setting<T>): T {
  const { field, budget } = setting;
  const whole = (node: Node): bigint => {
    const exact = exactValue(node, budget);
    const value = exact
      ? exact.numerator % exact.denominator === 0n
        ? exact.numerator / exact.denominator
        : null
      : field.whole(evaluate(node, setting));
    if (value === null) throw new NoValue("the bound of a sum is not a whole number");
    return value;
  };
  const [first, last] = [whole(from), whole(to)];
  if (last - first > BigInt(LIMITS.terms)) throw new NoValue("a sum that is too long");
  let result = field.number(rational(op === "sum" ? 0 : 1));
  for (let k = first; k <= last; k++) {
    const values = new Map(setting.values).set(variable, field.number(rational(k)));
    const term = evaluate(body, { ...setting, values });
    result = op === "sum" ? field.add(result, term) : field.multiply(result, term);
  }
  return result;
}
