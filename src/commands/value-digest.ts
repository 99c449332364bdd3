/**
 * Digests of values: XXH3 of the value's bytes, 64 bits with seed 0, as 16 hexadecimal digits. A
 * client that holds a large value can so make its next write depend on it without sending it.
 */
import type { Arena } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import { bytesOf, stringLength, stringStart } from "./string-value.ts";

const DIGITS = 16;

/** The digest of a string record. O(length). */
export function digestOf(arena: Arena, record: number): string {
  const start = stringStart(arena, record);
  const bytes = bytesOf(arena, record).subarray(start, start + stringLength(arena, record));
  return Bun.hash.xxHash3(bytes).toString(16).padStart(DIGITS, "0");
}

/** Whether argument `index` is the digest of a string record, in either case. O(length). */
export function digestMatches(arena: Arena, record: number, args: Args, index: number): boolean {
  return args.text(index).toLowerCase() === digestOf(arena, record);
}
