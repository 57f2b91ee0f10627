/**
 * Runs inside of the sandbox, before the program: a function that loads the program's text as a script, finds the functions and calls them. It
 * keeps the built-ins it needs; since the program may change everything around it, what it sends is checked outside, and it holds nothing
 * worth reading. The value of the expression is `(evaluate, calls, reply, settle) => …`.
 */
export const JAVASCRIPT_GUEST = `
(() => {
  const { isArray, from } = Array;
  const { keys, getPrototypeOf } = Object;
  const stringify = JSON.stringify;
  const text = String;
  const encode = (value, depth) => {
    if (depth > 100) throw new RangeError("the result is nested too deeply");
    switch (typeof value) {
      case "undefined": return null;
      case "boolean": case "string": return value;
      case "bigint": return { i: text(value) };
      case "number": return value !== value ? { n: "nan" } : value === Infinity ? { n: "inf" } : value === -Infinity ? { n: "-inf" } : value;
      case "function": case "symbol": return { x: typeof value };
    }
    if (value === null) return null;
    if (isArray(value) || ArrayBuffer.isView(value)) return from(value, (item) => encode(item, depth + 1));
    if (value instanceof Set) return { s: from(value, (item) => encode(item, depth + 1)) };
    if (value instanceof Map) return { d: from(value, ([key, item]) => [encode(key, depth + 1), encode(item, depth + 1)]) };
    if (value instanceof Number || value instanceof String || value instanceof Boolean) return encode(value.valueOf(), depth + 1);
    if (value instanceof Date || value instanceof RegExp || value instanceof Promise) return { x: value.constructor.name };
    return { d: keys(value).map((key) => [key, encode(value[key], depth + 1)]) };
  };
  const decode = (value) => {
    if (isArray(value)) return value.map(decode);
    if (typeof value !== "object" || value === null) return value;
    const [kind] = keys(value);
    const content = value[kind];
    if (kind === "n") return { nan: NaN, inf: Infinity, "-inf": -Infinity }[content];
    if (kind === "f") return Number(content);
    if (kind === "i") return BigInt(content);
    if (kind === "t") return content.map(decode);
    if (kind === "s") return new Set(content.map(decode));
    const object = {};
    for (const [key, item] of content) Object.defineProperty(object, key, { value: decode(item), writable: true, enumerable: true, configurable: true });
    return object;
  };
  const isClass = (value) => typeof value === "function" && /^class\\b/.test(Function.prototype.toString.call(value));
  const find = (evaluate, name) => {
    const [first, ...rest] = name.split(".");
    let owner;
    let found = evaluate("typeof " + first + " === 'undefined' ? undefined : " + first);
    if (found === undefined) found = evaluate("module.exports")[first];
    if (found === undefined) throw new ReferenceError("there is no " + first);
    for (const part of rest) {
      owner = isClass(found) ? new found() : found;
      found = owner[part];
    }
    if (typeof found !== "function") throw new TypeError(name + " is not a function");
    return (args) => found.apply(owner, args);
  };
  const explain = (error) => ({ error: error instanceof Error ? error.name + ": " + text(error.message).slice(0, 300) : "threw " + text(error).slice(0, 300) });
  return (evaluate, request) => {
    const { name, args } = JSON.parse(request);
    const done = (value) => stringify({ value: encode(value, 0) });
    const failed = (error) => stringify(explain(error));
    try {
      const value = find(evaluate, name)(args.map(decode));
      return value instanceof Promise ? value.then(done, failed) : done(value);
    } catch (error) {
      return failed(error);
    }
  };
})()
`;

/**
 * What a program has of the world: `print`, `console`, `readline()`, `readAll()` and an empty `module` to export to. Made inside of the
 * sandbox, so that no object of ours is within the program's reach but one function that takes a string. The value is `(write, input) => …`.
 */
export const JAVASCRIPT_WORLD = `
((write, input) => {
  "use strict";
  const text = String, join = Array.prototype.join, stringify = JSON.stringify, apply = Reflect.apply;
  const show = (value) => {
    if (typeof value === "object" && value !== null && !(value instanceof Error)) try { return stringify(value) ?? text(value); } catch {}
    return typeof value === "symbol" || typeof value !== "object" ? text(value) : value === null ? "null" : text(value);
  };
  const print = (...values) => {
    const parts = [];
    for (let i = 0; i < values.length; i++) parts[i] = show(values[i]);
    write(apply(join, parts, [" "]) + "\\n");
  };
  const silent = () => {};
  let at = 0;
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  const module = { exports: {} };
  define("module", module);
  define("exports", module.exports);
  define("print", print);
  define("console", { log: print, info: print, debug: print, error: silent, warn: silent, assert: silent, trace: silent });
  define("readline", () => {
    if (at >= input.length) return null;
    const end = input.indexOf("\\n", at);
    const line = input.slice(at, end < 0 ? input.length : end);
    at = end < 0 ? input.length : end + 1;
    return line;
  });
  define("readAll", () => {
    const rest = input.slice(at);
    at = input.length;
    return rest;
  });
})
`;
