/**
 * Classes of keyspace events, as notify-keyspace-events names them: each letter is a bit.
 * Source: the "Keyspace notifications" page of Redis's documentation; the letters are Valkey 8.1's.
 */
export const enum NotifyClass {
  KEYSPACE = 1 << 0,
  KEYEVENT = 1 << 1,
  GENERIC = 1 << 2,
  STRING = 1 << 3,
  LIST = 1 << 4,
  SET = 1 << 5,
  HASH = 1 << 6,
  ZSET = 1 << 7,
  EXPIRED = 1 << 8,
  EVICTED = 1 << 9,
  STREAM = 1 << 10,
  KEY_MISS = 1 << 11,
  LOADED = 1 << 12,
  MODULE = 1 << 13,
  NEW = 1 << 14,
}
