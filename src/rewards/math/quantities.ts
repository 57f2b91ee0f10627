import { type Rational, rational } from "../../utils/rational.ts";
import { type AnswerOf, type Measure, scalar } from "./answer.ts";
import type { Budget } from "./budget.ts";
import { exactValue } from "./evaluate.ts";
import { contains, type Node, wholeNode } from "./nodes.ts";
import { productOf } from "./parser.ts";
import { CURRENCIES, unitOf } from "./units.ts";
import { COPULAS, isHedge } from "./words.ts";

/** Powers of dimensions and factor of a product of units. */
interface Units {
  readonly powers: Map<string, number>;
  factor: Rational;
}

/**
 * Parts a number from its unit and the words around it: `58 km/h`, `81 apples`, `The answer is 23`, `$5`, `3 hours 20 minutes`.
 * Null when the words are not of that kind, as in "not 47".
 */
export function quantityOf(node: Node, budget: Budget): AnswerOf<"scalar"> | null {
  if (!contains(node, isMeasure)) return contains(node, ({ kind }) => kind === "word") ? null : scalar(node);
  if (node.kind === "negative") {
    const inner = quantityOf(node.of, budget);
    return inner && { ...inner, node: { kind: "negative", of: inner.node } };
  }
  if (node.kind === "money") {
    const unit = unitOf(CURRENCIES[node.sign]!)!;
    const inner = quantityOf(node.of, budget);
    return inner && { ...inner, measure: { dimensions: `${unit.dimension}^1`, factor: unit.factor } };
  }
  const factors = spelledPowers(flatFactors(node));
  const words = labelled(factors, budget);
  if (words !== undefined) return words;
  return compound(factors, budget) ?? measured(factors, budget);
}

function isMeasure({ kind }: Node): boolean {
  return kind === "unit" || kind === "word" || kind === "money";
}

/** Factors of products and of what quotients divide: 58 km / h → 58, km, 1/h. */
function flatFactors(node: Node): Node[] {
  if (node.kind === "product") return node.factors.flatMap(flatFactors);
  if (node.kind === "quotient" && contains(node, isMeasure)) {
    return [
      ...flatFactors(node.above),
      ...flatFactors(node.below).map(
        (below): Node => ({ kind: "power", base: below, exponent: { kind: "negative", of: wholeNode(1) } }),
      ),
    ];
  }
  return [node];
}

/** "square cm" and "km per hour" as powers of the unit behind the word. */
function spelledPowers(factors: readonly Node[]): Node[] {
  const out: Node[] = [];
  for (let i = 0; i < factors.length; i++) {
    const [factor, next] = [factors[i]!, factors[i + 1]];
    const speed = factor.kind === "unit" ? SPEEDS[factor.name.toLowerCase()] : undefined;
    if (speed) {
      out.push(...speed.map((name, place): Node => unitPower(name, place === 0 ? 1 : -1)));
      continue;
    }
    const power =
      factor.kind === "word" && next?.kind === "unit" ? SPELLED_POWERS[factor.text.toLowerCase()] : undefined;
    out.push(
      power === undefined
        ? factor
        : {
            kind: "power",
            base: next!,
            exponent: signedNode(power),
          },
    );
    if (power !== undefined) i++;
  }
  return out;
}

function signedNode(value: number): Node {
  return value < 0 ? { kind: "negative", of: wholeNode(-value) } : wholeNode(value);
}

function unitPower(name: string, power: number): Node {
  return { kind: "power", base: { kind: "unit", name }, exponent: signedNode(power) };
}

/** Units that are quotients of two. */
const SPEEDS: Readonly<Record<string, readonly string[]>> = {
  mph: ["mile", "hour"],
  kph: ["km", "hour"],
  kmh: ["km", "hour"],
};

const SPELLED_POWERS: Readonly<Record<string, number>> = { square: 2, sq: 2, cubic: 3, per: -1 };

/** Words before or behind a number. Undefined when there are none, null when they change its meaning. */
function labelled(factors: readonly Node[], budget: Budget): AnswerOf<"scalar"> | null | undefined {
  const text = (factor: Node): string | null =>
    factor.kind === "word" ? factor.text : factor.kind === "variable" && factor.upright ? factor.name : null;
  const isWord = factors.map((factor) => factor.kind === "word");
  if (!isWord.includes(true)) return undefined;
  if (factors.some((factor) => factor.kind === "word" && isHedge(factor.text))) return null;
  if (factors.some((factor) => factor.kind !== "word" && contains(factor, ({ kind }) => kind === "word"))) return null;
  const first = isWord.indexOf(true);
  const last = isWord.lastIndexOf(true);
  const verb = COPULAS.has(text(factors[last]!)!.toLowerCase());
  if (verb && last < factors.length - 1) return quantityOf(productOf(factors.slice(last + 1)), budget);
  if (first === 0) return null; // words first and no verb
  const scale = SCALES[text(factors[first]!)!.toLowerCase()];
  if (scale !== undefined) {
    const scaledNumber: Node = { kind: "product", factors: [...factors.slice(0, first), wholeNode(scale)] };
    return quantityOf(productOf([scaledNumber, ...factors.slice(first + 1)]), budget);
  }
  const label = factors.slice(first).map((factor) => text(factor) ?? unitName(factor));
  if (label.some((word) => word === null) || label.length > 6) return null;
  const number = quantityOf(productOf(factors.slice(0, first)), budget);
  return number && { ...number, label: (label as string[]).join(" ").toLowerCase() };
}

/** Words behind a number that multiply it. */
const SCALES: Readonly<Record<string, bigint>> = {
  dozen: 12n,
  hundred: 100n,
  thousand: 1000n,
  million: 10n ** 6n,
  billion: 10n ** 9n,
  trillion: 10n ** 12n,
};

function unitName(node: Node): string | null {
  return node.kind === "unit" ? node.name : null;
}

/** `3 hours 20 minutes`: a sum of measures of the same dimension. */
function compound(factors: readonly Node[], budget: Budget): AnswerOf<"scalar"> | null {
  const parts: { number: Node; measure: Measure }[] = [];
  if (factors.length < 4 || factors.length % 2 !== 0) return null;
  for (let i = 0; i < factors.length; i += 2) {
    const [number, unit] = [factors[i]!, factors[i + 1]!];
    const known = unit.kind === "unit" ? unitOf(unit.name) : undefined;
    if (number.kind !== "number" || !known) return null;
    parts.push({ number, measure: { dimensions: `${known.dimension}^${known.power}`, factor: known.factor } });
  }
  const [first] = parts;
  if (parts.some(({ measure }) => measure.dimensions !== first!.measure.dimensions)) return null;
  budget.spend(parts.length);
  const terms = parts.map(
    ({ number, measure }): Node => productOf([number, { kind: "number", value: measure.factor }]),
  );
  return {
    kind: "scalar",
    node: { kind: "sum", terms },
    measure: { dimensions: first!.measure.dimensions, factor: rational(1) },
    label: "",
  };
}

/** A number and the units beside it. */
function measured(factors: readonly Node[], budget: Budget): AnswerOf<"scalar"> | null {
  const units: Units = { powers: new Map(), factor: rational(1) };
  const numbers: Node[] = [];
  let hasUnit = false;
  for (const factor of factors) {
    if (takeUnit(factor, units, hasUnit, budget)) hasUnit = true;
    else if (contains(factor, isMeasure)) {
      const money = factor.kind === "money" && numbers.length === 0 ? quantityOf(factor, budget) : null;
      if (!money) return null;
      numbers.push(money.node);
      units.powers.set(money.measure!.dimensions.replace(/\^1$/, ""), 1);
    } else numbers.push(factor);
  }
  const dimensions = [...units.powers]
    .filter(([, power]) => power !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, power]) => `${name}^${power}`)
    .join(" ");
  return {
    kind: "scalar",
    node: numbers.length === 0 ? wholeNode(1) : productOf(numbers),
    measure: { dimensions, factor: units.factor },
    label: "",
  };
}

/** Adds a unit or a power of one. A letter in upright type is one behind another unit. */
function takeUnit(node: Node, units: Units, afterUnit: boolean, budget: Budget): boolean {
  const power = node.kind === "power" ? exactValue(node.exponent, budget) : rational(1);
  const base = node.kind === "power" ? node.base : node;
  if (power?.denominator !== 1n || power.numerator > 9n || power.numerator < -9n) return false;
  if (node.kind === "power" && base.kind === "power") {
    const inner: Units = { powers: new Map(), factor: rational(1) };
    if (!takeUnit(base, inner, afterUnit, budget)) return false;
    for (const [name, p] of inner.powers)
      units.powers.set(name, (units.powers.get(name) ?? 0) + p * Number(power.numerator));
    units.factor = scaled(units.factor, inner.factor, Number(power.numerator));
    return true;
  }
  const unit =
    base.kind === "unit" || (base.kind === "variable" && base.upright && afterUnit) ? unitOf(base.name) : undefined;
  if (!unit) return false;
  const count = Number(power.numerator);
  units.powers.set(unit.dimension, (units.powers.get(unit.dimension) ?? 0) + unit.power * count);
  units.factor = scaled(units.factor, unit.factor, count);
  return true;
}

function scaled(a: Rational, b: Rational, power: number): Rational {
  const [above, below] = power >= 0 ? [b.numerator, b.denominator] : [b.denominator, b.numerator];
  const size = BigInt(Math.abs(power));
  return rational(a.numerator * above ** size, a.denominator * below ** size);
}
