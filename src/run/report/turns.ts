import type { EpisodeEnd } from "../../rollout/index.ts";
import type { SampleRow } from "../../trainers/types.ts";
import { ledgerView, promptSegments } from "./ledger.ts";
import { escapeHtml, number } from "./text.ts";
import { coloured, type Decode, levelOf, type TokenSpan, tokenSpans } from "./tokens.ts";

type EpisodeRow = SampleRow & { readonly episode: NonNullable<SampleRow["episode"]> };
type Turn = EpisodeRow["episode"]["turns"][number];

const MAX_FIRST = 40;
const MAX_LAST = 20;
const MAX_TOKENS = 320;

const ENDS: Readonly<Record<EpisodeEnd, string>> = {
  environment: "the environment ended it",
  turns: "the limit of turns",
  tokens: "the limit of sampled tokens",
  context: "the context was full",
  deadline: "its time was over",
  error: "a fault",
};

/** Whether a row is of an episode. */
export function isEpisode(row: SampleRow): row is EpisodeRow {
  return row.episode !== undefined;
}

/** `12 turns · return 1 · solved` */
export function episodeFacts({ episode }: EpisodeRow): string[] {
  const { length } = episode.turns;
  return [
    `${length} ${length === 1 ? "turn" : "turns"}`,
    `return ${number(episode.return, 3)}`,
    episode.success ? "solved" : "not solved",
  ];
}

/** An episode turn by turn: what was seen, thought and done, and what came of it; then its end, and its ledger. */
export function turnsView(row: EpisodeRow, decode: Decode): string {
  const { turns } = row.episode;
  const isShown = (turn: number): boolean =>
    turns.length <= MAX_FIRST + MAX_LAST || turn < MAX_FIRST || turn >= turns.length - MAX_LAST;
  const items = turns.flatMap((_, turn) => {
    if (isShown(turn)) return [turnItem(row, turn, decode)];
    return turn === MAX_FIRST
      ? [`<li class="cut">${turns.length - MAX_FIRST - MAX_LAST} turns are left out here</li>`]
      : [];
  });
  return `${strip(row)}<ol class="turns">${items.join("")}${endItem(row)}</ol>${ledgerView(row, decode)}`;
}

/** One cell a turn on the colour of its mean entropy. */
function strip(row: EpisodeRow): string {
  const { turns } = row.episode;
  if (turns.length < 2) return "";
  const cells = turns.map((turn, i) => {
    const entropy = entropyOf(row, turn);
    const words = `turn ${i + 1}: entropy ${number(entropy, 3)}, reward ${number(turn.reward, 3)}${turn.valid === false ? ", not understood" : ""}`;
    return `<i class="e${levelOf(entropy)}${turn.reward === 0 ? "" : turn.reward > 0 ? " won" : " paid"}" title="${words}">${turn.valid === false ? "×" : "&nbsp;"}</i>`;
  });
  return `<p class="strip" aria-label="Mean entropy of each turn">${cells.join("")}</p>`;
}

function turnItem(row: EpisodeRow, index: number, decode: Decode): string {
  const turn = row.episode.turns[index]!;
  const restart = row.inserts?.find(({ at, restart: isNew }) => isNew && at === turn.start);
  const cut = restart
    ? `<li class="cut">A new context begins here, with ${number(
        restart.segments.reduce((sum, { ids }) => sum + ids.length, 0),
        4,
      )} tokens: what stands above is out of sight but for what these show again</li>`
    : "";
  const seen = index === 0 ? opening(row, decode) : row.episode.turns[index - 1]!.observation;
  return `${cut}<li><header><b>${index + 1}</b>${turnFacts(row, turn)}</header><dl>${part("saw", "saw", escapeHtml(seen))}${written(row, turn, decode)}</dl></li>`;
}

function turnFacts(row: EpisodeRow, turn: Turn): string {
  const advantage = row.tokenAdvantages?.[turn.start];
  const facts = [
    `reward ${number(turn.reward, 3)}`,
    `entropy ${number(entropyOf(row, turn), 3)}`,
    ...(advantage === undefined ? [] : [`advantage ${number(advantage, 3)}`]),
    ...infoFacts(turn.info),
  ];
  const reward = turn.reward > 0 ? " won" : turn.reward < 0 ? " paid" : "";
  const valid =
    turn.valid === null
      ? ""
      : turn.valid
        ? `<span class="tag correct">valid</span>`
        : `<span class="tag wrong">invalid</span>`;
  return `${valid}<small class="facts${reward}">${facts.map(escapeHtml).join(" · ")}</small>`;
}

/** What else the other side told, as far as it is short. */
function infoFacts(info: Turn["info"]): string[] {
  return Object.entries(info)
    .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value) && `${value}`.length <= 24)
    .slice(0, 4)
    .map(([name, value]) => `${name} ${typeof value === "number" ? number(value, 4) : value}`);
}

/** What the policy wrote: the thought before the action, and the action. */
function written(row: EpisodeRow, turn: Turn, decode: Decode): string {
  const { start, end, action } = turn;
  const known = action === null ? "" : escapeHtml(action);
  const none = `<em>no action could be read</em>`;
  if (!decode) return part("did", "did", known || none);
  const shown = Math.min(end, start + MAX_TOKENS);
  const spans = tokenSpans(row.ids.slice(start, shown), row.entropy.slice(start, shown), decode);
  const more = end > shown ? `<small> … ${end - shown} more tokens</small>` : "";
  const at = action === null ? -1 : actionAt(spans.map(({ text }) => text).join(""), action);
  if (at < 0) {
    const read = action === null || action === "" ? none : `${known} <small>(as it was read)</small>`;
    return `${part("wrote", "thought", coloured(spans) + more)}${part("did", "did", read)}`;
  }
  const isThought = (span: TokenSpan): boolean => span.at + span.text.length <= at; // a token that has the action's first sign is of the action
  const thought = spans.filter(isThought);
  const thoughtText = thought.map(({ text }) => text).join("");
  const did = spans.slice(thought.length);
  return `${thoughtText.trim() === "" ? "" : part("thought", "thought", coloured(thought))}${part("did", "did", coloured(thoughtText.trim() === "" ? spans : did) + more)}`;
}

/** Where the part of a turn's text begins that its action was read from, its tag or label included; −1 when it isn't in the text as it is. */
export function actionAt(text: string, action: string): number {
  const at = action === "" ? -1 : text.lastIndexOf(action);
  if (at < 0) return -1;
  const label = /(<action>|Action:)\s*$/i.exec(text.slice(0, at));
  return label ? label.index : at;
}

/** What the policy saw first: the prompt without what stands around its messages. */
function opening(row: EpisodeRow, decode: Decode): string {
  if (!decode) return row.prompt;
  const said = promptSegments(row.promptIds, row.provenance).filter(
    ({ provenance }) => provenance !== "template" && provenance !== "system",
  );
  return said.length === 0 ? row.prompt : said.map(({ ids }) => decode(ids)).join("\n");
}

function endItem({ episode }: EpisodeRow): string {
  const { turns, end, success, error } = episode;
  const last = turns.at(-1)?.observation ?? "";
  const facts = `<span class="tag ${success ? "correct" : "wrong"}">${success ? "solved" : "not solved"}</span><small class="facts">return ${number(episode.return, 3)} · ended by: ${ENDS[end]}</small>`;
  return `<li class="end"><header><b>end</b>${facts}</header><dl>${last.trim() === "" ? "" : part("saw", "saw", escapeHtml(last))}${error === null ? "" : part("error", "fault", escapeHtml(error))}</dl></li>`;
}

function part(label: string, kind: string, html: string): string {
  return `<dt>${label}</dt><dd class="${kind}">${html}</dd>`;
}

/** Mean over the turn's tokens, nats. */
function entropyOf({ entropy }: EpisodeRow, { start, end }: Turn): number {
  if (end <= start) return 0;
  return entropy.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start);
}
