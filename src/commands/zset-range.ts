// HOT PATH: rules in src/README.md
/**
 * Ranges of sorted sets: ZRANGE and the commands that it replaces, counting, and removing ranges.
 *
 * All read their options into the engine's one `ZsetRange`, which then finds the members: see
 * types/zset-range.ts.
 */
import { ValueType } from "../keyspace/record.ts";
import type { Arena } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { type ReplyWriter, ShortBulk, writeShortBulk } from "../protocol/reply-writer.ts";
import { memberLength, memberStart, memberView, scoreOf } from "../structures/scored-member.ts";
import type { SortedSets } from "../types/zset.ts";
import { RangeBy, type ZsetRange } from "../types/zset-range.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { replyEveryOther } from "./listpack-reply.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { offsetArgument } from "./string-value.ts";
import {
  finishRemoval,
  replyMemberCount,
  replyMemberWith,
  storeZset,
  zsetOf,
} from "./zset-value.ts";

/** Entries of a TREE that are read in one go. */
const ENTRIES_AT_ONCE = 64;
const entriesRead = new Int32Array(ENTRIES_AT_ONCE);

export const zsetRangeCommands: readonly CommandSpec[] = [
  {
    name: "zrange",
    arity: -4,
    flags: Flag.READONLY,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    run: zrangeCommand,
  },
  {
    name: "zrevrange",
    arity: -4,
    flags: Flag.READONLY,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    run: zrevrangeCommand,
  },
  {
    name: "zrangebyscore",
    arity: -4,
    flags: Flag.READONLY,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    run: zrangebyscoreCommand,
  },
  {
    name: "zrevrangebyscore",
    arity: -4,
    flags: Flag.READONLY,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    run: zrevrangebyscoreCommand,
  },
  {
    name: "zrangebylex",
    arity: -4,
    flags: Flag.READONLY,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    run: zrangebylexCommand,
  },
  {
    name: "zrevrangebylex",
    arity: -4,
    flags: Flag.READONLY,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    run: zrevrangebylexCommand,
  },
  {
    name: "zrangestore",
    arity: -5,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.SORTED_SET,
    keys: [
      oneKey("OW update")[0],
      { flags: "RO access", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } },
    ],
    run: zrangestoreCommand,
  },
  {
    name: "zcount",
    arity: 4,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    run: zcountCommand,
  },
  {
    name: "zlexcount",
    arity: 4,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    run: zlexcountCommand,
  },
  {
    name: "zremrangebyrank",
    arity: 4,
    flags: Flag.WRITE,
    acl: Acl.SORTED_SET,
    keys: oneKey("RW delete"),
    run: zremrangebyrankCommand,
  },
  {
    name: "zremrangebyscore",
    arity: 4,
    flags: Flag.WRITE,
    acl: Acl.SORTED_SET,
    keys: oneKey("RW delete"),
    run: zremrangebyscoreCommand,
  },
  {
    name: "zremrangebylex",
    arity: 4,
    flags: Flag.WRITE,
    acl: Acl.SORTED_SET,
    keys: oneKey("RW delete"),
    run: zremrangebylexCommand,
  },
];

const BAD_SCORE = "ERR min or max is not a float";
const BAD_MEMBER = "ERR min or max not valid string range item";
const LIMIT_BY_RANK =
  "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
const SCORES_BY_MEMBER = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";

const enum Direction {
  /** Not said: up. */
  DEFAULT = 0,
  UP = 1,
  DOWN = 2,
}

/** What `readRange` returns. */
const enum Scores {
  /** An error was replied. */
  ERROR = 0,
  WITHOUT = 1,
  WITH = 2,
}

/** ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES] */
function zrangeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zrangeGeneric(ctx, args, reply, RangeBy.DEFAULT, Direction.DEFAULT);
}

/** ZREVRANGE key start stop [WITHSCORES] */
function zrevrangeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zrangeGeneric(ctx, args, reply, RangeBy.RANK, Direction.DOWN);
}

/** ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count] */
function zrangebyscoreCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zrangeGeneric(ctx, args, reply, RangeBy.SCORE, Direction.UP);
}

/** ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count] */
function zrevrangebyscoreCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zrangeGeneric(ctx, args, reply, RangeBy.SCORE, Direction.DOWN);
}

/** ZRANGEBYLEX key min max [LIMIT offset count] */
function zrangebylexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zrangeGeneric(ctx, args, reply, RangeBy.MEMBER, Direction.UP);
}

/** ZREVRANGEBYLEX key max min [LIMIT offset count] */
function zrevrangebylexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zrangeGeneric(ctx, args, reply, RangeBy.MEMBER, Direction.DOWN);
}

function zrangeGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  by: number,
  direction: number,
): void {
  const range = ctx.keyspace.zsetRange;
  const scores = readRange(range, args, 2, reply, by, direction, true);
  if (scores === Scores.ERROR) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.array(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = zsetOf(ctx, record);
  range.locate(zset);
  const { count, isReverse } = range;
  const withScores = scores === Scores.WITH;
  replyMemberCount(reply, count, withScores);
  if (count === 0) return;
  if (zset.isIndexed) {
    replyEntries(ctx.keyspace.arena, reply, zset, range, withScores);
    return;
  }
  if (!withScores && !isReverse) {
    replyEveryOther(reply, zset.view, zset.positionOf(range.first), count);
    return;
  }
  zset.seek(range.first);
  for (let i = 1; ; i++) {
    replyMemberWith(reply, zset, withScores);
    if (i === count) return;
    if (isReverse) zset.previous();
    else zset.next();
  }
}

/** The members of a range that is not empty, of a TREE: read where they lie, without the cursor. */
function replyEntries(
  arena: Arena,
  reply: ReplyWriter,
  zset: SortedSets,
  range: ZsetRange,
  withScores: boolean,
): void {
  zset.seekEntry(range.first);
  for (let rest = range.count; rest > 0; rest -= ENTRIES_AT_ONCE) {
    const count = Math.min(rest, ENTRIES_AT_ONCE);
    zset.readEntries(entriesRead, count, range.isReverse);
    if (withScores) replyScoredMembers(arena, reply, count);
    else replyMembers(arena, reply, count);
  }
}

/** The members of `entriesRead`. */
function replyMembers(arena: Arena, reply: ReplyWriter, count: number): void {
  let { view: target, length: to } = reply;
  let toMax = reply.bytes.length - ShortBulk.BYTES_MAX;
  for (let i = 0; i < count; i++) {
    const view = memberView(arena, entriesRead[i]);
    const start = memberStart(arena, entriesRead[i]);
    const length = memberLength(arena, entriesRead[i]);
    if (length <= ShortBulk.CONTENT_MAX && to <= toMax) {
      to = writeShortBulk(target, to, view, start, length);
    } else {
      reply.length = to;
      reply.bulk(view, start, length);
      ({ view: target, length: to } = reply);
      toMax = reply.bytes.length - ShortBulk.BYTES_MAX;
    }
  }
  reply.length = to;
}

/** The members of `entriesRead`, each with its score. */
function replyScoredMembers(arena: Arena, reply: ReplyWriter, count: number): void {
  const isNested = reply.resp3;
  for (let i = 0; i < count; i++) {
    const entry = entriesRead[i];
    if (isNested) reply.array(2);
    reply.bulk(memberView(arena, entry), memberStart(arena, entry), memberLength(arena, entry));
    reply.double(scoreOf(arena, entry));
  }
}

/** ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] */
function zrangestoreCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const range = ctx.keyspace.zsetRange;
  const scores = readRange(range, args, 3, reply, RangeBy.DEFAULT, Direction.DEFAULT, false);
  if (scores === Scores.ERROR) return;
  const record = ctx.db.lookupRead(args.view, args.start[2], args.end[2]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  const result = ctx.keyspace.newZsets;
  range.count = 0;
  const zset = ctx.keyspace.zsets;
  if (record !== 0) range.locate(zsetOf(ctx, record));
  result.create(range.by === RangeBy.RANK ? range.count : 0, 0);
  if (range.count > 0) zset.seek(range.first);
  for (let i = 0; i < range.count; i++) {
    result.addEntry(zset.member, zset.score);
    if (range.isReverse) zset.previous();
    else zset.next();
  }
  storeZset(ctx, args, 1, result, "zrangestore", reply);
}

/**
 * Reads bounds, at argument `first` and the next one, and the options behind them into `range`.
 * `by` and `direction` leave open what options may say. Says whether scores are wanted.
 */
function readRange(
  range: ZsetRange,
  args: Args,
  first: number,
  reply: ReplyWriter,
  by: number,
  direction: number,
  mayHaveScores: boolean,
): Scores {
  range.by = by;
  range.offset = 0;
  range.limit = -1;
  let scores = Scores.WITHOUT;
  let order = direction;
  for (let i = first + 2; i < args.count; i++) {
    if (mayHaveScores && args.is(i, "WITHSCORES")) scores = Scores.WITH;
    else if (args.is(i, "LIMIT") && i + 2 < args.count) {
      range.offset = offsetArgument(args, ++i, reply);
      if (range.offset !== range.offset) return Scores.ERROR;
      range.limit = offsetArgument(args, ++i, reply);
      if (range.limit !== range.limit) return Scores.ERROR;
    } else if (order === Direction.DEFAULT && args.is(i, "REV")) order = Direction.DOWN;
    else if (range.by === RangeBy.DEFAULT && args.is(i, "BYLEX")) range.by = RangeBy.MEMBER;
    else if (range.by === RangeBy.DEFAULT && args.is(i, "BYSCORE")) range.by = RangeBy.SCORE;
    else {
      reply.error(errors.SYNTAX);
      return Scores.ERROR;
    }
  }
  if (range.by === RangeBy.DEFAULT) range.by = RangeBy.RANK;
  range.isReverse = order === Direction.DOWN;
  if (range.limit !== -1 && range.by === RangeBy.RANK) {
    reply.error(LIMIT_BY_RANK);
    return Scores.ERROR;
  }
  if (scores === Scores.WITH && range.by === RangeBy.MEMBER) {
    reply.error(SCORES_BY_MEMBER);
    return Scores.ERROR;
  }
  return readBounds(range, args, first, reply) ? scores : Scores.ERROR;
}

/** Reads two bounds from argument `first` on, the greater one first if the range is reversed. */
function readBounds(range: ZsetRange, args: Args, first: number, reply: ReplyWriter): boolean {
  const { bytes, view, start, end } = args;
  if (range.by === RangeBy.RANK) {
    const from = offsetArgument(args, first, reply);
    if (from !== from) return false;
    const to = offsetArgument(args, first + 1, reply);
    if (to !== to) return false;
    range.setRanks(from, to);
    return true;
  }
  const min = range.isReverse ? first + 1 : first;
  const max = range.isReverse ? first : first + 1;
  if (range.by === RangeBy.SCORE) {
    if (range.parseScores(bytes, start[min], end[min], start[max], end[max])) return true;
    reply.error(BAD_SCORE);
    return false;
  }
  if (range.parseMembers(bytes, view, start[min], end[min], start[max], end[max])) return true;
  reply.error(BAD_MEMBER);
  return false;
}

/** ZCOUNT key min max */
function zcountCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  countGeneric(ctx, args, reply, RangeBy.SCORE);
}

/** ZLEXCOUNT key min max */
function zlexcountCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  countGeneric(ctx, args, reply, RangeBy.MEMBER);
}

function countGeneric(ctx: CommandContext, args: Args, reply: ReplyWriter, by: number): void {
  const range = ctx.keyspace.zsetRange;
  if (readRange(range, args, 2, reply, by, Direction.UP, false) === Scores.ERROR) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.ZSET, reply)) return;
  range.locate(zsetOf(ctx, record));
  reply.integer(range.count);
}

/** ZREMRANGEBYRANK key start stop */
function zremrangebyrankCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  removeGeneric(ctx, args, reply, RangeBy.RANK, "zremrangebyrank");
}

/** ZREMRANGEBYSCORE key min max */
function zremrangebyscoreCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  removeGeneric(ctx, args, reply, RangeBy.SCORE, "zremrangebyscore");
}

/** ZREMRANGEBYLEX key min max */
function zremrangebylexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  removeGeneric(ctx, args, reply, RangeBy.MEMBER, "zremrangebylex");
}

function removeGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  by: number,
  event: string,
): void {
  const range = ctx.keyspace.zsetRange;
  if (readRange(range, args, 2, reply, by, Direction.UP, false) === Scores.ERROR) return;
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = zsetOf(ctx, record);
  range.locate(zset);
  const { count } = range;
  if (count > 0) {
    zset.removeRange(range.first, count);
    finishRemoval(ctx, args, 1, record, zset, event, count);
  }
  reply.integer(count);
}
