import { defineControl, z } from "../../../src/entropy-control/index.ts";

const faults = ["none", "padding", "memory", "split", "off", "nan"] as const;
let calls = 0;

/** A bonus on the sampled log-prob with one deliberate fault: what the contract suite must find. */
export default defineControl({
  name: "broken",
  options: z.strictObject({ fault: z.enum(faults), coefficient: z.number().default(0.1) }),
  create: ({ fault, coefficient }) => ({
    init: () => null,
    select: ({ batch }) => {
      if (fault === "memory") return { scalars: { c: coefficient + 1e-3 * calls++ } };
      if (fault === "split") return { scalars: { c: coefficient * batch.microBatches.length } };
      return { scalars: { c: fault === "off" ? coefficient + 1e-12 : coefficient } };
    },
    graph: {
      scalars: ["c"],
      penalty: (g, { logp, weight, scalars }) => {
        const term = g.mul(g.mul(logp, logp), scalars.c!);
        if (fault === "padding") return term;
        return g.mul(fault === "nan" ? g.log(g.mul(term, 0)) : term, weight);
      },
    },
  }),
});
