/** Text that may stand between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** A number for people: at most `digits` significant digits, thousands apart, no trailing zeros. */
export function number(value: number, digits: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e9)
    return value
      .toExponential(Math.max(0, digits - 2))
      .replace(/\.?0+e/, "e")
      .replace("-", "−")
      .replace("e-", "e−")
      .replace("e+", "e");
  const rounded = Number(value.toPrecision(Math.max(digits, Math.ceil(Math.log10(size + 1)))));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 8 }).replaceAll(",", "\u2009").replace("-", "−");
}

/** `41.2 %` */
export function percentText(share: number): string {
  return `${(100 * share).toFixed(1)}\u2009%`;
}

/** `+30.1`, `−2.0`: a difference of shares in points. */
export function points(difference: number): string {
  return `${difference < 0 ? "−" : "+"}${Math.abs(100 * difference).toFixed(1)}`;
}
