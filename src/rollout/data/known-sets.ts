import { ConfigError } from "../../utils/errors.ts";
import { nearest } from "../../utils/nearest.ts";
import type { PresetName } from "./presets.ts";

/** A data set that is known by a short name. */
export interface KnownSet {
  readonly name: string;
  /** `ORG/NAME` on the Hugging Face hub. */
  readonly repo: string;
  /** Pattern of the files of each split that it has. */
  readonly files: { readonly train?: string; readonly test?: string };
  readonly preset: PresetName;
  /** Rows as published. */
  readonly rows: { readonly train?: number; readonly test?: number };
  /** As its page says; null: it says nothing, so ask before you pass it on. */
  readonly licence: string | null;
  readonly what: string;
}

/** The data sets that `rlvr data pull NAME` knows. Any other one is pulled as `ORG/NAME`. */
export const KNOWN_SETS: readonly KnownSet[] = [
  {
    name: "gsm8k",
    repo: "openai/gsm8k",
    files: { train: "main/train-*.parquet", test: "main/test-*.parquet" },
    preset: "gsm8k",
    rows: { train: 7473, test: 1319 },
    licence: "MIT",
    what: "grade-school word problems, arXiv:2110.14168",
  },
  {
    name: "math",
    repo: "DigitalLearningGmbH/MATH-lighteval",
    files: { train: "data/train-*.parquet", test: "data/test-*.parquet" },
    preset: "math",
    rows: { train: 7500, test: 5000 },
    licence: "MIT",
    what: "competition problems with solutions, arXiv:2103.03874",
  },
  {
    name: "math-500",
    repo: "HuggingFaceH4/MATH-500",
    files: { test: "test.jsonl" },
    preset: "math-500",
    rows: { test: 500 },
    licence: null,
    what: "500 test problems of MATH, arXiv:2305.20050",
  },
  {
    name: "dapo-17k",
    repo: "open-r1/DAPO-Math-17k-Processed",
    files: { train: "en/train-*.parquet" },
    preset: "dapo-17k",
    rows: {},
    licence: "Apache-2.0",
    what: "the English problems of DAPO-Math-17k, each once, arXiv:2503.14476",
  },
  {
    name: "openr1",
    repo: "open-r1/OpenR1-Math-220k",
    files: { train: "data/train-*.parquet" },
    preset: "openr1",
    rows: { train: 93_733 },
    licence: "Apache-2.0",
    what: "competition problems with R1's solutions; gigabytes",
  },
  {
    name: "deepscaler",
    repo: "agentica-org/DeepScaleR-Preview-Dataset",
    files: { train: "deepscaler.json" },
    preset: "deepscaler",
    rows: { train: 40_315 },
    licence: "MIT",
    what: "AIME, AMC, Omni-MATH and STILL problems",
  },
  {
    name: "aime24",
    repo: "HuggingFaceH4/aime_2024",
    files: { test: "data/train-*.parquet" },
    preset: "math-500",
    rows: { test: 30 },
    licence: null,
    what: "AIME 2024, both papers",
  },
];

/** The set of that name. @throws ConfigError that names the nearest one */
export function knownSet(name: string): KnownSet {
  const set = KNOWN_SETS.find((candidate) => candidate.name === name);
  if (set) return set;
  const names = KNOWN_SETS.map((candidate) => candidate.name);
  const near = nearest(name, names);
  throw new ConfigError(
    `${name}: no data set is known by this name; known are ${names.join(", ")}${near ? `; did you mean "${near}"?` : "."} Any other one of the hub is named ORG/NAME`,
  );
}

/** Whether a path of a repository fits a pattern, in which `*` stands for anything but a slash and `**` for anything. */
export function fitsPattern(path: string, pattern: string): boolean {
  const source = pattern
    .split("**")
    .map((part) => part.split("*").map(escaped).join("[^/]*"))
    .join(".*");
  return new RegExp(`^${source}$`).test(path);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
