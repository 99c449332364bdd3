/**
 * What a command is: one row of data and one handler. Dispatch, COMMAND, ACL categories, cluster
 * routing, MONITOR, the fuzzer and the README's table all read the row.
 *
 * The words are those of Redis's documentation, "Command flags", "Key specifications" and
 * "Command tips".
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";

export const enum Flag {
  WRITE = 1 << 0,
  READONLY = 1 << 1,
  /** Refused when memory is over maxmemory and nothing can be evicted. */
  DENYOOM = 1 << 2,
  ADMIN = 1 << 3,
  PUBSUB = 1 << 4,
  NOSCRIPT = 1 << 5,
  BLOCKING = 1 << 6,
  /** Allowed while a data set is loaded. */
  LOADING = 1 << 7,
  /** Allowed on a replica that serves stale data. */
  STALE = 1 << 8,
  SKIP_MONITOR = 1 << 9,
  SKIP_SLOWLOG = 1 << 10,
  ASKING = 1 << 11,
  /** O(1) or O(log n). */
  FAST = 1 << 12,
  /** Allowed before AUTH. */
  NO_AUTH = 1 << 13,
  MAY_REPLICATE = 1 << 14,
  NO_ASYNC_LOADING = 1 << 15,
  NO_MULTI = 1 << 16,
  ALLOW_BUSY = 1 << 17,
  /** Its keys are where only `getKeys` or a keyword search finds them. */
  MOVABLE_KEYS = 1 << 18,
  NO_MANDATORY_KEYS = 1 << 19,
  PROTECTED = 1 << 20,
  TOUCHES_ARBITRARY_KEYS = 1 << 21,
  /** Internal: the first argument is a subcommand's name. */
  CONTAINER = 1 << 22,
  /** Internal: as cheap as FAST although Redis does not call it so; its time is sampled. */
  CHEAP = 1 << 23,
  SENTINEL = 1 << 24,
  ONLY_SENTINEL = 1 << 25,
}

/** Categories that a row names; those that follow from the flags are added by `aclCategories`. */
export const enum Acl {
  NONE = 0,
  KEYSPACE = 1 << 0,
  READ = 1 << 1,
  WRITE = 1 << 2,
  SET = 1 << 3,
  SORTED_SET = 1 << 4,
  LIST = 1 << 5,
  HASH = 1 << 6,
  STRING = 1 << 7,
  BITMAP = 1 << 8,
  HYPERLOGLOG = 1 << 9,
  GEO = 1 << 10,
  STREAM = 1 << 11,
  PUBSUB = 1 << 12,
  ADMIN = 1 << 13,
  FAST = 1 << 14,
  SLOW = 1 << 15,
  BLOCKING = 1 << 16,
  DANGEROUS = 1 << 17,
  CONNECTION = 1 << 18,
  TRANSACTION = 1 << 19,
  SCRIPTING = 1 << 20,
}

/** Names of the Acl bits, by bit number, as ACL CAT lists them. */
export const ACL_NAMES: readonly string[] = [
  "keyspace",
  "read",
  "write",
  "set",
  "sortedset",
  "list",
  "hash",
  "string",
  "bitmap",
  "hyperloglog",
  "geo",
  "stream",
  "pubsub",
  "admin",
  "fast",
  "slow",
  "blocking",
  "dangerous",
  "connection",
  "transaction",
  "scripting",
];

/** Flag words that COMMAND INFO shows, in its order; the other flags are nobody else's business. */
export const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [Flag.WRITE, "write"],
  [Flag.READONLY, "readonly"],
  [Flag.DENYOOM, "denyoom"],
  [Flag.ADMIN, "admin"],
  [Flag.PUBSUB, "pubsub"],
  [Flag.NOSCRIPT, "noscript"],
  [Flag.BLOCKING, "blocking"],
  [Flag.LOADING, "loading"],
  [Flag.STALE, "stale"],
  [Flag.SKIP_MONITOR, "skip_monitor"],
  [Flag.SKIP_SLOWLOG, "skip_commandlog"],
  [Flag.ASKING, "asking"],
  [Flag.FAST, "fast"],
  [Flag.NO_AUTH, "no_auth"],
  [Flag.NO_MANDATORY_KEYS, "no_mandatory_keys"],
  [Flag.NO_ASYNC_LOADING, "no_async_loading"],
  [Flag.NO_MULTI, "no_multi"],
  [Flag.MOVABLE_KEYS, "movablekeys"],
  [Flag.ALLOW_BUSY, "allow_busy"],
];

/**
 * Where a command's keys are. `flags` are words of COMMAND INFO ("RO access"), separated by spaces.
 * The search begins at an argument, or behind a keyword looked for from an argument (negative:
 * from the end); keys follow as a range (`last` relative to the first, negative: from the end), or
 * after a count.
 */
export interface KeySpec {
  flags: string;
  begin: { index: number } | { keyword: string; from: number } | "unknown";
  find:
    | { last: number; step: number; limit: number }
    | { countAt: number; first: number; step: number }
    | "unknown";
  notes?: string;
}

/** Handlers check everything, then act, then reply once. See src/README.md. */
export type CommandHandler = (ctx: CommandContext, args: Args, reply: ReplyWriter) => void;

export interface CommandSpec {
  name: string;
  /** The container's name, for a subcommand. */
  parent?: string;
  /** Arguments with the name; negative: at least so many. */
  arity: number;
  flags: number;
  acl: number;
  keys: readonly KeySpec[];
  /**
   * The argument, behind the key at argument 1, that is looked up in the key's value: where that is
   * large, the dispatcher touches the memory of it ahead. Of several, the first one.
   */
  member?: number;
  run: CommandHandler;
  /** Argument indexes of the keys, where `keys` cannot say it. Null = invalid arguments. */
  getKeys?: (args: Args) => number[] | null;
  /** Flags of the keys by the arguments given, where a spec has variable_flags. */
  getKeyFlags?: (args: Args) => string;
  /** Indexes of arguments that logs and MONITOR must not show. */
  secrets?: (ctx: CommandContext, args: Args) => readonly number[];
  tips?: readonly string[];
}

/** The name that errors, INFO and ACL use: "get", "client|list". */
export function fullName(spec: CommandSpec): string {
  return spec.parent === undefined ? spec.name : `${spec.parent}|${spec.name}`;
}

/** One key at argument 1. */
export function oneKey(flags: string): readonly KeySpec[] {
  return [{ flags, begin: { index: 1 }, find: { last: 0, step: 1, limit: 0 } }];
}

/** Keys from argument 1 to the last (or `last`), every `step`th. */
export function keyRange(flags: string, last = -1, step = 1): readonly KeySpec[] {
  return [{ flags, begin: { index: 1 }, find: { last, step, limit: 0 } }];
}

export const NO_KEYS: readonly KeySpec[] = [];

/** All categories of a row: its own and those that its flags imply, as Redis derives them. */
export function aclCategories(spec: CommandSpec): number {
  let acl = spec.acl;
  const { flags } = spec;
  if (flags & Flag.WRITE) acl |= Acl.WRITE;
  if (flags & Flag.READONLY && !(acl & Acl.SCRIPTING)) acl |= Acl.READ;
  if (flags & Flag.ADMIN) acl |= Acl.ADMIN | Acl.DANGEROUS;
  if (flags & Flag.PUBSUB) acl |= Acl.PUBSUB;
  if (flags & Flag.BLOCKING) acl |= Acl.BLOCKING;
  return acl | (flags & Flag.FAST ? Acl.FAST : Acl.SLOW);
}
