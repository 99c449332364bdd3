/** Directives: replication and cluster. */

import {
  checkAnnouncedHostName,
  checkAnnouncedNodeName,
  checkClusterConfigFile,
  checkIpV4,
  checkIpV6,
} from "./checks.ts";
import { type Directive, Flag } from "./directive.ts";
import { DISKLESS_LOAD, ENDPOINT_TYPES } from "./enums.ts";
import { INT_MAX, INT_MIN, LONG_MAX, ULONG_MAX } from "./numbers.ts";
import { replicaOfCodec } from "./special.ts";

const KB = 1024;
const MB = 1024 * 1024;
const NO_TLS = "Unable to update TLS configuration. Check server logs.";

export const replicationDirectives: readonly Directive[] = [
  { name: "repl-disable-tcp-nodelay", kind: "bool", default: false, effect: "none" },
  { name: "repl-diskless-sync", kind: "bool", default: true, flags: Flag.Debug, effect: "none" },
  {
    name: "dual-channel-replication-enabled", kind: "bool", default: false, flags: Flag.Debug,
    effect: "none",
  },
  { name: "cluster-require-full-coverage", kind: "bool", default: true, effect: "none" },
  {
    name: "cluster-replica-no-failover", alias: "cluster-slave-no-failover", kind: "bool",
    default: false, effect: "none",
  },
  {
    name: "replica-lazy-flush", alias: "slave-lazy-flush", kind: "bool", default: true,
    effect: "none",
  },
  {
    name: "replica-serve-stale-data", alias: "slave-serve-stale-data", kind: "bool", default: true,
    effect: "none",
  },
  {
    name: "replica-read-only", alias: "slave-read-only", kind: "bool", default: true,
    flags: Flag.Debug, effect: "none",
  },
  {
    name: "replica-ignore-maxmemory", alias: "slave-ignore-maxmemory", kind: "bool", default: true,
    effect: "none",
  },
  { name: "cluster-enabled", kind: "bool", default: false, flags: Flag.Immutable, effect: "none" },
  { name: "cluster-allow-reads-when-down", kind: "bool", default: false, effect: "none" },
  { name: "cluster-allow-pubsubshard-when-down", kind: "bool", default: true, effect: "none" },
  { name: "cluster-allow-replica-migration", kind: "bool", default: true, effect: "none" },
  { name: "replica-announced", kind: "bool", default: true, effect: "none" },
  { name: "replica-ignore-disk-write-errors", kind: "bool", default: false, effect: "none" },
  { name: "cluster-slot-stats-enabled", kind: "bool", default: false, effect: "none" },
  { name: "import-mode", kind: "bool", default: false, flags: Flag.Debug, effect: "works" },
  {
    name: "replica-announce-ip", alias: "slave-announce-ip", kind: "string", default: null,
    effect: "none",
  },
  {
    name: "primaryuser", alias: "masteruser", kind: "string", default: null, flags: Flag.Sensitive,
    effect: "none",
  },
  { name: "cluster-announce-ip", kind: "string", default: null, effect: "none" },
  {
    name: "cluster-announce-client-ipv4", kind: "string", default: null, check: checkIpV4,
    effect: "none",
  },
  {
    name: "cluster-announce-client-ipv6", kind: "string", default: null, check: checkIpV6,
    effect: "none",
  },
  {
    name: "cluster-config-file", kind: "string", default: "nodes.conf",
    check: checkClusterConfigFile, flags: Flag.Immutable, effect: "none",
  },
  {
    name: "cluster-announce-hostname", kind: "string", default: null,
    check: checkAnnouncedHostName, effect: "none",
  },
  {
    name: "cluster-announce-human-nodename", kind: "string", default: null,
    check: checkAnnouncedNodeName, effect: "none",
  },
  { name: "bind-source-addr", kind: "string", default: null, effect: "none" },
  {
    name: "primaryauth", alias: "masterauth", kind: "string", default: null, binary: true,
    flags: Flag.Sensitive, effect: "none",
  },
  { name: "availability-zone", kind: "string", default: "", binary: true, effect: "none" },
  {
    name: "repl-diskless-load", kind: "enum", values: DISKLESS_LOAD, default: 0,
    flags: Flag.Debug | Flag.DenyLoading, effect: "none",
  },
  {
    name: "cluster-preferred-endpoint-type", kind: "enum", values: ENDPOINT_TYPES, default: 0,
    effect: "none",
  },
  {
    name: "cluster-replica-validity-factor", alias: "cluster-slave-validity-factor", kind: "int",
    min: 0, max: INT_MAX, default: 10, effect: "none",
  },
  {
    name: "cluster-migration-barrier", kind: "int", min: 0, max: INT_MAX, default: 1,
    effect: "none",
  },
  {
    name: "replica-priority", alias: "slave-priority", kind: "int", min: 0, max: INT_MAX,
    default: 100, effect: "none",
  },
  {
    name: "repl-diskless-sync-delay", kind: "int", min: 0, max: INT_MAX, default: 5,
    effect: "none",
  },
  {
    name: "replica-announce-port", alias: "slave-announce-port", kind: "int", min: 0, max: 65535,
    default: 0, effect: "none",
  },
  {
    name: "cluster-port", kind: "int", min: 0, max: 65535, default: 0, flags: Flag.Immutable,
    effect: "none",
  },
  {
    name: "cluster-announce-bus-port", kind: "int", min: 0, max: 65535, default: 0, effect: "none",
  },
  { name: "cluster-announce-port", kind: "int", min: 0, max: 65535, default: 0, effect: "none" },
  {
    name: "cluster-announce-tls-port", kind: "int", min: 0, max: 65535, default: 0, effect: "none",
  },
  { name: "repl-timeout", kind: "int", min: 1, max: INT_MAX, default: 60, effect: "none" },
  {
    name: "repl-ping-replica-period", alias: "repl-ping-slave-period", kind: "int", min: 1,
    max: INT_MAX, default: 10, effect: "none",
  },
  {
    name: "key-load-delay", kind: "int", min: INT_MIN, max: INT_MAX, default: 0,
    flags: Flag.Hidden, effect: "none",
  },
  {
    name: "min-replicas-to-write", alias: "min-slaves-to-write", kind: "int", min: 0, max: INT_MAX,
    default: 0, effect: "none",
  },
  {
    name: "min-replicas-max-lag", alias: "min-slaves-max-lag", kind: "int", min: 0, max: INT_MAX,
    default: 10, effect: "none",
  },
  {
    name: "repl-diskless-sync-max-replicas", kind: "int", min: 0, max: INT_MAX, default: 0,
    effect: "none",
  },
  {
    name: "cluster-blacklist-ttl", kind: "ulong", min: 0, max: ULONG_MAX, default: 60,
    effect: "none",
  },
  {
    name: "cluster-node-timeout", kind: "long-long", min: 0, max: LONG_MAX, default: 15000,
    effect: "none",
  },
  {
    name: "cluster-ping-interval", kind: "long-long", min: 0, max: LONG_MAX, default: 0,
    flags: Flag.Hidden, effect: "none",
  },
  {
    name: "repl-backlog-size", kind: "long-long", unit: "memory", min: 1, max: LONG_MAX,
    default: 10 * MB, clamp: [16 * KB, LONG_MAX], effect: "none",
  },
  {
    name: "cluster-manual-failover-timeout", kind: "long-long", min: 1, max: INT_MAX,
    default: 5000, effect: "none",
  },
  {
    name: "cluster-link-sendbuf-limit", kind: "ulong-long", unit: "memory", min: 0, max: ULONG_MAX,
    default: 0, effect: "none",
  },
  { name: "repl-backlog-ttl", kind: "long", min: 0, max: LONG_MAX, default: 3600, effect: "none" },
  {
    name: "loading-process-events-interval-bytes", kind: "long-long", min: 1024, max: INT_MAX,
    default: 2 * MB, flags: Flag.Hidden, effect: "none",
  },
  { name: "tls-replication", kind: "bool", default: false, effect: "none", applyError: NO_TLS },
  {
    name: "replicaof", alias: "slaveof", kind: "special", default: null, codec: replicaOfCodec,
    flags: Flag.Immutable | Flag.MultiArg, effect: "none",
  },
  {
    name: "repl-rdb-channel", kind: "bool", default: false, flags: Flag.Hidden, effect: "none",
    reason: "Redis 8's second replication link",
  },
  {
    name: "replica-full-sync-buffer-limit", kind: "ulong-long", unit: "memory", min: 0,
    max: ULONG_MAX, default: 0, flags: Flag.Hidden, effect: "none",
    reason: "Redis 8's second replication link",
  },
  {
    name: "cluster-compatibility-sample-ratio", kind: "int", min: 0, max: 100, default: 0,
    flags: Flag.Hidden, effect: "none", reason: "a statistic of Redis 8",
  },
];
