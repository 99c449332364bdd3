// HOT PATH: rules in src/README.md
/**
 * Counters: INCR, DECR, INCRBY, DECRBY.
 *
 * A sum that JavaScript's numbers hold exactly is computed in them; every other one, and every
 * value or increment beyond 2^53, goes through bigint.
 */
import {
  INT64_MAX,
  INT64_MIN,
  decimalLength,
  parseInt64,
  parseInteger,
  writeBigInt,
  writeInteger,
} from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import {
  StringEncoding,
  ValueType,
  encodingOf,
  metaOf,
  typeOf,
  valueAt,
  viewOf,
} from "../keyspace/record.ts";
import { Ref } from "../memory/arena.ts";
import { prefixBytes, storedLength } from "../memory/stored-bytes.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { bytesOf, stringLength, stringStart } from "./string-value.ts";

export const stringIncrementCommands: readonly CommandSpec[] = [
  {
    name: "incr",
    arity: 2,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW access update"),
    run: incrCommand,
  },
  {
    name: "decr",
    arity: 2,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW access update"),
    run: decrCommand,
  },
  {
    name: "incrby",
    arity: 3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW access update"),
    run: incrbyCommand,
  },
  {
    name: "decrby",
    arity: 3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW access update"),
    run: decrbyCommand,
  },
];

/** INCR key */
function incrCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  increment(ctx, args, reply, 1);
}

/** DECR key */
function decrCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  increment(ctx, args, reply, -1);
}

/** INCRBY key increment */
function incrbyCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const amount = parseInteger(args.bytes, args.start[2], args.end[2]);
  if (amount === amount) {
    increment(ctx, args, reply, amount);
    return;
  }
  const exact = int64Argument(args, 2, reply);
  if (exact !== null) incrementExactly(ctx, args, reply, exact);
}

/** DECRBY key decrement */
function decrbyCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const amount = parseInteger(args.bytes, args.start[2], args.end[2]);
  if (amount === amount) {
    increment(ctx, args, reply, -amount);
    return;
  }
  const exact = int64Argument(args, 2, reply);
  if (exact === null) return;
  if (exact === INT64_MIN) reply.error("ERR decrement would overflow");
  else incrementExactly(ctx, args, reply, -exact);
}

/** Adds a safe integer to the counter at argument 1. */
function increment(ctx: CommandContext, args: Args, reply: ReplyWriter, amount: number): void {
  const { view, start, end } = args;
  const { db, scratch } = ctx;
  const arena = ctx.keyspace.arena;
  const record = db.lookupWrite(view, start[1], end[1]);
  let value = 0;
  let digits: Uint8Array | null = null;
  let digitsAt = 0;
  let digitCount = 0;
  if (record !== 0) {
    const meta = metaOf(arena, record);
    if (typeOf(meta) !== ValueType.STRING) {
      reply.error(errors.WRONG_TYPE);
      return;
    }
    const recordView = viewOf(arena, record);
    const at = valueAt(recordView, record, meta);
    digitCount = storedLength(recordView, at);
    digitsAt = at + prefixBytes(digitCount);
    const bytes = arena.bytes[record >>> Ref.SEGMENT_SHIFT];
    value = parseInteger(bytes, digitsAt, digitsAt + digitCount);
    if (encodingOf(meta) === StringEncoding.AUTO) digits = bytes;
  }
  value += amount;
  if (!(value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER)) {
    incrementRecord(ctx, args, reply, record, BigInt(amount));
    return;
  }
  if (digits !== null && decimalLength(value) === digitCount) {
    // As many digits as before: they go where the old ones are.
    writeInteger(digits, digitsAt, value);
  } else {
    const count = writeInteger(scratch.bytes, 0, value);
    if (record === 0) {
      db.insertString(view, start[1], end[1], scratch.view, 0, count, StringEncoding.AUTO);
    } else {
      db.replaceWithString(record, scratch.view, 0, count, StringEncoding.AUTO, true);
    }
  }
  db.changed(NotifyClass.STRING, "incrby", view, start[1], end[1]);
  reply.integer(value);
}

function incrementExactly(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  amount: bigint,
): void {
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record !== 0 && typeOf(metaOf(ctx.keyspace.arena, record)) !== ValueType.STRING) {
    reply.error(errors.WRONG_TYPE);
    return;
  }
  incrementRecord(ctx, args, reply, record, amount);
}

/** Adds to the key looked up last, a string or missing, whatever the sizes of the numbers. */
function incrementRecord(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  record: number,
  amount: bigint,
): void {
  const { view, start, end } = args;
  const { db, scratch } = ctx;
  let value: bigint | null = 0n;
  if (record !== 0) {
    const arena = ctx.keyspace.arena;
    const from = stringStart(arena, record);
    value = parseInt64(bytesOf(arena, record), from, from + stringLength(arena, record));
    if (value === null) {
      reply.error(errors.NOT_AN_INTEGER);
      return;
    }
  }
  const sum = value + amount;
  if (sum > INT64_MAX || sum < INT64_MIN) {
    reply.error(errors.OVERFLOW);
    return;
  }
  const count = writeBigInt(scratch.bytes, 0, sum);
  if (record === 0) {
    db.insertString(view, start[1], end[1], scratch.view, 0, count, StringEncoding.AUTO);
  } else {
    db.replaceWithString(record, scratch.view, 0, count, StringEncoding.AUTO, true);
  }
  db.changed(NotifyClass.STRING, "incrby", view, start[1], end[1]);
  reply.bigInteger(sum);
}
