/** Directives: RDB and AOF files, the data directory, shutdown. */

import {
  checkAppendDirectoryName,
  checkAppendFileName,
  checkDatabaseFileName,
  checkShutdownFlags,
} from "./checks.ts";
import { type Directive, Flag } from "./directive.ts";
import {
  APPEND_FSYNC,
  PROPAGATION_ERRORS,
  RDB_VERSION_CHECK,
  SANITIZE_DUMP,
  SHUTDOWN_FLAGS,
} from "./enums.ts";
import { INT_MAX, INT_MIN, LONG_MAX } from "./numbers.ts";
import { DEFAULT_SAVE, directoryCodec, saveCodec } from "./special.ts";

const MB = 1024 * 1024;

export const persistenceDirectives: readonly Directive[] = [
  { name: "rdbchecksum", kind: "bool", default: true, flags: Flag.Immutable, effect: "none" },
  { name: "rdbcompression", kind: "bool", default: true, effect: "none" },
  { name: "rdb-del-sync-files", kind: "bool", default: false, effect: "none" },
  { name: "stop-writes-on-bgsave-error", kind: "bool", default: true, effect: "none" },
  { name: "aof-rewrite-incremental-fsync", kind: "bool", default: true, effect: "none" },
  { name: "no-appendfsync-on-rewrite", kind: "bool", default: false, effect: "none" },
  { name: "rdb-save-incremental-fsync", kind: "bool", default: true, effect: "none" },
  { name: "aof-load-truncated", kind: "bool", default: true, effect: "none" },
  { name: "aof-use-rdb-preamble", kind: "bool", default: true, effect: "none" },
  { name: "aof-timestamp-enabled", kind: "bool", default: false, effect: "none" },
  { name: "appendonly", kind: "bool", default: false, flags: Flag.DenyLoading, effect: "none" },
  { name: "aof-disable-auto-gc", kind: "bool", default: false, flags: Flag.Hidden, effect: "none" },
  {
    name: "dbfilename", kind: "string", default: "dump.rdb", check: checkDatabaseFileName,
    flags: Flag.Protected, effect: "none",
  },
  {
    name: "appendfilename", kind: "string", default: "appendonly.aof", check: checkAppendFileName,
    flags: Flag.Immutable, effect: "none",
  },
  {
    name: "appenddirname", kind: "string", default: "appendonlydir",
    check: checkAppendDirectoryName, flags: Flag.Immutable, effect: "none",
  },
  {
    name: "aof-rewrite-cpulist", alias: "aof_rewrite_cpulist", kind: "string", default: null,
    flags: Flag.Immutable, effect: "none", reason: "there is no child process",
  },
  {
    name: "bgsave-cpulist", alias: "bgsave_cpulist", kind: "string", default: null,
    flags: Flag.Immutable, effect: "none", reason: "there is no child process",
  },
  { name: "appendfsync", kind: "enum", values: APPEND_FSYNC, default: 0, effect: "none" },
  {
    name: "sanitize-dump-payload", kind: "enum", values: SANITIZE_DUMP, default: 0,
    flags: Flag.Debug, effect: "none",
  },
  {
    name: "propagation-error-behavior", kind: "enum", values: PROPAGATION_ERRORS, default: 0,
    effect: "none",
  },
  {
    name: "shutdown-on-sigint", kind: "flags", values: SHUTDOWN_FLAGS, default: 0,
    check: checkShutdownFlags, flags: Flag.MultiArg, effect: "works",
  },
  {
    name: "shutdown-on-sigterm", kind: "flags", values: SHUTDOWN_FLAGS, default: 0,
    check: checkShutdownFlags, flags: Flag.MultiArg, effect: "works",
  },
  {
    name: "rdb-version-check", kind: "enum", values: RDB_VERSION_CHECK, default: 0, effect: "none",
  },
  {
    name: "auto-aof-rewrite-percentage", kind: "int", min: 0, max: INT_MAX, default: 100,
    effect: "none",
  },
  {
    name: "rdb-key-save-delay", kind: "int", min: INT_MIN, max: INT_MAX, default: 0,
    flags: Flag.Hidden, effect: "none",
  },
  { name: "shutdown-timeout", kind: "int", min: 0, max: INT_MAX, default: 10, effect: "works" },
  {
    name: "auto-aof-rewrite-min-size", kind: "long-long", unit: "memory", min: 0, max: LONG_MAX,
    default: 64 * MB, effect: "none",
  },
  {
    name: "dir", kind: "special", default: ".", codec: directoryCodec,
    flags: Flag.Protected | Flag.DenyLoading, effect: "works",
  },
  {
    name: "save", kind: "special", default: DEFAULT_SAVE, codec: saveCodec, flags: Flag.MultiArg,
    effect: "none",
  },
];
