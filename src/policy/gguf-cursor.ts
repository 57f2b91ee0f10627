import { DataError } from "../utils/errors.ts";
import type { FileReader } from "./file-reader.ts";
import type { GgufValue } from "./gguf.ts";

const WINDOW = 1 << 18;
const MAX_ARRAY = 1 << 22;
/** Smallest number of bytes of one value, by GGUF's value type number; 8 is text, 9 an array. */
const VALUE_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];
const TEXT = 8;
const ARRAY = 9;

/** Reads little-endian values one after another from the head of a GGUF file, through a window of 256 KiB. */
export class GgufCursor {
  readonly #file: FileReader;
  #window = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  /** File offset of the window's first byte. */
  #begin = 0;
  #at = 0;

  constructor(file: FileReader) {
    this.#file = file;
  }

  /** Where the next value stands. */
  get offset(): number {
    return this.#at;
  }

  /** An error at the current offset. */
  error(message: string): DataError {
    return new DataError(`${this.#file.path}: at offset ${this.#at}: ${message}`);
  }

  uint32(what: string): number {
    const at = this.#take(4, what);
    return this.#view.getUint32(at, true);
  }

  /** @throws DataError for values that are not exact in a number */
  uint64(what: string): number {
    const at = this.#take(8, what);
    const value = this.#view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.error(`${what} is impossibly large (${value})`);
    return Number(value);
  }

  /** A number of things of at least `bytes` bytes each: refused when they cannot fit into the rest of the file. */
  count(what: string, bytes: number, limit: number): number {
    const count = this.uint64(what);
    const rest = this.#file.size - this.#at;
    if (count * bytes > rest || count > limit)
      throw this.error(`${what} is ${count}, but ${rest} bytes are left in the file: it is cut off or corrupt`);
    return count;
  }

  string(what: string): string {
    const bytes = new Uint8Array(this.count(`the length of ${what}`, 1, 1 << 26));
    if (bytes.length <= WINDOW) {
      const at = this.#take(bytes.length, what);
      bytes.set(this.#window.subarray(at, at + bytes.length));
    } else {
      this.#file.readAt(this.#at, bytes, what);
      this.#at += bytes.length;
    }
    return Buffer.from(bytes.buffer).toString("utf8");
  }

  /** A metadata value of the given type number. */
  value(type: number, what: string, depth = 0): GgufValue {
    if (VALUE_BYTES[type] === undefined) throw this.error(`${what} has the unknown value type ${type}`);
    if (type === TEXT) return this.string(what);
    if (type === ARRAY) return this.#array(what, depth);
    const at = this.#take(VALUE_BYTES[type], what);
    return this.#scalar(type, at);
  }

  #array(what: string, depth: number): GgufValue[] {
    if (depth > 2) throw this.error(`${what} nests arrays too deeply`);
    const type = this.uint32(`the element type of ${what}`);
    const bytes = VALUE_BYTES[type];
    if (bytes === undefined) throw this.error(`${what} has elements of the unknown value type ${type}`);
    const count = this.count(`the length of ${what}`, bytes, MAX_ARRAY);
    const values: GgufValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(type, `element ${i} of ${what}`, depth + 1));
    return values;
  }

  #scalar(type: number, at: number): number | bigint | boolean {
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(at);
      case 1:
        return view.getInt8(at);
      case 2:
        return view.getUint16(at, true);
      case 3:
        return view.getInt16(at, true);
      case 4:
        return view.getUint32(at, true);
      case 5:
        return view.getInt32(at, true);
      case 6:
        return view.getFloat32(at, true);
      case 7:
        return view.getUint8(at) !== 0;
      case 12:
        return view.getFloat64(at, true);
      default: {
        const value = type === 10 ? view.getBigUint64(at, true) : view.getBigInt64(at, true);
        return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      }
    }
  }

  /** Makes the next `length` (at most a window) bytes available and steps over them; returns where they begin in the window. */
  #take(length: number, what: string): number {
    if (this.#at < this.#begin || this.#at + length > this.#begin + this.#window.length) {
      const rest = this.#file.size - this.#at;
      if (length > rest) throw this.error(`the file ends within ${what}, which needs ${length} bytes: copy it again`);
      this.#window = new Uint8Array(Math.min(WINDOW, rest));
      this.#file.readAt(this.#at, this.#window, what);
      this.#view = new DataView(this.#window.buffer);
      this.#begin = this.#at;
    }
    const at = this.#at - this.#begin;
    this.#at += length;
    return at;
  }
}
