import { type Ledger, ledgerOf, type Provenance, type Segment } from "../../rollout/index.ts";
import type { SampleRow } from "../../trainers/types.ts";
import { TrainingError } from "../../utils/errors.ts";
import { escapeHtml, number } from "./text.ts";
import type { Decode } from "./tokens.ts";

const PROVENANCES: Readonly<Record<Provenance, string>> = {
  template: "signs around the messages",
  system: "system message",
  user: "the task",
  sampled: "written by the policy: these train",
  environment: "what the environment said",
  tool: "what tools said",
  history: "earlier sampled tokens, shown again in a new context",
};

const MAX_RUNS = 400;
const MAX_SIGNS = 1200;

/** All tokens of a completion in the order in which they were read and written, each run with where it comes from; folded. */
export function ledgerView(row: SampleRow, decode: Decode): string {
  let ledger: Ledger;
  try {
    ledger = ledgerOfRow(row);
  } catch (error) {
    if (!(error instanceof TrainingError)) throw error;
    return `<p class="hint">The ledger of this completion is not whole: ${escapeHtml(error.message)}</p>`;
  }
  const { ids, runs, sampledAt } = ledger;
  const contexts = 1 + runs.filter(({ restart }) => restart).length;
  const shown = runs.slice(0, MAX_RUNS).map(({ provenance, start, end, restart }) => {
    const text = textOf(ids.slice(start, end), decode);
    const count = end - start;
    const cut = restart ? `<b class="cut">a new context begins: what stands before is out of sight</b>` : "";
    return `${cut}<i class="p ${provenance}" title="${provenance}: tokens ${start} to ${end - 1}"><b>${provenance} ${count}</b>${escapeHtml(text)}</i>`;
  });
  const rest = runs.length > MAX_RUNS ? `<small> … ${runs.length - MAX_RUNS} more runs</small>` : "";
  const many = contexts > 1 ? `, ${contexts} contexts` : "";
  return `<details class="ledger"><summary>Ledger: ${number(ids.length, 3)} tokens, ${number(sampledAt.length, 3)} of them sampled${many}</summary>
${legend(ledger)}<p class="text">${shown.join("")}${rest}</p></details>`;
}

/** The tokens of a row with their provenance, as they were when it was made. @throws TrainingError when the row contradicts itself */
export function ledgerOfRow({ promptIds, ids, provenance, inserts = [] }: SampleRow): Ledger {
  return ledgerOf({ promptIds, ids, inserts, promptSegments: promptSegments(promptIds, provenance) });
}

/** The prompt's part of the runs of provenance, which are over the whole. */
export function promptSegments(promptIds: readonly number[], runs: SampleRow["provenance"]): Segment[] {
  const segments: Segment[] = [];
  let from = 0;
  for (const [provenance, count] of runs) {
    if (provenance === "sampled" || from >= promptIds.length) break;
    const to = Math.min(promptIds.length, from + count);
    segments.push({ provenance, ids: promptIds.slice(from, to) });
    from = to;
  }
  return segments;
}

/** The provenances that occur, with their colours and numbers of tokens. */
function legend({ runs }: Ledger): string {
  const names = (Object.keys(PROVENANCES) as Provenance[]).filter((name) =>
    runs.some(({ provenance }) => provenance === name),
  );
  const items = names.map((name) => {
    const own = runs.filter(({ provenance }) => provenance === name);
    const count = own.reduce((sum, { start, end }) => sum + end - start, 0);
    return `<li><i class="p ${name}">${name}</i> ${number(count, 3)} · ${PROVENANCES[name]}</li>`;
  });
  return `<ul class="provenances">${items.join("")}</ul>`;
}

/** Ends of lines get a sign of their own: here every token is to be seen. */
function textOf(ids: readonly number[], decode: Decode): string {
  const text = decode ? decode(ids).replaceAll("\n", "↵\n") : ids.join(" ");
  return text.length > MAX_SIGNS ? `${text.slice(0, MAX_SIGNS)} …` : text;
}
