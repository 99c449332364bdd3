/** Names of enumerated values. Bits matter only for flags; elsewhere values are just distinct. */

import type { EnumTable } from "./directive.ts";

/** Values 0, 1, 2, ... in the order of the names. */
function enumerate(...names: readonly string[]): EnumTable {
  return names.map((name, index) => [name, index] as const);
}

export const EVICTION_POLICIES = enumerate(
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "noeviction",
);
export const SYSLOG_FACILITIES = enumerate(
  "user",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
);
export const LOG_LEVELS = enumerate("debug", "verbose", "notice", "warning", "nothing");
export const SUPERVISED = enumerate("upstart", "systemd", "auto", "no");
export const APPEND_FSYNC = enumerate("everysec", "always", "no");
export const DISKLESS_LOAD = enumerate("disabled", "on-empty-db", "swapdb", "flush-before-load");
export const TLS_AUTH_CLIENTS = enumerate("no", "yes", "optional");
export const ACL_PUBSUB_DEFAULT: EnumTable = [
  ["allchannels", 1],
  ["resetchannels", 0],
];
export const SANITIZE_DUMP = enumerate("no", "yes", "clients");
export const PROTECTED_ACTION = enumerate("no", "yes", "local");
export const ENDPOINT_TYPES = enumerate("ip", "hostname", "unknown-endpoint");
export const PROPAGATION_ERRORS = enumerate("ignore", "panic", "panic-on-replicas");
export const LOG_FORMATS = enumerate("legacy", "logfmt");
export const LOG_TIMESTAMPS = enumerate("legacy", "iso8601", "milliseconds");
export const RDB_VERSION = enumerate("auto", "9", "10", "11", "12");
export const RDB_VERSION_CHECK = enumerate("strict", "relaxed");
export const OOM_SCORE_ADJ: EnumTable = [
  ["no", 0],
  ["yes", 1],
  ["relative", 1],
  ["absolute", 2],
];
/** Bits: several may be given. */
export const SHUTDOWN_FLAGS: EnumTable = [
  ["default", 0],
  ["save", 1],
  ["nosave", 2],
  ["now", 4],
  ["force", 8],
];
