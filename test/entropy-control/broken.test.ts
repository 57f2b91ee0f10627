import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { vjpRules } from "../../src/graph/index.ts";
import { checkContract } from "../support/contract-control.ts";
import type { Subject } from "../support/contract-subject.ts";

const module = fileURLToPath(new URL("controls/broken.ts", import.meta.url));
const subject = (fault: string): Subject => ({
  name: fault,
  control: { module, fault },
  off: { control: { module, fault, coefficient: 0 } },
  split: "invariant",
});

test("contract: a control without fault from a file of the user's passes", () => checkContract(subject("none")));

for (const [fault, message] of [
  ["nan", /not finite/],
  ["padding", /^padding: filled slots change the loss$/],
  ["memory", /different results|changing masked slots changes something/],
  ["split", /^split: gradients differ/],
  ["off", /^off: another loss/],
] as const)
  test(`contract: a control with the fault "${fault}" fails`, async () => {
    await assert.rejects(checkContract(subject(fault)), { name: "AssertionError", message });
  });

test("contract: a wrong backward rule fails", async () => {
  const rules = vjpRules as Record<string, (typeof vjpRules)[string]>;
  const rule = rules.Exp!;
  rules.Exp = (g, context, cts) => rule(g, context, cts).map((ct) => ct && g.mul(ct, 1.001));
  try {
    await assert.rejects(checkContract({ name: "wrong rule", split: "invariant" }), { message: /^gradient: logit/ });
  } finally {
    rules.Exp = rule;
  }
});

test("contract: a control that follows the micro-batches and says that it does not is found", async () => {
  const control = { name: "forking-tokens", scope: "micro-batch" };
  await assert.rejects(checkContract({ name: "forking", control, split: "invariant" }), { message: /^split:/ });
  const whole = { name: "forking-tokens" };
  await assert.rejects(checkContract({ name: "forking", control: whole, split: "differs" }), { message: /^split:/ });
});
