import type { AnswerOf } from "./answer.ts";
import type { Budget } from "./budget.ts";
import { exactValue } from "./evaluate.ts";
import { differentBy, equalBy, type Judgement } from "./judgement.ts";
import { type Node, variablesOf } from "./nodes.ts";
import { mapChildren } from "./plus-minus.ts";
import { quantityOf } from "./quantities.ts";
import { sameExpression } from "./same-expression.ts";
import { unitOf } from "./units.ts";

type Scalar = AnswerOf<"scalar">;

/** Numbers and expressions with their units. A unit, a percent sign or a degree sign that only one side has may be left out. */
export function sameScalar(gold: Scalar, answer: Scalar, budget: Budget): Judgement {
  if (gold.measure && answer.measure) return sameMeasure(gold, answer, budget);
  if (gold.label !== "" && answer.label !== "" && !sameLabel(gold.label, answer.label))
    return differentBy("different units", `${answer.label}, not ${gold.label}`);
  const judgement = sameExpression(gold.node, answer.node, budget);
  if (judgement.equal) return judgement;
  return (
    signLeftOut(gold.node, answer.node, budget) ??
    otherCase(gold.node, answer.node, budget) ??
    lettersAsUnits(gold, answer, budget) ??
    judgement
  );
}

/** `5m`: as well five times m. `1,000.99m²` and `6 m/s` are not meant so. */
function isMonomial(node: Node): boolean {
  if (node.kind !== "product") return false;
  return node.factors.every(
    (factor) => factor.kind === "variable" || (factor.kind === "number" && factor.digits === undefined),
  );
}

/** `6 m` in italics against a number or a quantity: where only one side has letters, they may be units behind its number. */
function lettersAsUnits(gold: Scalar, answer: Scalar, budget: Budget): Judgement | null {
  const [a, b] = [gold, answer].map((side) => variablesOf(side.node).size);
  if ((a === 0) === (b === 0) || (a === 0 ? answer : gold).measure) return null;
  const asUnits = ({ node }: Scalar): Scalar | null => {
    const rename = (part: Node): Node =>
      part.kind === "variable" && unitOf(part.name) ? { kind: "unit", name: part.name } : mapChildren(part, rename);
    const quantity = node.kind === "number" ? null : quantityOf(rename(node), budget);
    return quantity?.measure && variablesOf(quantity.node).size === 0 && node.kind === "product" ? quantity : null;
  };
  const [bare, lettered] = a === 0 ? [gold, answer] : [answer, gold];
  const converted = asUnits(lettered);
  if (!converted || (!bare.measure && isMonomial(lettered.node))) return null;
  const judgement = a === 0 ? sameScalar(gold, converted, budget) : sameScalar(converted, answer, budget);
  return judgement.equal ? equalBy("equal, letters read as units") : null;
}

function sameMeasure(gold: Scalar, answer: Scalar, budget: Budget): Judgement {
  if (gold.measure!.dimensions !== answer.measure!.dimensions)
    return differentBy("different units", `${answer.measure!.dimensions}, not ${gold.measure!.dimensions}`);
  const [a, b] = [gold, answer].map(
    ({ node, measure }): Node => ({ kind: "product", factors: [node, { kind: "number", value: measure!.factor }] }),
  );
  const judgement = sameExpression(a!, b!, budget);
  return judgement.equal ? { ...judgement, rule: "equal quantities" } : judgement;
}

function sameLabel(a: string, b: string): boolean {
  const singular = (label: string): string => label.replace(/s$/, "");
  return singular(a) === singular(b);
}

/** `28` for `28 %` and `144` for `144°`: the number without its sign. Below 1 a number is not a percentage. */
function signLeftOut(gold: Node, answer: Node, budget: Budget): Judgement | null {
  for (const sign of ["percent", "degree"] as const) {
    const [a, b] = [withoutSign(gold, sign), withoutSign(answer, sign)];
    if ((a === null) === (b === null)) continue;
    const bare = a === null ? gold : answer;
    const value = exactValue(bare, budget);
    const isSmall = value !== null && value.numerator ** 2n < value.denominator ** 2n;
    if (sign === "percent" && (value === null || isSmall)) continue;
    const judgement = sameExpression(a ?? gold, b ?? answer, budget);
    if (judgement.equal) return equalBy(`equal, ${sign} sign left out`);
  }
  return null;
}

/** The number before a percent or degree sign; null when there is no such sign. */
function withoutSign(node: Node, sign: "percent" | "degree"): Node | null {
  if (node.kind === sign) return node.of;
  if (node.kind === "negative") {
    const inner = withoutSign(node.of, sign);
    return inner && { kind: "negative", of: inner };
  }
  return null;
}

/** The same letters in another case, where that cannot be mistaken. */
function otherCase(gold: Node, answer: Node, budget: Budget): Judgement | null {
  const [wanted, present] = [variablesOf(gold), variablesOf(answer)];
  if (present.size === 0 || present.size !== wanted.size) return null;
  const byLower = new Map([...wanted].map((name) => [name.toLowerCase(), name]));
  const targets = new Set([...present].map((name) => byLower.get(name.toLowerCase())));
  if (byLower.size < wanted.size || targets.size < present.size || targets.has(undefined)) return null;
  if ([...present].every((name) => wanted.has(name))) return null;
  const rename = (node: Node): Node =>
    node.kind === "variable"
      ? { ...node, name: byLower.get(node.name.toLowerCase()) ?? node.name }
      : mapChildren(node, rename);
  return sameExpression(gold, rename(answer), budget).equal ? equalBy("equal up to capital letters") : null;
}
