/**
 * The client's way to the user: standard output and standard error, written at once and completely,
 * and the end of the program. Texts are byte strings, since replies hold any bytes.
 */
import { writeSync } from "node:fs";

/** Ends the program with this code. Thrown, so that every mode can end from wherever it is. */
export class CliExit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

const STDOUT = 1;
const STDERR = 2;
const RETRY_MS = 1;

export function print(text: string): void {
  writeAll(STDOUT, Buffer.from(text, "latin1"));
}

export function printError(text: string): void {
  writeAll(STDERR, Buffer.from(text, "latin1"));
}

/** Prints to standard error and ends with code 1. */
export function fail(text: string): never {
  printError(text);
  throw new CliExit(1);
}

/** Binary output, for --rdb -. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      // Nobody reads any more, as in `bunsen cli --scan | head`.
      if (code !== "EAGAIN") throw new CliExit(1);
      Bun.sleepSync(RETRY_MS);
    }
  }
}
