import type { AdvantageConfig } from "./config.ts";

/**
 * Group-relative advantages, (R − mean) / (std + ε) with the unbiased standard deviation (GRPO, arXiv:2402.03300; verl's form).
 * @param rewards [N]; null where no verifier could judge: such a completion counts nowhere and gets 0
 * @param groups [N] group of each completion
 * @returns [N]; 0 for a group with fewer than two judged completions, which has nothing to compare with
 */
export function groupAdvantages(
  rewards: readonly (number | null)[],
  groups: readonly number[],
  { epsilon }: AdvantageConfig,
): number[] {
  const members = new Map<number, number[]>();
  rewards.forEach((reward, i) => {
    if (reward !== null) members.set(groups[i]!, [...(members.get(groups[i]!) ?? []), reward]);
  });
  return rewards.map((reward, i) => {
    const group = members.get(groups[i]!) ?? [];
    if (reward === null || group.length < 2) return 0;
    const mean = group.reduce((sum, x) => sum + x, 0) / group.length;
    const variance = group.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (group.length - 1);
    return (reward - mean) / (Math.sqrt(variance) + epsilon);
  });
}
