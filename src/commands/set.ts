// HOT PATH: rules in src/README.md
/**
 * Sets, one key at a time: what adds, removes, looks up and lists members. Random members are in
 * set-random.ts, several sets in set-algebra.ts.
 * Documentation: the "Sets" group of Redis's command reference.
 */
import { membersRemoved } from "./member-removal.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { replyEntry, replyRun } from "./listpack-reply.ts";
import { memberScan, replyEmptyScan, replyScan, scanCursor } from "./member-scan.ts";
import { attachSet, openSet, settleSet } from "./set-value.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";

export const setCommands: readonly CommandSpec[] = [
  {
    name: "sadd",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.SET,
    keys: oneKey("RW insert"),
    member: 2,
    run: saddCommand,
  },
  {
    name: "srem",
    arity: -3,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.SET,
    keys: oneKey("RW delete"),
    member: 2,
    run: sremCommand,
  },
  {
    name: "smove",
    arity: 4,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.SET,
    keys: [
      {
        flags: "RW access delete",
        begin: { index: 1 },
        find: { last: 0, step: 1, limit: 0 },
      },
      { flags: "RW insert", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } },
    ],
    run: smoveCommand,
  },
  {
    name: "sismember",
    arity: 3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SET,
    keys: oneKey("RO"),
    member: 2,
    run: sismemberCommand,
  },
  {
    name: "smismember",
    arity: -3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SET,
    keys: oneKey("RO access"),
    member: 2,
    run: smismemberCommand,
  },
  {
    name: "scard",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SET,
    keys: oneKey("RO"),
    run: scardCommand,
  },
  {
    name: "smembers",
    arity: 2,
    flags: Flag.READONLY,
    acl: Acl.SET,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output_order"],
    run: smembersCommand,
  },
  {
    name: "sscan",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.SET,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output"],
    run: sscanCommand,
  },
];

/** SADD key member [member ...] */
function saddCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end, count } = args;
  const db = ctx.db;
  const sets = ctx.keyspace.sets;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0) sets.createFor(view, start[2], end[2], count - 2);
  else {
    if (!openSet(ctx, record, reply)) return;
    if (count > 3) sets.convertFor(count - 2);
  }
  let added = 0;
  for (let i = 2; i < count; i++) if (sets.add(view, start[i], end[i])) added++;
  if (record !== 0) db.updateRoot(record, sets.encoding, sets.root);
  else db.insertRoot(view, start[1], end[1], ValueType.SET, sets.encoding, sets.root);
  if (added > 0) {
    db.changed(NotifyClass.SET, "sadd", view, start[1], end[1]);
    ctx.keyspace.dirty += added - 1;
  }
  reply.integer(added);
}

/** SREM key member [member ...] */
function sremCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end, count } = args;
  const db = ctx.db;
  const sets = ctx.keyspace.sets;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!openSet(ctx, record, reply)) return;
  let removed = 0;
  for (let i = 2; i < count && sets.length > 0; i++) {
    if (sets.remove(view, start[i], end[i])) removed++;
  }
  if (removed > 0) {
    const isGone = settleSet(db, record, sets);
    membersRemoved(ctx, args, 1, NotifyClass.SET, "srem", removed, isGone);
  }
  reply.integer(removed);
}

/** SMOVE source destination member */
function smoveCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const { sets, otherSets } = ctx.keyspace;
  // The target first: the source's lookup is the one that the removal continues from.
  const target = db.lookupWrite(view, start[2], end[2]);
  const source = db.lookupWrite(view, start[1], end[1]);
  if (source === 0) {
    reply.integer(0);
    return;
  }
  if (!openSet(ctx, source, reply)) return;
  if (target !== 0 && !checkType(ctx, target, ValueType.SET, reply)) return;
  if (source === target) {
    reply.integer(sets.has(view, start[3], end[3]) ? 1 : 0);
    return;
  }
  if (!sets.remove(view, start[3], end[3])) {
    reply.integer(0);
    return;
  }
  const isGone = settleSet(db, source, sets);
  membersRemoved(ctx, args, 1, NotifyClass.SET, "srem", 1, isGone);
  let added = true;
  if (target === 0) {
    otherSets.createFor(view, start[3], end[3], 1);
    otherSets.add(view, start[3], end[3]);
    db.lookupWrite(view, start[2], end[2]);
    db.insertRoot(view, start[2], end[2], ValueType.SET, otherSets.encoding, otherSets.root);
  } else {
    attachSet(ctx, otherSets, target);
    added = otherSets.add(view, start[3], end[3]);
    db.updateRoot(target, otherSets.encoding, otherSets.root);
  }
  if (added) db.changed(NotifyClass.SET, "sadd", view, start[2], end[2]);
  reply.integer(1);
}

/** SISMEMBER key member */
function sismemberCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!openSet(ctx, record, reply)) return;
  reply.integer(ctx.keyspace.sets.has(view, start[2], end[2]) ? 1 : 0);
}

/** SMISMEMBER key member [member ...] */
function smismemberCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end, count } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !openSet(ctx, record, reply)) return;
  const sets = ctx.keyspace.sets;
  reply.array(count - 2);
  for (let i = 2; i < count; i++) {
    reply.integer(record !== 0 && sets.has(view, start[i], end[i]) ? 1 : 0);
  }
}

/** SCARD key */
function scardCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (openSet(ctx, record, reply)) reply.integer(ctx.keyspace.sets.length);
}

/** SMEMBERS key */
function smembersCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.set(0);
    return;
  }
  if (!openSet(ctx, record, reply)) return;
  const sets = ctx.keyspace.sets;
  const { length } = sets;
  reply.set(length);
  const from = sets.listpackStart;
  if (from !== 0) {
    replyRun(reply, sets.view, from, length);
    return;
  }
  sets.startWalk();
  while (sets.next()) replyEntry(reply, sets.member);
}

/**
 * SSCAN key cursor [MATCH pattern] [COUNT count]
 * COLD: allocates what it collects.
 */
function sscanCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const cursor = scanCursor(args, reply);
  if (cursor === null) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    replyEmptyScan(reply);
    return;
  }
  if (!openSet(ctx, record, reply)) return;
  const scan = memberScan(args, cursor, "", reply);
  if (scan === null) return;
  const { sets } = ctx.keyspace;
  replyScan(args, scan, sets, reply, () => {
    replyEntry(reply, sets.member);
    return 1;
  });
}
