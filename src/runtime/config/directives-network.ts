/** Directives: listening, clients and their limits, access control, TLS and RDMA. */

import { type Directive, Flag } from "./directive.ts";
import { ACL_PUBSUB_DEFAULT, PROTECTED_ACTION, TLS_AUTH_CLIENTS } from "./enums.ts";
import { INT_MAX, LONG_MAX, UINT_MAX } from "./numbers.ts";
import {
  DEFAULT_BIND,
  DEFAULT_OUTPUT_BUFFER_LIMITS,
  bindCodec,
  outputBufferLimitCodec,
  rdmaBindCodec,
} from "./special.ts";

const KB = 1024;
const MB = 1024 * 1024;
const NO_RDMA = "No RDMA building support.";
const NO_TLS = "Unable to update TLS configuration. Check server logs.";

export const networkDirectives: readonly Directive[] = [
  { name: "protected-mode", kind: "bool", default: true, effect: "works" },
  { name: "aclfile", kind: "string", default: "", flags: Flag.Immutable, effect: "works" },
  { name: "unixsocket", kind: "string", default: null, flags: Flag.Immutable, effect: "works" },
  { name: "unixsocketgroup", kind: "string", default: null, flags: Flag.Immutable, effect: "none" },
  {
    name: "requirepass", kind: "string", default: null, binary: true, flags: Flag.Sensitive,
    effect: "works",
  },
  {
    name: "acl-pubsub-default", kind: "enum", values: ACL_PUBSUB_DEFAULT, default: 0,
    effect: "works",
  },
  {
    name: "enable-protected-configs", kind: "enum", values: PROTECTED_ACTION, default: 0,
    flags: Flag.Immutable, effect: "works",
  },
  {
    name: "enable-debug-command", kind: "enum", values: PROTECTED_ACTION, default: 0,
    flags: Flag.Immutable, effect: "works",
  },
  {
    name: "enable-module-command", kind: "enum", values: PROTECTED_ACTION, default: 0,
    flags: Flag.Immutable, effect: "works",
  },
  { name: "port", kind: "int", min: 0, max: 65535, default: 6379, effect: "works" },
  {
    name: "io-threads", kind: "int", min: 1, max: 256, default: 1,
    flags: Flag.Debug | Flag.Immutable, effect: "none", reason: "one thread runs commands and I/O",
  },
  {
    name: "events-per-io-thread", kind: "int", min: 0, max: INT_MAX, default: 2,
    flags: Flag.Hidden, effect: "none", reason: "one thread runs commands and I/O",
  },
  {
    name: "prefetch-batch-max-size", kind: "int", min: 0, max: 128, default: 16, effect: "none",
    reason: "there is no batched prefetching",
  },
  { name: "tcp-keepalive", kind: "int", min: 0, max: INT_MAX, default: 300, effect: "works" },
  { name: "timeout", kind: "int", min: 0, max: INT_MAX, default: 0, effect: "works" },
  {
    name: "tcp-backlog", kind: "int", min: 0, max: INT_MAX, default: 511, flags: Flag.Immutable,
    effect: "works",
  },
  {
    name: "rdma-port", kind: "int", min: 0, max: 65535, default: 0, effect: "none",
    reason: "there is no RDMA", applyError: NO_RDMA,
  },
  {
    name: "rdma-rx-size", kind: "int", min: 64 * KB, max: 16 * MB, default: MB,
    flags: Flag.Immutable, effect: "none", reason: "there is no RDMA",
  },
  {
    name: "rdma-completion-vector", kind: "int", min: -1, max: 1024, default: -1,
    flags: Flag.Immutable, effect: "none", reason: "there is no RDMA",
  },
  { name: "maxclients", kind: "uint", min: 1, max: UINT_MAX, default: 10000, effect: "works" },
  {
    name: "unixsocketperm", kind: "uint", unit: "octal", min: 0, max: 0o777, default: 0,
    flags: Flag.Immutable, effect: "works",
  },
  {
    name: "socket-mark-id", kind: "uint", min: 0, max: UINT_MAX, default: 0, flags: Flag.Immutable,
    effect: "none",
  },
  {
    name: "max-new-connections-per-cycle", kind: "uint", min: 1, max: 1000, default: 10,
    effect: "none",
  },
  {
    name: "max-new-tls-connections-per-cycle", kind: "uint", min: 1, max: 1000, default: 1,
    effect: "none",
  },
  { name: "acllog-max-len", kind: "ulong", min: 0, max: LONG_MAX, default: 128, effect: "works" },
  {
    name: "proto-max-bulk-len", kind: "long-long", unit: "memory", min: MB, max: LONG_MAX,
    default: 512 * MB, flags: Flag.Debug, effect: "works",
  },
  {
    name: "tracking-table-max-keys", kind: "ulong", min: 0, max: LONG_MAX, default: 1000000,
    effect: "works",
  },
  {
    name: "client-query-buffer-limit", kind: "ulong", unit: "memory", min: MB, max: LONG_MAX,
    default: 1024 * MB, flags: Flag.Debug, effect: "works",
  },
  {
    name: "maxmemory-clients", kind: "long", unit: "percent-or-memory", min: -100, max: LONG_MAX,
    default: 0, effect: "works",
  },
  {
    name: "tls-port", kind: "int", min: 0, max: 65535, default: 0, effect: "none",
    applyError: NO_TLS,
  },
  {
    name: "tls-session-cache-size", kind: "int", min: 0, max: INT_MAX, default: 20 * KB,
    effect: "none",
  },
  {
    name: "tls-session-cache-timeout", kind: "int", min: 0, max: INT_MAX, default: 300,
    effect: "none",
  },
  { name: "tls-cluster", kind: "bool", default: false, effect: "none", applyError: NO_TLS },
  { name: "tls-auth-clients", kind: "enum", values: TLS_AUTH_CLIENTS, default: 1, effect: "none" },
  { name: "tls-prefer-server-ciphers", kind: "bool", default: false, effect: "none" },
  { name: "tls-session-caching", kind: "bool", default: true, effect: "none" },
  { name: "tls-cert-file", kind: "string", default: null, flags: Flag.Volatile, effect: "none" },
  { name: "tls-key-file", kind: "string", default: null, flags: Flag.Volatile, effect: "none" },
  {
    name: "tls-key-file-pass", kind: "string", default: null, flags: Flag.Sensitive,
    effect: "none",
  },
  {
    name: "tls-client-cert-file", kind: "string", default: null, flags: Flag.Volatile,
    effect: "none",
  },
  {
    name: "tls-client-key-file", kind: "string", default: null, flags: Flag.Volatile,
    effect: "none",
  },
  {
    name: "tls-client-key-file-pass", kind: "string", default: null, flags: Flag.Sensitive,
    effect: "none",
  },
  {
    name: "tls-dh-params-file", kind: "string", default: null, flags: Flag.Volatile,
    effect: "none",
  },
  { name: "tls-ca-cert-file", kind: "string", default: null, flags: Flag.Volatile, effect: "none" },
  { name: "tls-ca-cert-dir", kind: "string", default: null, flags: Flag.Volatile, effect: "none" },
  { name: "tls-protocols", kind: "string", default: null, effect: "none" },
  { name: "tls-ciphers", kind: "string", default: null, effect: "none" },
  { name: "tls-ciphersuites", kind: "string", default: null, effect: "none" },
  {
    name: "client-output-buffer-limit", kind: "special", default: DEFAULT_OUTPUT_BUFFER_LIMITS,
    codec: outputBufferLimitCodec, flags: Flag.MultiArg, effect: "works",
  },
  {
    name: "bind", kind: "special", default: DEFAULT_BIND, codec: bindCodec, flags: Flag.MultiArg,
    effect: "works",
  },
  {
    name: "rdma-bind", kind: "special", default: [], codec: rdmaBindCodec, flags: Flag.MultiArg,
    effect: "none", reason: "there is no RDMA", applyError: NO_RDMA,
  },
  {
    name: "lookahead", kind: "int", min: 1, max: INT_MAX, default: 16, flags: Flag.Hidden,
    effect: "none", reason: "a tuning of Redis 8",
  },
];
