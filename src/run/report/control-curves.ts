import { BuiltInControlConfig } from "../../entropy-control/index.ts";
import { metricDef } from "../../trainers/metrics.ts";
import type { Spec } from "./curves.ts";

const CONTROLS: readonly string[] = BuiltInControlConfig.options.map(({ shape }) => shape.name.value);

/**
 * Charts of the entropy controls of some runs: what the control adds to the loss, each knob and each number that a control of the user's own
 * reports, and the metrics of each built-in one, those of one unit together.
 * @param names every metric that was logged
 */
export function controlSpecs(names: Iterable<string>): Spec[] {
  const logged = [...new Set(names)].sort();
  const knobs = logged.filter((name) => name.startsWith("control/"));
  return [
    ...(logged.includes("control_loss") ? [single("control_loss", "Control term")] : []),
    ...knobs.map((name) => single(name, `Control: ${words(name.slice("control/".length))}`)),
    ...CONTROLS.flatMap((control) => ofControl(control, logged)),
  ];
}

function single(name: string, title: string): Spec {
  const def = metricDef(name);
  return { id: idOf(name), title, note: def?.what ?? "", names: { [name]: title }, percent: def?.unit === "share" };
}

/** One chart for each unit of a control's metrics. */
function ofControl(control: string, logged: readonly string[]): Spec[] {
  const own = logged.filter((name) => name.startsWith(`${control}/`));
  const units = [...new Set(own.map((name) => metricDef(name)?.unit ?? ""))];
  return units.map((unit) => {
    const some = own.filter((name) => (metricDef(name)?.unit ?? "") === unit);
    const label = (name: string): string => words(name.slice(control.length + 1));
    return {
      id: idOf(`${control}-${unit}`),
      title: unit === "1" ? control : `${control}, ${unit}`,
      note: some.map((name) => `${label(name)}: ${metricDef(name)?.what}`).join("; "),
      names: Object.fromEntries(some.map((name) => [name, label(name)])),
      percent: unit === "share",
    };
  });
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

function idOf(name: string): string {
  return `control-${name.replace(/[^\w-]+/g, "-")}`;
}
