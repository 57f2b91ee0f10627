import assert from "node:assert/strict";
import { test } from "node:test";
import { BuiltInControlConfig } from "../../src/entropy-control/index.ts";
import { controlSpecs } from "../../src/run/report/control-curves.ts";
import { METRICS } from "../../src/trainers/metrics.ts";

const controls = BuiltInControlConfig.options.map(({ shape }) => shape.name.value);

test("controlSpecs: every metric of every control is in exactly one chart", () => {
  const own = Object.keys(METRICS).filter((name) => controls.some((control) => name.startsWith(`${control}/`)));
  assert.ok(own.length > 30);
  const drawn = controlSpecs([...own, "loss", "step"]).flatMap(({ names }) => Object.keys(names));
  assert.deepEqual(drawn.sort(), own.sort());
});

test("controlSpecs: metrics of one unit share a chart, with their definitions; ids are unique", () => {
  const specs = controlSpecs([
    "siren/anchor",
    "siren/h_agg",
    "siren/kept_frac",
    "control_loss",
    "control/beta",
    "control/my_own",
  ]);
  assert.deepEqual(
    specs.map(({ title, names, percent }) => [title, Object.keys(names), percent]),
    [
      ["Control term", ["control_loss"], false],
      ["Control: beta", ["control/beta"], false],
      ["Control: my own", ["control/my_own"], false],
      ["siren, nats", ["siren/anchor", "siren/h_agg"], false],
      ["siren, share", ["siren/kept_frac"], true],
    ],
  );
  assert.match(specs[3]!.note, /^anchor: entropy of the first batch that the control holds to; h agg: /);
  assert.equal(new Set(specs.map(({ id }) => id)).size, specs.length);
});

test("controlSpecs: a run without a control has none of these charts", () => {
  assert.deepEqual(controlSpecs(["step", "loss", "entropy"]), []);
});
