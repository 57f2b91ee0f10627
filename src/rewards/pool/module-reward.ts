import type { z } from "zod";
import { messageOf, RewardError } from "../../utils/errors.ts";
import { importUserModule } from "../../utils/user-module.ts";
import type { OwnRewardDef } from "../own-reward.ts";
import type { Reward } from "../types.ts";
import type { VerifierSource } from "./types.ts";

const EXPECTED =
  "a reward made by defineReward({ options, create }), an object { name, score }, or a function of a completion that returns a verdict";

/**
 * Makes the reward that a user's file exports.
 * @throws RewardError naming the file and what is expected of it
 */
export async function moduleReward({
  path,
  name,
  options = {},
}: Extract<VerifierSource, { kind: "module" }>): Promise<Reward> {
  const exported = await load(path);
  const made = isDef(exported) ? create(exported, options, path) : exported;
  const isFunction = typeof made === "function";
  if (!isFunction && !(isObject(made) && typeof made.score === "function")) {
    const what = isDef(exported)
      ? "create() must return a function of a completion, or { name, score }"
      : `the default export must be ${EXPECTED}`;
    throw new RewardError(`${path}: ${what}; got ${describe(made)}`);
  }
  if (!isDef(exported) && Object.keys(options).length > 0)
    throw new RewardError(
      `${path}: takes no options, since its default export is not made by defineReward({ options, create })`,
    );
  return isFunction ? { name: name ?? path, score: made as Reward["score"] } : named(made as unknown as Reward, name);
}

async function load(path: string): Promise<unknown> {
  try {
    return (await importUserModule(path)).default;
  } catch (error) {
    throw new RewardError(`${path}: cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
}

function create(def: OwnRewardDef, options: unknown, path: string): unknown {
  const parsed = def.options?.safeParse(options) ?? { success: true, data: options };
  if (!parsed.success) throw new RewardError(`${path}: ${problems(parsed.error as z.ZodError)}`);
  try {
    return def.create(parsed.data as never);
  } catch (error) {
    throw new RewardError(`${path}: create() failed: ${messageOf(error)}`, { cause: error });
  }
}

function problems({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${["options", ...path.map(String)].join(".")}: ${message}`).join("; ");
}

/** The name of the recipe, if there is one; methods keep their object. */
function named(reward: Reward, name: string | undefined): Reward {
  return { name: name ?? reward.name, score: (completion) => reward.score(completion) };
}

function isDef(value: unknown): value is OwnRewardDef {
  return isObject(value) && typeof value.create === "function";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value !== "object") return value === null ? "null" : `a ${typeof value}`;
  const keys = Object.keys(value);
  return keys.length === 0 ? "an empty object" : `an object with ${keys.join(", ")}`;
}
