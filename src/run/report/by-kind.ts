import { compareByKind, type Share } from "../by-kind.ts";
import type { RunData } from "./data.ts";
import { escapeHtml, percentText, points } from "./text.ts";

/** Style sheet of the table by task: four columns fit on a phone, names of tasks break. */
export const KIND_STYLE = `
.kinds{width:100%;max-width:760px}.kinds td,.kinds th{padding:7px 20px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}.kinds small{display:block}
.kinds th[scope=row]{white-space:normal}.kinds thead th{color:var(--soft);font-size:13px}.kinds td:last-child,.kinds th:last-child{padding-right:0}.kinds .sure{font-weight:650}
@media(max-width:720px){.kinds td,.kinds th{padding-right:9px}.kinds th[scope=row]{font-size:13.5px}.kinds small{font-size:11.5px}}
`;

/** Held-out accuracy by task, or family: before, after, the paired change; of a run with one evaluation, that. Nothing where there is one kind only. */
export function kindSection({ evaluations }: Pick<RunData, "evaluations">): string {
  const [first, last] = [evaluations[0], evaluations.at(-1)];
  const changes = first === last ? [] : compareByKind(first, last);
  if (changes.length > 0)
    return section(
      ["before", "after", "change, points"],
      changes.map(({ kind, problems, before, after, difference }) => [
        name(kind, problems),
        cell(before),
        cell(after),
        difference ? change(difference) : "<td>–</td>",
      ]),
    );
  if (!first?.byKind) return "";
  return section(
    ["pass@1"],
    first.byKind.map((scores) => [name(scores.kind, scores.problems), cell(scores)]),
  );
}

function section(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = ["task", ...heads].map((text) => `<th scope="col">${text}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.join("")}</tr>`).join("\n");
  return `<section><h2>By task</h2><p class="hint">Held-out pass@1 of each kind of problem, below it the 95 % interval in per cent. A change is paired over the problems; bold: its interval does not hold 0.</p>
<div class="scroll"><table class="kinds"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div></section>
`;
}

function name(kind: string, problems: number): string {
  return `<th scope="row">${escapeHtml(kind)}<small>${problems} problem${problems === 1 ? "" : "s"}</small></th>`;
}

function cell({ value, low, high }: Share): string {
  return `<td>${percentText(value)}<small>${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)}</small></td>`;
}

function change({ mean, low, high }: { readonly mean: number; readonly low: number; readonly high: number }): string {
  const isSure = low > 0 || high < 0;
  return `<td${isSure ? ' class="sure"' : ""}>${points(mean)}<small>${points(low)} to ${points(high)}</small></td>`;
}
