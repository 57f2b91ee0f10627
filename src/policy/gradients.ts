import { type Floats, type ParameterTree, zerosOf } from "../optim/index.ts";

/**
 * Gradients that add up until an update. The first array that comes for a parameter is taken over as it is: nothing is cleared, nothing added to zeros, which
 * for all weights of a model are two passes over its size.
 */
export class Gradients {
  private readonly parameters: ParameterTree;
  private readonly sums = new Map<string, Floats>();

  constructor(parameters: ParameterTree) {
    this.parameters = parameters;
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
      sum = zerosOf(this.parameters.get(name)!);
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
