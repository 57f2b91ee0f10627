const UNITS = { mb: 1e6, gb: 1e9, mib: 2 ** 20, gib: 2 ** 30 } as const;
const FORM = /^\s*(\d+(?:\.\d+)?)\s*(mb|gb|mib|gib)\s*$/i;

/** What an amount of memory must look like, for messages. */
export const MEMORY_FORM = "must be an amount of memory such as 4GB or 512MiB";

/** Bytes of `4GB`, `1.5 GiB`, `512MB` (GB = 10⁹, GiB = 2³⁰); null for anything else, and for nothing at all. */
export function bytesOf(text: string): number | null {
  const [, amount, unit] = FORM.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return null;
  const bytes = Math.floor(Number(amount) * UNITS[unit.toLowerCase() as keyof typeof UNITS]);
  return bytes > 0 ? bytes : null;
}
