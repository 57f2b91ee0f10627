import type { AddedToken, Tokenizer } from "../../policy/index.ts";
import type { DialogueMessage, Segment } from "../types.ts";

/** Who may write control tokens in a text: the template all of them, whoever wrote the recipe those that are no special tokens, others none. */
export type Trust = "all" | "ordinary" | "none";

/** A part of a rendered conversation. */
export interface Piece {
  readonly text: string;
  readonly provenance: Segment["provenance"];
  readonly trust: Trust;
  /** Index of the message that it is the content of; absent: the template's. */
  readonly message?: number;
}

/** Where the words of a message come from. A turn of the assistant that is given with the task counts as the user's. */
export function provenanceOf({ role, from }: DialogueMessage): Segment["provenance"] {
  return from ?? (role === "assistant" ? "user" : role);
}

/** How far the words of a message are trusted. */
export function trustOf(message: DialogueMessage): Trust {
  return message.from === undefined && (message.role === "system" || message.role === "assistant")
    ? "ordinary"
    : "none";
}

/**
 * Ids of pieces that follow one another. Texts between control tokens are encoded as one, so that the ids are those of the whole text; a token that
 * spans a border counts as the content's, not the template's.
 */
export function encodePieces(tokenizer: Tokenizer, pieces: readonly Piece[]): Segment[] {
  const segments: Segment[] = [];
  let run: Piece[] = [];
  const flush = (): void => {
    segments.push(...encodeRun(tokenizer, run));
    run = [];
  };
  let trim = false;
  for (const part of pieces.flatMap((piece) => split(piece, tokenizer.addedTokens))) {
    if ("token" in part) {
      const last = run.at(-1);
      if (part.token.lstrip && last) run[run.length - 1] = { ...last, text: last.text.trimEnd() };
      flush();
      segments.push({ provenance: part.piece.provenance, ids: [part.token.id] });
      trim = part.token.rstrip;
    } else {
      run.push(trim ? { ...part, text: part.text.trimStart() } : part);
      trim = false;
    }
  }
  flush();
  return joined(segments);
}

/** Neighbours of one provenance become one segment; empty ones go. */
export function joined(segments: readonly Segment[]): Segment[] {
  const result: { provenance: Segment["provenance"]; ids: number[] }[] = [];
  for (const { provenance, ids } of segments) {
    if (ids.length === 0) continue;
    const last = result.at(-1);
    if (last?.provenance === provenance) last.ids.push(...ids);
    else result.push({ provenance, ids: [...ids] });
  }
  return result;
}

type Part = Piece | { readonly token: AddedToken; readonly piece: Piece };

/** Cuts out the tokens that a piece may write; the longest first where several begin. */
function split(piece: Piece, added: readonly AddedToken[]): Part[] {
  if (piece.trust === "none") return [piece];
  const allowed = added.filter(({ special }) => piece.trust === "all" || !special);
  const present = allowed.filter(({ content }) => content !== "" && piece.text.includes(content));
  if (present.length === 0) return [piece];
  const pattern = new RegExp(
    present.map(({ content }) => content.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|"),
    "g",
  );
  const byText = new Map(present.map((token) => [token.content, token]));
  const parts: Part[] = [];
  let at = 0;
  for (const match of piece.text.matchAll(pattern)) {
    if (match.index > at) parts.push({ ...piece, text: piece.text.slice(at, match.index) });
    parts.push({ token: byText.get(match[0])!, piece });
    at = match.index + match[0].length;
  }
  if (at < piece.text.length) parts.push({ ...piece, text: piece.text.slice(at) });
  return parts;
}

function encodeRun(tokenizer: Tokenizer, run: readonly Piece[]): Segment[] {
  const pieces = run.filter(({ text }) => text !== "");
  const apart = pieces.map(({ text, provenance }) => ({ provenance, ids: tokenizer.encodePlain(text) }));
  if (pieces.length < 2) return apart;
  const ids = tokenizer.encodePlain(pieces.map(({ text }) => text).join(""));
  return attribute(ids, apart);
}

/**
 * Says where each of `ids` comes from, given the pieces' ids on their own: equal at the start and at the end; what lies between merged over a border
 * and goes to the first content there.
 */
function attribute(ids: readonly number[], apart: readonly Segment[]): Segment[] {
  const alone = apart.flatMap(({ ids: own, provenance }) => own.map((id) => ({ id, provenance })));
  const most = Math.min(ids.length, alone.length);
  let [head, tail] = [0, 0];
  while (head < most && ids[head] === alone[head]!.id) head++;
  while (tail < most - head && ids[ids.length - 1 - tail] === alone[alone.length - 1 - tail]!.id) tail++;
  const middle = alone.slice(head, alone.length - tail).map(({ provenance }) => provenance);
  const fallback = alone[Math.min(head, alone.length - 1)]?.provenance ?? "template";
  const between = middle.find((provenance) => provenance !== "template") ?? fallback;
  return joined([
    ...alone.slice(0, head).map(({ id, provenance }) => ({ provenance, ids: [id] })),
    { provenance: between, ids: ids.slice(head, ids.length - tail) },
    ...alone.slice(alone.length - tail).map(({ id, provenance }) => ({ provenance, ids: [id] })),
  ]);
}
