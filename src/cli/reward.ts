import { resolve } from "node:path";
import { Command } from "commander";
import { parse as parseYaml } from "yaml";
import type { Outcome, RewardConfig, RewardUsage, ScoredTerm } from "../rewards/index.ts";
import { ConfigError } from "../utils/errors.ts";
import { collect, withExample, withJson } from "./options.ts";
import { columns, result, tell } from "./output.ts";
import type { Item } from "./reward-rows.ts";

interface ScoreOptions {
  readonly reward: string;
  readonly data: string;
  readonly set?: string[];
  readonly explain?: boolean;
  readonly json?: boolean;
}

/** `rlvr reward score` */
export function rewardCommand(): Command {
  const command = new Command("reward").description("Judge answers with a reward of a recipe, without any training.");
  const score = new Command("score")
    .description(
      "Judge the answers of a JSONL file: rows with gold and answer, rows with candidates, or rows with text and answer.",
    )
    .requiredOption("--reward <name>", "name of the reward, as in a recipe, or a file of your own (docs/own-reward.md)")
    .requiredOption("--data <file>", "JSONL file with the answers")
    .option("--set <key=value>", "an option of the reward, such as from=box; may be repeated", collect)
    .option("--explain", "show what was read and each rule that was tried");
  command.addCommand(
    withExample(
      withJson(score),
      "rlvr reward score --reward math --data data/math-equivalence.jsonl",
      "rlvr reward score --reward math --data answers.jsonl --explain",
    ).action(runScore),
  );
  return withExample(command, "rlvr reward score --reward math --data data/math-equivalence.jsonl");
}

/** Answers that are judged at the same time. */
const WINDOW = 64;

async function runScore(options: ScoreOptions): Promise<void> {
  const [{ openRubric }, { readRows }, { itemsOf }] = await Promise.all([
    import("../rewards/index.ts"),
    import("../rollout/data/index.ts"),
    import("./reward-rows.ts"),
  ]);
  const config = await rewardConfig(options);
  const rows = readRows(options.data);
  const rubric = await openRubric([config]);
  const tally = new Map<string, Tally>();
  const waiting: { item: Item; verdict: Promise<ScoredTerm> }[] = [];
  const finish = async (): Promise<void> => {
    const { item, verdict } = waiting.shift()!;
    const judged = await verdict;
    count(tally, item, judged);
    print(item, judged, options);
  };
  try {
    for await (const row of rows) {
      const items = itemsOf(row);
      await reportGold(config, items[0], row.where);
      for (const item of items) {
        const completion = { task: item.task, text: item.text, stop: "eos", tokens: 0 } as const;
        waiting.push({ item, verdict: rubric.score(completion).then(({ terms }) => terms[config.name]!) });
        if (waiting.length >= WINDOW) await finish();
      }
    }
    while (waiting.length > 0) await finish();
  } finally {
    await rubric.close();
  }
  for (const [name, usage] of Object.entries(rubric.usage())) tell(`rlvr: ${name}: ${costText(usage)}`);
  if (!options.json) result(false, null, () => summary(tally));
}

/** @throws ConfigError naming the nearest reward or option */
async function rewardConfig({ reward, set = [] }: ScoreOptions): Promise<RewardConfig> {
  const [{ RewardConfig }, { pathText, problemsOf }] = await Promise.all([
    import("../rewards/index.ts"),
    import("../run/recipe-problems.ts"),
  ]);
  const options: Record<string, unknown> = {};
  for (const entry of set) {
    const at = entry.indexOf("=");
    if (at < 1) throw new ConfigError(`--set ${entry}: must look like from=box`);
    options[entry.slice(0, at)] = parseYaml(entry.slice(at + 1));
  }
  const input = /\.[cm]?[jt]s$/.test(reward)
    ? { module: resolve(reward), name: "own", options } // they are the file's
    : { name: reward, ...options };
  const parsed = RewardConfig.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = problemsOf(RewardConfig, input, parsed.error.issues);
  throw new ConfigError(
    problems.map(({ path, message }) => `--reward ${reward}: ${pathText(path)} ${message}`).join("\n"),
  );
}

function costText({ requests, cached, promptTokens, completionTokens }: RewardUsage): string {
  return `${requests} requests, ${cached} verdicts from the cache, ${promptTokens} prompt and ${completionTokens} completion tokens`;
}

/** Gold answers that the math reward can't read are said once, with their line. */
async function reportGold(config: RewardConfig, item: Item | undefined, where: string): Promise<void> {
  const gold = item?.task.answer ?? null;
  if (config.name !== "math" || gold === null) return;
  const { goldProblem } = await import("../rewards/math/index.ts");
  const problem = goldProblem(gold);
  if (problem) tell(`rlvr: ${where}: the gold answer can't be read: ${problem}`);
}

function print(item: Item, judged: ScoredTerm, { json, explain }: ScoreOptions): void {
  const { outcome, score, reason, parsed, ms, rule, gold, steps } = judged;
  const { id, candidate } = item;
  if (json) {
    const line = { id, candidate, outcome, score, reason, parsed: parsed ?? null, ms: Number(ms.toFixed(3)) };
    const more = explain ? { rule: rule ?? null, gold: gold ?? null, steps: steps ?? [] } : {};
    process.stdout.write(`${JSON.stringify({ ...line, ...more })}\n`);
    return;
  }
  if (!explain) return;
  const lines = [`${id}${candidate > 0 ? ` #${candidate}` : ""}: ${outcome}, ${reason}`];
  for (const { step, found } of steps ?? []) lines.push(`    ${step}: ${found.replaceAll("\n", " ")}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Counts of one group of rows. */
interface Tally {
  readonly outcomes: Map<Outcome, number>;
  labelled: number;
  agreed: number;
  /** Wrong answers that were called correct. */
  readonly accepted: string[];
}

function count(tally: Map<string, Tally>, { id, candidate, group, isRight }: Item, { outcome }: ScoredTerm): void {
  const counts: Tally = tally.get(group) ?? { outcomes: new Map(), labelled: 0, agreed: 0, accepted: [] };
  tally.set(group, counts);
  counts.outcomes.set(outcome, (counts.outcomes.get(outcome) ?? 0) + 1);
  if (isRight === null) return;
  counts.labelled++;
  if ((outcome === "correct") === isRight) counts.agreed++;
  else if (!isRight) counts.accepted.push(candidate > 0 ? `${id} #${candidate}` : id);
}

const OUTCOMES: readonly Outcome[] = ["correct", "wrong", "unparseable", "timeout", "error"];

/** One line a group: outcomes, and how many agree with the label where there is one. */
function summary(tally: ReadonlyMap<string, Tally>): string {
  if (tally.size === 0) return "no answers";
  const head = ["rows", ...OUTCOMES, "as labelled", "wrong ones accepted"];
  const lines = [...tally].map(([group, { outcomes, labelled, agreed, accepted }]) => {
    const share = labelled === 0 ? "-" : `${agreed} of ${labelled} (${((100 * agreed) / labelled).toFixed(1)} %)`;
    const counts = OUTCOMES.map((outcome) => String(outcomes.get(outcome) ?? 0));
    return [group, ...counts, share, labelled === 0 ? "-" : String(accepted.length)];
  });
  const wrong = [...tally.values()].flatMap(({ accepted }) => accepted).slice(0, 10);
  return [columns([head, ...lines]), ...wrong.map((id) => `accepted against its label: ${id}`)].join("\n");
}
