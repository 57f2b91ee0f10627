import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "../../src/utils/nearest.ts";

const names = ["groupSize", "temperature", "topK", "lr"];

test("nearest: finds the name that was meant", () => {
  assert.equal(nearest("groupsize", names), "groupSize");
  assert.equal(nearest("group_size", names), "groupSize");
  assert.equal(nearest("temprature", names), "temperature");
  assert.equal(nearest("topP", names), "topK");
  assert.equal(nearest("lr", names), "lr");
});

test("nearest: says nothing when nothing is near, or there is nothing", () => {
  assert.equal(nearest("weightDecay", names), undefined);
  assert.equal(nearest("lr", []), undefined);
});
