import { readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../utils/files.ts";

/** Tokens that one reply cost, as the server counts them. */
export const Tokens = z.object({ prompt: z.int().min(0), completion: z.int().min(0) });

const Entry = z.object({
  model: z.string(),
  verdict: z.object({ outcome: z.enum(["correct", "wrong"]), score: z.number().min(0).max(1), reason: z.string() }),
  reply: z.string(),
  tokens: Tokens,
});
/** A verdict that was paid for. */
export type CacheEntry = z.infer<typeof Entry>;

/** Verdicts in a folder, one file each, by a hash of everything that the judge saw. */
export interface JudgeCache {
  /** null when there is none, or its file is damaged. */
  get(key: string): CacheEntry | null;
  put(key: string, entry: CacheEntry): void;
}

let writes = 0;

/** @param folder `~` at its start is the user's home */
export function judgeCache(folder: string): JudgeCache {
  const root = folder.startsWith("~/") ? join(homedir(), folder.slice(2)) : resolve(folder);
  const pathOf = (key: string): string => join(root, key.slice(0, 2), `${key}.json`);
  return {
    get(key) {
      try {
        return Entry.parse(JSON.parse(readFileSync(pathOf(key), "utf8")));
      } catch {
        return null; // asked again
      }
    },
    put(key, entry) {
      const path = pathOf(key);
      const own = `${path}.${process.pid}.${writes++}`; // several runs may share the folder
      writeFileAtomic(own, `${JSON.stringify(entry, null, 1)}\n`);
      renameSync(own, path);
    },
  };
}
