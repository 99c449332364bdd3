// HOT PATH: rules in src/README.md
/**
 * Strings, one key at a time: SET and GET with their relatives.
 * Documentation: the "Strings" group of Redis's command reference.
 *
 * Strings are text in the arena; OBJECT ENCODING derives "int", "embstr" or "raw" from the bytes,
 * except where APPEND, SETRANGE or SETBIT has made a value "raw" for good, as in Redis.
 *
 * SET with three arguments and GET have their own straight way; whatever has options goes through
 * `setGeneric`.
 */
import { copyBytes } from "../base/bytes.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import {
  Meta,
  StringEncoding,
  ValueType,
  metaOf,
  typeOf,
  valueAt,
  viewOf,
} from "../keyspace/record.ts";
import { prefixBytes, storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import {
  SetFlag,
  Verdict,
  compareValue,
  comparisonWord,
  conditionWord,
  expireAtArgument,
  expiryWord,
  isPast,
} from "./string-options.ts";
import { replyString } from "./string-value.ts";

export const stringCommands: readonly CommandSpec[] = [
  {
    name: "get",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RO access"),
    run: getCommand,
  },
  {
    name: "set",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.CHEAP,
    acl: Acl.STRING,
    keys: [
      {
        ...oneKey("RW access update variable_flags")[0],
        notes: "The old value is read only when `GET` is given",
      },
    ],
    getKeyFlags: setKeyFlags,
    run: setCommand,
  },
  {
    name: "setnx",
    arity: 3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("OW insert"),
    run: setnxCommand,
  },
  {
    name: "setex",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.CHEAP,
    acl: Acl.STRING,
    keys: oneKey("OW update"),
    run: setexCommand,
  },
  {
    name: "psetex",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.CHEAP,
    acl: Acl.STRING,
    keys: oneKey("OW update"),
    run: psetexCommand,
  },
  {
    name: "getset",
    arity: 3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW access update"),
    run: getsetCommand,
  },
  {
    name: "getdel",
    arity: 2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW access delete"),
    run: getdelCommand,
  },
  {
    name: "getex",
    arity: -2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STRING,
    keys: [{ ...oneKey("RW access update")[0], notes: "A write, because the expiry may change" }],
    run: getexCommand,
  },
];

/** GET key */
function getCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  const arena = ctx.keyspace.arena;
  const meta = metaOf(arena, record);
  if (typeOf(meta) !== ValueType.STRING) {
    reply.error(errors.WRONG_TYPE);
    return;
  }
  const view = viewOf(arena, record);
  const at = valueAt(view, record, meta);
  const length = storedLength(view, at);
  reply.bulk(view, at + prefixBytes(length), length);
}

/**
 * SET key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] [GET]
 *   [EX seconds | PX ms | EXAT unix-seconds | PXAT unix-ms | KEEPTTL]
 */
function setCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count !== 3) {
    setWithOptions(ctx, args, reply);
    return;
  }
  const { view, start, end } = args;
  const db = ctx.db;
  const from = start[2];
  const length = end[2] - from;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0)
    db.insertString(view, start[1], end[1], view, from, length, StringEncoding.AUTO);
  else db.replaceWithString(record, view, from, length, StringEncoding.AUTO, false);
  db.changed(NotifyClass.STRING, "set", view, start[1], end[1]);
  reply.ok();
}

function setWithOptions(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const last = args.count - 1;
  let flags: number = SetFlag.NONE;
  let timeIndex = 0;
  let comparedIndex = 0;
  for (let i = 3; i <= last; i++) {
    const expiry = expiryWord(args, i);
    const condition = expiry === SetFlag.NONE ? conditionWord(args, i) : SetFlag.NONE;
    const takesArgument = ((expiry & SetFlag.TIMES) | (condition & SetFlag.COMPARISONS)) !== 0;
    // The expiries, NX and XX may be repeated, but not mixed.
    const clashes =
      expiry !== 0
        ? (flags & SetFlag.EXPIRIES & ~expiry) !== 0
        : condition !== 0 &&
          (flags & SetFlag.CONDITIONS & ~(condition & (SetFlag.NX | SetFlag.XX))) !== 0;
    if (clashes || expiry === SetFlag.PERSIST || (takesArgument && i === last)) {
      reply.error(errors.SYNTAX);
      return;
    }
    if (expiry !== 0) {
      flags |= expiry;
      if (takesArgument) timeIndex = ++i;
    } else if (condition !== 0) {
      flags |= condition;
      if (takesArgument) comparedIndex = ++i;
    } else if (args.is(i, "GET")) {
      flags |= SetFlag.GET;
    } else {
      reply.error(errors.SYNTAX);
      return;
    }
  }
  setGeneric(ctx, args, reply, "set", flags, 2, timeIndex, comparedIndex);
}

/** SETEX key seconds value */
function setexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  setGeneric(ctx, args, reply, "setex", SetFlag.EX, 3, 2, 0);
}

/** PSETEX key ms value */
function psetexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  setGeneric(ctx, args, reply, "psetex", SetFlag.PX, 3, 2, 0);
}

/**
 * SET with parsed options: the value, the time of an expiry and what a condition compares with are
 * arguments `valueIndex`, `timeIndex`, `comparedIndex`.
 */
function setGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  command: string,
  flags: number,
  valueIndex: number,
  timeIndex: number,
  comparedIndex: number,
): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const hasTime = (flags & SetFlag.TIMES) !== 0;
  let atMs: number | bigint = 0;
  if (hasTime) {
    atMs = expireAtArgument(ctx, args, timeIndex, flags, command, reply);
    if (atMs === 0) return;
  }
  const getsOld = (flags & SetFlag.GET) !== 0;
  const record = getsOld
    ? db.lookupRead(view, start[1], end[1])
    : db.lookupWrite(view, start[1], end[1]);
  const needsString = (flags & (SetFlag.GET | SetFlag.COMPARISONS)) !== 0;
  if (needsString && record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
  const verdict = conditionsHold(ctx, record, flags, args, comparedIndex, reply);
  if (verdict === Verdict.ERROR) return;
  // The old value is copied before it is overwritten; nothing below can fail.
  if (getsOld) replyOld(ctx, record, reply);
  else if (verdict === Verdict.FAILS) reply.nil();
  else reply.ok();
  if (verdict === Verdict.FAILS) return;
  if (hasTime && isPast(ctx, atMs)) {
    if (record === 0) return;
    db.removeExpired(record, view, start[1], end[1]);
    if (ctx.effects.isOn) ctx.effects.expires(args, 1);
    return;
  }
  storeArgument(ctx, args, 1, valueIndex, record, (flags & SetFlag.KEEPTTL) !== 0, atMs);
  if (ctx.effects.isOn) propagateSet(ctx, args, flags, valueIndex, atMs);
  db.changed(NotifyClass.STRING, "set", view, start[1], end[1]);
  if (hasTime) db.notify(NotifyClass.GENERIC, "expire", view, start[1], end[1]);
}

/**
 * SET propagates with the moment of its expiry, and without what was to be replied or compared;
 * one that is so already stays as it is.
 */
function propagateSet(
  ctx: CommandContext,
  args: Args,
  flags: number,
  valueIndex: number,
  atMs: number | bigint,
): void {
  const { effects } = ctx;
  const isConditional = (flags & SetFlag.COMPARISONS) !== 0;
  if ((flags & SetFlag.TIMES) !== 0) {
    if ((flags & SetFlag.PXAT) !== 0 && !isConditional) return;
    effects.begin(5).text("SET").argument(args, 1).argument(args, valueIndex);
    effects.text("PXAT").moment(atMs);
    return;
  }
  if ((flags & SetFlag.GET) === 0 && !isConditional) return;
  let count = 3;
  for (let i = 3; i < args.count; i = afterOption(args, i)) if (isKept(args, i)) count++;
  effects.begin(count).arguments(args, 0, 3);
  for (let i = 3; i < args.count; i = afterOption(args, i)) {
    if (isKept(args, i)) effects.argument(args, i);
  }
}

/** Whether an option of SET that has no expiry with it propagates. */
function isKept(args: Args, index: number): boolean {
  return comparisonWord(args, index) === SetFlag.NONE && !args.is(index, "GET");
}

function afterOption(args: Args, index: number): number {
  return comparisonWord(args, index) === SetFlag.NONE ? index + 1 : index + 2;
}

function replyOld(ctx: CommandContext, record: number, reply: ReplyWriter): void {
  if (record === 0) reply.nil();
  else replyString(ctx.keyspace.arena, record, reply);
}

function conditionsHold(
  ctx: CommandContext,
  record: number,
  flags: number,
  args: Args,
  comparedIndex: number,
  reply: ReplyWriter,
): Verdict {
  if ((flags & SetFlag.CONDITIONS) === 0) return Verdict.HOLDS;
  if (record === 0) {
    const needsKey = (flags & (SetFlag.XX | SetFlag.IFEQ | SetFlag.IFDEQ)) !== 0;
    return needsKey ? Verdict.FAILS : Verdict.HOLDS;
  }
  if ((flags & SetFlag.COMPARISONS) !== 0) {
    return compareValue(ctx, record, flags, args, comparedIndex, reply);
  }
  return (flags & SetFlag.NX) !== 0 ? Verdict.FAILS : Verdict.HOLDS;
}

/**
 * Gives key `args[keyIndex]`, which was looked up last as `record` (0 = missing), the value
 * `args[valueIndex]`. It expires at `atMs`; where that is 0, when it did (`keepsExpiry`) or never.
 */
export function storeArgument(
  ctx: CommandContext,
  args: Args,
  keyIndex: number,
  valueIndex: number,
  record: number,
  keepsExpiry: boolean,
  atMs: number | bigint,
): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const keyFrom = start[keyIndex];
  const keyTo = end[keyIndex];
  const from = start[valueIndex];
  const length = end[valueIndex] - from;
  if (record !== 0) {
    const keeps = keepsExpiry || atMs !== 0;
    const stored = db.replaceWithString(record, view, from, length, StringEncoding.AUTO, keeps);
    if (atMs !== 0) db.setExpireAt(stored, atMs);
  } else if (atMs === 0) {
    db.insertString(view, keyFrom, keyTo, view, from, length, StringEncoding.AUTO);
  } else {
    const valueBytes = storedBytes(length);
    const stored = db.insertExpiringRecord(view, keyFrom, keyTo, 0, valueBytes, atMs);
    const target = viewOf(ctx.keyspace.arena, stored);
    const at = valueAt(target, stored, Meta.EXPIRY);
    copyBytes(target, writePrefix(target, at, length), view, from, length);
  }
}

/** SETNX key value */
function setnxCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  if (ctx.db.lookupWrite(view, start[1], end[1]) !== 0) {
    reply.integer(0);
    return;
  }
  storeArgument(ctx, args, 1, 2, 0, false, 0);
  ctx.db.changed(NotifyClass.STRING, "set", view, start[1], end[1]);
  reply.integer(1);
}

/** GETSET key value */
function getsetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
  replyOld(ctx, record, reply);
  storeArgument(ctx, args, 1, 2, record, false, 0);
  if (ctx.effects.isOn) ctx.effects.renames("SET", args, 3);
  ctx.db.changed(NotifyClass.STRING, "set", view, start[1], end[1]);
}

/** GETDEL key */
function getdelCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
  replyOld(ctx, record, reply);
  if (record === 0) return;
  ctx.db.removeFound(record);
  if (ctx.effects.isOn) ctx.effects.deletes(args, 1, false);
  ctx.db.changed(NotifyClass.GENERIC, "del", view, start[1], end[1]);
}

/** GETEX key [EX seconds | PX ms | EXAT unix-seconds | PXAT unix-ms | PERSIST] */
function getexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let flags: number = SetFlag.NONE;
  let timeIndex = 0;
  for (let i = 2; i < args.count; i++) {
    const expiry = expiryWord(args, i);
    const takesArgument = (expiry & SetFlag.TIMES) !== 0;
    if (
      expiry === SetFlag.NONE ||
      expiry === SetFlag.KEEPTTL ||
      (flags & ~expiry) !== 0 ||
      (takesArgument && i === args.count - 1)
    ) {
      reply.error(errors.SYNTAX);
      return;
    }
    flags |= expiry;
    if (takesArgument) timeIndex = ++i;
  }
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  if (!checkType(ctx, record, ValueType.STRING, reply)) return;
  let atMs: number | bigint = 0;
  if (timeIndex !== 0) {
    atMs = expireAtArgument(ctx, args, timeIndex, flags, "getex", reply);
    if (atMs === 0) return;
  }
  replyString(ctx.keyspace.arena, record, reply);
  getexChangeExpiry(ctx, args, record, flags, atMs);
}

function getexChangeExpiry(
  ctx: CommandContext,
  args: Args,
  record: number,
  flags: number,
  atMs: number | bigint,
): void {
  const { view, start, end } = args;
  const { db, effects } = ctx;
  if (atMs !== 0) {
    if (isPast(ctx, atMs)) {
      db.removeExpired(record, view, start[1], end[1]);
      if (effects.isOn) effects.expires(args, 1);
      return;
    }
    db.setExpireAt(record, atMs);
    if (effects.isOn) effects.expiresAt(args, 1, atMs);
    db.changed(NotifyClass.GENERIC, "expire", view, start[1], end[1]);
    return;
  }
  const expires = (metaOf(ctx.keyspace.arena, record) & Meta.EXPIRY) !== 0;
  if ((flags & SetFlag.PERSIST) === 0 || !expires) return;
  db.clearExpiry(record);
  if (effects.isOn) effects.renames("PERSIST", args, 2);
  db.changed(NotifyClass.GENERIC, "persist", view, start[1], end[1]);
}

/** COLD: for COMMAND GETKEYSANDFLAGS and ACL. */
function setKeyFlags(args: Args): string {
  for (let i = 3; i < args.count; i++) if (args.is(i, "GET")) return "RW access update";
  return "OW update";
}
