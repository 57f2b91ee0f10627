import { createReadStream } from "node:fs";
import { DataError, messageOf } from "../../utils/errors.ts";

/** Longest row of a text file in characters. */
export const MAX_ROW_LENGTH = 64 * 2 ** 20;

/**
 * The text of a UTF-8 file in pieces; a byte order mark is dropped.
 * @throws DataError when the bytes are not UTF-8 or the file cannot be read
 */
export async function* textChunks(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const stream = createReadStream(path);
  try {
    for await (const chunk of stream) yield decode(decoder, path, chunk as Buffer);
    yield decode(decoder, path);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${path}: cannot be read: ${messageOf(error)}`, { cause: error });
  } finally {
    stream.destroy();
  }
}

function decode(decoder: TextDecoder, path: string, chunk?: Buffer): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch (error) {
    throw new DataError(`${path}: is not UTF-8 text; is it a compressed or binary file?`, { cause: error });
  }
}
