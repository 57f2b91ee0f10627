import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { Gateway, JavaError } from "../../../src/rollout/envs/py4j.ts";
import { decodeValue, encodeArgument, escapeText, unescapeText } from "../../../src/rollout/envs/py4j-values.ts";
import { EnvError } from "../../../src/utils/errors.ts";
import { type Answer, fakeGateway } from "../../support/fake-gateway.ts";

async function open(t: TestContext, answer: Answer, timeoutMs = 5000) {
  const fake = await fakeGateway(t, answer);
  const gateway = await Gateway.connect({ port: fake.port, timeoutMs, label: "fake" });
  t.after(() => gateway.close());
  return { gateway, requests: fake.requests };
}

/** The message of the error that a call fails with, which must be an EnvError. */
async function failure(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => assert.fail("the call succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof EnvError, String(error));
  return error.message;
}

test("escapeText: backslash, CR and LF are escaped in this order, as Py4J's own escape_new_line does", () => {
  assert.equal(escapeText("a\\b\r\nc"), "a\\\\b\\r\\nc");
  assert.equal(escapeText("\\n"), "\\\\n"); // not a line feed afterwards
  assert.equal(unescapeText("\\\\n"), "\\n");
});

test("unescapeText: gives back every text that escapeText wrote, always on one line", () => {
  const text = fc.string({ unit: fc.constantFrom("\\", "n", "r", "\n", "\r", "a", "é", "😀", "\u2028") });
  fc.assert(
    fc.property(text, (value) => {
      assert.doesNotMatch(escapeText(value), /[\r\n]/);
      assert.equal(unescapeText(escapeText(value)), value);
    }),
  );
});

test("encodeArgument: one letter for the type, then the text", () => {
  const rows = [
    [null, "n"],
    ["", "s"],
    ["two\nlines", "stwo\\nlines"],
    [true, "btrue"],
    [42, "i42"],
    [-1.5, "d-1.5"],
    [{ double: 3 }, "d3"],
    [{ double: Number.NEGATIVE_INFINITY }, "d-Infinity"],
    [2n ** 40n, "L1099511627776"],
    [new Uint8Array([104, 105]), "jaGk="],
    [{ kind: "list", id: "o7" }, "ro7"],
  ] as const;
  for (const [value, text] of rows) assert.equal(encodeArgument(value), text);
});

test("decodeValue: every type of the protocol; a reference keeps its kind", () => {
  const rows = [
    ["v", undefined],
    ["n", null],
    ["s", ""],
    ["sa\\nb", "a\nb"],
    ["bfalse", false],
    ["bTrue", true],
    ["i-7", -7],
    ["L9007199254740993", 9007199254740993n],
    ["d0.5", 0.5],
    ["d-Infinity", Number.NEGATIVE_INFINITY],
    ["dNaN", Number.NaN],
    ["D1.10", "1.10"],
    ["ro3", { kind: "object", id: "o3" }],
    ["lo4", { kind: "list", id: "o4" }],
    ["ao5", { kind: "map", id: "o5" }],
  ] as const;
  for (const [text, value] of rows) assert.deepEqual(decodeValue(text), value);
  for (const text of ["", "q1", "i", "i1x", "d", "dx", "bmaybe", "r"])
    assert.throws(() => decodeValue(text), SyntaxError);
});

test("Gateway: a call is its lines and an e; a construction, a field of an array and a release have their own commands", async (t) => {
  const { gateway, requests } = await open(t, ([command]) => (command === "i" ? "!yro1" : "!yi5"));
  const object = await gateway.construct("a.B", ["x"]);
  assert.equal(await gateway.call(object, "size", [1, "two\nlines"]), 5);
  await gateway.element({ kind: "array", id: "o2" }, 3);
  await gateway.length({ kind: "array", id: "o2" });
  await gateway.free(object);
  assert.deepEqual(requests, [
    ["i", "a.B", "sx"],
    ["c", "o1", "size", "i1", "stwo\\nlines"],
    ["a", "g", "o2", "i3"],
    ["a", "e", "o2"],
    ["m", "d", "o1"],
  ]);
});

test("Gateway: replies to calls that were sent together go to their calls, however the bytes are cut", async (t) => {
  let left = "";
  const { gateway } = await open(t, (lines) => (socket) => {
    left += `!ys${lines[3]!.slice(1)} é😀\n`;
    if (lines[3] !== "sd") return;
    for (const byte of Buffer.from(left)) socket.write(Buffer.from([byte]));
  });
  const replies = await Promise.all(["a", "b", "c", "d"].map((name) => gateway.call("t", "echo", [name])));
  assert.deepEqual(replies, ["a é😀", "b é😀", "c é😀", "d é😀"]);
});

test("Gateway: the texts of a list take one join and the list is freed", async (t) => {
  const { gateway, requests } = await open(t, ([command]) => (command === "m" ? "!yv" : "!ysopen door\\nwait"));
  assert.deepEqual(await gateway.strings({ kind: "list", id: "o9" }), ["open door", "wait"]);
  assert.deepEqual(requests, [
    ["c", "z:java.lang.String", "join", "s\\n", "ro9"],
    ["m", "d", "o9"],
  ]);
});

test("Gateway: a Java exception is asked for, freed and told; the next call works", async (t) => {
  const { gateway, requests } = await open(t, ([command, target]) => {
    if (command === "p") return "!ysjava.lang.NullPointerException\\n\\tat a.B.load";
    if (command === "m") return "!yv";
    return target === "t" ? "!xro5" : "!yi1";
  });
  const thrown = gateway.call("t", "load", ["x"]);
  await assert.rejects(thrown, JavaError);
  assert.match(await failure(thrown), /fake: sent "c\\nt\\nload\\nsx\\ne", the JVM threw "java\.lang\.NullPointer/);
  assert.deepEqual(requests.slice(1), [
    ["p", "ro5"],
    ["m", "d", "o5"],
  ]);
  assert.equal(await gateway.call("o1", "size"), 1);
  assert.equal(gateway.failure, null);
});

test("Gateway: a trace that comes as text is told too", async (t) => {
  const { gateway } = await open(t, () => "!xspy4j.Py4JException: Method lod does not exist");
  assert.match(await failure(gateway.call("t", "lod")), /the JVM threw "py4j\.Py4JException: Method lod/);
});

for (const [name, reply, told] of [
  ["no !", "yi5", /got "yi5": a reply begins with !/],
  ["an unknown status", "!qi5", /got "!qi5": no such status/],
  ["a fatal error", "!zs", /got "!zs": a fatal error/],
  ["an unknown type", "!yQ5", /got "!yQ5": no type of value has this letter/],
  ["a number of letters", "!yiabc", /got "!yiabc": an integer has digits only/],
  ["an empty line", "", /got "": a reply begins with !/],
  ["a web page", `HTTP/1.1 400 ${"x".repeat(500)}`, /got "HTTP\/1\.1 400 x+… \(513 characters\)"/],
] as const)
  test(`Gateway: a reply with ${name} ends the connection, and says what was sent and got`, async (t) => {
    const { gateway } = await open(t, () => reply);
    const both = [gateway.call("t", "step", ["wait"]), gateway.call("t", "getScore")];
    const [first] = await Promise.all(both.map(failure));
    assert.match(first!, /^fake: sent "c\\nt\\nstep\\nswait\\ne", /);
    assert.match(first!, told);
    assert.match(await failure(gateway.call("t", "getScore")), /; not sent: "c\\nt\\ngetScore\\ne"$/);
  });

test("Gateway: silence ends the connection after the time limit", async (t) => {
  const { gateway } = await open(t, () => null, 50);
  const calls = [gateway.call("t", "step"), gateway.call("t", "getScore")];
  for (const call of calls) assert.match(await failure(call), /fake: no answer within 50 ms to "c\\nt\\nstep\\ne"/);
  assert.notEqual(gateway.failure, null);
});

test("Gateway: a call may have a time limit of its own", async (t) => {
  const { gateway } = await open(t, () => null);
  assert.match(await failure(gateway.call("t", "step", [], 20)), /no answer within 20 ms/);
});

test("Gateway: a socket that dies in the middle of a reply fails the calls that are open", async (t) => {
  const { gateway } = await open(t, () => (socket) => {
    socket.write("!ysThis room");
    socket.destroy();
  });
  const calls = [gateway.call("t", "step"), gateway.call("t", "getScore")];
  for (const call of calls)
    assert.match(await failure(call), /fake: the connection .* while "c\\nt\\nstep\\ne" was open/);
});

test("Gateway: a reply that nobody asked for ends the connection", async (t) => {
  const { gateway } = await open(t, () => (socket) => socket.write("!yi1\n!yi2\n"));
  assert.equal(await gateway.call("t", "getScore"), 1);
  assert.match(await failure(gateway.call("t", "getScore")), /got "!yi2", though nothing was asked/);
});

test("Gateway: a reply without end is a flood", async (t) => {
  const block = Buffer.alloc(8 * 2 ** 20, "x");
  const { gateway } = await open(t, () => (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on("drain", pour);
    pour();
  });
  assert.match(await failure(gateway.call("t", "step")), /a reply of more than 67108864 bytes to "c\\nt\\nstep\\ne"/);
});

test("Gateway: close() fails what is open; a port where nobody listens is told", async (t) => {
  const { gateway } = await open(t, () => null);
  const call = failure(gateway.call("t", "step"));
  gateway.close();
  assert.match(await call, /the connection was closed by us/);
  const nobody = Gateway.connect({ port: 1, timeoutMs: 1000, label: "fake" });
  assert.match(await failure(nobody), /fake: no connection to 127\.0\.0\.1:1 \(connect ECONNREFUSED/);
});
