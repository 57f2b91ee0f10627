import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { writeFileAtomic } from "../utils/files.ts";
import type { HubFile, HubRepo, HubSettings } from "./hub.ts";

/** Folder of a repository in the cache: `datasets--ORG--NAME`, with `blobs`, `refs` and `snapshots` in it, as Hugging Face's own tools keep it. */
export function repoFolder({ kind, id }: HubRepo, { cache }: Pick<HubSettings, "cache">): string {
  return join(cache, `${kind}--${id.replace("/", "--")}`);
}

/** Where the content of a file is kept, by its name of content. */
export function blobPath(repo: HubRepo, file: HubFile, settings: Pick<HubSettings, "cache">): string {
  return join(repoFolder(repo, settings), "blobs", file.etag);
}

/** Where the files of a commit have their names. */
export function snapshotFolder(repo: HubRepo, commit: string, settings: Pick<HubSettings, "cache">): string {
  return join(repoFolder(repo, settings), "snapshots", commit);
}

/** Gives a blob its name in the snapshot of a commit: a relative link, or a copy where there are no links. */
export function linkFile(repo: HubRepo, commit: string, file: HubFile, settings: Pick<HubSettings, "cache">): string {
  const path = join(snapshotFolder(repo, commit, settings), ...file.path.split("/"));
  const blob = blobPath(repo, file, settings);
  const target = relative(dirname(path), blob);
  if (linkTarget(path) === target) return path; // also in a cache that cannot be written
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  try {
    symlinkSync(target, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    copyFileSync(blob, path);
  }
  return path;
}

function linkTarget(path: string): string | null {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : null;
}

/** Records which commit a branch or tag stands for. */
export function writeRef(repo: HubRepo, commit: string, settings: Pick<HubSettings, "cache">): void {
  if (repo.revision === commit) return;
  const path = join(repoFolder(repo, settings), "refs", ...repo.revision.split("/"));
  if (!existsSync(path) || readFileSync(path, "utf8") !== commit) writeFileAtomic(path, commit);
}

/** The snapshot that a repository's revision stands for on this machine; null when it was never pulled. */
export function cachedSnapshot(
  repo: HubRepo,
  settings: Pick<HubSettings, "cache">,
): { commit: string; folder: string } | null {
  const parts = repo.revision.split("/");
  if (parts.some((part) => ["", ".", ".."].includes(part))) return null; // no revision, but a way to another file
  const ref = join(repoFolder(repo, settings), "refs", ...parts);
  const commit = isFile(ref) ? readFileSync(ref, "utf8").trim() : repo.revision;
  const folder = snapshotFolder(repo, commit, settings);
  return /^[0-9a-f]{40}$/.test(commit) && existsSync(folder) ? { commit, folder } : null;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** `ORG/NAME` of a snapshot's folder, or of a file in one; null for any other path. */
export function hubNameOf(path: string): string | null {
  const name = /(?:^|[\\/])models--([^\\/]+)[\\/]snapshots[\\/][0-9a-f]{40}(?:[\\/]|$)/.exec(path)?.[1];
  return name === undefined ? null : name.replace("--", "/");
}

/** Models in the cache, whoever pulled them: `ORG/NAME`, or `ORG/NAME@REVISION` for another branch or tag than main. */
export function cachedModels({
  cache,
}: Pick<HubSettings, "cache">): { readonly name: string; readonly folder: string }[] {
  if (!existsSync(cache)) return [];
  const ids = readdirSync(cache).filter((name) => /^models--[\w.-]+--[\w.-]+$/.test(name));
  return ids.sort().flatMap((name) => {
    const id = name.replace(/^models--/, "").replace("--", "/");
    const refs = join(cache, name, "refs");
    const revisions = existsSync(refs)
      ? readdirSync(refs, { recursive: true, encoding: "utf8" }).filter((ref) => statSync(join(refs, ref)).isFile())
      : [];
    return revisions.sort().flatMap((revision) => {
      const snapshot = cachedSnapshot({ kind: "models", id, revision: revision.replaceAll("\\", "/") }, { cache });
      const shown = revision === "main" ? id : `${id}@${revision}`;
      return snapshot === null ? [] : [{ name: shown, folder: snapshot.folder }];
    });
  });
}
