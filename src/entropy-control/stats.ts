import type { TokenBatch } from "./types.ts";

/** Rows over which means, counts and ranks are taken. */
export type Scope = "mini-batch" | "micro-batch";

/** Indices of the live slots of some rows (all when absent), row after row. */
export function liveSlots({ rows, live }: TokenBatch, members: readonly number[] = rows.map((_, i) => i)): number[] {
  const slots: number[] = [];
  for (const i of members) {
    const { start, end } = rows[i]!;
    for (let t = start; t < end; t++) if (live[t] === 1) slots.push(t);
  }
  return slots;
}

/** The live slots of each scope: one list for the whole mini-batch, or one for each micro-batch. */
export function scopes(batch: TokenBatch, scope: Scope): number[][] {
  if (scope === "mini-batch") return [liveSlots(batch)];
  return batch.microBatches.map((members) => liveSlots(batch, members));
}

/** Mean of some entries; 0 for none. Of equal values exactly that value: their distances to it must be 0, since distances are ranked. */
export function meanOver(slots: readonly number[], value: (slot: number) => number): number {
  if (slots.length === 0) return 0;
  const first = value(slots[0]!);
  let sum = 0;
  let equal = true;
  for (const slot of slots) {
    const x = value(slot);
    sum += x;
    equal &&= x === first;
  }
  return equal ? first : sum / slots.length;
}

/** Share of slots for which something holds; 0 for none. */
export function shareOf(slots: readonly number[], holds: (slot: number) => boolean): number {
  return meanOver(slots, (slot) => (holds(slot) ? 1 : 0));
}

/**
 * Quantile by linear interpolation: h = level · (n − 1) (within 1e-9 of an integer it is that integer), x_i + (h − i)(x_{i+1} − x_i) of the
 * sorted values: equal values give exactly that value.
 */
export function quantileOf(values: readonly number[], level: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const exact = level * (sorted.length - 1);
  const h = Math.abs(exact - Math.round(exact)) < 1e-9 ? Math.round(exact) : exact;
  const i = Math.floor(h);
  const low = sorted[i]!;
  return low + (h - i) * ((sorted[i + 1] ?? low) - low);
}

/** The `count` slots of the largest values; of equal ones the earlier. Slots must be in rising order of rank ties. */
export function largest(slots: readonly number[], value: (slot: number) => number, count: number): number[] {
  const order = slots.map((slot, at) => ({ slot, at, x: value(slot) }));
  order.sort((a, b) => b.x - a.x || a.at - b.at);
  return order.slice(0, count).map(({ slot }) => slot);
}

/** The `count` slots of the smallest values; of equal ones the earlier. */
export function smallest(slots: readonly number[], value: (slot: number) => number, count: number): number[] {
  return largest(slots, (slot) => -value(slot), count);
}

/** [n] 1 at these slots. */
export function maskOf(size: number, slots: readonly number[]): Uint8Array {
  const mask = new Uint8Array(size);
  for (const slot of slots) mask[slot] = 1;
  return mask;
}

/**
 * Token covariances (A − mean A)(ℓ − mean ℓ), means over the live tokens of each scope (arXiv:2505.22617).
 * @returns [n]; 0 where no token is live
 */
export function covariances(batch: TokenBatch, logp: Float64Array, scope: Scope): Float64Array {
  const cov = new Float64Array(batch.live.length);
  for (const slots of scopes(batch, scope)) {
    const meanAdvantage = meanOver(slots, (t) => batch.advantage[t]!);
    const meanLogp = meanOver(slots, (t) => logp[t]!);
    for (const t of slots) cov[t] = (batch.advantage[t]! - meanAdvantage) * (logp[t]! - meanLogp);
  }
  return cov;
}
