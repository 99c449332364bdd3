// HOT PATH: rules in src/README.md
/**
 * Hashes: fields set, read, listed and deleted. Counters are in hash-increment.ts, random fields in
 * hash-random.ts.
 * Documentation: the "Hashes" group of Redis's command reference.
 */
import { membersRemoved } from "./member-removal.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import { wrongArity } from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { listpackNext } from "../structures/listpack.ts";
import type { CommandContext } from "./context.ts";
import {
  dropStaleFields,
  openHash,
  openOrCreateHash,
  renewStaleFields,
  settleHash,
  storeHash,
} from "./hash-value.ts";
import { replyEntry, replyEveryOther, replyRun } from "./listpack-reply.ts";
import { memberScan, replyEmptyScan, replyScan, scanCursor } from "./member-scan.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";

const UNORDERED = ["nondeterministic_output_order"];

export const hashCommands: readonly CommandSpec[] = [
  {
    name: "hset",
    arity: -4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW update"),
    member: 2,
    run: hsetCommand,
  },
  {
    name: "hmset",
    arity: -4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW update"),
    member: 2,
    run: hmsetCommand,
  },
  {
    name: "hsetnx",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW insert"),
    member: 2,
    run: hsetnxCommand,
  },
  {
    name: "hget",
    arity: 3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RO access"),
    member: 2,
    run: hgetCommand,
  },
  {
    name: "hmget",
    arity: -3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RO access"),
    member: 2,
    run: hmgetCommand,
  },
  {
    name: "hdel",
    arity: -3,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW delete"),
    member: 2,
    run: hdelCommand,
  },
  {
    name: "hlen",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RO"),
    run: hlenCommand,
  },
  {
    name: "hstrlen",
    arity: 3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RO"),
    member: 2,
    run: hstrlenCommand,
  },
  {
    name: "hexists",
    arity: 3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RO"),
    member: 2,
    run: hexistsCommand,
  },
  {
    name: "hkeys",
    arity: 2,
    flags: Flag.READONLY,
    acl: Acl.HASH,
    keys: oneKey("RO access"),
    tips: UNORDERED,
    run: hkeysCommand,
  },
  {
    name: "hvals",
    arity: 2,
    flags: Flag.READONLY,
    acl: Acl.HASH,
    keys: oneKey("RO access"),
    tips: UNORDERED,
    run: hvalsCommand,
  },
  {
    name: "hgetall",
    arity: 2,
    flags: Flag.READONLY,
    acl: Acl.HASH,
    keys: oneKey("RO access"),
    tips: UNORDERED,
    run: hgetallCommand,
  },
  {
    name: "hscan",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.HASH,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output"],
    run: hscanCommand,
  },
];

/** HSET key field value [field value ...] */
function hsetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const created = setFields(ctx, args, reply, "hset");
  if (created >= 0) reply.integer(created);
}

/** HMSET key field value [field value ...] */
function hmsetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (setFields(ctx, args, reply, "hmset") >= 0) reply.ok();
}

/** Sets the fields from argument 2 on. Returns how many are new, or -1 after an error reply. */
function setFields(ctx: CommandContext, args: Args, reply: ReplyWriter, command: string): number {
  const { view, start, end, count } = args;
  if ((count & 1) !== 0) {
    reply.error(wrongArity(command));
    return -1;
  }
  const db = ctx.db;
  const hashes = ctx.keyspace.hashes;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (!openOrCreateHash(ctx, record, reply)) return -1;
  convertForArguments(ctx, args);
  let created = 0;
  for (let i = 2; i < count; i += 2) {
    if (hashes.set(view, start[i], end[i], view, start[i + 1], end[i + 1])) created++;
    else if (hashes.hasExpiries) hashes.persist(view, start[i], end[i]);
  }
  storeHash(ctx, args, record);
  db.changed(NotifyClass.HASH, "hset", view, start[1], end[1]);
  ctx.keyspace.dirty += ((count - 2) >> 1) - 1;
  return created;
}

/** Converts the attached hash if the fields and values from argument 2 on ask for it. */
function convertForArguments(ctx: CommandContext, args: Args): void {
  const { start, end, count } = args;
  const hashes = ctx.keyspace.hashes;
  if (hashes.isIndexed) return;
  let longest = 0;
  let total = 0;
  for (let i = 2; i < count; i++) {
    const length = end[i] - start[i];
    total += length;
    if (length > longest) longest = length;
  }
  hashes.convertFor((count - 2) >> 1, longest, total);
}

/** HSETNX key field value */
function hsetnxCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const hashes = ctx.keyspace.hashes;
  let record = db.lookupWrite(view, start[1], end[1]);
  if (!openOrCreateHash(ctx, record, reply)) return;
  record = renewStaleFields(ctx, args, record, 2, 3);
  if (hashes.find(view, start[2], end[2])) {
    reply.integer(0);
    return;
  }
  convertForArguments(ctx, args);
  hashes.set(view, start[2], end[2], view, start[3], end[3]);
  storeHash(ctx, args, record);
  db.changed(NotifyClass.HASH, "hset", view, start[1], end[1]);
  reply.integer(1);
}

/** HGET key field */
function hgetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  if (!openHash(ctx, record, reply)) return;
  const hashes = ctx.keyspace.hashes;
  if (hashes.find(view, start[2], end[2])) replyEntry(reply, hashes.value);
  else reply.nil();
}

/** HMGET key field [field ...] */
function hmgetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end, count } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  const hashes = ctx.keyspace.hashes;
  reply.array(count - 2);
  for (let i = 2; i < count; i++) {
    if (record !== 0 && hashes.find(view, start[i], end[i])) replyEntry(reply, hashes.value);
    else reply.nil();
  }
}

/** HDEL key field [field ...] */
function hdelCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end, count } = args;
  const db = ctx.db;
  const hashes = ctx.keyspace.hashes;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!openHash(ctx, record, reply)) return;
  if (dropStaleFields(ctx, args, record, 2, count) === 0) {
    reply.integer(0);
    return;
  }
  let removed = 0;
  for (let i = 2; i < count && hashes.length > 0; i++) {
    if (hashes.remove(view, start[i], end[i])) removed++;
  }
  if (removed > 0) {
    const isGone = settleHash(db, record, hashes);
    membersRemoved(ctx, args, 1, NotifyClass.HASH, "hdel", removed, isGone);
  }
  reply.integer(removed);
}

/** HLEN key */
function hlenCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) reply.integer(0);
  else if (openHash(ctx, record, reply)) reply.integer(ctx.keyspace.hashes.length);
}

/** HSTRLEN key field */
function hstrlenCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!openHash(ctx, record, reply)) return;
  const hashes = ctx.keyspace.hashes;
  reply.integer(hashes.find(view, start[2], end[2]) ? hashes.value.textLength() : 0);
}

/** HEXISTS key field */
function hexistsCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!openHash(ctx, record, reply)) return;
  reply.integer(ctx.keyspace.hashes.find(view, start[2], end[2]) ? 1 : 0);
}

/** HKEYS key */
function hkeysCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  replyAll(ctx, args, reply, true, false);
}

/** HVALS key */
function hvalsCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  replyAll(ctx, args, reply, false, true);
}

/** HGETALL key */
function hgetallCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  replyAll(ctx, args, reply, true, true);
}

/** COLD: only to the rule-keeper, which takes the header of a map for an array's method. */
function replyAll(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  withFields: boolean,
  withValues: boolean,
): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  const hashes = ctx.keyspace.hashes;
  const count = record === 0 ? 0 : hashes.visibleLength();
  if (withFields && withValues) reply.map(count);
  else reply.array(count);
  if (record === 0) return;
  const from = hashes.listpackStart;
  if (from !== 0) {
    const { view } = hashes;
    if (withFields && withValues) replyRun(reply, view, from, 2 * count);
    else replyEveryOther(reply, view, withFields ? from : listpackNext(view, from), count);
    return;
  }
  hashes.startWalk();
  while (hashes.next()) {
    if (withFields) replyEntry(reply, hashes.field);
    if (withValues) replyEntry(reply, hashes.value);
  }
}

/**
 * HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]
 * COLD: allocates what it collects.
 */
function hscanCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const cursor = scanCursor(args, reply);
  if (cursor === null) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    replyEmptyScan(reply);
    return;
  }
  if (!openHash(ctx, record, reply)) return;
  const scan = memberScan(args, cursor, "NOVALUES", reply);
  if (scan === null) return;
  const { hashes } = ctx.keyspace;
  replyScan(args, scan, hashes, reply, () => {
    if (!hashes.isVisible()) return 0;
    replyEntry(reply, hashes.field);
    if (!scan.namesOnly) replyEntry(reply, hashes.value);
    return scan.namesOnly ? 1 : 2;
  });
}
