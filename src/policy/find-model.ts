import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DataError, messageOf } from "../utils/errors.ts";
import { isAdapterFolder, readAdapterSettings } from "./adapter-files.ts";
import { hubCache, hubRepo } from "./hub.ts";
import { cachedSnapshot, repoFolder } from "./hub-cache.ts";

/** What adapters of random weights name as their base. */
export const INITIAL = "initial";
const packageRoot = fileURLToPath(new URL("../../", import.meta.url));

/** Absolute path of a model or adapter given as path or name. @throws DataError that lists the places where it is not */
export function findModel(path: string): string {
  const isName = basename(path) === path && extname(path) !== ".gguf" && path !== "." && path !== "..";
  const places = isName ? [join(packageRoot, "models", path), resolve("models", path), resolve(path)] : [resolve(path)];
  const hub = hubPlace(path);
  const found = places.find((place) => existsSync(place)) ?? hub?.folder;
  if (found === undefined) {
    const looked = [...new Set(places), ...(hub === null ? [] : [hub.looked])].join(", ");
    throw new DataError(
      `model ${JSON.stringify(path)} was not found: looked for ${looked}. Give a folder with config.json, a .gguf file, or fetch a model with: npx rlvr models pull ${hub?.pull ?? "ORG/NAME"}`,
    );
  }
  if (!statSync(found).isDirectory() || existsSync(join(found, "config.json")) || isAdapterFolder(found)) return found;
  const ggufs = readdirSync(found).filter((name) => name.endsWith(".gguf"));
  if (ggufs.length === 1) return join(found, ggufs[0]!);
  const reason =
    ggufs.length > 1
      ? `several GGUF files (${ggufs.sort().join(", ")}): name one of them`
      : "neither config.json nor a .gguf file";
  throw new DataError(`model folder ${found} has ${reason}`);
}

/** Where a name of the form `ORG/NAME` or `ORG/NAME@REVISION` lies in the hub's cache. */
function hubPlace(name: string): { folder?: string; looked: string; pull: string } | null {
  const [, id, revision] = /^([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w./-]+))?$/.exec(name) ?? [];
  if (id === undefined || id.includes("..") || id.includes("--")) return null;
  const repo = hubRepo("models", id, revision);
  const settings = { cache: hubCache() };
  const snapshot = cachedSnapshot(repo, settings);
  return {
    ...(snapshot && { folder: snapshot.folder }),
    looked: `${repoFolder(repo, settings)} (${repo.revision})`,
    // where the first part is a folder here, a path was meant
    pull: existsSync(id.split("/")[0]!) ? "ORG/NAME" : revision === undefined ? id : `${id} --revision ${revision}`,
  };
}

/** Name or path of the model under an adapter. @throws DataError when it is not here, or is an adapter too */
export function baseOf(folder: string): string {
  const { base } = readAdapterSettings(folder);
  if (base === INITIAL)
    throw new DataError(
      `${folder}: adds to random weights, which are nowhere as a model: make it whole with: npx rlvr export RUN --format safetensors`,
    );
  let path: string;
  try {
    path = findModel(base);
  } catch (error) {
    throw new DataError(
      `${folder}: its base model is not here: ${messageOf(error)}; or write the place of the base model into adapter_config.json as base_model_name_or_path`,
      { cause: error },
    );
  }
  if (isAdapterFolder(path))
    throw new DataError(`${folder}: its base model ${base} is an adapter itself: merge that one`);
  return base;
}
