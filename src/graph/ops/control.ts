import { ShapeError } from "../../utils/errors.ts";
import { describe, expectShape } from "../shape.ts";
import type { Value } from "../types.ts";
import { FusedOps } from "./fused.ts";

/** What one pass through a Scan body yields. */
export interface ScanStep {
  readonly states: readonly Value[];
  readonly outputs: readonly Value[];
}

/** Operators with bodies. A body is a graph of its own that may use the values of the graph around it. */
export abstract class ControlOps extends FusedOps {
  /** An empty body of this graph. */
  protected abstract body(): this;

  /**
   * Runs a body over the slices of axis 0 of `elements`. States go from pass to pass and keep their shape; outputs are stacked along a
   * new axis 0. ONNX Scan. Needs n ≥ 1 when it runs: ONNX Runtime refuses a Scan over nothing.
   * @returns the last states, and the stacked outputs [n, ..]
   */
  scan(
    states: readonly Value[],
    elements: readonly Value[],
    build: (body: this, states: readonly Value[], elements: readonly Value[]) => ScanStep,
  ): ScanStep {
    const length = elements[0]?.shape[0];
    if (length === undefined) throw new ShapeError("scan(): needs at least one input to run over");
    for (const element of elements) expectShape(element, [length, ...element.shape.slice(1)], "scan(elements)");
    const body = this.body();
    const id = this.uniqueId();
    const innerStates = states.map((state, i) => body.input(`${id}/state_${i}`, state.shape, state.dtype));
    const innerElements = elements.map((x, i) => body.input(`${id}/element_${i}`, x.shape.slice(1), x.dtype));
    const step = build(body, innerStates, innerElements);
    step.states.forEach((state, i) => {
      if (describe(state) !== describe(states[i]!)) {
        throw new ShapeError(`scan(): state ${i} enters as ${describe(states[i]!)} and leaves as ${describe(state)}`);
      }
      body.output(`${id}/state_out_${i}`, state);
    });
    step.outputs.forEach((output, i) => {
      body.output(`${id}/output_${i}`, output);
    });
    const specs = [
      ...states,
      ...step.outputs.map((output) => ({ dtype: output.dtype, shape: [length, ...output.shape] })),
    ];
    const values = this.node("Scan", [...states, ...elements], specs, {
      body: { body },
      num_scan_inputs: { int: elements.length },
    });
    return { states: values.slice(0, states.length), outputs: values.slice(states.length) };
  }

  /**
   * Runs a body `count` times (int64 scalar). States go from pass to pass; outputs are stacked along a new axis 0. ONNX Loop.
   * A gradient through it needs states that keep their shape and, when it runs, at least one pass: its backward pass is a Scan.
   */
  loop(
    count: Value,
    states: readonly Value[],
    build: (body: this, iteration: Value, states: readonly Value[]) => ScanStep,
  ): ScanStep {
    const body = this.body();
    const id = this.uniqueId();
    const iteration = body.input(`${id}/iteration`, [], "int64");
    const condition = body.input(`${id}/condition`, [], "bool");
    const inner = states.map((state, i) => body.input(`${id}/state_${i}`, state.shape, state.dtype));
    const step = build(body, iteration, inner);
    body.output(`${id}/condition_out`, condition);
    step.states.forEach((state, i) => {
      body.output(`${id}/state_out_${i}`, state);
    });
    step.outputs.forEach((output, i) => {
      body.output(`${id}/output_${i}`, output);
    });
    const specs = [
      ...step.states,
      ...step.outputs.map((output) => ({ dtype: output.dtype, shape: [`count(${id})`, ...output.shape] })),
    ];
    const values = this.node("Loop", [count, null, ...states], specs, { body: { body } });
    return { states: values.slice(0, states.length), outputs: values.slice(states.length) };
  }

  /** One of two bodies, chosen by a boolean scalar while the graph runs; both must yield the same types and shapes. ONNX If. */
  branch(
    condition: Value,
    yes: (body: this) => readonly Value[],
    no: (body: this) => readonly Value[],
  ): readonly Value[] {
    const [thenBody, elseBody] = [this.body(), this.body()];
    const [thenValues, elseValues] = [yes(thenBody), no(elseBody)];
    const id = this.uniqueId();
    thenValues.forEach((value, i) => {
      const other = elseValues[i];
      if (!other || describe(value) !== describe(other)) {
        throw new ShapeError(`branch(): result ${i} is ${describe(value)} or ${other ? describe(other) : "absent"}`);
      }
      thenBody.output(`${id}/then_${i}`, value);
      elseBody.output(`${id}/else_${i}`, other);
    });
    return this.node("If", [condition], thenValues, {
      then_branch: { body: thenBody },
      else_branch: { body: elseBody },
    });
  }
}
