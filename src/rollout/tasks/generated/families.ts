import { RlvrError } from "../../../utils/errors.ts";
import { baseConversion } from "./base-conversion.ts";
import { basicArithmetic } from "./basic-arithmetic.ts";
import { chainSum } from "./chain-sum.ts";
import { countBits } from "./count-bits.ts";
import { countdownFamily } from "./countdown.ts";
import { decimalChainSum } from "./decimal-chain-sum.ts";
import { type Family, type FamilyName, type Item, LEVELS } from "./family.ts";
import { fractionSimplification } from "./fraction-simplification.ts";
import { gcdFamily } from "./gcd.ts";
import { lcmFamily } from "./lcm.ts";
import { letterCounting } from "./letter-counting.ts";
import { numberSorting } from "./number-sorting.ts";
import { primeFactorization } from "./prime-factorization.ts";
import { products } from "./products.ts";
import { pythonRandom } from "./python-random.ts";
import { simpleEquations } from "./simple-equations.ts";
import { spellBackward } from "./spell-backward.ts";
import { wordSorting } from "./word-sorting.ts";

/** A seeded way to make problems of one family, its parameters filled in. */
interface Maker {
  readonly name: FamilyName;
  /** @param level 0 to 5, or "default" for reasoning-gym's default configuration */
  make(seed: number | bigint, level: Level): Item | null;
}

/** How hard: one of six levels, or reasoning-gym's default configuration. */
export type Level = number | "default";

const MAKERS: readonly Maker[] = [
  maker(chainSum),
  maker(decimalChainSum),
  maker(products),
  maker(basicArithmetic),
  maker(gcdFamily),
  maker(lcmFamily),
  maker(countBits),
  maker(baseConversion),
  maker(fractionSimplification),
  maker(primeFactorization),
  maker(letterCounting),
  maker(spellBackward),
  maker(wordSorting),
  maker(numberSorting),
  maker(countdownFamily),
  maker(simpleEquations),
];
const BY_NAME = new Map(MAKERS.map((entry) => [entry.name, entry]));

function maker<Parameters>(family: Family<Parameters>): Maker {
  return {
    name: family.name,
    make(seed, level) {
      const parameters = level === "default" ? family.defaults : family.levels[level];
      if (parameters === undefined) throw new RangeError(`${family.name}: level ${level} is outside 0..${LEVELS - 1}`);
      return family.generate(pythonRandom(seed), parameters);
    },
  };
}

/**
 * The problem of a seed; null when this seed leads to none. With level "default" and seed s + i it is item i of reasoning-gym's data set of
 * seed s, question and answer alike, except in letter_counting, spell_backward and word_sorting, which draw from other words.
 */
export function makeItem(family: FamilyName, seed: number | bigint, level: Level): Item | null {
  const entry = BY_NAME.get(family);
  if (!entry) throw new RlvrError(`internal: family ${family} is not in the table`);
  return entry.make(seed, level);
}
