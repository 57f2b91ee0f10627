/** A time of day in minutes after midnight; `half` says which half of the day was named. */
export interface TimeOfDay {
  readonly minutes: number;
  readonly half: "am" | "pm" | null;
}

const TIME = /^(\d{1,2})(?::(\d{2}))?(?::00)? ?(a\.?m\.?|p\.?m\.?)?$/;

/** `5:40`, `5:40 p.m.`, `5 pm`, `noon`, `17:40`; null for anything else. The text is that of `wordsOf`. */
export function timeOf(words: string): TimeOfDay | null {
  if (words === "noon" || words === "12 noon") return { minutes: 720, half: "pm" };
  if (words === "midnight" || words === "12 midnight") return { minutes: 0, half: "am" };
  const match = TIME.exec(
    words
      .replace(/o'clock/, "")
      .replace(/(a|p)\. ?m/, "$1m")
      .trim(),
  );
  if (!match || (match[2] === undefined && match[3] === undefined)) return null;
  const [hour, minute] = [Number(match[1]), Number(match[2] ?? 0)];
  if (minute > 59 || hour > 24 || (match[3] !== undefined && (hour > 12 || hour === 0))) return null;
  const half = match[3] === undefined ? (hour > 12 ? "pm" : null) : match[3].startsWith("a") ? "am" : "pm";
  const clock = half === null || hour > 12 ? hour % 24 : (hour % 12) + (half === "pm" ? 12 : 0);
  return { minutes: clock * 60 + minute, half };
}

/** Whether two times are the same; where one does not name its half of the day, the other's counts. */
export function sameTime(a: TimeOfDay, b: TimeOfDay): boolean {
  if (a.half !== null && b.half !== null) return a.minutes === b.minutes;
  return a.minutes % 720 === b.minutes % 720;
}

const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

/** A calendar date. */
export interface CalendarDate {
  readonly year: number | null;
  readonly month: number;
  readonly day: number;
  /** From 0 for Sunday, when it was named. */
  readonly weekday: string | null;
}

/** `March 5, 2024`, `5th of March 2024`, `2024-03-05`, `Tuesday, March 5`; null for anything else, also for `3/5/2024`, which two countries read in two ways. */
export function dateOf(words: string): CalendarDate | null {
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(words);
  if (iso) return checked(Number(iso[1]), Number(iso[2]), Number(iso[3]), null);
  const parts = words
    .replace(/,|\bthe\b|\bof\b/g, " ")
    .split(" ")
    .filter((part) => part !== "");
  const weekday = parts[0]?.endsWith("day") ? parts.shift()! : null;
  const at = parts.findIndex((part) => monthOf(part) > 0);
  if (at < 0 || at > 1 || parts.length > 3 || parts.length < 2) return null;
  const month = monthOf(parts[at]!);
  const numbers = parts
    .filter((_, i) => i !== at)
    .map((part) => (/^\d{1,4}(?:st|nd|rd|th)?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN));
  if (numbers.some(Number.isNaN)) return null;
  const [day, year] = numbers;
  return checked(year ?? null, month, day!, weekday);
}

function monthOf(word: string): number {
  const plain = word.replace(/\.$/, "");
  return (
    MONTHS.findIndex((name) => name === plain || (plain.length >= 3 && plain.length <= 4 && name.startsWith(plain))) + 1
  );
}

function checked(year: number | null, month: number, day: number, weekday: string | null): CalendarDate | null {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 ? { year, month, day, weekday } : null;
}

/** Whether two dates are the same; what one leaves out is not compared. */
export function sameDate(a: CalendarDate, b: CalendarDate): boolean {
  const agree = <T>(x: T | null, y: T | null): boolean => x === null || y === null || x === y;
  return a.month === b.month && a.day === b.day && agree(a.year, b.year) && agree(a.weekday, b.weekday);
}
