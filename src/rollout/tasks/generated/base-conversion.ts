import { draw, type Family, type Range } from "./family.ts";

interface Parameters {
  /** Bases to convert from and to, 2 to 36. */
  readonly base: Range;
  readonly value: Range;
}

/** The same number in another base. */
export const baseConversion: Family<Parameters> = {
  name: "base_conversion",
  defaults: { base: [2, 16], value: [0, 1000] },
  levels: [
    { base: [2, 4], value: [2, 20] },
    { base: [2, 8], value: [8, 63] },
    { base: [2, 10], value: [16, 255] },
    { base: [2, 16], value: [64, 1000] },
    { base: [2, 16], value: [1000, 20_000] },
    { base: [2, 36], value: [20_000, 1_000_000] },
  ],
  generate(random, { base, value: range }) {
    const value = draw(random, range);
    const source = draw(random, base);
    let target = draw(random, base);
    while (target === source) target = draw(random, base);
    const given = value.toString(source);
    const question =
      "Your task is to convert a number between two different bases.\n\n" +
      "If the target base is > 10, use lowercase letters a-z for digits above 9.\n\n" +
      `Now, convert the ${baseName(source)} number ${given} to ${baseName(target)}\n`;
    const answer = value.toString(target);
    return {
      question,
      answer,
      metadata: {
        decimal_value: value,
        source_base: source,
        target_base: target,
        source_repr: given,
        target_repr: answer,
      },
      // the way back would give the answer away
      key: `${value}:${[source, target].sort((a, b) => a - b).join(",")}`,
    };
  },
};

function baseName(base: number): string {
  return base === 2 ? "binary" : base === 16 ? "hexadecimal" : `base-${base}`;
}
