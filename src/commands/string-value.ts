// HOT PATH: rules in src/README.md
/**
 * Strings in their records, as the string and bitmap commands read and grow them. All are O(1),
 * plus the bytes that they copy.
 */
import { copyBytes } from "../base/bytes.ts";
import { parseInt64, parseInteger } from "../base/integer.ts";
import {
  Meta,
  StringEncoding,
  ValueType,
  metaOf,
  setMeta,
  typeOf,
  valueAt,
  valueStart,
  viewOf,
} from "../keyspace/record.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import { storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";

export function isString(arena: Arena, record: number): boolean {
  return typeOf(metaOf(arena, record)) === ValueType.STRING;
}

/** Bytes of a string record's value. */
export function stringLength(arena: Arena, record: number): number {
  const view = viewOf(arena, record);
  return storedLength(view, valueAt(view, record, metaOf(arena, record)));
}

/** Offset of a string record's bytes in `viewOf(record)`, and in its segment's `bytes`. */
export function stringStart(arena: Arena, record: number): number {
  const view = viewOf(arena, record);
  return valueStart(view, valueAt(view, record, metaOf(arena, record)));
}

/** The segment's bytes in which a record lies. */
export function bytesOf(arena: Arena, record: number): Uint8Array {
  return arena.bytes[record >>> Ref.SEGMENT_SHIFT];
}

/** Replies with the value of a string record. */
export function replyString(arena: Arena, record: number, reply: ReplyWriter): void {
  reply.bulk(viewOf(arena, record), stringStart(arena, record), stringLength(arena, record));
}

/** Makes OBJECT ENCODING say "raw" from now on. */
export function markRaw(arena: Arena, record: number): void {
  const meta = metaOf(arena, record) & ~(Meta.ENCODING_MASK << Meta.ENCODING_SHIFT);
  setMeta(arena, record, meta | (StringEncoding.RAW << Meta.ENCODING_SHIFT));
}

/**
 * Makes the string of key `args[keyIndex]`, which was looked up last as `record` (0 = missing), at
 * least `length` bytes long, with zeros behind what it has, and "raw". Returns its record.
 */
export function growWithZeros(
  ctx: CommandContext,
  args: Args,
  keyIndex: number,
  record: number,
  length: number,
): number {
  const arena = ctx.keyspace.arena;
  let grown = record;
  let oldLength = 0;
  if (record === 0) {
    const from = args.start[keyIndex];
    const to = args.end[keyIndex];
    grown = ctx.db.insertRecord(args.view, from, to, 0, storedBytes(length));
    const view = viewOf(arena, grown);
    writePrefix(view, valueAt(view, grown, metaOf(arena, grown)), length);
  } else {
    oldLength = stringLength(arena, record);
    if (length > oldLength) grown = ctx.db.resizeString(record, length);
  }
  if (length > oldLength) {
    const start = stringStart(arena, grown);
    bytesOf(arena, grown).fill(0, start + oldLength, start + length);
  }
  markRaw(arena, grown);
  return grown;
}

/** Overwrites bytes of a string from `offset` with argument `index`. Requires: they fit. */
export function writeArgument(
  arena: Arena,
  record: number,
  offset: number,
  args: Args,
  index: number,
): void {
  copyBytes(
    viewOf(arena, record),
    stringStart(arena, record) + offset,
    args.view,
    args.start[index],
    args.lengthOf(index),
  );
}

/**
 * Argument `index` as an offset into a string: any 64-bit integer, rounded beyond 2^53, where only
 * its size counts any more. NaN after an error reply.
 */
export function offsetArgument(
  args: Args,
  index: number,
  reply: ReplyWriter,
  error: string = errors.NOT_AN_INTEGER,
): number {
  const value = parseInteger(args.bytes, args.start[index], args.end[index]);
  if (value === value) return value;
  const exact = parseInt64(args.bytes, args.start[index], args.end[index]);
  if (exact !== null) return Number(exact);
  reply.error(error);
  return NaN;
}

/**
 * Whether the offsets in arguments `index` and `index + 1`, already parsed as `start` and `end`,
 * both count from the end and the second lies before the first: such a range is empty however
 * short the string is.
 */
export function isReversed(args: Args, index: number, start: number, end: number): boolean {
  if (start >= 0 || end >= 0) return false;
  if (start !== end || start >= Number.MIN_SAFE_INTEGER) return start > end;
  const exactStart = parseInt64(args.bytes, args.start[index], args.end[index]) ?? 0n;
  const exactEnd = parseInt64(args.bytes, args.start[index + 1], args.end[index + 1]) ?? 0n;
  return exactStart > exactEnd;
}

/** Argument `index` as an integer above 0; NaN after an error reply. */
export function positiveArgument(
  args: Args,
  index: number,
  reply: ReplyWriter,
  error: string,
): number {
  const value = offsetArgument(args, index, reply, error);
  if (value <= 0) {
    reply.error(error);
    return NaN;
  }
  return value;
}
