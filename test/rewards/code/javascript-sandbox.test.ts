import assert from "node:assert/strict";
import { test } from "node:test";
import { JAVASCRIPT_ABUSES } from "./javascript-abuses.ts";
import { holds } from "./sandbox.ts";

test("code-javascript: no program leaves its sandbox, stops the others, or is called right without being so", async () => {
  assert.ok(JAVASCRIPT_ABUSES.length >= 40);
  await holds("javascript", JAVASCRIPT_ABUSES);
});
