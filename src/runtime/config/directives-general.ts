/** Directives: process, logging, slow log and latency, scripting, debugging. */

import { checkLocale, checkProcessTitle } from "./checks.ts";
import { type Directive, Flag } from "./directive.ts";
import { LOG_FORMATS, LOG_LEVELS, LOG_TIMESTAMPS, SUPERVISED, SYSLOG_FACILITIES } from "./enums.ts";
import { INT_MAX, LONG_MAX } from "./numbers.ts";
import { percentilesCodec } from "./special.ts";

const MB = 1024 * 1024;

export const generalDirectives: readonly Directive[] = [
  {
    name: "daemonize", kind: "bool", default: false, flags: Flag.Immutable, effect: "none",
    reason: "the process stays in the foreground; a service manager runs it in the background",
  },
  {
    name: "always-show-logo", kind: "bool", default: false, flags: Flag.Immutable, effect: "works",
  },
  {
    name: "set-proc-title", kind: "bool", default: true, flags: Flag.Immutable, effect: "none",
    reason: "Bun cannot rename a process",
  },
  {
    name: "syslog-enabled", kind: "bool", default: false, flags: Flag.Immutable, effect: "none",
    reason: "logs go to standard output or to a file",
  },
  { name: "crash-log-enabled", kind: "bool", default: true, effect: "none" },
  {
    name: "crash-memcheck-enabled", kind: "bool", default: true, effect: "none",
    reason: "there is no memory test",
  },
  {
    name: "use-exit-on-panic", kind: "bool", default: false, flags: Flag.Hidden, effect: "none",
    reason: "for the tests of the reference only",
  },
  { name: "latency-tracking", kind: "bool", default: true, effect: "works" },
  { name: "extended-redis-compatibility", kind: "bool", default: false, effect: "works" },
  {
    name: "enable-debug-assert", kind: "bool", default: false, flags: Flag.Immutable | Flag.Hidden,
    effect: "none", reason: "for the tests of the reference only",
  },
  { name: "hide-user-data-from-log", kind: "bool", default: true, effect: "none" },
  {
    name: "lua-enable-insecure-api", alias: "lua-enable-deprecated-api", kind: "bool",
    default: false, flags: Flag.Hidden | Flag.Protected, effect: "none",
  },
  { name: "pidfile", kind: "string", default: null, flags: Flag.Immutable, effect: "works" },
  {
    name: "syslog-ident", kind: "string", default: "bunsen", flags: Flag.Immutable, effect: "none",
    reason: "logs go to standard output or to a file",
  },
  {
    name: "server-cpulist", alias: "server_cpulist", kind: "string", default: null,
    flags: Flag.Immutable, effect: "none", reason: "threads are not pinned",
  },
  {
    name: "bio-cpulist", alias: "bio_cpulist", kind: "string", default: null,
    flags: Flag.Immutable, effect: "none", reason: "threads are not pinned",
  },
  { name: "ignore-warnings", kind: "string", default: "", effect: "none" },
  {
    name: "proc-title-template", kind: "string", default: "{title} {listen-addr} {server-mode}",
    check: checkProcessTitle, effect: "none", reason: "Bun cannot rename a process",
  },
  { name: "logfile", kind: "string", default: "", flags: Flag.Immutable, effect: "works" },
  { name: "locale-collate", kind: "string", default: "", check: checkLocale, effect: "none" },
  {
    name: "debug-context", kind: "string", default: "", flags: Flag.Debug | Flag.Hidden,
    effect: "none",
  },
  {
    name: "supervised", kind: "enum", values: SUPERVISED, default: 3, flags: Flag.Immutable,
    effect: "none", reason: "a service manager supervises the process without a handshake",
  },
  {
    name: "syslog-facility", kind: "enum", values: SYSLOG_FACILITIES, default: 1,
    flags: Flag.Immutable, effect: "none", reason: "logs go to standard output or to a file",
  },
  { name: "loglevel", kind: "enum", values: LOG_LEVELS, default: 2, effect: "works" },
  { name: "log-format", kind: "enum", values: LOG_FORMATS, default: 0, effect: "none" },
  {
    name: "log-timestamp-format", kind: "enum", values: LOG_TIMESTAMPS, default: 0, effect: "none",
  },
  {
    name: "watchdog-period", kind: "int", min: 0, max: INT_MAX, default: 0, flags: Flag.Hidden,
    effect: "none", reason: "there is no software watchdog",
  },
  {
    name: "commandlog-slow-execution-max-len", alias: "slowlog-max-len", kind: "ulong", min: 0,
    max: LONG_MAX, default: 128, effect: "works",
  },
  {
    name: "commandlog-large-request-max-len", kind: "ulong", min: 0, max: LONG_MAX, default: 128,
    effect: "works",
  },
  {
    name: "commandlog-large-reply-max-len", kind: "ulong", min: 0, max: LONG_MAX, default: 128,
    effect: "works",
  },
  {
    name: "busy-reply-threshold", alias: "lua-time-limit", kind: "long-long", min: 0,
    max: LONG_MAX, default: 5000, effect: "works",
  },
  {
    name: "commandlog-execution-slower-than", alias: "slowlog-log-slower-than", kind: "long-long",
    min: -1, max: LONG_MAX, default: 10000, effect: "works",
  },
  {
    name: "commandlog-request-larger-than", kind: "long-long", min: -1, max: LONG_MAX, default: MB,
    effect: "works",
  },
  {
    name: "commandlog-reply-larger-than", kind: "long-long", min: -1, max: LONG_MAX, default: MB,
    effect: "works",
  },
  {
    name: "latency-monitor-threshold", kind: "long-long", min: 0, max: LONG_MAX, default: 0,
    effect: "works",
  },
  {
    name: "latency-tracking-info-percentiles", kind: "special", default: [50, 99, 99.9],
    codec: percentilesCodec, flags: Flag.MultiArg, effect: "works",
  },
  { name: "crash-on-internal-error", kind: "bool", default: false, effect: "works" },
];
