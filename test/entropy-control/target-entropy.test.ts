import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlConfig, openControl } from "../../src/entropy-control/index.ts";
import { evaluate, logitsOfEntropy, near, one } from "../support/objective-case.ts";

const rows = (h: number) => [one(logitsOfEntropy(h), 0), one(logitsOfEntropy(h), 1)];

test("target-entropy: the coefficient integrates the distance to the target, within its limits, from the next step on", async () => {
  const control = { name: "target-entropy", target: 0.5, rate: 0.01, max: 0.006 };
  let state: unknown = { coefficient: 0 };
  const used: number[] = [];
  for (const h of [0.1, 0.3, 0.5, 0.9, 1.2, 0.4]) {
    const { terms, knobs, metrics, state: next } = await evaluate(rows(h), { control, state });
    near(terms.control, -knobs!.coefficient! * h, 1e-12);
    near(metrics["target-entropy/gap"], 0.5 - h, 1e-12);
    used.push(knobs!.coefficient!);
    state = next;
  }
  // + 0.004, + 0.002, 0, - 0.004, - 0.007 (held at 0), + 0.001
  near(used, [0, 0.004, 0.006, 0.006, 0.002, 0], 1e-12);
  near((state as { coefficient: number }).coefficient, 0.001, 1e-12);
});

test("target-entropy: starts where it is told; a batch without a token moves nothing", async () => {
  const { control } = await openControl(ControlConfig.parse({ name: "target-entropy", start: 0.01 }), {
    loss: { name: "clip" },
  });
  assert.deepEqual(control.init(), { coefficient: 0.01 });
  const state = { coefficient: 0.02 };
  const tokens = [{ z: [0, 0], o: 0, live: false }];
  const { state: next, loss } = await evaluate([{ tokens }], { control: { name: "target-entropy" }, state });
  assert.deepEqual([next, Math.abs(loss)], [state, 0]);
});

test("target-entropy: limits that contradict each other and a start outside them are refused", async () => {
  const open = (options: object) =>
    openControl(ControlConfig.parse({ name: "target-entropy", ...options }), { loss: { name: "clip" } });
  await assert.rejects(open({ min: 1, max: 0 }), /min \(1\) must be at most max \(0\)/);
  await assert.rejects(open({ start: 1 }), /start \(1\) must be from min \(0\) to max \(0\.05\)/);
});
