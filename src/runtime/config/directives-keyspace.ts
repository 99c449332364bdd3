/** Directives: databases, memory and eviction, expiry, lazy freeing, encodings, notifications. */

import { type Directive, Flag } from "./directive.ts";
import { EVICTION_POLICIES, OOM_SCORE_ADJ } from "./enums.ts";
import { INT_MAX, INT_MIN, LONG_MAX, ULONG_MAX } from "./numbers.ts";
import { DEFAULT_OOM_SCORES, keyspaceEventsCodec, oomScoresCodec } from "./special.ts";

const MB = 1024 * 1024;

export const keyspaceDirectives: readonly Directive[] = [
  {
    name: "activerehashing", kind: "bool", default: true, effect: "none",
    reason: "the index grows without rehashing",
  },
  {
    name: "lazyfree-lazy-eviction", kind: "bool", default: true, flags: Flag.Debug,
    effect: "works",
  },
  { name: "lazyfree-lazy-expire", kind: "bool", default: true, flags: Flag.Debug, effect: "works" },
  {
    name: "lazyfree-lazy-server-del", kind: "bool", default: true, flags: Flag.Debug,
    effect: "works",
  },
  {
    name: "lazyfree-lazy-user-del", kind: "bool", default: true, flags: Flag.Debug,
    effect: "works",
  },
  {
    name: "lazyfree-lazy-user-flush", kind: "bool", default: true, flags: Flag.Debug,
    effect: "works",
  },
  {
    name: "jemalloc-bg-thread", kind: "bool", default: true, effect: "none",
    reason: "there is no jemalloc",
  },
  { name: "activedefrag", kind: "bool", default: false, flags: Flag.Debug, effect: "works" },
  {
    name: "disable-thp", kind: "bool", default: true, flags: Flag.Immutable, effect: "none",
    reason: "memory pages are the run time's business",
  },
  {
    name: "maxmemory-policy", kind: "enum", values: EVICTION_POLICIES, default: 7, effect: "works",
  },
  {
    name: "oom-score-adj", kind: "enum", values: OOM_SCORE_ADJ, default: 0, effect: "none",
    reason: "there is no child process",
  },
  {
    name: "databases", kind: "int", min: 1, max: INT_MAX, default: 16, flags: Flag.Immutable,
    effect: "works",
  },
  {
    name: "list-max-listpack-size", alias: "list-max-ziplist-size", kind: "int", min: INT_MIN,
    max: INT_MAX, default: -2, effect: "works",
  },
  {
    name: "active-defrag-cycle-min", kind: "int", min: 1, max: 99, default: 1, effect: "none",
    reason: "compaction paces itself",
  },
  {
    name: "active-defrag-cycle-max", kind: "int", min: 1, max: 99, default: 25, effect: "none",
    reason: "compaction paces itself",
  },
  {
    name: "active-defrag-threshold-lower", kind: "int", min: 0, max: 1000, default: 10,
    effect: "none", reason: "compaction paces itself",
  },
  {
    name: "active-defrag-threshold-upper", kind: "int", min: 0, max: 1000, default: 100,
    effect: "none", reason: "compaction paces itself",
  },
  {
    name: "active-defrag-cycle-us", kind: "int", min: 0, max: 100000, default: 500, effect: "none",
    reason: "compaction paces itself",
  },
  { name: "lfu-log-factor", kind: "int", min: 0, max: INT_MAX, default: 10, effect: "works" },
  { name: "lfu-decay-time", kind: "int", min: 0, max: INT_MAX, default: 1, effect: "works" },
  { name: "maxmemory-samples", kind: "int", min: 1, max: 64, default: 5, effect: "works" },
  {
    name: "maxmemory-eviction-tenacity", kind: "int", min: 0, max: 100, default: 10,
    effect: "works",
  },
  {
    name: "list-compress-depth", kind: "int", min: 0, max: INT_MAX, default: 0, flags: Flag.Debug,
    effect: "works",
  },
  { name: "active-expire-effort", kind: "int", min: 1, max: 10, default: 1, effect: "works" },
  { name: "hz", kind: "int", min: 0, max: INT_MAX, default: 10, clamp: [1, 500], effect: "works" },
  {
    name: "active-defrag-max-scan-fields", kind: "ulong", min: 1, max: LONG_MAX, default: 1000,
    effect: "none", reason: "compaction paces itself",
  },
  {
    name: "stream-node-max-entries", kind: "long-long", min: 0, max: LONG_MAX, default: 100,
    effect: "works",
  },
  {
    name: "maxmemory", kind: "ulong-long", unit: "memory", min: 0, max: ULONG_MAX, default: 0,
    effect: "works",
  },
  {
    name: "hash-max-listpack-entries", alias: "hash-max-ziplist-entries", kind: "ulong", min: 0,
    max: LONG_MAX, default: 512, effect: "works",
  },
  {
    name: "set-max-intset-entries", kind: "ulong", min: 0, max: LONG_MAX, default: 512,
    effect: "works",
  },
  {
    name: "set-max-listpack-entries", kind: "ulong", min: 0, max: LONG_MAX, default: 128,
    effect: "works",
  },
  {
    name: "set-max-listpack-value", kind: "ulong", min: 0, max: LONG_MAX, default: 64,
    effect: "works",
  },
  {
    name: "zset-max-listpack-entries", alias: "zset-max-ziplist-entries", kind: "ulong", min: 0,
    max: LONG_MAX, default: 128, effect: "works",
  },
  {
    name: "active-defrag-ignore-bytes", kind: "ulong", unit: "memory", min: 1, max: LONG_MAX,
    default: 100 * MB, effect: "none", reason: "compaction paces itself",
  },
  {
    name: "hash-max-listpack-value", alias: "hash-max-ziplist-value", kind: "ulong",
    unit: "memory", min: 0, max: LONG_MAX, default: 64, effect: "works",
  },
  {
    name: "stream-node-max-bytes", kind: "ulong", unit: "memory", min: 0, max: LONG_MAX,
    default: 4096, effect: "works",
  },
  {
    name: "zset-max-listpack-value", alias: "zset-max-ziplist-value", kind: "ulong",
    unit: "memory", min: 0, max: LONG_MAX, default: 64, effect: "works",
  },
  {
    name: "hll-sparse-max-bytes", kind: "ulong", unit: "memory", min: 0, max: LONG_MAX,
    default: 3000, effect: "works",
  },
  {
    name: "oom-score-adj-values", kind: "special", default: DEFAULT_OOM_SCORES,
    codec: oomScoresCodec, flags: Flag.MultiArg, effect: "none",
    reason: "there is no child process",
  },
  {
    name: "notify-keyspace-events", kind: "special", default: 0, codec: keyspaceEventsCodec,
    effect: "works",
  },
  { name: "dynamic-hz", kind: "bool", default: true, effect: "works" },
  {
    name: "lazyexpire-nested-arbitrary-keys", kind: "bool", default: true, flags: Flag.Hidden,
    effect: "none", reason: "a detail of Redis 8",
  },
];
