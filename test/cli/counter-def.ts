import { z } from "zod";
import type { EnvironmentDef } from "../../src/rollout/envs/index.ts";
import { type Breakage, counterSource } from "../rollout/envs/counter-env.ts";

const options = z.strictObject({ breakage: z.string().optional() });

/** The counter of the contract tests as a file of one's own. */
const counter: EnvironmentDef<typeof options> = {
  name: "counter",
  description: "count up",
  options,
  open: async ({ breakage }) => counterSource(breakage as Breakage | undefined),
};
export default counter;
