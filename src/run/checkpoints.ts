import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { DataError } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import { sync } from "./disk.ts";

const MANIFEST = "checkpoint.json";

/** What a checkpoint says about itself. */
export interface CheckpointManifest {
  readonly format: 1;
  /** Steps taken. */
  readonly step: number;
  /** Lengths of the logs at that step: resuming cuts them back to here. */
  readonly metricsBytes: number;
  readonly samplesBytes: number;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** A checkpoint that is complete and undamaged. */
export interface Checkpoint {
  readonly folder: string;
  readonly manifest: CheckpointManifest;
}

/** `step-000020` */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(6, "0")}`;
}

/** Steps of the checkpoints in a folder, oldest first, whole or not. */
export function listCheckpoints(parent: string): number[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .map((name) => /^step-(\d{6,})$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Removes what an interrupted writer left, and makes the empty folder that the next checkpoint is written into. */
export function beginCheckpoint(parent: string, step: number): string {
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) if (name.endsWith(".part")) rmSync(join(parent, name), { recursive: true });
  const folder = join(parent, `${checkpointName(step)}.part`);
  mkdirSync(folder);
  return folder;
}

/** Adds the manifest, forces everything to the disk and gives the folder its name: from here on it counts. */
export function commitCheckpoint(folder: string, manifest: Omit<CheckpointManifest, "format" | "files">): string {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  const files = Object.fromEntries(
    names.sort().map((name) => [name.replaceAll("\\", "/"), describeFile(join(folder, name))]),
  );
  for (const name of names) sync(join(folder, name));
  writeFileAtomic(join(folder, MANIFEST), `${JSON.stringify({ format: 1, ...manifest, files }, null, 2)}\n`);
  sync(folder, true);
  const target = folder.replace(/\.part$/, "");
  rmSync(target, { recursive: true, force: true }); // a damaged one of the same step
  renameSync(folder, target);
  sync(join(target, ".."), true);
  return target;
}

/** Removes all but the newest checkpoints. */
export function pruneCheckpoints(parent: string, keep: number): void {
  for (const step of listCheckpoints(parent).slice(0, -keep))
    rmSync(join(parent, checkpointName(step)), { recursive: true, force: true });
}

/** Reads and checks one checkpoint. @throws DataError saying which file is missing, cut or changed */
export function openCheckpoint(folder: string): Checkpoint {
  const path = join(folder, MANIFEST);
  if (!existsSync(path)) throw new DataError(`${folder}: not a checkpoint, ${MANIFEST} is missing`);
  const manifest = readManifest(path);
  for (const [name, expected] of Object.entries(manifest.files)) {
    const file = join(folder, name);
    if (!existsSync(file)) throw new DataError(`${file}: missing`);
    const { bytes, sha256 } = describeFile(file);
    if (bytes !== expected.bytes) throw new DataError(`${file}: has ${bytes} bytes instead of ${expected.bytes}`);
    if (sha256 !== expected.sha256)
      throw new DataError(`${file}: its bytes changed since it was written (sha256 differs)`);
  }
  return { folder, manifest };
}

function readManifest(path: string): CheckpointManifest {
  try {
    const manifest = JSON.parse(readFileSync(path, "utf8")) as CheckpointManifest;
    if (manifest.format !== 1 || !Number.isInteger(manifest.step) || typeof manifest.files !== "object")
      throw new Error("unknown format");
    return manifest;
  } catch (error) {
    throw new DataError(`${path}: not a checkpoint manifest: ${(error as Error).message}`, { cause: error });
  }
}

/** The newest whole checkpoint, and what is wrong with each newer one. */
export function newestCheckpoint(parent: string): { checkpoint: Checkpoint | null; damaged: string[] } {
  const damaged: string[] = [];
  for (const step of listCheckpoints(parent).reverse()) {
    try {
      return { checkpoint: openCheckpoint(join(parent, checkpointName(step))), damaged };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      damaged.push(error.message);
    }
  }
  return { checkpoint: null, damaged };
}

/** Size and hash of a file, read piece by piece. */
export function describeFile(path: string): { bytes: number; sha256: string } {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, "r");
  let bytes = 0;
  try {
    for (let got = readSync(file, piece); got > 0; got = readSync(file, piece)) {
      hash.update(piece.subarray(0, got));
      bytes += got;
    }
  } finally {
    closeSync(file);
  }
  return { bytes, sha256: hash.digest("hex") };
}
