import type { AdvantageConfig } from "./config.ts";

/**
 * Advantages of whole completions from their rewards and groups alone.
 * @param rewards [N]; null where no verifier could judge: such a completion counts nowhere and gets 0
 * @param groups [N] group of each completion
 * @returns [N]. A group of one has baseline 0; where others of the group could not be judged, the one that is left has nothing to compare
 * with and gets 0.
 */
export function groupAdvantages(
  rewards: readonly (number | null)[],
  groups: readonly number[],
  config: AdvantageConfig,
): number[] {
  const judged = rewards.flatMap((reward, i) => (reward === null ? [] : [i]));
  const alone = new Set(
    judged.filter((i) => sizeOf(groups, groups[i]!) > 1 && judgedIn(rewards, groups, groups[i]!) < 2),
  );
  const used = judged.filter((i) => !alone.has(i));
  const values = estimate(
    used.map((i) => rewards[i]!),
    used.map((i) => groups[i]!),
    config,
  );
  const advantages = new Array<number>(rewards.length).fill(0);
  used.forEach((i, j) => {
    advantages[i] = values[j]!;
  });
  return advantages;
}

function sizeOf(groups: readonly number[], group: number): number {
  return groups.filter((other) => other === group).length;
}

function judgedIn(rewards: readonly (number | null)[], groups: readonly number[], group: number): number {
  return rewards.filter((reward, i) => reward !== null && groups[i] === group).length;
}

/** Every reward judged; of GiGPO the part of whole completions, `step-groups.ts` has that of turns. Definitions and sources: the descriptions of {@link AdvantageConfig}. */
function estimate(rewards: readonly number[], groups: readonly number[], config: AdvantageConfig): number[] {
  const members = new Map<number, number[]>();
  rewards.forEach((reward, i) => {
    const list = members.get(groups[i]!);
    if (list) list.push(reward);
    else members.set(groups[i]!, [reward]);
  });
  const baseline = new Map([...members].map(([group, list]) => [group, list.length === 1 ? 0 : meanOf(list)]));
  const scaled = (x: number, deviation: number): number => (x === 0 ? 0 : x / deviation); // 0 / 0 with epsilon 0
  const centred = rewards.map((reward, i) => reward - baseline.get(groups[i]!)!);
  switch (config.name) {
    case "gigpo":
      if (!config.normalise) return centred;
      return estimate(rewards, groups, { name: "grpo", epsilon: config.epsilon });
    case "grpo": {
      const deviation = new Map(
        [...members].map(([group, list]) => [group, list.length === 1 ? 1 : deviationOf(list)]),
      );
      return centred.map((x, i) => scaled(x, deviation.get(groups[i]!)! + config.epsilon));
    }
    case "dr-grpo":
      return centred;
    case "rloo":
      // R − mean of the others = G / (G − 1) · (R − mean)
      return centred.map((x, i) => {
        const size = members.get(groups[i]!)!.length;
        return size === 1 ? x : (x * size) / (size - 1);
      });
    case "reinforce":
      return [...rewards];
    case "batch-norm": {
      const deviation = centred.length < 2 ? 1 : deviationOf(centred);
      return centred.map((x) => scaled(x, deviation + config.epsilon));
    }
  }
}

/** Of equal values exactly that value: three times 0.1 / 3 is not 0.1, and a group without signal must have advantages of 0. */
function meanOf(values: readonly number[]): number {
  if (values.every((x) => x === values[0])) return values[0]!;
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Unbiased standard deviation. */
function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
}
