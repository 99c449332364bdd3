/**
 * Numbers of the RDB format, as Redis and Valkey define them.
 *
 *     length   00llllll                    6 bits
 *              01llllll llllllll           14 bits, upper bits first
 *              10000000 + 4 bytes          32 bits, big-endian
 *              10000001 + 8 bytes          64 bits, big-endian
 *              11eeeeee                    no length: a string in encoding e (RdbString)
 *
 *     string   length, bytes; or encoded: an integer of 1, 2 or 4 bytes, little-endian, that
 *              stands for its decimal text; or LZF: length, length of the text, compressed bytes
 *
 * A value is its type's byte (RdbType) and what that type says.
 */

/** The version of the payloads that are written, and the newest that is read. */
export const RDB_VERSION = 11;
/** Versions that Valkey leaves to formats that are not its own. */
export const RDB_FOREIGN_VERSION_MIN = 12;
export const RDB_FOREIGN_VERSION_MAX = 79;

export const enum RdbType {
  STRING = 0,
  LIST = 1,
  SET = 2,
  ZSET = 3,
  HASH = 4,
  ZSET_2 = 5,
  HASH_ZIPMAP = 9,
  LIST_ZIPLIST = 10,
  SET_INTSET = 11,
  ZSET_ZIPLIST = 12,
  HASH_ZIPLIST = 13,
  LIST_QUICKLIST = 14,
  STREAM_LISTPACKS = 15,
  HASH_LISTPACK = 16,
  ZSET_LISTPACK = 17,
  LIST_QUICKLIST_2 = 18,
  STREAM_LISTPACKS_2 = 19,
  SET_LISTPACK = 20,
  STREAM_LISTPACKS_3 = 21,
}

/** First bytes of lengths that do not begin with their own bits. */
export const enum RdbLength {
  BITS_14 = 0x40,
  BITS_32 = 0x80,
  BITS_64 = 0x81,
  ENCODED = 0xc0,
}

/** Encodings of strings: the first byte, with RdbLength.ENCODED. */
export const enum RdbString {
  INT8 = 0xc0,
  INT16 = 0xc1,
  INT32 = 0xc2,
  LZF = 0xc3,
}

/** What the elements of a quicklist's node lie in, since version 2. */
export const enum RdbNode {
  PLAIN = 1,
  PACKED = 2,
}
