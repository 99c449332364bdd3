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

/** The version of the payloads that are written, but of hashes of which fields expire. */
export const RDB_VERSION = 11;
/** Versions above REDIS_VERSION_READ up to this one are Redis's, and are not known here. */
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
  /** Before Redis 7.4's release: count, then for each field: time or 0, field, value. */
  HASH_METADATA_PRE_GA = 22,
  /** The same, as a listpack of field, value, time or 0. */
  HASH_LISTPACK_EX_PRE_GA = 23,
  /** Redis 7.4: the least time of all (i64), then as 22, each time less that one, plus 1. */
  HASH_METADATA = 24,
  /** Redis 7.4: the least time of all (i64), then as 23. */
  HASH_LISTPACK_EX = 25,
}

/** In files that begin with VALKEY, type 22: count, then for each: field, value, i64 time or -1. */
export const VALKEY_HASH_2 = 22;
/** What the decoder takes it as, since it shares its number with another type. */
export const HASH_2 = 278;

/** The newest versions that Redis and Valkey have written and that are read in full. */
export const REDIS_VERSION_READ = 12;
export const VALKEY_VERSION_READ = 80;

/** What stands in a file where a value's type may stand. */
export const enum RdbOpcode {
  MODULE_PRE_GA = 6,
  MODULE_2 = 7,
  SLOT_IMPORT = 243,
  SLOT_INFO = 244,
  FUNCTION_2 = 245,
  FUNCTION_PRE_GA = 246,
  MODULE_AUX = 247,
  IDLE = 248,
  FREQUENCY = 249,
  AUX = 250,
  RESIZE_DB = 251,
  EXPIRE_MS = 252,
  EXPIRE_SECONDS = 253,
  SELECT_DB = 254,
  END = 255,
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
