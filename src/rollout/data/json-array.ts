import { DataError } from "../../utils/errors.ts";
import { parseRow } from "./jsonl.ts";
import { type OnBadRow, type Row, rowOr } from "./rows.ts";
import { MAX_ROW_LENGTH, textChunks } from "./text-chunks.ts";

/** Rows of a file that is one JSON array of objects. Only one element is held at a time. */
export async function* readJsonArray(path: string, onBad?: OnBadRow): AsyncGenerator<Row> {
  const scanner = new ArrayScanner(path);
  for await (const chunk of textChunks(path)) {
    for (const { text, line } of scanner.push(chunk)) {
      const row = rowOr(() => parseRow(text, `${path}, line ${line}`), onBad);
      if (row) yield row;
    }
  }
  scanner.end();
}

interface Element {
  readonly text: string;
  /** Line on which the element starts. */
  readonly line: number;
}

/** Where the next character stands: before the array, where an element may or must start, inside one, after one, after the array. */
type Place = "start" | "first" | "next" | "inside" | "after" | "done";

/** Cuts a JSON array into the texts of its elements; what is inside an element is left to the JSON parser. */
class ArrayScanner {
  readonly #path: string;
  #place: Place = "start";
  #line = 1;
  #elementLine = 1;
  #text = "";
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  constructor(path: string) {
    this.#path = path;
  }

  *push(chunk: string): Generator<Element> {
    let from = 0; // start of the current element's part of this chunk
    for (let i = 0; i < chunk.length; i++) {
      const char = chunk[i]!;
      if (char === "\n") this.#line++;
      if (this.#place !== "inside") {
        if (!" \t\r\n".includes(char) && this.#outside(char)) from = i;
      } else if (this.#closes(char)) {
        yield { text: this.#text + chunk.slice(from, i + 1), line: this.#elementLine };
        this.#text = "";
        this.#place = "after";
      }
    }
    if (this.#place !== "inside") return;
    this.#text += chunk.slice(from);
    if (this.#text.length > MAX_ROW_LENGTH) throw this.#error("a row is longer than 64 MB", this.#elementLine);
  }

  /** @throws DataError when the array is not closed */
  end(): void {
    if (this.#place === "start") throw this.#error("is empty; a JSON array of rows was expected");
    if (this.#place !== "done") throw this.#error("ends inside the array: the file is cut off");
  }

  /** One character between elements; whether it starts an element. */
  #outside(char: string): boolean {
    const place = this.#place;
    if (place === "start" && char === "[") this.#place = "first";
    else if ((place === "first" || place === "after") && char === "]") this.#place = "done";
    else if (place === "after" && char === ",") this.#place = "next";
    else if ((place === "first" || place === "next") && char === "{") {
      this.#place = "inside";
      this.#depth = 1;
      this.#elementLine = this.#line;
      return true;
    } else {
      const wanted = { start: "[", first: "{ or ]", next: "{", inside: "", after: ", or ]", done: "nothing more" }[
        place
      ];
      throw this.#error(`expected ${wanted}, found ${JSON.stringify(char)}: a .json file must be an array of objects`);
    }
    return false;
  }

  /** One character inside an element; whether it ends the element. */
  #closes(char: string): boolean {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#inString) {
      if (char === "\\") this.#isEscaped = true;
      else if (char === '"') this.#inString = false;
    } else if (char === '"') this.#inString = true;
    else if (char === "{" || char === "[") this.#depth++;
    else if (char === "}" || char === "]") return --this.#depth === 0;
    return false;
  }

  #error(problem: string, line = this.#line): DataError {
    return new DataError(`${this.#path}, line ${line}: ${problem}`);
  }
}
