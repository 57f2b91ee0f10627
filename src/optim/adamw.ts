import { type Optimizer, type OptimizerState, type ParameterTree, zerosLike } from "./types.ts";

/** Options of {@link adamw}. */
export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Decoupled: weights shrink by lr · weightDecay each update. Vectors (norms, biases) decay too. */
  readonly weightDecay?: number;
}

/**
 * Adam with decoupled weight decay, Loshchilov & Hutter, arXiv:1711.05101 (as torch.optim.AdamW):
 * m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w(1 − lr·λ) − lr · (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε).
 * Moments have the precision of the parameters.
 */
export function adamw({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamWOptions = {}): Optimizer {
  return {
    name: "adamw",
    init: (parameters) => ({ count: 0, moments: { m: zerosLike(parameters), v: zerosLike(parameters) } }),
    update(parameters, gradients, state, lr) {
      const count = state.count + 1;
      const step = lr / (1 - beta1 ** count);
      const correction = 1 / Math.sqrt(1 - beta2 ** count);
      const keep = 1 - lr * weightDecay;
      for (const [name, weights] of parameters) {
        const gradient = gradients.get(name)!;
        const m = state.moments.m!.get(name)!;
        const v = state.moments.v!.get(name)!;
        for (let i = 0; i < weights.length; i++) {
          const g = gradient[i]!;
          const mean = beta1 * m[i]! + (1 - beta1) * g;
          const square = beta2 * v[i]! + (1 - beta2) * g * g;
          m[i] = mean;
          v[i] = square;
          weights[i] = weights[i]! * keep - (step * mean) / (Math.sqrt(square) * correction + epsilon);
        }
      }
      return { count, moments: state.moments };
    },
  };
}

/** The state's moments under flat names such as "m/model.norm.weight", for checkpoints. */
export function flattenMoments(state: OptimizerState): ParameterTree {
  return new Map(
    Object.entries(state.moments).flatMap(([moment, tree]) =>
      [...tree].map(([name, array]) => [`${moment}/${name}`, array] as const),
    ),
  );
}
