import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { WorkerInfo } from "../../bench/performance/protocol.ts";
import { withSection } from "../../bench/performance/results.ts";
import { rotate, type WorkerResult } from "../../bench/performance/rotate.ts";
import { trainFlops } from "../../bench/performance/shapes.ts";
import { summarise } from "../../bench/performance/summary.ts";

const worker = fileURLToPath(new URL("../../bench/performance/worker.ts", import.meta.url));

/** A worker that answers with the time, and dies at its n-th repetition. */
function script(dieAt: number): { file: string; args: string[] } {
  const code = `
    console.log("a line of a library"); console.log('READY{"tokens":7}'); let n = 0;
    require("readline").createInterface({ input: process.stdin }).on("line", () => {
      if (++n === ${dieAt}) { console.error("out of memory"); process.exit(3); }
      console.log("{'not': json}"); console.log(JSON.stringify({ s: n, at: performance.timeOrigin + performance.now() }));
    });`;
  return { file: process.execPath, args: ["-e", code] };
}

test("trainFlops counts products by hand: body, head, adapter and the full square of attention", () => {
  const shape = { d: 2, L: 1, H: 1, KV: 1, hd: 2, ff: 3, V: 5 };
  const attention = 12 * 2 ** 2 * 2;
  assert.equal(trainFlops(shape, 1, 2, 0), 2 * 6 * (34 + 10) + attention);
  assert.equal(trainFlops(shape, 1, 2, 1), 2 * (4 * (34 + 10) + 6 * 31) + attention);
  assert.equal(trainFlops(shape, 3, 2, 0), 3 * trainFlops(shape, 1, 2, 0));
});

test("rotate runs one repetition of each worker a round, in rotating order, and goes on when one dies", async () => {
  const commands = [
    { name: "a", ...script(0) },
    { name: "b", ...script(0) },
    { name: "mortal", ...script(3) },
  ];
  const [a, b, mortal] = (await rotate(commands, { rounds: 2, warm: 1 })) as [WorkerResult, WorkerResult, WorkerResult];
  assert.deepEqual(
    [a, b, mortal].map(({ rounds }) => rounds.map((round) => round?.s ?? null)),
    [
      [2, 3],
      [2, 3],
      [2, null],
    ],
  );
  assert.deepEqual(a.info, { tokens: 7 });
  assert.equal(mortal.failure, "out of memory");
  const at = ({ rounds }: WorkerResult, i: number): number => rounds[i]!.at as number;
  assert.ok(at(b, 0) < at(mortal, 0) && at(mortal, 0) < at(a, 0), "the first round after the warm-up begins with b");
  assert.ok(at(a, 1) < at(b, 1), "the next one with the third, then a");
});

test("rotate says what a worker wrote that never got ready", async () => {
  const [result] = await rotate(
    [{ name: "bad", file: process.execPath, args: ["-e", "throw new Error('no torch')"] }],
    {
      ...{ rounds: 1, warm: 0 },
    },
  );
  assert.match(result!.failure!, /no torch/);
  assert.deepEqual(result!.rounds, [null]);
});

test("summarise relates rows to the first one and to the matrix peak round by round", () => {
  const result = (name: string, info: WorkerInfo, seconds: (number | null)[]): WorkerResult => ({
    ...{ name, info, failure: null },
    rounds: seconds.map((s) => (s === null ? null : { s, cpu_s: 2 * s, rss_gb: 0.5 })),
  });
  const rows = summarise(
    [
      result("ours", { tokens: 100, flops: 4e9 }, [1, 2, 4]),
      result("peer", { tokens: 100, flops: 4e9 }, [3, null, 8]),
      result("dead", {}, [null, null, null]),
    ],
    result("peak", { flops: 2e9 }, [0.25, 0.5, 0.5]),
  );
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["ours", "peer"],
  );
  const [ours, peer] = rows;
  assert.deepEqual(ours!.seconds, { min: 1, median: 2, max: 4 });
  assert.equal(ours!.tokensPerSecond, 50);
  assert.equal(ours!.gflops, 2);
  assert.equal(ours!.peakShare, 0.5); // twice the work in 4, 4 and 8 times the time
  assert.equal(ours!.cores, 2);
  assert.equal(ours!.ratio, null);
  assert.deepEqual(peer!.ratio, { min: 2, median: 2.5, max: 3 });
});

test("withSection replaces the section of a case and leaves the others alone", () => {
  const section = (name: string, table: string) => ({ name, what: "what", facts: ["fact"], table });
  const first = withSection(withSection("", section("update", "old")), section("update-long", "kept"));
  const second = withSection(first, section("update", "new"));
  assert.equal(second, first.replace("old", "new"));
  assert.match(second, /^# Results/);
  assert.equal(second.match(/^## /gm)!.length, 2);
});

test("worker: a group has one loss and one gradient, with its prompt computed once or in every row", async () => {
  const group = [
    "group",
    "--shape",
    "seedling",
    "--prompt",
    "40",
    "--completions",
    "3",
    "--tokens",
    "9",
    "--threads",
    "1",
  ];
  const command = (name: string, ...more: string[]) => ({
    ...{ name, file: process.execPath, args: ["--import", "tsx", worker, ...group, ...more] },
  });
  const commands = [command("once"), command("every row", "--shared", "false")];
  const [once, everyRow] = await rotate(commands, { rounds: 1, warm: 0 });
  assert.equal(once!.failure ?? everyRow!.failure, null);
  for (const name of ["loss", "grad_norm"]) {
    const [a, b] = [once!.info![name] as number, everyRow!.info![name] as number];
    assert.ok(Math.abs(b) > 0.1 && Math.abs(a - b) < 1e-5 * Math.abs(b), `${name}: ${a} and ${b}`);
  }
  assert.equal(once!.info!.tokens, 27);
  assert.equal(once!.rounds[0]!.loss, once!.info!.loss);
});
