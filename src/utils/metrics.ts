/** What one metric is: its unit, its formula in words, and when it is logged. */
export interface MetricDef {
  readonly unit: string;
  readonly what: string;
  /** "step", "evaluation", or a condition such as "kl coefficient > 0". */
  readonly when: string;
  /** Measured by a clock or the machine: differs between two runs that are otherwise equal to the byte. */
  readonly clock?: boolean;
}

/** Metric definitions by name; `{name}` in a name stands for a word chosen by the recipe. */
export type MetricTable = Readonly<Record<string, MetricDef>>;

/** Joins tables; a name declared twice is a bug of ours. */
export function mergeMetrics(...tables: MetricTable[]): MetricTable {
  const merged: Record<string, MetricDef> = {};
  for (const table of tables) {
    for (const [name, def] of Object.entries(table)) {
      if (merged[name]) throw new Error(`internal: metric ${name} is declared twice`);
      merged[name] = def;
    }
  }
  return merged;
}

/** Finds the definition of a logged name, patterns included; undefined when it was never declared. */
export function findMetric(table: MetricTable, name: string): MetricDef | undefined {
  if (table[name]) return table[name];
  for (const [pattern, def] of Object.entries(table)) {
    if (pattern.includes("{") && patternToRegExp(pattern).test(name)) return def;
  }
  return undefined;
}

function patternToRegExp(pattern: string): RegExp {
  const escaped = pattern.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[a-z]+\}/g, "[^/]+");
  return new RegExp(`^${escaped}$`);
}
