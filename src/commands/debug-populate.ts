/**
 * DEBUG POPULATE: many keys at once, for tests and measurements. Ten million take seconds, so keys
 * and values are counted up as digits in two buffers, and nothing is allocated per key.
 */
import { copyBytes } from "../base/bytes.ts";
import { parseInteger, writeInteger } from "../base/integer.ts";
import { StringEncoding } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { BATCH_MAX } from "../protocol/request-parser.ts";
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

/**
 * Keys are written and hashed BATCH_MAX at a time, and the memory that their lookups will read is
 * touched together, as a pipeline's is.
 */
function populate(ctx: CommandContext, count: number, prefix: string, size: number): void {
  const { index } = ctx.db;
  const batch = newKeyBatch(prefix);
  const valueBytes = new Uint8Array(Math.max(size, VALUE_PREFIX.length + DIGITS_MAX));
  const value = new DataView(valueBytes.buffer);
  writeText(valueBytes, 0, VALUE_PREFIX);
  for (let first = 0; first < count; first += BATCH_MAX) {
    const keys = Math.min(BATCH_MAX, count - first);
    for (let i = 0; i < keys; i++) {
      const start = i * batch.stride;
      batch.ends[i] = writeInteger(batch.bytes, start + batch.digitsAt, first + i);
      const end = Math.min(batch.ends[i], start + KEY_BYTES_MAX);
      batch.hashes[i] = index.hash(batch.view, start, end);
    }
    index.prefetch(batch.hashes, keys);
    for (let i = 0; i < keys; i++) insertKey(ctx, batch, i, value, size);
  }
  ctx.keyspace.hashedView = null;
}

/** Inserts key `i` of the batch, unless it exists. */
function insertKey(
  ctx: CommandContext,
  batch: KeyBatch,
  i: number,
  value: DataView,
  size: number,
): void {
  const { db, keyspace } = ctx;
  const start = i * batch.stride;
  const end = Math.min(batch.ends[i], start + KEY_BYTES_MAX);
  keyspace.hashedView = batch.view;
  keyspace.hashedStart = start;
  keyspace.hashedHash = batch.hashes[i];
  if (db.lookupWrite(batch.view, start, end) !== 0) return;
  const digits = batch.ends[i] - start - batch.digitsAt;
  copyBytes(value, VALUE_PREFIX.length, batch.view, start + batch.digitsAt, digits);
  const length = size === 0 ? VALUE_PREFIX.length + digits : size;
  db.insertString(batch.view, start, end, value, 0, length, StringEncoding.AUTO);
  db.signal(batch.view, start, end);
}

/** Keys that are inserted next: each is the prefix, a colon, and digits that are counted up. */
interface KeyBatch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Bytes from one key to the next. */
  readonly stride: number;
  /** Where a key's digits begin, from its start. */
  readonly digitsAt: number;
  /** Where each key's digits end, from the first key's start. */
  readonly ends: Int32Array;
  readonly hashes: Int32Array;
}

function newKeyBatch(prefix: string): KeyBatch {
  const digitsAt = prefix.length + 1;
  const stride = digitsAt + DIGITS_MAX;
  const bytes = new Uint8Array(stride * BATCH_MAX);
  for (let i = 0; i < BATCH_MAX; i++) writeText(bytes, i * stride, `${prefix}:`);
  const ends = new Int32Array(BATCH_MAX);
  const hashes = new Int32Array(BATCH_MAX);
  return { bytes, view: new DataView(bytes.buffer), stride, digitsAt, ends, hashes };
}

function writeText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}
