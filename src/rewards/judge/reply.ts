import { z } from "zod";
import { jsonBlocks, readJson } from "../../utils/json-text.ts";
import { afterThinking } from "../../utils/thinking.ts";
import { failed } from "../pool/verdict-check.ts";
import type { Verdict } from "../types.ts";
import type { JudgeOptions } from "./options.ts";

const Scored = z.strictObject({ score: z.number().min(0).max(1), reason: z.string().optional() });
/** Of a reply, in reasons, characters. */
const MAX_SHOWN = 300;

/** Reads the verdict strictly: a reply of any other form is an `error`, never a guess. */
export function readVerdict(reply: string, { verdict, passFrom }: Pick<JudgeOptions, "verdict" | "passFrom">): Verdict {
  const text = afterThinking(reply).trim();
  return verdict === "word" ? readWord(text) : readScore(text, passFrom);
}

function readWord(text: string): Verdict {
  const lines = text.split("\n");
  const last = lines.at(-1)!.trim();
  const why = shorten(lines.slice(0, -1).join("\n").trim());
  if (/^correct$/i.test(last)) return { outcome: "correct", score: 1, reason: why || "the judge says CORRECT" };
  if (/^wrong$/i.test(last)) return { outcome: "wrong", score: 0, reason: why || "the judge says WRONG" };
  return failed(`the judge's last line is neither CORRECT nor WRONG: ${JSON.stringify(shorten(last))}`);
}

function readScore(text: string, passFrom: number): Verdict {
  const json = readJson(text.startsWith("```") ? (jsonBlocks(text)[0] ?? text) : text);
  const scored = Scored.safeParse("value" in json ? json.value : undefined);
  if (!scored.success)
    return failed(`the judge's reply is not {"score": 0 to 1, "reason": "…"}: ${JSON.stringify(shorten(text))}`);
  const { score, reason } = scored.data;
  return {
    outcome: score >= passFrom ? "correct" : "wrong",
    score,
    reason: shorten(reason ?? "the judge gives no reason"),
  };
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
