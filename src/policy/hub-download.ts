import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { ConfigError, messageOf } from "../utils/errors.ts";
import { writeFully } from "../utils/files.ts";
import {
  ATTEMPTS,
  askHub,
  HubError,
  type HubFile,
  type HubRepo,
  type HubSettings,
  listHubFiles,
  pause,
} from "./hub.ts";
import { blobPath, linkFile, repoFolder, snapshotFolder, writeRef } from "./hub-cache.ts";

/** Told while files come: the file, and how many of its bytes are here. */
export type HubProgress = (file: HubFile, done: number) => void;

/** Files of a repository on this machine. */
export interface HubPull {
  readonly commit: string;
  /** The snapshot: the files under their names. */
  readonly folder: string;
  /** `fetched` is 0 for a file that was here already. */
  readonly files: readonly {
    readonly path: string;
    readonly local: string;
    readonly bytes: number;
    readonly fetched: number;
  }[];
}

/**
 * Brings files of a repository into the cache. A cut download goes on where it stopped, also in a later call. Size and checksum are checked before a file gets its name.
 * @param choose which of the repository's files to bring; it may have small ones brought to read them first
 * @throws ConfigError for what the user must change (name, token, cache), HubError when the network, the disk or the content fails
 */
export async function pullHubFiles(
  repo: HubRepo,
  choose: (
    files: readonly HubFile[],
    bring: (file: HubFile) => Promise<string>,
  ) => readonly HubFile[] | Promise<readonly HubFile[]>,
  settings: HubSettings,
  progress: HubProgress = () => {},
): Promise<HubPull> {
  const { commit, files } = await listHubFiles(repo, settings);
  return guardDisk(settings, async () => {
    const early = new Map<HubFile, number>();
    const bring = async (file: HubFile): Promise<string> => {
      early.set(file, await fetchBlob({ repo, commit, file, settings, progress }));
      return blobPath(repo, file, settings);
    };
    const chosen = await choose(files, bring);
    checkSpace(repo, chosen, settings);
    const pulled: HubPull["files"][number][] = [];
    for (const file of chosen) {
      const fetched = early.get(file) ?? (await fetchBlob({ repo, commit, file, settings, progress }));
      pulled.push({ path: file.path, local: linkFile(repo, commit, file, settings), bytes: file.bytes, fetched });
    }
    writeRef(repo, commit, settings);
    return { commit, folder: snapshotFolder(repo, commit, settings), files: pulled };
  });
}

/** One file on its way. */
interface Fetch {
  readonly repo: HubRepo;
  readonly commit: string;
  readonly file: HubFile;
  readonly settings: HubSettings;
  readonly progress: HubProgress;
}

/** Brings one file's content; returns the bytes that came over the network. */
async function fetchBlob(fetch: Fetch): Promise<number> {
  const { repo, file, settings } = fetch;
  const blob = blobPath(repo, file, settings);
  if (existsSync(blob) && statSync(blob).size === file.bytes) return 0;
  const part = `${blob}.incomplete`;
  mkdirSync(dirname(blob), { recursive: true });
  const had = existsSync(part) ? statSync(part).size : 0;
  let fetched = await fillPart(fetch, part);
  let found = await checksum(file, part);
  if (found !== file.etag && had > 0) {
    rmSync(part); // what an earlier call left may be damaged: once from the beginning
    fetched = await fillPart(fetch, part);
    found = await checksum(file, part);
  }
  if (found !== file.etag) {
    rmSync(part);
    const kind = file.etag.length === 64 ? "sha256" : "sha1";
    throw new HubError(
      `${repo.id}/${file.path}: wrong checksum: the hub names ${kind} ${file.etag}, what came has ${found}; it was thrown away, try again`,
    );
  }
  renameSync(part, blob);
  return fetched;
}

/** Downloads until the part has the file's size. */
async function fillPart(fetch: Fetch, part: string): Promise<number> {
  const { file, settings, repo } = fetch;
  let fetched = 0;
  let idle = 0;
  for (;;) {
    const before = existsSync(part) ? statSync(part).size : 0;
    if (before > file.bytes) rmSync(part);
    if (before === file.bytes && existsSync(part)) return fetched;
    const from = before > file.bytes ? 0 : before;
    const failure = await fetchRest(fetch, part, from);
    const after = statSync(part).size;
    if (after > from) fetched += after - from;
    if (after === file.bytes) return fetched;
    idle = after > from ? 0 : idle + 1;
    if (idle >= ATTEMPTS) {
      const reason = failure ? ` (${failure})` : "";
      throw new HubError(
        `${repo.id}/${file.path}: the connection was cut at ${after} of ${file.bytes} bytes${reason}; the same command goes on from there`,
      );
    }
    await pause(settings.retryDelayMs * 2 ** idle);
  }
}

/** One request: appends what comes. Returns why it ended early, null when it ended well. */
async function fetchRest(
  { repo, commit, file, settings, progress }: Fetch,
  part: string,
  from: number,
): Promise<string | null> {
  const prefix = repo.kind === "models" ? "" : `${repo.kind}/`;
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  const url = `${settings.endpoint}/${prefix}${repo.id}/resolve/${commit}/${path}`;
  const abort = new AbortController();
  const watch = silenceWatch(abort, settings.timeoutMs);
  const headers: Record<string, string> = {
    "accept-encoding": "identity",
    ...(from > 0 && { range: `bytes=${from}-` }),
  };
  let isTooShort = false;
  // an empty part, so that its size can be asked for
  let output = openSync(part, "a");
  try {
    const response = await askHub(url, repo, settings, { headers, signal: abort.signal });
    const goesOn = response.status === 206 && startOf(response) === from;
    if (from > 0 && !goesOn) {
      closeSync(output);
      output = openSync(part, "w"); // the server sends the file from its beginning
    }
    let done = goesOn ? from : 0;
    for await (const chunk of response.body ?? []) {
      watch.reset();
      done += chunk.byteLength;
      if (done > file.bytes)
        throw new HubError(`${repo.id}/${file.path}: is longer than the ${file.bytes} bytes that the hub names`);
      writeFully(output, chunk);
      progress(file, done);
    }
    fsyncSync(output);
    return null;
  } catch (error) {
    isTooShort = error instanceof HubError && error.status === 416;
    if (isTooShort)
      throw new HubError(
        `${repo.id}/${file.path}: the server has only ${from} of the ${file.bytes} bytes that the hub names; what came was thrown away, try again later`,
        { cause: error },
      );
    if (error instanceof HubError || error instanceof ConfigError || isDiskError(error)) throw error;
    return abort.signal.aborted ? `no byte came for ${settings.timeoutMs / 1000} s` : reasonOf(error);
  } finally {
    watch.end();
    closeSync(output);
    if (isTooShort) rmSync(part);
  }
}

function startOf(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? -1);
}

/** Aborts a request when nothing comes for a while. */
function silenceWatch(abort: AbortController, timeoutMs: number): { reset(): void; end(): void } {
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  return { reset: () => timer.refresh(), end: () => clearTimeout(timer) };
}

/** SHA-256 of a large file, Git's SHA-1 of a small one, as the etag says. */
async function checksum(file: HubFile, path: string): Promise<string> {
  const hash: Hash = createHash(file.etag.length === 64 ? "sha256" : "sha1");
  if (file.etag.length === 40) hash.update(`blob ${file.bytes}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function checkSpace(repo: HubRepo, files: readonly HubFile[], settings: HubSettings): void {
  mkdirSync(repoFolder(repo, settings), { recursive: true });
  const missing = files.filter((file) => !existsSync(blobPath(repo, file, settings)));
  const needed = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  const { bavail, bsize } = statfsSync(settings.cache);
  if (needed > bavail * bsize) {
    const mb = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
    throw new HubError(
      `${settings.cache}: the disk is too full: ${mb(needed)} are needed, ${mb(bavail * bsize)} are free; make room, or set HF_HOME to a folder on another disk`,
    );
  }
}

const FULL = ["ENOSPC", "EDQUOT", "EFBIG"];
const FORBIDDEN = ["EROFS", "EACCES", "EPERM"];

function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined && code !== undefined && [...FULL, ...FORBIDDEN, "ENOTDIR"].includes(code);
}

/** Says what a failing disk means. */
async function guardDisk<T>(settings: HubSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDiskError(error)) throw error;
    if (FULL.includes(error.code!))
      throw new HubError(
        `${settings.cache}: the disk is full (${error.message}); make room, then the same command goes on where it stopped`,
        { cause: error },
      );
    throw new ConfigError(
      `${settings.cache}: the cache cannot be written (${error.message}); set HF_HOME to a folder that can be`,
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}
