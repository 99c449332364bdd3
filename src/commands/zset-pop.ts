// HOT PATH: rules in src/README.md
/**
 * Taking the members with the lowest or highest scores out of a sorted set: ZPOPMIN, ZPOPMAX,
 * ZMPOP, and those that wait for one.
 */
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import { deadlineArgument, waitForKeyRange } from "./blocking.ts";
import type { CommandContext } from "./context.ts";
import { replyEntry } from "./listpack-reply.ts";
import { popCount } from "./pop-count.ts";
import { Acl, type CommandSpec, Flag, keyRange, oneKey } from "./spec.ts";
import { offsetArgument, positiveArgument } from "./string-value.ts";
import { finishRemoval, zsetOf } from "./zset-value.ts";

export const zsetPopCommands: readonly CommandSpec[] = [
  {
    name: "zpopmin",
    arity: -2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RW access delete"),
    run: zpopminCommand,
  },
  {
    name: "zpopmax",
    arity: -2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.SORTED_SET,
    keys: oneKey("RW access delete"),
    run: zpopmaxCommand,
  },
  {
    name: "bzpopmin",
    arity: -3,
    flags: Flag.WRITE | Flag.FAST | Flag.BLOCKING,
    acl: Acl.SORTED_SET,
    keys: keyRange("RW access delete", -2),
    run: bzpopminCommand,
  },
  {
    name: "bzpopmax",
    arity: -3,
    flags: Flag.WRITE | Flag.FAST | Flag.BLOCKING,
    acl: Acl.SORTED_SET,
    keys: keyRange("RW access delete", -2),
    run: bzpopmaxCommand,
  },
  {
    name: "zmpop",
    arity: -4,
    flags: Flag.WRITE | Flag.MOVABLE_KEYS,
    acl: Acl.SORTED_SET,
    keys: [
      {
        flags: "RW access delete",
        begin: { index: 1 },
        find: { countAt: 0, first: 1, step: 1 },
      },
    ],
    run: zmpopCommand,
  },
  {
    name: "bzmpop",
    arity: -5,
    flags: Flag.WRITE | Flag.BLOCKING | Flag.MOVABLE_KEYS,
    acl: Acl.SORTED_SET,
    keys: [
      {
        flags: "RW access delete",
        begin: { index: 2 },
        find: { countAt: 0, first: 1, step: 1 },
      },
    ],
    run: bzmpopCommand,
  },
];

const NEGATIVE_COUNT = "ERR value is out of range, must be positive";
const NUMKEYS_TOO_LOW = "ERR numkeys should be greater than 0";

const enum Where {
  MIN = 0,
  MAX = 1,
  /** Neither: an error was replied. */
  ERROR = 2,
}

/** How popped members are replied. */
const enum Shape {
  /** One member and its score. */
  ONE = 0,
  /** ZPOPMIN with a count: pairs, which RESP2 flattens. */
  MANY = 1,
  /** BZPOPMIN: the key, the member, its score. */
  ONE_WITH_KEY = 2,
  /** ZMPOP: the key, and an array of pairs. */
  MANY_WITH_KEY = 3,
}

/** ZPOPMIN key [count] */
function zpopminCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zpopGeneric(ctx, args, reply, Where.MIN);
}

/** ZPOPMAX key [count] */
function zpopmaxCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zpopGeneric(ctx, args, reply, Where.MAX);
}

function zpopGeneric(ctx: CommandContext, args: Args, reply: ReplyWriter, where: Where): void {
  if (args.count > 3) {
    reply.error(errors.SYNTAX);
    return;
  }
  let count = 1;
  if (args.count === 3) {
    count = offsetArgument(args, 2, reply, NEGATIVE_COUNT);
    if (count !== count) return;
    if (count < 0) {
      reply.error(NEGATIVE_COUNT);
      return;
    }
  }
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  if (record === 0 || count === 0) {
    reply.array(0);
    return;
  }
  pop(ctx, args, reply, 1, record, where, count, args.count === 3 ? Shape.MANY : Shape.ONE);
}

/** Takes up to `count` members out of the key at argument `index`, which was looked up last. */
function pop(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  index: number,
  record: number,
  where: Where,
  count: number,
  shape: Shape,
): void {
  const zset = zsetOf(ctx, record);
  const { length } = zset;
  const popped = count < length ? count : length;
  const isNested = shape === Shape.MANY_WITH_KEY || (shape === Shape.MANY && reply.resp3);
  if (shape === Shape.MANY) reply.array(isNested ? popped : popped * 2);
  else if (shape === Shape.ONE) reply.array(2);
  else {
    reply.array(shape === Shape.ONE_WITH_KEY ? 3 : 2);
    reply.bulk(args.view, args.start[index], args.lengthOf(index));
    if (shape === Shape.MANY_WITH_KEY) reply.array(popped);
  }
  zset.seek(where === Where.MIN ? 0 : length - 1);
  for (let i = 1; ; i++) {
    if (isNested) reply.array(2);
    replyEntry(reply, zset.member);
    reply.double(zset.score);
    if (i === popped) break;
    if (where === Where.MIN) zset.next();
    else zset.previous();
  }
  if (popped === 1) zset.removeSought();
  else zset.removeRange(where === Where.MIN ? 0 : length - popped, popped);
  const event = where === Where.MIN ? "zpopmin" : "zpopmax";
  finishRemoval(ctx, args, index, record, zset, event, popped);
  // ZPOPMIN and ZPOPMAX themselves stay as they are.
  if (ctx.effects.isOn && shape >= Shape.ONE_WITH_KEY) {
    const name = where === Where.MIN ? "ZPOPMIN" : "ZPOPMAX";
    if (shape === Shape.ONE_WITH_KEY) ctx.effects.begin(2).text(name).argument(args, index);
    else ctx.effects.takes(name, args, index, popped);
  }
}

/** BZPOPMIN key [key ...] timeout */
function bzpopminCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  bzpopGeneric(ctx, args, reply, Where.MIN);
}

/** BZPOPMAX key [key ...] timeout */
function bzpopmaxCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  bzpopGeneric(ctx, args, reply, Where.MAX);
}

function bzpopGeneric(ctx: CommandContext, args: Args, reply: ReplyWriter, where: Where): void {
  const last = args.count - 1;
  const deadlineMs = deadlineArgument(ctx, args, last, reply);
  if (deadlineMs !== deadlineMs) return;
  if (popFirst(ctx, args, reply, 1, last, where, 1, Shape.ONE_WITH_KEY)) return;
  waitForKeyRange(ctx, args, reply, ValueType.ZSET, 1, last, deadlineMs);
}

/** ZMPOP numkeys key [key ...] MIN | MAX [COUNT count] */
function zmpopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zmpopGeneric(ctx, args, reply, 1);
}

/** BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count] */
function bzmpopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  zmpopGeneric(ctx, args, reply, 2);
}

/** ZMPOP, whose numkeys is argument 1, and BZMPOP, where it is argument 2. */
function zmpopGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  countIndex: number,
): void {
  const keyCount = positiveArgument(args, countIndex, reply, NUMKEYS_TOO_LOW);
  if (keyCount !== keyCount) return;
  const whereIndex = countIndex + keyCount + 1;
  const where = whereIndex >= args.count ? Where.ERROR : whereArgument(args, whereIndex);
  if (where === Where.ERROR) {
    reply.error(errors.SYNTAX);
    return;
  }
  const count = popCount(args, whereIndex + 1, reply);
  if (count !== count) return;
  const mayWait = countIndex === 2;
  const deadlineMs = mayWait ? deadlineArgument(ctx, args, 1, reply) : 0;
  if (deadlineMs !== deadlineMs) return;
  const first = countIndex + 1;
  if (popFirst(ctx, args, reply, first, whereIndex, where, count, Shape.MANY_WITH_KEY)) return;
  if (mayWait) waitForKeyRange(ctx, args, reply, ValueType.ZSET, first, whereIndex, deadlineMs);
  else reply.nilArray();
}

function whereArgument(args: Args, index: number): Where {
  if (args.is(index, "MIN")) return Where.MIN;
  return args.is(index, "MAX") ? Where.MAX : Where.ERROR;
}

/**
 * Pops from the first key among the arguments [from, to) that there is. False if there is none; an
 * error is a reply as well.
 */
function popFirst(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  from: number,
  to: number,
  where: Where,
  count: number,
  shape: Shape,
): boolean {
  for (let i = from; i < to; i++) {
    const record = ctx.db.lookupWrite(args.view, args.start[i], args.end[i]);
    if (record === 0) continue;
    if (checkType(ctx, record, ValueType.ZSET, reply)) {
      pop(ctx, args, reply, i, record, where, count, shape);
    }
    return true;
  }
  return false;
}
