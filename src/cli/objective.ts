import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import type { CheckedCase } from "../trainers/conformance-check.ts";
import { ConfigError } from "../utils/errors.ts";
import { nearest } from "../utils/nearest.ts";
import { withExample, withJson } from "./options.ts";
import { EXIT, Exit, result, tell } from "./output.ts";

/** `rlvr objective check | explain` */
export function objectiveCommand(): Command {
  const command = new Command("objective").description(
    "Check objectives and entropy controls against conformance vectors; see what they do to a token.",
  );
  const check = new Command("check")
    .description("Run conformance vectors and print the largest error of each case; exit code 1 when one fails.")
    .argument("[files...]", "vectors files (default: those of this package)");
  const explain = new Command("explain")
    .description("One case as a table: what objective and control do to each token.")
    .argument("<file>", "a vectors file")
    .option("--case <name>", "name of the case (default: the first)");
  command.addCommand(withExample(withJson(check), "rlvr objective check vectors/siren.json").action(runCheck));
  command.addCommand(
    withExample(
      withJson(explain),
      "rlvr objective explain vectors/kl-cov.json",
      "rlvr objective explain vectors/siren.json --case siren/released/anchored-mse",
    ).action(runExplain),
  );
  return withExample(command, "rlvr objective check", "rlvr objective explain vectors/kl-cov.json");
}

async function runCheck(paths: string[], options: { json?: boolean }): Promise<void> {
  const [{ openVectors }, { checkCase, CONFORMANCE_TOLERANCE }, { checkText }] = await Promise.all([
    import("../trainers/conformance-files.ts"),
    import("../trainers/conformance-check.ts"),
    import("./objective-text.ts"),
  ]);
  const files = await openVectors(paths.length > 0 ? paths : packageVectors());
  const checked: { path: string; cases: CheckedCase[] }[] = [];
  for (const { path, cases } of files) {
    const done: CheckedCase[] = [];
    for (const given of cases) done.push(await checkCase(given));
    checked.push({ path, cases: done });
    if (!options.json && done.length > 0) process.stdout.write(`${checkText(path, done)}\n\n`);
  }
  const all = checked.flatMap(({ cases }) => cases);
  const failed = all.filter(({ passed }) => !passed).length;
  const largest = { float64: largestOf(all, "float64"), float32: largestOf(all, "float32") };
  const summary = { passed: failed === 0, cases: all.length, failed, tolerance: CONFORMANCE_TOLERANCE, largest };
  result(options.json, { ...summary, files: checked.map(fileJson) }, () => {
    const errors = Object.entries(CONFORMANCE_TOLERANCE).map(
      ([type, limit]) =>
        `${largest[type as keyof typeof largest]?.toExponential(1) ?? "-"} in ${type} (at most ${limit.toExponential(0)})`,
    );
    return `${all.length} cases, ${failed} failed; largest error ${errors.join(", ")}`;
  });
  if (all.length === 0) throw new ConfigError("no case to check: the files are empty");
  if (failed > 0) throw new Exit(EXIT.failed);
}

/** All vectors of the package. */
function packageVectors(): string[] {
  const folder = fileURLToPath(new URL("../../vectors", import.meta.url));
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => {
    const short = relative(".", join(folder, name));
    return short.startsWith("..") ? join(folder, name) : short;
  });
}

/** Largest error of all cases; null where one has no number: it failed, or something is absent. */
function largestOf(cases: readonly CheckedCase[], type: keyof CheckedCase["types"]): number | null {
  const errors = cases.map(({ types }) => errorOf(types[type]));
  return errors.some((error) => error === null) ? null : Math.max(0, ...(errors as number[]));
}

/** JSON has no infinity: null where the case failed or a value is absent or no number. */
function errorOf({ worst, failure }: CheckedCase["types"]["float64"]): number | null {
  if (failure !== null) return null;
  return worst === null ? 0 : Number.isFinite(worst.error) ? worst.error : null;
}

function fileJson({ path, cases }: { path: string; cases: readonly CheckedCase[] }) {
  return {
    file: path,
    cases: cases.map(({ name, passed, types }) => ({
      ...{ name, passed },
      ...Object.fromEntries(
        Object.entries(types).map(([type, one]) => [
          type,
          {
            ...{ passed: one.passed, error: errorOf(one) },
            ...(one.worst ? { at: one.worst.path, expected: one.worst.expected, got: one.worst.got } : {}),
            ...(one.failure === null ? {} : { failure: one.failure }),
          },
        ]),
      ),
    })),
  };
}

async function runExplain(path: string, options: { case?: string; json?: boolean }): Promise<void> {
  const [{ openVectors }, { explainCase }, { explainText }] = await Promise.all([
    import("../trainers/conformance-files.ts"),
    import("../trainers/explain.ts"),
    import("./objective-text.ts"),
  ]);
  const cases = (await openVectors([path]))[0]!.cases;
  const names = cases.map(({ name }) => name);
  const wanted = options.case ?? names[0];
  const given = cases.find(({ name }) => name === wanted);
  if (wanted === undefined) throw new ConfigError(`${path}: holds no case`);
  if (!given) {
    const near = nearest(wanted, names);
    throw new ConfigError(
      `${path}: has no case ${wanted}${near ? `, did you mean ${near}?` : ""} (it has: ${names.join(", ")})`,
    );
  }
  if (options.case === undefined && cases.length > 1)
    tell(`the first of ${cases.length} cases; choose another one with --case NAME`);
  const explained = await explainCase(given);
  result(options.json, explained, () => explainText(explained));
}
