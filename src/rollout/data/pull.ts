import { existsSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { type HubFile, type HubRepo, type HubSettings, hubRepo, hubSettings } from "../../policy/hub.ts";
import { cachedSnapshot } from "../../policy/hub-cache.ts";
import { type HubProgress, type HubPull, pullHubFiles } from "../../policy/hub-download.ts";
import { ConfigError, DataError } from "../../utils/errors.ts";
import { fitsPattern, KNOWN_SETS, type KnownSet, knownSet } from "./known-sets.ts";
import { isDataFile } from "./load.ts";

/** What to bring. */
export interface PullRequest {
  /** A known name or `ORG/NAME`. */
  readonly name: string;
  /** Patterns of files; the known set's own, or all data files, when empty. */
  readonly files?: readonly string[];
  readonly revision?: string;
}

/** Brings a data set from the hub into the cache of Hugging Face's tools. @throws ConfigError, HubError */
export async function pullDataset(
  { name, files = [], revision = "main" }: PullRequest,
  settings: HubSettings = hubSettings(),
  progress?: HubProgress,
): Promise<HubPull> {
  const known = name.includes("/") ? null : knownSet(name);
  const repo = hubRepo("datasets", known?.repo ?? name, revision);
  const patterns = files.length > 0 ? files : known ? Object.values(known.files) : [];
  return pullHubFiles(repo, (all) => chosenFiles(repo, all, patterns), settings, progress);
}

/** Files beside the data that have a data file's ending. */
const NO_DATA = /^(dataset_infos?|dataset_dict|state|config|metadata)\.json$/;

function chosenFiles(repo: HubRepo, all: readonly HubFile[], patterns: readonly string[]): readonly HubFile[] {
  const missing = patterns.find((pattern) => !all.some(({ path }) => fitsPattern(path, pattern)));
  const chosen = all.filter(({ path }) =>
    patterns.length > 0
      ? patterns.some((pattern) => fitsPattern(path, pattern))
      : isDataFile(path) && !NO_DATA.test(path.split("/").at(-1)!),
  );
  if (missing === undefined && chosen.length > 0) return chosen;
  const names = all.slice(0, 12).map(({ path }) => path);
  const more = all.length > names.length ? ` and ${all.length - names.length} more` : "";
  throw new ConfigError(
    `${repo.id}: has no ${missing === undefined ? "data file" : `file ${missing}`}; it holds ${names.join(", ") || "nothing"}${more}; choose with --file`,
  );
}

/** A known set, and what of it is on this machine. */
export interface SetOnMachine extends KnownSet {
  readonly commit: string | null;
  /** Files that are here, by their absolute paths. */
  readonly here: readonly string[];
}

/** The known sets, each with what is here. */
export function listKnownSets(settings: HubSettings = hubSettings()): SetOnMachine[] {
  return KNOWN_SETS.map((set) => {
    const snapshot = cachedSnapshot(hubRepo("datasets", set.repo), settings);
    const here = snapshot ? Object.values(set.files).flatMap((pattern) => filesOf(snapshot.folder, pattern)) : [];
    return { ...set, commit: here.length > 0 ? snapshot!.commit : null, here };
  });
}

function filesOf(folder: string, pattern: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => relative(folder, join(folder, path)).split(sep).join("/"))
    .filter((path) => fitsPattern(path, pattern) && existsSync(join(folder, path)))
    .sort()
    .map((path) => join(folder, path));
}

/** Starts the name of a data set in the hub's cache, where a path is expected. */
const HUB = "hub:";

/** Files that a task set's path stands for, and the known set they are of. */
export interface DataSource {
  readonly paths: readonly string[];
  readonly set: KnownSet | null;
}

/**
 * Resolves a path: a file as it is; `hub:NAME` or `hub:NAME/test`, the files of a known set's split (`train` where it has one); `hub:ORG/NAME/PATTERN`, files of a
 * set that was pulled.
 * @throws DataError with the command that brings what is missing
 */
export function dataSource(path: string, settings: HubSettings = hubSettings()): DataSource {
  if (!path.startsWith(HUB)) return { paths: [path], set: null };
  const parts = path.slice(HUB.length).split("/");
  const isKnown = parts.length <= 2 && (parts.length === 1 || ["train", "test"].includes(parts[1]!));
  const set = isKnown ? knownSet(parts[0]!) : null;
  const name = set?.name ?? parts.slice(0, 2).join("/");
  const pattern = set ? splitPattern(set, parts[1], path) : parts.slice(2).join("/") || "**";
  const snapshot = cachedSnapshot(hubRepo("datasets", set?.repo ?? name), settings);
  const paths = snapshot ? filesOf(snapshot.folder, pattern).filter(isDataFile) : [];
  if (paths.length === 0)
    throw new DataError(`${path}: is not on this machine; bring it with: npx rlvr data pull ${name}`);
  return { paths, set };
}

function splitPattern(set: KnownSet, split: string | undefined, path: string): string {
  const { train, test } = set.files;
  const pattern = split === undefined ? (train ?? test) : set.files[split as "train" | "test"];
  if (pattern !== undefined) return pattern;
  throw new DataError(`${path}: ${set.name} has no ${split} split, only ${Object.keys(set.files).join(", ")}`);
}
