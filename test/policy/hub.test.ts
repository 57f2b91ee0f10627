import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { HubError, type HubSettings, hubRepo, hubSettings } from "../../src/policy/hub.ts";
import { cachedSnapshot } from "../../src/policy/hub-cache.ts";
import { type HubPull, pullHubFiles } from "../../src/policy/hub-download.ts";
import { ConfigError } from "../../src/utils/errors.ts";
import { type FakeHub, startFakeHub } from "../support/fake-hub.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-hub-"));
/** A megabyte that no compression or repetition could fake. */
const LARGE = Buffer.concat(Array.from({ length: 32_768 }, (_, i) => createHash("sha256").update(`${i}`).digest()));
const LARGE_SHA256 = createHash("sha256").update(LARGE).digest("hex");
const hub = await startFakeHub({
  "datasets/org/set": { files: { "README.md": "hello\n", "data/train large.parquet": LARGE, "data/test.jsonl": "{}" } },
  "models/org/model": { files: { "config.json": "{}" } },
  "datasets/org/private": { files: { "a.jsonl": "{}" }, token: "right" },
  "datasets/org/gated": { files: { "a.jsonl": "{}" }, token: "right", gated: true },
  "datasets/org/evil": { files: { "../../../evil.jsonl": "{}" } },
});
after(async () => {
  await hub.close();
  rmSync(folder, { recursive: true });
});

let caches = 0;
/** A fresh cache. */
function settings(change: Partial<HubSettings> = {}): HubSettings {
  const cache = join(folder, `cache-${caches++}`);
  return { endpoint: hub.endpoint, token: null, cache, offline: false, retryDelayMs: 1, timeoutMs: 5000, ...change };
}

function pull(where: HubSettings, id = "org/set", kind: "datasets" | "models" = "datasets"): Promise<HubPull> {
  return pullHubFiles(hubRepo(kind, id), (files) => files, where);
}

/** The requests for content since the last call. */
function contentRequests({ seen }: FakeHub): (string | undefined)[] {
  const requests = seen.splice(0).filter(({ path }) => path.includes("large") && !path.includes("resolve"));
  return requests.map(({ range }) => range);
}

function large(where: HubSettings): string {
  return join(where.cache, "datasets--org--set", "blobs", LARGE_SHA256);
}

test("pullHubFiles: the cache is laid out as Hugging Face's tools lay it out, and what is here is not fetched again", async () => {
  const where = settings();
  const first = await pull(where);
  const repo = join(where.cache, "datasets--org--set");
  assert.deepEqual(first.folder, join(repo, "snapshots", hub.commit));
  assert.equal(readFileSync(join(repo, "refs", "main"), "utf8"), hub.commit);
  // `printf 'hello\n' | git hash-object --stdin`, `printf '{}' | git hash-object --stdin`
  const names = {
    hello: "ce013625030ba8dba906f756967f9e9ca394464a",
    braces: "9e26dfeeb6e641a33dae4961196235bdb965b21b",
  };
  assert.deepEqual(readdirSync(join(repo, "blobs")).sort(), [names.braces, LARGE_SHA256, names.hello].sort());
  assert.equal(readlinkSync(join(first.folder, "README.md")), `../../blobs/${names.hello}`);
  assert.equal(readlinkSync(join(first.folder, "data", "test.jsonl")), `../../../blobs/${names.braces}`);
  assert.deepEqual(readFileSync(join(first.folder, "data", "train large.parquet")), LARGE);
  assert.deepEqual(
    first.files.map(({ fetched }) => fetched),
    [6, LARGE.length, 2],
  );
  hub.seen.length = 0;
  const again = await pull(where);
  assert.deepEqual([again.folder, again.files.map(({ fetched }) => fetched)], [first.folder, [0, 0, 0]]);
  assert.ok(
    hub.seen.every(({ path }) => path.startsWith("/api/")),
    "only the list was asked for",
  );
  assert.deepEqual(cachedSnapshot(hubRepo("datasets", "org/set"), where), { commit: hub.commit, folder: first.folder });
  assert.equal(cachedSnapshot(hubRepo("datasets", "org/set", "v2"), where), null);
  // as a revision such as refs/pr/1 is kept
  mkdirSync(join(where.cache, "datasets--org--set/refs/refs/pr"), { recursive: true });
  writeFileSync(join(where.cache, "datasets--org--set/refs/refs/pr/1"), hub.commit);
  const cached = (revision: string) => cachedSnapshot(hubRepo("datasets", "org/set", revision), where);
  assert.equal(cached("refs/pr/1")?.commit, hub.commit);
  for (const revision of ["refs/pr", "refs", ".", "..", "../refs/main", "./main", "/", "main/1"])
    assert.equal(cached(revision), null, revision);
  const model = await pull(settings(), "org/model", "models");
  assert.match(model.folder, /models--org--model\/snapshots\//);
});

test("pullHubFiles: a connection that is cut goes on where it stopped", async () => {
  const where = settings();
  hub.seen.length = 0;
  hub.faults.cutAfter = [400_000, 100_000];
  const { files } = await pull(where);
  const ranges = contentRequests(hub);
  assert.equal(ranges.length, 3);
  assert.equal(ranges[0], undefined);
  const starts = ranges.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
  assert.ok(starts[0]! > 0 && starts[0]! < starts[1]! && starts[1]! <= 500_000, `${starts}`);
  assert.equal(files[1]!.fetched, LARGE.length);
  assert.deepEqual(readFileSync(large(where)), LARGE);
});

test("pullHubFiles: a later call goes on with what an earlier one left, and starts over when that was damaged", async () => {
  const where = settings();
  hub.faults.cutAfter = [300_000, ...Array<number>(12).fill(0)];
  await assert.rejects(pull(where), (error) => {
    assert.ok(error instanceof HubError);
    assert.match(
      error.message,
      /^org\/set\/data\/train large\.parquet: the connection was cut at \d+ of 1048576 bytes \(.+\); the same command goes on from there$/,
    );
    return true;
  });
  hub.faults.cutAfter = [];
  assert.ok(!existsSync(large(where)), "no name before it is whole");
  const part = readFileSync(`${large(where)}.incomplete`);
  assert.ok(part.length > 0 && part.equals(LARGE.subarray(0, part.length)));
  contentRequests(hub);
  assert.equal((await pull(where)).files[1]!.fetched, LARGE.length - part.length);
  assert.deepEqual(contentRequests(hub), [`bytes=${part.length}-`]);

  const damaged = settings();
  mkdirSync(join(large(damaged), ".."), { recursive: true });
  writeFileSync(`${large(damaged)}.incomplete`, Buffer.alloc(1000));
  await pull(damaged);
  assert.deepEqual(contentRequests(hub), ["bytes=1000-", undefined]);
  assert.deepEqual(readFileSync(large(damaged)), LARGE);
});

test("pullHubFiles: a server without ranges, and a part that is too long", async () => {
  const where = settings();
  await pull(where);
  for (const left of [LARGE.subarray(0, 5000), Buffer.alloc(LARGE.length + 1)]) {
    rmSync(large(where));
    writeFileSync(`${large(where)}.incomplete`, left);
    hub.faults.ignoreRange = true;
    await pull(where);
    assert.deepEqual(readFileSync(large(where)), LARGE);
  }
  hub.faults.ignoreRange = false;
  truncateSync(large(where), 10); // not of the size that the hub names: fetched again
  await pull(where);
  assert.deepEqual(readFileSync(large(where)), LARGE);
});

test("pullHubFiles: a wrong checksum or size is refused and nothing is kept of it", async () => {
  const where = settings();
  hub.faults.forge = true;
  await assert.rejects(
    pull(where),
    /^HubError: org\/set\/README\.md: wrong checksum: the hub names sha1 ce013625030ba8dba906f756967f9e9ca394464a, what came has [0-9a-f]{40}; it was thrown away, try again$/,
  );
  hub.faults.forge = false;
  assert.deepEqual(readdirSync(join(where.cache, "datasets--org--set", "blobs")), []);
  assert.equal(cachedSnapshot(hubRepo("datasets", "org/set"), where), null);
  hub.faults.lieAboutSize = 7;
  await assert.rejects(
    pull(where),
    /README\.md: the server has only 6 of the 13 bytes that the hub names; what came was thrown away, try again later$/,
  );
  assert.deepEqual(readdirSync(join(where.cache, "datasets--org--set", "blobs")), []);
  hub.faults.lieAboutSize = -3;
  await assert.rejects(pull(settings()), /README\.md: is longer than the 3 bytes that the hub names/);
  hub.faults.lieAboutSize = 0;
});

test("pullHubFiles: errors of the server that may pass are waited for; others are told", async () => {
  hub.faults.statuses = [503, 429, 500];
  await pull(settings());
  hub.faults.statuses = [503, 503, 503, 503];
  await assert.rejects(
    pull(settings()),
    /revision\/main: the hub answers 503 \(\{"error":"as you wish"\}\); try again later$/,
  );
  hub.faults.statuses = [418];
  await assert.rejects(pull(settings()), /^HubError: .*the hub answers 418/);
  hub.faults.stall = true;
  await assert.rejects(pull(settings({ timeoutMs: 30 })), /cut at 0 of 6 bytes \(no byte came for 0\.03 s\)/);
  hub.faults.stall = false;
});

test("pullHubFiles: a name that is unknown, private or gated", async () => {
  const refused = async (id: string, token: string | null, message: RegExp): Promise<void> => {
    await assert.rejects(pull(settings({ token }), id), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, message);
      return true;
    });
  };
  await refused(
    "org/none",
    null,
    /^org\/none: the hub knows no such data set \(401\); check the name; a private one needs a token in HF_TOKEN$/,
  );
  await refused("org/none", "right", /^org\/none: the hub knows no such data set \(404\); check the name$/);
  await refused("org/private", "wrong", /no such data set \(404\)/);
  await refused(
    "org/gated",
    null,
    /^org\/gated: the hub refuses access \(401\); accept its terms on its page, then set HF_TOKEN to a token of yours \(http.*\/datasets\/org\/gated\)$/,
  );
  await refused("org/gated", "wrong", /refuses access \(403\); the token in HF_TOKEN may not read it/);
  await refused("org/evil", null, /./).catch((error: Error) =>
    assert.match(error.message, /names a file that cannot be kept: "\.\.\//),
  );
  assert.equal((await pull(settings({ token: "right" }), "org/private")).files.length, 1);
  assert.equal((await pull(settings({ token: "right" }), "org/gated")).files.length, 1);
  for (const id of ["set", "org/set/x", "../set", "org/..", "a--b/c", "org/se t", ""])
    assert.throws(() => hubRepo("datasets", id), /is no name of the hub; such a name has the form ORG\/NAME/);
  await assert.rejects(
    pullHubFiles(hubRepo("datasets", "org/set", "v9"), (files) => files, settings()),
    /^ConfigError: org\/set: has no revision v9$/,
  );
});

test("pullHubFiles: the token is told to the hub, and not to the server it sends us to", async () => {
  hub.seen.length = 0;
  await pull(settings({ token: "secret" }));
  const [elsewhere, atHub] = [true, false].map((isOther) =>
    hub.seen.filter(({ path }) => path.startsWith("/datasets/org/set/data") === isOther),
  );
  assert.deepEqual(
    elsewhere!.map(({ token }) => token),
    [undefined],
  );
  assert.ok(atHub!.length >= 5 && atHub!.every(({ token }) => token === "Bearer secret"));
});

test("pullHubFiles: no network, no permission to use it, no place to write to, no room", async () => {
  const gone = await startFakeHub({});
  await gone.close();
  await assert.rejects(
    pull(settings({ endpoint: gone.endpoint })),
    /^HubError: http:\/\/127\.0\.0\.1:\d+: cannot be reached \(.*ECONNREFUSED.*\); check the network, or set HF_ENDPOINT to a mirror$/,
  );
  await assert.rejects(
    pull(settings({ offline: true })),
    /^ConfigError: org\/set: cannot be fetched while HF_HUB_OFFLINE is set$/,
  );
  const file = join(folder, "file");
  writeFileSync(file, "");
  await assert.rejects(
    pull(settings({ cache: join(file, "hub") })),
    /^ConfigError: .*file\/hub: the cache cannot be written \(ENOTDIR.*\); set HF_HOME to a folder that can be$/,
  );
  hub.faults.lieAboutSize = 2 ** 52;
  await assert.rejects(
    pull(settings()),
    /^HubError: .*: the disk is too full: \d+ MB are needed, \d+ MB are free; make room, or set HF_HOME/,
  );
  hub.faults.lieAboutSize = 0;
});

test("hubSettings: the variables of Hugging Face's tools, in their order", () => {
  const home = join(folder, "home");
  mkdirSync(home);
  writeFileSync(join(home, "token"), "from-file\n");
  const of = (env: Record<string, string>): [string, string | null, string] => {
    const { endpoint, token, cache } = hubSettings(env);
    return [endpoint, token, cache];
  };
  const page = "https://huggingface.co";
  assert.deepEqual(of({ HF_HOME: home }), [page, "from-file", join(home, "hub")]);
  assert.deepEqual(of({ HF_HOME: home, HF_TOKEN: "t", HF_HUB_CACHE: "/c" }), [page, "t", "/c"]);
  assert.deepEqual(of({ XDG_CACHE_HOME: "/x", HF_TOKEN: "t" }), [page, "t", "/x/huggingface/hub"]);
  assert.deepEqual(of({ HF_TOKEN: "t", HF_ENDPOINT: "http://mirror:1/" })[0], "http://mirror:1");
  assert.equal(hubSettings({}).cache, join(homedir(), ".cache", "huggingface", "hub"));
  assert.deepEqual(
    [hubSettings({ HF_HUB_OFFLINE: "1" }).offline, hubSettings({ HF_HUB_OFFLINE: "0" }).offline],
    [true, false],
  );
  assert.throws(() => hubSettings({ HF_ENDPOINT: "mirror" }), /HF_ENDPOINT: must be an address/);
});
