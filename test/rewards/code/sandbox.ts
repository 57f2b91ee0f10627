import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReward, type Verdict } from "../../../src/rewards/index.ts";
import type { Json } from "../../../src/rollout/types.ts";
import { type Abuse, PATIENT, SECRET } from "./abuses.ts";
import { PROBLEMS } from "./problems.ts";
import { answer, configOf } from "./support.ts";

type Language = "python" | "javascript";

/** Around a sandbox: the same secret in a file, in the environment, and behind a TCP port and a socket file, which count their visitors. */
export interface Surroundings {
  readonly secret: string;
  readonly folder: string;
  /** Puts its places into a program or a test. */
  fill(text: string): string;
  visits(): number;
  close(): Promise<void>;
}

/** Lays the secret out. */
export async function surroundings(): Promise<Surroundings> {
  const secret = "canary-7d0c55e1b3";
  const folder = mkdtempSync(join(tmpdir(), "rlvr-canary-"));
  const [file, socket] = [join(folder, "secret.txt"), join(folder, "socket")];
  writeFileSync(file, secret);
  process.env.RLVR_CANARY = secret;
  let visits = 0;
  const serve: RequestListener = (_, response) => {
    visits++;
    response.end(secret);
  };
  const servers = await Promise.all([listen(serve, { port: 0, host: "127.0.0.1" }), listen(serve, { path: socket })]);
  const places: Readonly<Record<string, string>> = {
    "{FILE}": file,
    "{FOLDER}": folder,
    "{PORT}": String((servers[0].address() as AddressInfo).port),
    "{SOCKET}": socket,
    "{MARK}": `rlvr-${process.pid}`,
    [SECRET]: secret,
  };
  return {
    secret,
    folder,
    fill: (text) => text.replace(/\{[A-Z]+\}/g, (place) => places[place] ?? place),
    visits: () => visits,
    async close() {
      delete process.env.RLVR_CANARY;
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      rmSync(folder, { recursive: true });
    },
  };
}

function listen(serve: RequestListener, where: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer(serve);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => resolve(server));
  });
}

/** Judges one completion in this thread; Python in a process of its own. */
export async function judgeHere(
  language: Language,
  { code, tests, options }: Pick<Abuse, "code" | "tests" | "options">,
): Promise<Verdict> {
  return await createReward(configOf(language, options)).score(answer(language, code, tests));
}

/** As many honest programs run beside the abuses. */
const HONEST = 12;

/**
 * Judges abuses side by side, with honest programs between them: none is called correct, each for the reason of its row, nothing it returned or
 * printed has the secret in it, nothing outside has changed or was visited, and the honest ones are judged as they deserve.
 */
export async function holds(language: Language, abuses: readonly Abuse[], judge = judgeHere): Promise<void> {
  const around = await surroundings();
  const step = Math.ceil(abuses.length / HONEST);
  try {
    const checks = abuses.flatMap((abuse, i) => {
      const own = checkAbuse(language, abuse, around, judge);
      return i % step === 0 ? [own, checkHonest(language, i, judge)] : [own];
    });
    const problems = (await Promise.all(checks)).filter((problem) => problem !== null);
    assert.deepEqual(problems, []);
    assert.equal(around.visits(), 0);
    assert.equal(readFileSync(join(around.folder, "secret.txt"), "utf8"), around.secret);
    assert.deepEqual(readdirSync(around.folder).sort(), ["secret.txt", "socket"]);
  } finally {
    await around.close();
  }
}

/** What is wrong with a verdict; all of them are told at once. */
async function checkAbuse(
  language: Language,
  abuse: Abuse,
  { fill, secret }: Surroundings,
  judge: typeof judgeHere,
): Promise<string | null> {
  const tests = JSON.parse(fill(JSON.stringify(abuse.tests))) as Json;
  const { outcome, score, reason } = await judge(language, { ...abuse, code: fill(abuse.code), tests });
  const seen = reason.replaceAll(`expected ${JSON.stringify(secret)}`, "expected the secret");
  const holds = outcome === abuse.outcome && score === 0 && abuse.reason.test(seen) && !seen.includes(secret);
  return holds ? null : `${abuse.name}: ${outcome} ${score}: ${seen}`;
}

async function checkHonest(language: Language, i: number, judge: typeof judgeHere): Promise<string | null> {
  const { name, tests, [language]: programs } = PROBLEMS[i % PROBLEMS.length]!;
  const { outcome, reason } = await judge(language, { code: programs[0], tests, options: PATIENT });
  return outcome === "correct" ? null : `honest ${name}: ${outcome}: ${reason}`;
}
