import type { Rational } from "../../utils/rational.ts";
import type { Node } from "./nodes.ts";
import type { RealSet } from "./real-set.ts";

/** A unit as dimensions with powers, such as `length^1 time^-1`, and the factor to base units. */
export interface Measure {
  readonly dimensions: string;
  readonly factor: Rational;
}

/** What an answer is, once its notation has been understood. */
export type Answer =
  | {
      readonly kind: "scalar";
      /** The number or expression without its unit; per cent and degrees are in it. */
      readonly node: Node;
      readonly measure: Measure | null;
      /** Words behind it that are no known unit: "apples". */
      readonly label: string;
    }
  | {
      readonly kind: "tuple";
      readonly items: readonly Answer[];
      readonly open: string;
      readonly close: string;
      readonly node: Node;
    }
  /** Order and repetition do not count. */
  | { readonly kind: "collection"; readonly items: readonly Answer[]; readonly isSet: boolean }
  /** x = 2, y = 17: values by the names of different unknowns. */
  | { readonly kind: "assignments"; readonly names: readonly string[]; readonly values: readonly Answer[] }
  | { readonly kind: "reals"; readonly set: RealSet }
  | { readonly kind: "number-set"; readonly name: string }
  | { readonly kind: "relation"; readonly items: readonly Node[]; readonly signs: readonly string[] }
  /** `{2k : k ∈ ℤ}`: all values of an expression. */
  | { readonly kind: "family"; readonly element: Node; readonly condition: Node }
  /** Relations that all hold, or one of which holds. */
  | { readonly kind: "relations"; readonly join: "and" | "or"; readonly items: readonly Answer[] }
  | { readonly kind: "matrix"; readonly rows: readonly (readonly Node[])[] }
  | { readonly kind: "ratio"; readonly parts: readonly Node[]; readonly written: string }
  | { readonly kind: "based"; readonly digits: string; readonly base: number; readonly node: Node }
  | { readonly kind: "infinity"; readonly sign: 1 | -1 }
  | { readonly kind: "words"; readonly text: string };

/** An answer of one kind. */
export type AnswerOf<Kind extends Answer["kind"]> = Extract<Answer, { kind: Kind }>;

/** A plain expression as an answer. */
export function scalar(node: Node): AnswerOf<"scalar"> {
  return { kind: "scalar", node, measure: null, label: "" };
}
