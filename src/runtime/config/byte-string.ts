/**
 * Byte strings: everywhere in this folder a string is a sequence of bytes, one character (U+0000 to
 * U+00FF) per byte, that is latin1. Values may be binary; a password must survive SET, GET and
 * REWRITE unchanged. Configuration is cold, so strings are affordable here. Text of the host (argv,
 * environment, paths) goes through `toByteString` and back through `fromByteString`.
 */

import { globMatch } from "../../base/glob.ts";
import { quoteBytes } from "../../base/sds-quote.ts";
import { splitArgs } from "../../base/split-args.ts";

/** UTF-16 text of the host to its UTF-8 bytes, one character per byte. */
export function toByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The reverse, for paths and messages that the host gets. */
export function fromByteString(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The part of a byte string that a C string holds: everything before the first NUL. */
export function beforeNul(bytes: string): string {
  const nul = bytes.indexOf("\0");
  return nul < 0 ? bytes : bytes.slice(0, nul);
}

/** ASCII-only lower case: latin1 letters above 0x7f are bytes, not letters. */
export function toLowerAscii(bytes: string): string {
  return bytes.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Removes blanks, tabs, carriage returns and newlines from both ends. */
export function trimLine(line: string): string {
  return line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}

/** The arguments of a line, or null on unbalanced quotes. An empty line has no arguments. */
export function splitArguments(line: string): string[] | null {
  const args = splitArgs(Buffer.from(line, "latin1"), 0, line.length);
  return args === null ? null : args.map((arg) => Buffer.from(arg).toString("latin1"));
}

/**
 * The value of a multi-argument directive in CONFIG SET: cut at every single blank, so two blanks
 * in a row yield an empty argument, and nothing at all yields no argument.
 */
export function splitOnBlanks(value: string): string[] {
  return value.length === 0 ? [] : value.split(" ");
}

/** The value in double quotes, such that `splitArguments` gives it back. */
export function quoteArgument(value: string): string {
  return Buffer.from(quoteBytes(Buffer.from(value, "latin1"), 0, value.length)).toString("latin1");
}

/** Whether the name matches the glob pattern, in any case of letters. */
export function matchesGlob(pattern: string, name: string): boolean {
  const patternBytes = Buffer.from(pattern, "latin1");
  const nameBytes = Buffer.from(name, "latin1");
  return globMatch(patternBytes, 0, patternBytes.length, nameBytes, 0, nameBytes.length, true);
}
