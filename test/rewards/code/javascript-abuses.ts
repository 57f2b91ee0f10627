import { type Abuse, CALL, endless, PRINT, wrong } from "./abuses.ts";

const missing = (name: string): RegExp => new RegExp(`ReferenceError: '?${name}'? is not defined`);
const NOTHING = /returned (null|\[\]), expected the secret/;

const reach: readonly Abuse[] = [
  ...wrong(CALL, [
    ["requires files", 'const solve = () => require("fs").readFileSync("{FILE}", "utf8");', missing("require")],
    [
      "requires by the module",
      'const solve = () => module.require("fs").readFileSync("{FILE}", "utf8");',
      /TypeError: not a function/,
    ],
    [
      "requires by the module's maker",
      'const solve = () => module.constructor.createRequire("/")("fs");',
      /TypeError: not a function/,
    ],
    ["imports files", 'import fs from "fs";\nconst solve = () => fs.readFileSync("{FILE}", "utf8");', /SyntaxError/],
    ["imports them later", 'const solve = async () => (await import("fs")).readFileSync("{FILE}", "utf8");', /Error: /],
    ["imports the secret", 'const solve = async () => (await import("{FILE}")).default;', /Error: /],
    [
      "imports by an address",
      'const solve = async () => (await import("http://127.0.0.1:{PORT}/")).default;',
      /Error: /,
    ],
    [
      "imports the engine's own modules",
      'const solve = async () => (await import("std")).loadFile("{FILE}");',
      /Error: /,
    ],
    ["imports its system calls", 'const solve = async () => (await import("os")).readdir("{FOLDER}");', /Error: /],
    ["loads a script", 'const solve = () => load("{FILE}");', missing("load")],
    ["reads a file of the engine's shell", 'const solve = () => std.loadFile("{FILE}");', missing("std")],
    ["writes a file", 'const solve = () => std.open("{FILE}", "w").puts("x");', missing("std")],
    ["reads arguments", "const solve = () => scriptArgs;", missing("scriptArgs")],
    ["reads the environment", "const solve = () => process.env.RLVR_CANARY;", missing("process")],
    ["reads it by Deno", 'const solve = () => Deno.env.get("RLVR_CANARY");', missing("Deno")],
    ["reads it by Bun", "const solve = () => Bun.env.RLVR_CANARY;", missing("Bun")],
    [
      "looks at every global",
      "const solve = () => Object.getOwnPropertyNames(globalThis).filter((name) => /process|require|fetch|Worker|WebAssembly|std|os$/.test(name));",
      NOTHING,
    ],
    ["asks a server", 'const solve = async () => (await fetch("http://127.0.0.1:{PORT}/")).text();', missing("fetch")],
    ["asks as browsers once did", "const solve = () => new XMLHttpRequest();", missing("XMLHttpRequest")],
    ["opens a web socket", 'const solve = () => new WebSocket("ws://127.0.0.1:{PORT}/");', missing("WebSocket")],
    ["starts a thread", 'const solve = () => new Worker("x.js");', missing("Worker")],
    ["compiles WebAssembly", "const solve = () => new WebAssembly.Module(new Uint8Array(8));", missing("WebAssembly")],
    ["sets a timer", "const solve = () => new Promise((resolve) => setTimeout(resolve, 10));", missing("setTimeout")],
    ["sets a repeated timer", "const solve = () => setInterval(() => {}, 1);", missing("setInterval")],
    [
      "makes a function of the host",
      'const solve = () => Function("return process")().env.RLVR_CANARY;',
      missing("process"),
    ],
    ["makes it of a function", 'const solve = () => print.constructor("return process")().env;', missing("process")],
    [
      "makes an asynchronous one",
      'const solve = () => (async () => {}).constructor("return process.env")();',
      missing("process"),
    ],
    [
      "makes a generator",
      'const solve = () => (function* () {}).constructor("yield process.env")().next();',
      missing("process"),
    ],
    ["evaluates aside", "const solve = () => (0, eval)('process.env.RLVR_CANARY');", missing("process")],
    [
      "climbs by a host function's parents",
      'const solve = () => console.log.__proto__.constructor("return globalThis.process ?? null")();',
      NOTHING,
    ],
    ["looks who called", "function solve() { return solve.caller ?? null; }", /TypeError|returned null/],
    [
      "looks at the stack",
      "const solve = () => { Error.prepareStackTrace = (_, frames) => frames; return new Error('x').stack; };",
      /returned "/,
    ],
    [
      "catches the host's function in a setter",
      "let caught = null; Object.defineProperty(Array.prototype, 0, { set(value) { caught = value; } }); print(1); const solve = () => caught;",
      /returned "1"/,
    ],
    [
      "looks for the expected value in the stack's text",
      "const solve = () => { try { null.x; } catch (error) { return /canary-\\w+/.exec(error.stack)?.[0] ?? null; } };",
      NOTHING,
    ],
    ["debugs", "const solve = () => { debugger; return null; };", NOTHING],
  ]),
];

const NUMBER = [{ call: "solve", args: [1], expected: 42 }];
const TEXT = [{ call: "solve", args: [1], expected: "yes" }];
const LIST = [{ call: "solve", args: [1], expected: [1, 2] }];
const MAPPING = [{ call: "solve", args: [1], expected: { a: 1 } }];

const pretence: readonly Abuse[] = [
  ...wrong(NUMBER, [
    [
      "returns what is worth the number",
      "const solve = () => ({ valueOf: () => 42, toString: () => '42' });",
      /returned {"valueOf":.*, expected 42/,
    ],
    ["returns what writes itself as it", "const solve = () => ({ toJSON: () => 42 });", /returned {"toJSON"/],
    ["returns the number as text", "const solve = () => '42';", /returned "42", expected 42/],
    ["returns the number in a list", "const solve = () => [42];", /returned \[42\], expected 42/],
    ["returns no number", "const solve = () => NaN;", /returned "nan", expected 42/],
    [
      "returns infinity where numbers may differ",
      "const solve = () => Infinity;",
      /returned "inf", expected 42/,
      { tolerance: 1 },
    ],
    ["returns true", "const solve = () => true;", /returned true, expected 42/],
    [
      "returns numbers one after the other",
      "let n = 40; const solve = () => ({ get value() { return n++; } });",
      /returned {"value":\d+}/,
    ],
    ["returns what looks like a large number", "const solve = () => ({ i: '42' });", /returned {"i":"42"}/],
  ]),
  ...wrong(TEXT, [
    ["returns a symbol", "const solve = () => Symbol('yes');", /a value of type symbol/],
    ["returns its function", "const solve = () => solve;", /a value of type function/],
    [
      "returns a type of that name",
      "const solve = () => { class yes extends Date {} return new yes(); };",
      /a value of type yes/,
    ],
    [
      "returns a type whose name is another",
      "const solve = () => { const date = new Date(); date.constructor = { name: { toString: () => 'yes' } }; return date; };",
      /disturbed its own results/,
    ],
    ["returns an object that converts", "const solve = () => ({ [Symbol.toPrimitive]: () => 'yes' });", /returned {}/],
    ["throws the text", "const solve = () => { throw 'yes'; };", /threw yes/],
  ]),
  ...wrong(LIST, [
    [
      "returns a list that iterates otherwise",
      "const solve = () => { const a = [3]; a[Symbol.iterator] = function* () { yield 3; yield 4; }; return a; };",
      /returned \[3,4\], expected \[1,2\]/,
    ],
    [
      "returns a list without an end",
      "const solve = () => { const a = [1]; a.length = 2 ** 32 - 1; return a; };",
      /out of memory|needed more|took longer|returned more/,
      { timeoutMs: 30_000, totalMs: 30_000, memoryMb: 32 },
    ],
    ["returns itself in a list", "const solve = () => { const a = []; a.push(a); return a; };", /nested too deeply/],
  ]),
  ...wrong(MAPPING, [
    ["returns the key from its parents", "const solve = () => Object.create({ a: 1 });", /returned {}/],
    [
      "returns a key that is hidden",
      "const solve = () => Object.defineProperty({}, 'a', { value: 1, enumerable: false });",
      /returned {}/,
    ],
    [
      "returns a proxy that has every key",
      "const solve = () => new Proxy({}, { has: () => true, get: () => 1 });",
      /returned {}/,
    ],
    ["returns pairs", "const solve = () => [['a', 1]];", /returned \[\["a",1\]\]/],
  ]),
];

const tampering: readonly Abuse[] = [
  ...wrong(CALL, [
    [
      "changes how JSON is written",
      'JSON.stringify = () => \'{"value":"guess"}\'; const solve = () => 1;',
      /returned 1/,
    ],
    [
      "changes how JSON is read",
      "const seen = []; const parse = JSON.parse; JSON.parse = (t) => { seen.push(t); return parse(t); }; const solve = () => seen;",
      /returned \["{\\"name/,
    ],
    [
      "gives every object a form in JSON",
      "Object.prototype.toJSON = () => ({ value: 'guess' }); const solve = () => 1;",
      /returned "guess"|disturbed/,
    ],
    [
      "gives every text a form in JSON",
      "String.prototype.toJSON = () => 'guess'; const solve = () => 'x';",
      /returned "(x|guess)"/,
    ],
    ["gives every object a value", "Object.prototype.value = 'guess'; const solve = () => 1;", /returned 1/],
    [
      "catches values as they are set",
      "let seen = null; Object.defineProperty(Object.prototype, 'value', { set(v) { seen = v; }, configurable: true }); const solve = () => seen;",
      NOTHING,
    ],
    ["gives every object an error", "Object.prototype.error = 'guess'; const solve = () => 1;", /returned 1/],
    [
      "changes the methods of lists",
      "Array.prototype.map = () => ['guess']; Array.from = () => ['guess']; const solve = (x) => x;",
      /returned "guess"/,
    ],
    [
      "changes the methods of texts",
      "String.prototype.split = () => ['print']; const solve = () => 1;",
      /returned null/,
    ],
    [
      "changes how functions are called",
      "Function.prototype.apply = Function.prototype.call = () => 'guess'; const solve = () => 1;",
      /returned "guess"/,
    ],
    [
      "changes the parents of everything",
      "Object.setPrototypeOf(Object.prototype.__proto__ ?? Array.prototype, null); const solve = () => [1];",
      /returned|Error/,
    ],
    ["changes evaluation", "globalThis.eval = () => 'guess'; const solve = () => 1;", /returned 1/],
    [
      "changes promises",
      "Promise.prototype.then = (done) => done('guess'); const solve = async () => 1;",
      /returned "guess"|not a|disturbed/,
    ],
    [
      "freezes everything",
      "Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(globalThis); const solve = () => 1;",
      /returned 1/,
    ],
    [
      "removes everything",
      "for (const name of Object.getOwnPropertyNames(globalThis)) delete globalThis[name]; const solve = () => 1;",
      /returned 1|ReferenceError: 'globalThis' is not defined/,
    ],
    ["prints the reply by hand", 'print(\'\\x1e{"value":"guess"}\'); const solve = () => 1;', /returned 1/],
    ["replaces what it may print with", "console.log = print = console = null; const solve = () => 1;", /returned 1/],
    [
      "defines its function as a trap",
      "Object.defineProperty(globalThis, 'solve', { get() { throw new Error('trap'); } });",
      /Error: trap/,
    ],
    ["has no function", "const solve = 1;", /TypeError: solve is not a function/],
    ["has another function", "const other = 1;", /ReferenceError: there is no solve/],
    ["does not compile", "const solve = (", /SyntaxError/],
    ["throws while it is loaded", "throw new Error('early');", /Error: early/],
    ["throws nothing", "const solve = () => { throw undefined; };", /threw undefined/],
    ["throws what has no text", "const solve = () => { throw { toString() { throw 1; } }; };", /disturbed|threw/],
    [
      "throws an error whose message is a trap",
      "const solve = () => { const e = new Error(); Object.defineProperty(e, 'message', { get() { throw e; } }); throw e; };",
      /Error|threw|disturbed/,
    ],
    ["throws a text of megabytes", "const solve = () => { throw 'a'.repeat(2 ** 22); };", /threw a+/],
    ["promises and fails", "const solve = () => Promise.reject(new Error('no'));", /Error: no/],
    ["promises and never keeps it", "const solve = () => new Promise(() => {});", /a promise is never settled/],
    ["waits while it is loaded", "new Promise(() => {});", /a promise is never settled/],
    [
      "returns a promise of its own",
      "const solve = () => ({ then: (done) => done('guess') });",
      /returned {"then"|a value of type/,
    ],
    ["shares no memory", "const solve = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0);", /Error/],
    [
      "registers what runs at the end",
      "new FinalizationRegistry(() => { for (;;); }).register({}, 1); const solve = () => 1;",
      /returned 1|FinalizationRegistry/,
    ],
    [
      "takes the guest's word for instances",
      "const has = { value: () => true }; for (const t of [Set, Map, Date, Promise]) Object.defineProperty(t, Symbol.hasInstance, has); const solve = () => ({ a: 1 });",
      /Error|disturbed|returned/,
    ],
  ]),
  ...wrong(
    [{ input: "1\n", output: "1" }],
    [
      ["prints what is right and throws", "print(1); throw new Error('after all');", /Error: after all/],
      ["prints what is right, then more", "print(1); Promise.resolve().then(() => print(2));", /printed "1\\n2\\n"/],
      ["prints what is right to the wrong place", "console.error(1);", /printed ""/],
      ["prints all that could be right", "for (let i = 0; i < 10; i++) print(i);", /printed "0\\n1/],
      [
        "prints an object that changes",
        "let n = 0; print({ toString: () => String(++n), toJSON: () => n }); print(n);",
        /printed "/,
      ],
    ],
  ),
];

const loops: readonly Abuse[] = [
  ...endless(CALL, [
    ["while", "const solve = () => { while (true); };", /took longer than 200 ms/],
    ["while it is loaded", "for (;;);", /took longer than 200 ms/],
    ["do", "const solve = () => { do {} while (1); };", /took longer/],
    ["for of", "const solve = () => { for (const x of (function* () { for (;;) yield 1; })()); };", /took longer/],
    [
      "for in a proxy",
      "const solve = () => { for (;;) for (const k in new Proxy({}, { ownKeys: () => ['a'] })); };",
      /took longer/,
    ],
    ["label", "const solve = () => { a: for (;;) { continue a; } };", /took longer/],
    ["that catches everything", "const solve = () => { for (;;) try { for (;;); } catch {} };", /took longer/],
    ["that goes on at the end", "const solve = () => { try { for (;;); } finally { for (;;); } };", /took longer/],
    ["regular expression", "const solve = () => /^(a|a?)+$/.test('a'.repeat(60) + 'b');", /took longer/],
    ["sort", "const solve = () => Array.from({ length: 10 }, Math.random).sort(() => { for (;;); });", /took longer/],
    ["callback", "const solve = () => 'a'.replace(/a/, () => { for (;;); });", /took longer/],
    ["reviver", "const solve = () => JSON.parse('[1]', () => { for (;;); });", /took longer/],
    ["getter of the result", "const solve = () => ({ get a() { for (;;); } });", /took longer/],
    [
      "conversion of the result",
      "const solve = () => Object.assign(new Number(1), { valueOf() { for (;;); } });",
      /took longer/,
    ],
    [
      "iterator of the result",
      "const solve = () => { const a = [1]; a[Symbol.iterator] = () => { for (;;); }; return a; };",
      /took longer/,
    ],
    ["keys of the result", "const solve = () => new Proxy({}, { ownKeys() { for (;;); } });", /took longer/],
    [
      "message of an error",
      "const solve = () => { const e = new Error(); Object.defineProperty(e, 'message', { get() { for (;;); } }); throw e; };",
      /took longer/,
    ],
    ["message of an error while it is loaded", "throw { get name() { for (;;); } };", /took longer/],
    ["asynchronous", "const solve = async () => { for (;;) await null; };", /took longer/],
    [
      "promises without end",
      "const solve = () => new Promise(() => { const next = () => Promise.resolve().then(next); next(); });",
      /took longer/,
    ],
    [
      "thenable that follows itself",
      "const solve = async () => { const t = { then(done) { done(t); } }; return t; };",
      /took longer/,
    ],
    ["module getter", "Object.defineProperty(module, 'exports', { get() { for (;;); } });", /took longer/],
  ]),
  ...endless(PRINT, [
    ["printed", "print(1); for (;;);", /took longer/],
    ["text of what is printed", "print({ toJSON() { for (;;); } });", /took longer/],
    ["reading on", "for (;;) readline();", /took longer/],
    ["promises after printing", "const f = () => Promise.resolve().then(f); f();", /took longer/],
  ]),
  ...wrong(CALL, [
    ["recursion", "const solve = () => solve();", /stack overflow/],
    [
      "recursion in conversions",
      "const a = { toString: () => String(a) }; const solve = () => String(a);",
      /stack overflow/,
    ],
    [
      "recursion of a proxy",
      "const p = new Proxy({}, { get: (t, k, r) => r[k] }); const solve = () => p.a;",
      /stack overflow/,
    ],
    [
      "recursion of patterns",
      "const solve = () => new RegExp('('.repeat(1e5) + ')'.repeat(1e5));",
      /stack overflow|SyntaxError|out of memory|InternalError/,
    ],
    ["nested source", "const solve = () => eval('('.repeat(1e5));", /stack overflow|SyntaxError|InternalError/],
    ["nested JSON", "const solve = () => JSON.parse('['.repeat(1e6));", /stack overflow|SyntaxError|InternalError/],
  ]),
];

const SMALL = { memoryMb: 32 };
const floods: readonly Abuse[] = [
  ...wrong(CALL, [
    [
      "a list without end",
      "const solve = () => { const a = []; for (;;) a.push([1, 2, 3]); };",
      /out of memory|needed more than 32 MiB/,
      SMALL,
    ],
    [
      "texts without end",
      "const solve = () => { const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1e5) + i); };",
      /out of memory|needed more than 32 MiB/,
      SMALL,
    ],
    [
      "a text that doubles",
      "const solve = () => { let a = 'a'; for (;;) a += a; };",
      /string too long|out of memory|needed more than 32 MiB/,
      SMALL,
    ],
    [
      "buffers without end",
      "const solve = () => { const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1)); };",
      /out of memory|needed more than 32 MiB/,
      SMALL,
    ],
    ["one buffer", "const solve = () => new Uint8Array(2 ** 31 - 1).fill(1);", /out of memory|RangeError/],
    [
      "one text",
      "const solve = () => 'a'.repeat(2 ** 29).length;",
      /out of memory|invalid|needed more than 32 MiB/i,
      SMALL,
    ],
    [
      "padding",
      "const solve = () => 'a'.padEnd(2 ** 29).length;",
      /out of memory|invalid|needed more than 32 MiB/i,
      SMALL,
    ],
    [
      "a map without end",
      "const solve = () => { const m = new Map(); for (let i = 0; ; i++) m.set(i, [i]); };",
      /out of memory|needed more than 32 MiB/,
      SMALL,
    ],
    [
      "closures without end",
      "let f = null; const solve = () => { for (;;) { const g = f; f = () => g; } };",
      /out of memory|needed more than 32 MiB/,
      SMALL,
    ],
    [
      "promises without end, kept",
      "const solve = () => { const a = []; for (;;) a.push(Promise.resolve().then(() => a)); };",
      /out of memory|needed more than 32 MiB/,
      SMALL,
    ],
    ["a result of a megabyte", "const solve = () => 'a'.repeat(2 ** 20);", /returned more than 65536 bytes/],
    [
      "a result that is nested and wide",
      "const solve = () => new Array(300).fill(new Array(300).fill(1));",
      /returned more than 65536 bytes/,
    ],
    ["a message of a megabyte", "const solve = () => { throw new Error('a'.repeat(2 ** 20)); };", /Error: a+$/],
    [
      "memory while it is loaded",
      "const a = []; for (;;) a.push([1]);",
      /out of memory|needed more than 32 MiB/,
      SMALL,
    ],
  ]),
  ...wrong(PRINT, [
    ["output", "for (;;) print('a'.repeat(1000));", /printed more than 65536 bytes/],
    ["output of the console", "for (;;) console.info('a');", /printed more than 1024 bytes/, { outputKb: 1 }],
    ["one line", "print('a'.repeat(1e7));", /printed more than 65536 bytes/],
    [
      "output that catches everything",
      "for (;;) try { print('a'.repeat(1000)); } catch {}",
      /printed more than 65536 bytes/,
    ],
    ["output of errors", "for (let i = 0; i < 1e5; i++) console.error('a'.repeat(1000)); print(2);", /printed "2\\n"/],
  ]),
];

/** What a JavaScript program may try. */
export const JAVASCRIPT_ABUSES: readonly Abuse[] = [...reach, ...pretence, ...tampering, ...loops, ...floods];
