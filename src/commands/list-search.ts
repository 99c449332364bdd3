// HOT PATH: rules in src/README.md
/** Lists: finding, inserting and removing by value. */
import { parseInt64 } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { type ReplyWriter, ReplyType } from "../protocol/reply-writer.ts";
import type { Lists } from "../types/list.ts";
import type { CommandContext } from "./context.ts";
import { attachChecked, listShrank, noteList, storeList } from "./list-value.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { offsetArgument } from "./string-value.ts";

export const listSearchCommands: readonly CommandSpec[] = [
  {
    name: "linsert",
    arity: 5,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.LIST,
    keys: oneKey("RW insert"),
    run: linsertCommand,
  },
  {
    name: "lpos",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.LIST,
    keys: oneKey("RO access"),
    run: lposCommand,
  },
  {
    name: "lrem",
    arity: 4,
    flags: Flag.WRITE,
    acl: Acl.LIST,
    keys: oneKey("RW delete"),
    run: lremCommand,
  },
];

const INT64_MIN = -9223372036854775808n;
const RANK_ZERO =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use " +
  "negative to start from the end of the list";
const COUNT_NEGATIVE = "ERR COUNT can't be negative";
const MAXLEN_NEGATIVE = "ERR MAXLEN can't be negative";
const OUT_OF_SYMMETRIC_RANGE =
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

/** LINSERT key BEFORE | AFTER pivot element */
function linsertCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { db } = ctx;
  const { view, start, end } = args;
  const after = args.is(2, "AFTER");
  if (!after && !args.is(2, "BEFORE")) {
    reply.error(errors.SYNTAX);
    return;
  }
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!attachChecked(ctx, record, reply)) return;
  const { lists } = ctx.keyspace;
  lists.grow(args.lengthOf(4), 1);
  let more = lists.seekEnd(true);
  while (more && !lists.equals(view, start[3], end[3])) more = lists.step(true);
  if (more) lists.insert(after, view, start[4], end[4]);
  // Without the pivot, too, the list may be a quicklist now, as in Valkey.
  storeList(ctx, record, lists);
  if (!more) {
    reply.integer(-1);
    return;
  }
  db.changed(NotifyClass.LIST, "linsert", view, start[1], end[1]);
  reply.integer(lists.length);
}

/** LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len] */
function lposCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let rank = 1;
  let count = -1;
  let compared = 0;
  for (let i = 3; i < args.count; i += 2) {
    if (i + 1 === args.count) {
      reply.error(errors.SYNTAX);
      return;
    }
    if (args.is(i, "RANK")) {
      rank = symmetricArgument(args, i + 1, reply);
      if (rank !== rank) return;
      if (rank === 0) {
        reply.error(RANK_ZERO);
        return;
      }
    } else if (args.is(i, "COUNT")) {
      count = notNegativeArgument(args, i + 1, reply, COUNT_NEGATIVE);
      if (count !== count) return;
    } else if (args.is(i, "MAXLEN")) {
      compared = notNegativeArgument(args, i + 1, reply, MAXLEN_NEGATIVE);
      if (compared !== compared) return;
    } else {
      reply.error(errors.SYNTAX);
      return;
    }
  }
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    if (count === -1) reply.nil();
    else reply.array(0);
    return;
  }
  if (!attachChecked(ctx, record, reply)) return;
  const { lists } = ctx.keyspace;
  if (compared === 0) compared = Infinity;
  if (count === -1) lposFirst(lists, args, reply, rank, compared);
  else lposMany(lists, args, reply, rank, compared, count === 0 ? Infinity : count);
}

function lposFirst(
  lists: Lists,
  args: Args,
  reply: ReplyWriter,
  rank: number,
  compared: number,
): void {
  const { view } = args;
  const from = args.start[2];
  const to = args.end[2];
  const forwards = rank > 0;
  let wanted = Math.abs(rank);
  let more = lists.seekEnd(forwards);
  for (let index = 0; more && index < compared; index++) {
    if (lists.equals(view, from, to) && --wanted === 0) {
      reply.integer(forwards ? index : lists.length - 1 - index);
      return;
    }
    more = lists.step(forwards);
  }
  reply.nil();
}

function lposMany(
  lists: Lists,
  args: Args,
  reply: ReplyWriter,
  rank: number,
  compared: number,
  count: number,
): void {
  const { view } = args;
  const from = args.start[2];
  const to = args.end[2];
  const forwards = rank > 0;
  const { length } = lists;
  const mark = reply.deferLength();
  let skipped = Math.abs(rank) - 1;
  let found = 0;
  let more = lists.seekEnd(forwards);
  for (let index = 0; more && index < compared && found < count; index++) {
    if (lists.equals(view, from, to)) {
      if (skipped > 0) skipped--;
      else {
        reply.integer(forwards ? index : length - 1 - index);
        found++;
      }
    }
    more = lists.step(forwards);
  }
  reply.setDeferred(mark, ReplyType.ARRAY, found);
}

/** LREM key count element */
function lremCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view } = args;
  const from = args.start[3];
  const to = args.end[3];
  const count = symmetricArgument(args, 2, reply);
  if (count !== count) return;
  const record = ctx.db.lookupWrite(view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!attachChecked(ctx, record, reply)) return;
  const { lists } = ctx.keyspace;
  const forwards = count >= 0;
  const wanted = count === 0 ? Infinity : Math.abs(count);
  let removed = 0;
  let more = lists.seekEnd(forwards);
  while (more && removed < wanted) {
    if (lists.equals(view, from, to)) {
      more = lists.remove(forwards);
      noteList(ctx, record, lists);
      removed++;
    } else more = lists.step(forwards);
  }
  if (removed > 0) listShrank(ctx, args, 1, record, lists, "lrem", removed);
  reply.integer(removed);
}

/** Argument `index` as an integer that -2^63 is too low for; NaN after an error reply. */
function symmetricArgument(args: Args, index: number, reply: ReplyWriter): number {
  const value = offsetArgument(args, index, reply);
  if (
    value < Number.MIN_SAFE_INTEGER &&
    parseInt64(args.bytes, args.start[index], args.end[index]) === INT64_MIN
  ) {
    reply.error(OUT_OF_SYMMETRIC_RANGE);
    return NaN;
  }
  return value;
}

function notNegativeArgument(args: Args, index: number, reply: ReplyWriter, error: string): number {
  const value = offsetArgument(args, index, reply, error);
  if (value < 0) {
    reply.error(error);
    return NaN;
  }
  return value;
}
