import type { EvaluationOutput, Metrics } from "../trainers/types.ts";
import { headlineOf } from "./headline.ts";
import type { Progress } from "./loop.ts";

/** Where progress goes: normally `process.stderr`. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/**
 * Live progress: one status line that is redrawn on a terminal, plain lines elsewhere.
 * @param plainEvery seconds between plain lines, so that logs of long runs stay readable
 */
export function consoleProgress(screen: Screen, plainEvery = 5): Progress {
  const live = screen.isTTY === true;
  let started = performance.now();
  let [steps, from, evaluation, status, lastPlain] = [0, 0, "", "", Number.NEGATIVE_INFINITY];
  const draw = (text: string): void => {
    status = text;
    if (live) screen.write(`\r\u001b[2K${clip(text, (screen.columns ?? 80) - 1)}`);
  };
  const print = (text: string): void => {
    screen.write(live ? `\r\u001b[2K${text}\n` : `${text}\n`);
    if (live && status) draw(status);
  };
  return {
    begin: (run) => {
      ({ from, steps } = run);
      if (from > 0) print(`going on after step ${from}`);
    },
    busy: (what) => {
      if (what === `step ${from + 1}`) started = performance.now();
      if (live) draw(status && what.startsWith("step") ? status : `${what} …`);
    },
    step: (step, metrics) => {
      const left = ((performance.now() - started) / 1000 / Math.max(1, step - from)) * (steps - step);
      const text = statusLine(step, steps, metrics, left, evaluation);
      draw(text);
      const now = performance.now() / 1000;
      if (!live && (now - lastPlain >= plainEvery || step === steps || step === from + 1)) {
        lastPlain = now;
        print(text);
      }
    },
    warning: (step, text) => print(`warning after step ${step}: ${text}`),
    evaluation: (step, output) => {
      evaluation = headlineText(output) ?? evaluation;
      print(`evaluation after step ${step}: ${headlineText(output) ?? "no accuracy"}`);
    },
    end: () => {
      if (live && status) screen.write("\n");
    },
  };
}

/** `step 12/120 · reward 0.41 · entropy 0.33 · length 48 · 5210 tok/s · 1 m 04 s left · pass@1 41.2 %` */
export function statusLine(
  step: number,
  steps: number,
  metrics: Metrics,
  secondsLeft: number,
  evaluation: string,
): string {
  const part = (label: string, name: string, digits: number, unit = ""): string[] => {
    const value = metrics[name];
    return typeof value === "number" ? [`${label}${value.toFixed(digits)}${unit}`] : [];
  };
  return [
    `step ${step}/${steps}`,
    ...part("reward ", "reward", 3),
    ...("reward" in metrics ? [] : part("loss ", "loss", 3)),
    ...part("entropy ", "entropy", 3),
    ...part("length ", "completions/mean_length", 0),
    ...part("", "training_tok/s", 0, " tok/s"),
    ...(step < steps ? [`${duration(secondsLeft)} left`] : []),
    ...(evaluation ? [evaluation] : []),
  ].join(" · ");
}

/** `45 s`, `3 m 05 s`, `2 h 10 m` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
}

function headlineText(output: EvaluationOutput): string | undefined {
  const headline = headlineOf(output.metrics);
  return (
    headline &&
    `pass@1 ${percent(headline.value)}${headline.low === undefined ? "" : ` (${percent(headline.low)}–${percent(headline.high!)})`}`
  );
}

/** `41.2 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `+30.1`, `-2.0`: a difference of shares in points. */
export function points(difference: number): string {
  return `${difference < 0 ? "" : "+"}${(100 * difference).toFixed(1)}`;
}

function clip(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
