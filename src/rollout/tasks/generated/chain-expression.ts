/** How reasoning-gym writes a chain of operations: in the canonical order of a computer algebra system (SymPy), not in that of the chain. */

export type ChainSign = "+" | "-" | "*" | "/";

/** `((n0 s0 n1) s1 n2) s2 …` */
export interface Chain {
  readonly numbers: readonly number[];
  readonly signs: readonly ChainSign[];
}

/** A product of numbers, by their places in the chain, and at most one sum. */
interface Product {
  readonly isNegative: boolean;
  readonly above: readonly number[];
  readonly below: readonly number[];
  readonly sum: Sum | null;
}
type Sum = readonly Product[];

/** `5*(93 + 99) + 45 + 1 - 75` */
export function writeChain({ numbers, signs }: Chain): string {
  let sum: Sum = [single(0)];
  signs.forEach((sign, i) => {
    const place = i + 1;
    if (sign === "+" || sign === "-") sum = [...sum, single(place, sign === "-")];
    else sum = [scaled(sum, sign, place)];
  });
  return writeSum(sum, numbers);
}

function single(place: number, isNegative = false): Product {
  return { isNegative, above: [place], below: [], sum: null };
}

/** Sums are kept in brackets, products grow. */
function scaled(sum: Sum, sign: "*" | "/", place: number): Product {
  const base: Product = sum.length === 1 ? sum[0]! : { isNegative: false, above: [], below: [], sum };
  return sign === "*" ? { ...base, above: [...base.above, place] } : { ...base, below: [...base.below, place] };
}

function writeSum(sum: Sum, numbers: readonly number[]): string {
  return [...sum]
    .sort((a, b) => compareExponents(a, b, numbers.length))
    .map((product, i) => {
      const sign = i === 0 ? (product.isNegative ? "-" : "") : product.isNegative ? " - " : " + ";
      return sign + writeProduct(product, numbers);
    })
    .join("");
}

/** Lexicographic: the term with the higher power of the first number on which two terms differ comes first. */
function compareExponents(a: Product, b: Product, count: number): number {
  for (let place = 0; place < count; place++) {
    const difference = exponent(b, place) - exponent(a, place);
    if (difference !== 0) return difference;
  }
  return 0;
}

function exponent({ above, below }: Product, place: number): number {
  return above.includes(place) ? 1 : below.includes(place) ? -1 : 0;
}

function writeProduct({ above, below, sum }: Product, numbers: readonly number[]): string {
  const factors = above.map((place) => String(numbers[place]));
  if (sum) factors.push(`(${writeSum(sum, numbers)})`);
  const divisor = below.map((place) => numbers[place]).join("*");
  const over = below.length === 0 ? "" : below.length === 1 ? `/${divisor}` : `/(${divisor})`;
  return factors.join("*") + over;
}
