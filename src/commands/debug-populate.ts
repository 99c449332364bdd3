/**
 * DEBUG POPULATE: many keys at once, for tests and measurements. Ten million take seconds, so keys
 * and values are counted up as digits in two buffers, and nothing is allocated per key.
 */
import { copyBytes } from "../base/bytes.ts";
import { parseInteger, writeInteger } from "../base/integer.ts";
import { StringEncoding } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";

const DEFAULT_PREFIX = "key";
/** Longer keys are cut: Redis builds them in a buffer of 128 bytes, the last one a NUL. */
const KEY_BYTES_MAX = 127;
const DIGITS_MAX = 20;
const VALUE_PREFIX = "value:";
const VALUE_BYTES_MAX = 512 * 1024 * 1024;

/**
 * DEBUG POPULATE count [prefix [size]]: keys "prefix:0" on, with values "value:0" on, which a size
 * cuts or fills up with zero bytes. Keys that exist stay as they are.
 */
export function debugPopulate(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const count = countArgument(args, 2, reply);
  if (count < 0) return;
  let size = 0;
  if (args.count === 5) size = countArgument(args, 4, reply);
  if (size < 0) return;
  if (size > VALUE_BYTES_MAX) {
    reply.error(errors.STRING_TOO_LONG);
    return;
  }
  populate(ctx, count, args.count > 3 ? args.text(3) : DEFAULT_PREFIX, size);
  reply.ok();
}

/** A count that may not be negative; -1 after an error reply. */
function countArgument(args: Args, index: number, reply: ReplyWriter): number {
  const count = parseInteger(args.bytes, args.start[index], args.end[index]);
  if (count >= 0) return count;
  reply.error("ERR value is out of range, must be positive");
  return -1;
}

function populate(ctx: CommandContext, count: number, prefix: string, size: number): void {
  const { db } = ctx;
  const keyBytes = new Uint8Array(prefix.length + 1 + DIGITS_MAX);
  const key = new DataView(keyBytes.buffer);
  const keyDigits = writeText(keyBytes, `${prefix}:`);
  const valueBytes = new Uint8Array(Math.max(size, VALUE_PREFIX.length + DIGITS_MAX));
  const value = new DataView(valueBytes.buffer);
  const valueDigits = writeText(valueBytes, VALUE_PREFIX);
  for (let number = 0; number < count; number++) {
    const digitsEnd = writeInteger(keyBytes, keyDigits, number);
    const keyEnd = Math.min(digitsEnd, KEY_BYTES_MAX);
    if (db.lookupWrite(key, 0, keyEnd) !== 0) continue;
    const digits = digitsEnd - keyDigits;
    copyBytes(value, valueDigits, key, keyDigits, digits);
    const length = size === 0 ? valueDigits + digits : size;
    db.insertString(key, 0, keyEnd, value, 0, length, StringEncoding.AUTO);
    db.signal(key, 0, keyEnd);
  }
}

function writeText(bytes: Uint8Array, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return text.length;
}
