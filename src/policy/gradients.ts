import type { FloatType } from "../graph/index.ts";
import { floats } from "../graph/index.ts";
import type { Floats, ParameterTree } from "../optim/index.ts";

/**
 * Gradients that add up until an update. The first array that comes for a parameter is taken over as it is: nothing is cleared, nothing added to zeros, which
 * for all weights of a model are two passes over its size.
 */
export class Gradients {
  private readonly parameters: ParameterTree;
  private readonly floatType: FloatType;
  private readonly sums = new Map<string, Floats>();

  constructor(parameters: ParameterTree, floatType: FloatType) {
    this.parameters = parameters;
    this.floatType = floatType;
  }

  /** Adds an array, which is this object's from now on. */
  add(name: string, values: Floats): void {
    const sum = this.sums.get(name);
    if (!sum) this.sums.set(name, values);
    else for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
  }

  /** The sum for one parameter, to be read or changed in place; zeros where nothing came. */
  of(name: string): Floats {
    let sum = this.sums.get(name);
    if (!sum) {
      sum = floats(this.floatType, this.parameters.get(name)!.length);
      this.sums.set(name, sum);
    }
    return sum;
  }

  /** All sums, in the order of the parameters. */
  tree(): ParameterTree {
    return new Map([...this.parameters.keys()].map((name) => [name, this.of(name)]));
  }

  clear(): void {
    this.sums.clear();
  }
}
