import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EvaluationOutput, SampleRow, StepOutput, Trainer } from "../../src/trainers/types.ts";
import { sha256 } from "../../src/utils/hash.ts";
import { createRng, type Rng } from "../../src/utils/rng.ts";

const PROBLEMS = 12;

/**
 * A real, tiny job behind the `Trainer` interface: noisy gradient descent with momentum on (w - 3)^2; "problem i is solved" when w > i / 4 + noise.
 * Everything follows from the seed and the saved state, as with the real trainers.
 */
export function quadraticTrainer(options: { seed: number; steps: number; delayMs?: number; nanAt?: number }): Trainer {
  const { seed, steps, delayMs = 0, nanAt = -1 } = options;
  const rng = createRng(seed);
  const state = { w: 0, momentum: 0, tokens: 0 };
  return {
    steps,
    step: async (step): Promise<StepOutput> => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const noise = rng.fork("noise", step).normal();
      const gradient = 2 * (state.w - 3) + 0.1 * noise;
      state.momentum = 0.5 * state.momentum + gradient;
      state.w -= 0.05 * state.momentum;
      state.tokens += 8;
      const samples = [0, 1].map((member) => sampleRow(step, 0, member, rng.fork("sample", step, member), state.w));
      const loss = step === nanAt ? Number.NaN : (state.w - 3) ** 2;
      const hash = sha256(JSON.stringify(state));
      return {
        metrics: {
          loss,
          reward: state.w / 3,
          entropy: 1 / (1 + state.w ** 2),
          grad_norm: Math.abs(gradient),
          num_tokens: state.tokens,
          "resume/state_hash": hash,
          step_time: delayMs / 1000,
        },
        samples,
      };
    },
    evaluate: async (step) => evaluate(step, state.w, rng.fork("evaluate")),
    save: async (folder) => writeFileSync(join(folder, "state.json"), JSON.stringify(state)),
    load: async (folder) => void Object.assign(state, JSON.parse(readFileSync(join(folder, "state.json"), "utf8"))),
    close: async () => {},
  };
}

function evaluate(step: number, w: number, rng: Rng): EvaluationOutput {
  const samples = 4;
  const rows: SampleRow[] = [];
  const correct = Array.from({ length: PROBLEMS }, (_, i) => {
    let count = 0;
    for (let member = 0; member < samples; member++) {
      const solved = w + rng.fork(i, member).normal() > i / 4;
      count += Number(solved);
      rows.push({ ...sampleRow(step, i, member, rng.fork("row", i, member), w), rewards: verdict(solved) });
    }
    return count;
  });
  const mean = correct.reduce((sum, c) => sum + c, 0) / samples / PROBLEMS;
  const name = `val-core/quadratic/acc/mean@${samples}`;
  return {
    metrics: {
      [name]: mean,
      [`${name}/ci95_low`]: Math.max(0, mean - 0.1),
      [`${name}/ci95_high`]: Math.min(1, mean + 0.1),
    },
    correct,
    samples,
    rows,
  };
}

const verdict = (solved: boolean): SampleRow["rewards"] => ({
  distance: {
    outcome: solved ? "correct" : "wrong",
    score: solved ? 1 : 0,
    reason: solved ? "close <b>enough</b>" : "too far",
  },
});

function sampleRow(step: number, group: number, member: number, rng: Rng, w: number): SampleRow {
  const ids = [rng.int(0, 9), rng.int(0, 9), rng.int(0, 9)];
  return {
    step,
    task: `quadratic/${group}`,
    group,
    member,
    prompt: `w=${group}?`,
    text: `<script>alert(1)</script> & ${ids.join("")}`,
    promptIds: [1, 2],
    ids,
    provenance: [
      ["user", 2],
      ["sampled", 3],
    ],
    logp: ids.map(() => Math.fround(-rng.uniform())),
    entropy: ids.map(() => Math.fround(rng.uniform())),
    rewards: verdict(w > 1),
    reward: w > 1 ? 1 : 0,
    advantage: rng.normal(),
    stop: "eos",
  };
}
