import { EnvError } from "../../../utils/errors.ts";
import { boundObservation, cleanAction } from "../texts.ts";
import type { Environment, EnvStep, EpisodeStart } from "../types.ts";
import type { ScienceWorldOptions } from "./options.ts";
import type { ScienceWorld, ScienceWorldStep } from "./simulator.ts";

/** A world's simulator and what the source does with it. */
export interface WorldParts {
  readonly options: ScienceWorldOptions;
  /** Starts an episode in the simulator. */
  readonly begin: (start: EpisodeStart) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** What is told when no action has this text, also when it was to answer an ambiguous request: that costs one move and cancels the request. */
const UNKNOWN = /^(No known action matches that input|Unknown action)/;

/** One world in a simulator of its own. */
export function openWorld(simulator: ScienceWorld, { options, begin, end }: WorldParts): Environment {
  let state: ScienceWorldStep | null = null;
  let isSolved = false;
  const playing = (call: string): ScienceWorldStep => {
    if (state) return state;
    throw new EnvError(`scienceworld: ${call}() needs an episode; call reset() first`);
  };
  return {
    get isAlive() {
      return simulator.isAlive;
    },
    async reset(start) {
      state = null;
      isSolved = false;
      await begin(start);
      const [first, instruction] = await Promise.all([simulator.step("look around"), simulator.taskDescription()]);
      state = first;
      const { score, moves, completed } = first;
      const observation = boundObservation(first.observation);
      return { instruction: instruction.trim(), observation, info: { score, moves, completed } };
    },
    async step(action) {
      const before = playing("step");
      const after = await simulator.step(cleanAction(action));
      state = after;
      const isFirst = !isSolved && isSuccess(after);
      isSolved ||= isFirst;
      const reward = options.reward === "success" ? Number(isFirst) : gain(before, after, options.clipFailure);
      return stepOf(after, { reward, isSolved, moveLimit: options.moveLimit });
    },
    async admissibleActions() {
      playing("admissibleActions");
      return (await simulator.validActions()).sort();
    },
    close: end,
  };
}

interface Tally {
  readonly reward: number;
  readonly isSolved: boolean;
  readonly moveLimit: number | null;
}

function stepOf(state: ScienceWorldStep, { reward, isSolved, moveLimit }: Tally): EnvStep {
  const { observation, score, moves, completed } = state;
  const isOver = isSolved || completed || score < 0;
  const truncated = !isOver && moveLimit !== null && moves > moveLimit;
  return {
    observation: boundObservation(observation),
    reward,
    done: isOver || truncated,
    success: isSolved,
    valid: !UNKNOWN.test(observation),
    info: { score, moves, completed, truncated },
  };
}

/** Score 100; a score that is only rounded to 100 has subgoals left. */
function isSuccess({ score, completed }: ScienceWorldStep): boolean {
  return score === 100 && completed;
}

/** Change of the score as 0 to 1, or to -1. */
function gain(before: ScienceWorldStep, after: ScienceWorldStep, clipFailure: boolean): number {
  const read = ({ score }: ScienceWorldStep): number => (clipFailure ? Math.max(score, 0) : score) / 100;
  return read(after) - read(before);
}
