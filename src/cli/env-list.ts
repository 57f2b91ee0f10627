import { Command } from "commander";
import { ConfigError, messageOf } from "../utils/errors.ts";
import { nearest } from "../utils/nearest.ts";
import { withExample, withJson } from "./options.ts";
import { columns, result } from "./output.ts";

/** Adds `rlvr env list` */
export function addList(env: Command): void {
  const list = new Command("list")
    .description("Environments that a recipe can name; with a name, its options, and its tasks where it can be opened.")
    .argument("[name]", "one environment")
    .action(listAction);
  env.addCommand(withExample(withJson(list), "rlvr env list", "rlvr env list scienceworld"));
}

async function listAction(name: string | undefined, { json }: { readonly json?: boolean }): Promise<void> {
  const { ENVIRONMENTS } = await import("../rollout/envs/index.ts");
  if (name === undefined) {
    const rows = ENVIRONMENTS.map(({ name, description }) => ({ name, description }));
    result(json, rows, () => columns([["name", "what"], ...rows.map((row) => [row.name, row.description])]));
    return;
  }
  const def = ENVIRONMENTS.find((one) => one.name === name);
  if (!def) {
    const names = ENVIRONMENTS.map((one) => one.name);
    const near = nearest(name, names);
    throw new ConfigError(
      `there is no environment ${JSON.stringify(name)}; there are ${names.join(", ")}${near ? `; did you mean ${near}?` : ""}`,
    );
  }
  const options = await optionsOf(def);
  const opened = await tasksOf(def);
  result(json, { name, description: def.description, options, ...opened }, () =>
    [
      `${name}: ${def.description}`,
      "",
      columns([["option", "default", "what"], ...options.map((row) => [row.name, row.default, row.what])]),
      "",
      opened.problem === null
        ? `version ${opened.version}\n${columns([["task", "train", "dev", "test"], ...opened.tasks.map(({ task, train, dev, test }) => [task, String(train), String(dev), String(test)])])}`
        : `it can't be opened here: ${opened.problem}`,
    ].join("\n"),
  );
}

type Def = typeof import("../rollout/envs/index.ts")["ENVIRONMENTS"][number];

async function optionsOf(def: Def): Promise<{ name: string; default: string; what: string }[]> {
  const { z } = await import("zod");
  const { properties = {} } = z.toJSONSchema(def.options, { io: "input" }) as {
    properties?: Record<string, { default?: unknown; description?: string }>;
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    default: schema.default === undefined ? "(needed)" : JSON.stringify(schema.default),
    what: schema.description ?? "",
  }));
}

interface Opened {
  readonly version: string | null;
  readonly tasks: readonly { task: string; train: number; dev: number; test: number }[];
  /** Why it can't be opened with its defaults; null: it can. */
  readonly problem: string | null;
}

/** Opens an environment with its defaults and counts the starts of its tasks. */
async function tasksOf(def: Def): Promise<Opened> {
  const parsed = def.options.safeParse({});
  if (!parsed.success) return { version: null, tasks: [], problem: "it has options that must be given" };
  try {
    const source = await def.open(parsed.data);
    try {
      const tasks: { task: string; train: number; dev: number; test: number }[] = [];
      for (const task of source.tasks) {
        const count = async (split: "train" | "dev" | "test") => (await source.starts(split, [task])).length;
        tasks.push({ task, train: await count("train"), dev: await count("dev"), test: await count("test") });
      }
      return { version: source.version, tasks, problem: null };
    } finally {
      await source.close();
    }
  } catch (error) {
    return { version: null, tasks: [], problem: messageOf(error) };
  }
}
