// HOT PATH: rules in src/README.md
/**
 * Sorted sets, member by member: ZADD and its relatives, scores, ranks. Ranges are in
 * zset-range.ts, ZUNION and its like in zset-store.ts, what takes members out in zset-pop.ts.
 * Documentation: the "Sorted set" group of Redis's command reference.
 */
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { SortedSets } from "../types/zset.ts";
import { checkType, doubleArgument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { finishRemoval, insertZset, zsetOf } from "./zset-value.ts";

export const zsetCommands: readonly CommandSpec[] = [
  {
    name: "zadd",
    arity: -4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RW update"),
    member: 3,
    run: zaddCommand,
  },
  {
    name: "zincrby",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RW access update"),
    member: 3,
    run: zincrbyCommand,
  },
  {
    name: "zrem",
    arity: -3,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RW delete"),
    member: 2,
    run: zremCommand,
  },
  {
    name: "zcard",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO"),
    run: zcardCommand,
  },
  {
    name: "zscore",
    arity: 3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    member: 2,
    run: zscoreCommand,
  },
  {
    name: "zmscore",
    arity: -3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    member: 2,
    run: zmscoreCommand,
  },
  {
    name: "zrank",
    arity: -3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    member: 2,
    run: zrankCommand,
  },
  {
    name: "zrevrank",
    arity: -3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    member: 2,
    run: zrevrankCommand,
  },
];

/** Options of ZADD. */
export const enum Zadd {
  NONE = 0,
  NX = 1 << 0,
  XX = 1 << 1,
  GT = 1 << 2,
  LT = 1 << 3,
  CH = 1 << 4,
  INCR = 1 << 5,
}

/** What became of one member. */
const enum Outcome {
  /** The score was what it is, or the options forbade the change. */
  UNTOUCHED = 0,
  ADDED = 1,
  UPDATED = 2,
  /** The options forbade it. */
  REFUSED = 3,
  NOT_A_NUMBER = 4,
}

const NAN_SCORE = "ERR resulting score is not a number (NaN)";

/** ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...] */
function zaddCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zaddGeneric(ctx, args, reply, Zadd.NONE);
}

/** ZINCRBY key increment member. Redis's takes the options of ZADD in place of the increment. */
function zincrbyCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zaddGeneric(ctx, args, reply, Zadd.INCR);
}

function zaddGeneric(ctx: CommandContext, args: Args, reply: ReplyWriter, given: number): void {
  let flags = given;
  let first = 2;
  for (; first < args.count; first++) {
    const option = args.lengthOf(first) > 4 ? Zadd.NONE : zaddOption(args, first);
    if (option === Zadd.NONE) break;
    flags |= option;
  }
  zaddPairs(ctx, args, reply, flags, first);
}

function zaddOption(args: Args, index: number): number {
  // A score, as nearly every argument here is, begins with a digit, a sign or a point.
  if (args.bytes[args.start[index]] < 0x41) return Zadd.NONE;
  if (args.is(index, "NX")) return Zadd.NX;
  if (args.is(index, "XX")) return Zadd.XX;
  if (args.is(index, "GT")) return Zadd.GT;
  if (args.is(index, "LT")) return Zadd.LT;
  if (args.is(index, "CH")) return Zadd.CH;
  return args.is(index, "INCR") ? Zadd.INCR : Zadd.NONE;
}

/** ZADD with its options read: scores and members begin at argument `first`. */
export function zaddPairs(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  flags: number,
  first: number,
): void {
  const count = args.count - first;
  if (count === 0 || (count & 1) !== 0) {
    reply.error(errors.SYNTAX);
    return;
  }
  const conflict = zaddConflict(flags, count >> 1);
  if (conflict !== "") {
    reply.error(conflict);
    return;
  }
  let bytesMax = 0;
  for (let i = first; i < args.count; i += 2) {
    const score = doubleArgument(args, i, reply);
    if (score !== score) return;
    bytesMax = Math.max(bytesMax, args.lengthOf(i + 1));
  }
  const { db } = ctx;
  const record = db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  if (record === 0 && (flags & Zadd.XX) !== 0) {
    if ((flags & Zadd.INCR) !== 0) reply.nil();
    else reply.integer(0);
    return;
  }
  let zset = ctx.keyspace.zsets;
  if (record === 0) zset.create(count >> 1, bytesMax);
  else {
    zset = zsetOf(ctx, record);
    zset.convertFor(count >> 1, bytesMax);
  }
  zaddAll(ctx, args, reply, zset, record, flags, first);
}

/** Why these options do not go together; "" if they do. */
function zaddConflict(flags: number, pairs: number): string {
  if ((flags & (Zadd.NX | Zadd.XX | Zadd.GT | Zadd.LT | Zadd.INCR)) === 0) return "";
  const isNx = (flags & Zadd.NX) !== 0;
  if (isNx && (flags & Zadd.XX) !== 0) {
    return "ERR XX and NX options at the same time are not compatible";
  }
  const limits = flags & (Zadd.GT | Zadd.LT);
  if ((isNx && limits !== 0) || limits === (Zadd.GT | Zadd.LT)) {
    return "ERR GT, LT, and/or NX options at the same time are not compatible";
  }
  if ((flags & Zadd.INCR) !== 0 && pairs > 1) {
    return "ERR INCR option supports a single increment-element pair";
  }
  return "";
}

function zaddAll(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  zset: SortedSets,
  record: number,
  flags: number,
  first: number,
): void {
  const { db } = ctx;
  let added = 0;
  let updated = 0;
  let outcome: Outcome = Outcome.UNTOUCHED;
  for (let i = first; i < args.count; i += 2) {
    outcome = zaddMember(args, zset, flags, i, doubleArgument(args, i, reply));
    if (outcome === Outcome.ADDED) added++;
    else if (outcome === Outcome.UPDATED) updated++;
  }
  if (record === 0) insertZset(ctx, args, 1, zset);
  else db.updateRoot(record, zset.encoding, zset.root);
  if (added + updated > 0) {
    ctx.keyspace.dirty += added + updated - 1;
    const event = (flags & Zadd.INCR) !== 0 ? "zincr" : "zadd";
    db.changed(NotifyClass.ZSET, event, args.view, args.start[1], args.end[1]);
  }
  if ((flags & Zadd.INCR) === 0) {
    reply.integer((flags & Zadd.CH) !== 0 ? added + updated : added);
  } else if (outcome === Outcome.NOT_A_NUMBER) reply.error(NAN_SCORE);
  else if (outcome === Outcome.REFUSED) reply.nil();
  else reply.double(zset.score);
}

/** Adds or updates one member; its score is in `zset.score` then. */
function zaddMember(
  args: Args,
  zset: SortedSets,
  flags: number,
  index: number,
  given: number,
): Outcome {
  const { view } = args;
  const start = args.start[index + 1];
  const end = args.end[index + 1];
  if (!zset.find(view, start, end)) {
    if ((flags & Zadd.XX) !== 0) return Outcome.REFUSED;
    zset.addMissing(view, start, end, given);
    return Outcome.ADDED;
  }
  if ((flags & Zadd.NX) !== 0) return Outcome.REFUSED;
  const old = zset.score;
  let score = given;
  if ((flags & Zadd.INCR) !== 0) {
    score += old;
    if (score !== score) return Outcome.NOT_A_NUMBER;
  }
  if ((flags & Zadd.LT) !== 0 && score >= old) return Outcome.REFUSED;
  if ((flags & Zadd.GT) !== 0 && score <= old) return Outcome.REFUSED;
  zset.score = score;
  if (score === old) return Outcome.UNTOUCHED;
  zset.changeScore(view, start, end, score);
  return Outcome.UPDATED;
}

/** ZREM key member [member ...] */
function zremCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = zsetOf(ctx, record);
  let removed = 0;
  for (let i = 2; i < args.count; i++) {
    if (!zset.remove(view, start[i], end[i])) continue;
    removed++;
    if (zset.length === 0) break;
  }
  if (removed > 0) finishRemoval(ctx, args, 1, record, zset, "zrem", removed);
  reply.integer(removed);
}

/** ZCARD key */
function zcardCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) reply.integer(0);
  else if (checkType(ctx, record, ValueType.ZSET, reply)) reply.integer(zsetOf(ctx, record).length);
}

/** ZSCORE key member */
function zscoreCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  if (!checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = zsetOf(ctx, record);
  if (zset.find(view, start[2], end[2])) reply.double(zset.score);
  else reply.nil();
}

/** ZMSCORE key member [member ...] */
function zmscoreCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = record === 0 ? ctx.keyspace.zsets : zsetOf(ctx, record);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (record !== 0 && zset.find(view, start[i], end[i])) reply.double(zset.score);
    else reply.nil();
  }
}

/** ZRANK key member [WITHSCORE] */
function zrankCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zrankGeneric(ctx, args, reply, false);
}

/** ZREVRANK key member [WITHSCORE] */
function zrevrankCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zrankGeneric(ctx, args, reply, true);
}

function zrankGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  isReverse: boolean,
): void {
  const { view, start, end } = args;
  if (args.count > 4) {
    reply.error(errors.wrongArity(isReverse ? "zrevrank" : "zrank"));
    return;
  }
  const withScore = args.count === 4;
  if (withScore && !args.is(3, "WITHSCORE")) {
    reply.error(errors.SYNTAX);
    return;
  }
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = record === 0 ? ctx.keyspace.zsets : zsetOf(ctx, record);
  if (record === 0 || !zset.find(view, start[2], end[2])) {
    if (withScore) reply.nilArray();
    else reply.nil();
    return;
  }
  const rank = zset.rankAtCursor();
  if (withScore) reply.array(2);
  reply.integer(isReverse ? zset.length - 1 - rank : rank);
  if (withScore) reply.double(zset.score);
}
