// HOT PATH: rules in src/README.md
/**
 * A record: one key with its value, as it lies in the arena. The keyspace index refers to records.
 *
 *     offset  size      meaning
 *          0  u32       meta word, see below
 *          4  1/3/5+n   key, as memory/stored-bytes.ts stores byte strings
 *          .  8         expiry, only with Meta.EXPIRY: signed 64-bit unix milliseconds, unaligned
 *          .  1/3/5+n   value, inline: a stored byte string (without Meta.ROOT)
 *          .  4         or the reference of the value's root block (with Meta.ROOT)
 *
 *     meta word   bits 0..23   access clock: LRU seconds, or LFU (16 bits minutes, 8 bits counter)
 *                      24..26  type (ValueType)
 *                      27..28  encoding within the type
 *                      29      ROOT: the value is a root block, not inline
 *                      30      EXPIRY: the record has an expiry and stands in the volatile index
 *                      31      FIELD_EXPIRY: it is a hash with fields that expire, and stands in
 *                              the index of those
 *
 * 3,000,000 keys of 11 bytes with 32-byte values take 56 bytes each here, 63 with the index.
 *
 * Invariants
 *  1. A record's block was allocated with exactly `recordBytes` bytes.
 *  2. A record has EXPIRY exactly while the volatile index of its database holds it, and
 *     FIELD_EXPIRY exactly while the index of hashes with expiring fields does.
 *
 * Why the key is inline and not a reference: a lookup then costs one cache miss, not two.
 * Why text and no binary integers: GET is a copy, and small numbers are shorter as text.
 */
import { type Arena, Ref } from "../memory/arena.ts";
import { copyBytes } from "../base/bytes.ts";
import { prefixBytes, storedBytes, storedEnd, storedLength } from "../memory/stored-bytes.ts";

export const enum ValueType {
  STRING = 0,
  LIST = 1,
  SET = 2,
  ZSET = 3,
  HASH = 4,
  STREAM = 5,
}

/**
 * Encodings of a string: AUTO is "int", "embstr" or "raw" by its bytes, RAW always "raw", TEXT
 * "embstr" or "raw" by its length even if it spells an integer (INCRBYFLOAT makes such).
 */
export const enum StringEncoding {
  AUTO = 0,
  RAW = 1,
  TEXT = 2,
}

export const enum Meta {
  CLOCK_MASK = 0x00ffffff,
  TYPE_SHIFT = 24,
  TYPE_MASK = 7,
  ENCODING_SHIFT = 27,
  ENCODING_MASK = 3,
  ROOT = 0x20000000,
  EXPIRY = 0x40000000,
  FIELD_EXPIRY = -0x80000000,
}

/** Bytes of the meta word, and so where the key begins: `keyAt` of the keyspace indexes. */
export const RECORD_KEY_AT = 4;
const EXPIRY_BYTES = 8;
const ROOT_BYTES = 4;

export function metaOf(arena: Arena, record: number): number {
  return arena.words[record >>> Ref.SEGMENT_SHIFT][(record & Ref.GRANULE_MASK) << 1];
}

export function setMeta(arena: Arena, record: number, meta: number): void {
  arena.words[record >>> Ref.SEGMENT_SHIFT][(record & Ref.GRANULE_MASK) << 1] = meta;
}

export function typeOf(meta: number): ValueType {
  return (meta >>> Meta.TYPE_SHIFT) & Meta.TYPE_MASK;
}

export function encodingOf(meta: number): number {
  return (meta >>> Meta.ENCODING_SHIFT) & Meta.ENCODING_MASK;
}

export function viewOf(arena: Arena, record: number): DataView {
  return arena.views[record >>> Ref.SEGMENT_SHIFT];
}

/** Offset of the key's bytes in `viewOf(record)`; their count is `keyLength`. */
export function keyStart(view: DataView, record: number): number {
  const at = ((record & Ref.GRANULE_MASK) << 3) + RECORD_KEY_AT;
  return at + prefixBytes(storedLength(view, at));
}

export function keyLength(view: DataView, record: number): number {
  return storedLength(view, ((record & Ref.GRANULE_MASK) << 3) + RECORD_KEY_AT);
}

/** Offset behind the key: of the expiry if there is one, else of the value. */
function keyEnd(view: DataView, record: number): number {
  return storedEnd(view, ((record & Ref.GRANULE_MASK) << 3) + RECORD_KEY_AT);
}

/** Offset of the value: of a stored byte string, or of a root reference. */
export function valueAt(view: DataView, record: number, meta: number): number {
  return keyEnd(view, record) + ((meta & Meta.EXPIRY) !== 0 ? EXPIRY_BYTES : 0);
}

/** Offset of an inline value's bytes; `storedLength(view, valueAt)` is their count. */
export function valueStart(view: DataView, at: number): number {
  return at + prefixBytes(storedLength(view, at));
}

/** The reference of the value's root block. Requires: Meta.ROOT. */
export function rootOf(view: DataView, record: number, meta: number): number {
  return view.getInt32(valueAt(view, record, meta), true);
}

/** Lets the record refer to another root block. Requires: Meta.ROOT. */
export function setRoot(view: DataView, record: number, meta: number, root: number): void {
  view.setInt32(valueAt(view, record, meta), root, true);
}

/** Bytes that the record was allocated with. */
export function recordBytes(view: DataView, record: number, meta: number): number {
  const at = valueAt(view, record, meta);
  const value = (meta & Meta.ROOT) !== 0 ? ROOT_BYTES : storedBytes(storedLength(view, at));
  return at + value - ((record & Ref.GRANULE_MASK) << 3);
}

/** Bytes that a record with these properties needs. `valueBytes` counts the length prefix. */
export function recordBytesFor(key: number, hasExpiry: boolean, valueBytes: number): number {
  return RECORD_KEY_AT + storedBytes(key) + (hasExpiry ? EXPIRY_BYTES : 0) + valueBytes;
}

/** The expiry in unix milliseconds, rounded to a double beyond 2^53. Requires: Meta.EXPIRY. */
export function expireAtMs(view: DataView, record: number): number {
  const at = keyEnd(view, record);
  return view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true);
}

/** The expiry, exact. Requires: Meta.EXPIRY. */
export function expireAtExact(view: DataView, record: number): bigint {
  return view.getBigInt64(keyEnd(view, record), true);
}

/** Copies the expiry of one record to another, exactly. Requires: Meta.EXPIRY in both. */
export function copyExpireAt(
  target: DataView,
  targetRecord: number,
  source: DataView,
  sourceRecord: number,
): void {
  copyBytes(target, keyEnd(target, targetRecord), source, keyEnd(source, sourceRecord), 8);
}

/** Overwrites the expiry. Requires: Meta.EXPIRY. */
export function writeExpireAt(view: DataView, record: number, atMs: number | bigint): void {
  const at = keyEnd(view, record);
  if (typeof atMs === "bigint") {
    view.setBigInt64(at, atMs, true);
    return;
  }
  const high = Math.floor(atMs / 4294967296);
  view.setUint32(at, atMs - high * 4294967296, true);
  view.setInt32(at + 4, high, true);
}
