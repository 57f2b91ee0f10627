import type { HubPull } from "../policy/hub-download.ts";
import { columns, tell } from "./output.ts";

/** One line a file on stderr, redrawn on a terminal while it comes. */
export function showProgress(): (file: { path: string; bytes: number }, done: number) => void {
  let shown = -1;
  return ({ path, bytes }, done) => {
    const percent = Math.floor((100 * done) / Math.max(bytes, 1));
    if (done === bytes) tell(`${process.stderr.isTTY ? "\r\u001b[2K" : ""}${path}  ${sizeText(bytes)}`);
    else if (process.stderr.isTTY && percent !== shown) process.stderr.write(`\r\u001b[2K${path}  ${percent} %`);
    shown = done === bytes ? -1 : percent;
  };
}

/** The files of a pull, one line each. */
export function pulledFiles({ files }: HubPull): string {
  return columns(
    files.map(({ local, bytes, fetched }) => [sizeText(bytes), fetched === 0 ? "was here" : "fetched", local]),
  );
}

function sizeText(bytes: number): string {
  return bytes < 1e5 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
}
