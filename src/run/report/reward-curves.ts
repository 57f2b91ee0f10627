import type { Spec } from "./curves.ts";

/** More lines than this can't be told apart; the table of the rewards has them all. */
const MAX_LINES = 6;

/**
 * Charts of the reward's terms, of what the detectors of reward hacking saw, and of a curriculum's levels.
 * @param names every metric that was logged
 */
export function rewardSpecs(names: Iterable<string>): Spec[] {
  const logged = [...names].sort();
  const specs: (Spec & { readonly least: number })[] = [
    {
      ...{ id: "reward-terms", title: "Reward terms", note: "mean of each term before its weight", fromZero: true },
      ...{ names: matching(logged, /^rewards\/(.+)\/mean$/), least: 2 },
    },
    {
      ...{
        id: "reward-shares",
        title: "What trains",
        note: "each term's share of the variance of the reward within groups",
      },
      ...{ names: matching(logged, /^rewards\/(.+)\/signal_share$/), percent: true, least: 2 },
    },
    {
      ...{
        id: "hacks",
        title: "Signs of reward hacking",
        note: "share of the completions in which a detector saw one",
      },
      ...{ names: matching(logged, /^hack\/(.+)$/), percent: true, least: 1 },
    },
    {
      ...{ id: "curriculum", title: "Curriculum", note: "mean level of a family's tasks, 0 to 5", fromZero: true },
      ...{ names: matching(logged, /^curriculum\/(.+)\/level$/), least: 1 },
    },
  ];
  return specs.filter(({ names: lines, least, id }) => {
    const count = Object.keys(lines).length;
    return count >= least && (count <= MAX_LINES || id === "hacks"); // of its lines those at 0 are left out
  });
}

/** Names that fit, and what they are called. */
function matching(logged: readonly string[], pattern: RegExp): Record<string, string> {
  return Object.fromEntries(
    logged.flatMap((name) => {
      const [, label] = pattern.exec(name) ?? [];
      return label === undefined ? [] : [[name, label]];
    }),
  );
}
