import nodeModule from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const MARK = "?rlvr-user";
const isSource = import.meta.url.endsWith(".ts"); // in a clone; .js when built

/*
 * A user's file and the files beside it that it imports are ECMAScript modules, whatever the nearest package.json says, and `rlvr` and
 * `rlvr/LAYER` in them are this very package: a file outside of any project works, and so does a clone that was never built. The hook is
 * text because Node 20 runs hooks in a thread of their own, which loads them by URL.
 */
const HOOK = `
export function resolve(specifier, context, next) {
  const inside = context.parentURL?.endsWith("${MARK}") ?? false;
  const own = inside ? /^rlvr(?:\\/([\\w-]+))?$/.exec(specifier) : null;
  if (own) {
    const url = ${JSON.stringify(new URL("../", import.meta.url).href)} + (own[1] ? own[1] + "/" : "") + "index.${isSource ? "ts" : "js"}";
    return { url, format: "module", shortCircuit: true };
  }
  if (!specifier.endsWith("${MARK}") && !(inside && /^\\.{1,2}\\/.*\\.m?[jt]s$/.test(specifier))) return next(specifier, context);
  const url = new URL(specifier, context.parentURL);
  url.search = "${MARK}";
  return { url: url.href, format: "module", shortCircuit: true };
}`;

type Hooks = Record<string, unknown>;
let ready: Promise<void> | undefined;

/** Once in every thread that loads such files. */
async function prepare(): Promise<void> {
  // built, plain Node runs this package; in a clone, main thread and policy thread have the TypeScript loader already
  if (!isSource) (await import("tsx/esm/api")).register({ tsconfig: false });
  const url = `data:text/javascript,${encodeURIComponent(HOOK)}`;
  const { registerHooks } = nodeModule as { registerHooks?: (hooks: Hooks) => void }; // Node 22.15 and later
  if (registerHooks) registerHooks((await import(url)) as Hooks);
  else nodeModule.register(url);
}

/**
 * Imports a TypeScript or JavaScript file of the user's: in a clone, from the built package, in any thread. In it, `rlvr/LAYER` is the running
 * package, so that values made there and here are of the same classes.
 * @param path of the file; relative to the current folder
 * @returns its exports
 * @throws whatever the file throws while it loads, and what Node says when there is none
 */
export async function importUserModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  ready ??= prepare();
  await ready;
  return (await import(`${pathToFileURL(resolve(path)).href}${MARK}`)) as Record<string, unknown>;
}
