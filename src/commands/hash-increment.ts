/**
 * Counters in hashes: HINCRBY, exact to 64 bits, and HINCRBYFLOAT, in the extended precision of x86
 * (base/extended.ts), since its results show it, or exactly where that shows the same
 * (base/decimal-sum.ts).
 */
import { isShortDecimal, writeDecimalSum } from "../base/decimal-sum.ts";
import {
  EXTENDED_BYTES_MAX,
  type Extended,
  addExtended,
  isFiniteExtended,
  parseExtended,
  writeExtended,
} from "../base/extended.ts";
import { parseSafeInteger } from "../base/int64.ts";
import {
  INT64_MAX,
  INT64_MIN,
  parseInt64,
  parseInteger,
  writeBigInt,
  writeInteger,
} from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import { int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { openOrCreateHash, renewStaleFields, storeHash } from "./hash-value.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";

/** Where the old text of a field lies in the scratch memory, behind short sums. */
const OLD_AT = 64;
const ZERO = 0x30;
const NOT_A_FLOAT = "ERR hash value is not a float";

export const hashIncrementCommands: readonly CommandSpec[] = [
  {
    name: "hincrby",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW access update"),
    run: hincrbyCommand,
  },
  {
    name: "hincrbyfloat",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW access update"),
    run: hincrbyfloatCommand,
  },
];

/** HINCRBY key field increment. As INCRBY: in numbers if they hold the sum exactly, else in bigint. */
function hincrbyCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { bytes, view, start, end } = args;
  const { db, scratch } = ctx;
  const { hashes } = ctx.keyspace;
  const amount = parseInteger(bytes, start[3], end[3]);
  if (amount !== amount && int64Argument(args, 3, reply) === null) return;
  let record = db.lookupWrite(view, start[1], end[1]);
  if (!openOrCreateHash(ctx, record, reply)) return;
  record = renewStaleFields(ctx, args, record, 2, 3);
  const isThere = hashes.find(view, start[2], end[2]);
  const sum = amount + (isThere ? safeIntegerOf(hashes.value) : 0);
  let exactSum = 0n;
  let count: number;
  const isSafe = sum <= Number.MAX_SAFE_INTEGER && sum >= Number.MIN_SAFE_INTEGER;
  if (isSafe) count = writeInteger(scratch.bytes, 0, sum);
  else {
    const value = isThere ? int64Of(hashes.value) : 0n;
    if (value === null) {
      reply.error("ERR hash value is not an integer");
      return;
    }
    exactSum = value + parseInt64(bytes, start[3], end[3])!;
    if (exactSum < INT64_MIN || exactSum > INT64_MAX) {
      reply.error(errors.OVERFLOW);
      return;
    }
    count = writeBigInt(scratch.bytes, 0, exactSum);
  }
  hashes.set(view, start[2], end[2], scratch.view, 0, count);
  storeHash(ctx, args, record);
  db.changed(NotifyClass.HASH, "hincrby", view, start[1], end[1]);
  if (isSafe) reply.integer(sum);
  else reply.bigInteger(exactSum);
}

/** HINCRBYFLOAT key field increment */
function hincrbyfloatCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { bytes, view, start, end } = args;
  const { db, scratch } = ctx;
  const { hashes } = ctx.keyspace;
  let amount: Extended | null = null;
  if (!isShortDecimal(bytes, start[3], end[3])) {
    amount = parseExtended(bytes, start[3], end[3]);
    if (amount === null) {
      reply.error(errors.NOT_A_FLOAT);
      return;
    }
    if (!isFiniteExtended(amount)) {
      reply.error("ERR value is NaN or Infinity");
      return;
    }
  }
  let record = db.lookupWrite(view, start[1], end[1]);
  if (!openOrCreateHash(ctx, record, reply)) return;
  record = renewStaleFields(ctx, args, record, 2, 3);
  const old = scratch.bytes;
  let oldEnd = OLD_AT + 1;
  if (!hashes.find(view, start[2], end[2])) old[OLD_AT] = ZERO;
  else if (hashes.value.textLength() <= EXTENDED_BYTES_MAX) {
    oldEnd = hashes.value.writeText(old, scratch.view, OLD_AT);
  } else {
    reply.error(NOT_A_FLOAT);
    return;
  }
  let count = -1;
  if (amount === null) {
    count = writeDecimalSum(scratch.bytes, 0, old, OLD_AT, oldEnd, bytes, start[3], end[3]);
  }
  if (count < 0) {
    const value = parseExtended(old, OLD_AT, oldEnd);
    amount ??= parseExtended(bytes, start[3], end[3]);
    if (value === null || amount === null) {
      reply.error(NOT_A_FLOAT);
      return;
    }
    const sum = addExtended(value, amount);
    if (!isFiniteExtended(sum)) {
      reply.error("ERR increment would produce NaN or Infinity");
      return;
    }
    count = writeExtended(scratch.bytes, 0, sum);
  }
  hashes.set(view, start[2], end[2], scratch.view, 0, count);
  storeHash(ctx, args, record);
  if (ctx.effects.isOn) propagateResult(ctx, args, count);
  db.changed(NotifyClass.HASH, "hincrbyfloat", view, start[1], end[1]);
  reply.bulk(scratch.view, 0, count);
}

/**
 * HINCRBYFLOAT propagates with its result, the first `count` bytes of the scratch memory, since
 * other servers may calculate otherwise. A field that expires still does.
 */
function propagateResult(ctx: CommandContext, args: Args, count: number): void {
  const { effects, keyspace, scratch } = ctx;
  if (keyspace.hashes.expireAtMs(args.view, args.start[2], args.end[2]) < 0) {
    effects.begin(4).text("HSET").arguments(args, 1, 3);
  } else {
    effects.begin(7).text("HSETEX").argument(args, 1).text("KEEPTTL").text("FIELDS").integer(1);
    effects.argument(args, 2);
  }
  effects.bytes(scratch.view, 0, count);
}

/** NaN if it is no safe integer. */
function safeIntegerOf(value: ListpackEntry): number {
  if (value.isInteger) return value.value;
  return parseSafeInteger(value.view, value.start, value.start + value.length);
}

function int64Of(value: ListpackEntry): bigint | null {
  if (value.isInteger && value.value === value.value) return BigInt(value.value);
  const text = textOf(value);
  return parseInt64(text, 0, text.length);
}

function textOf(value: ListpackEntry): Uint8Array {
  const text = new Uint8Array(value.textLength());
  value.writeText(text, new DataView(text.buffer), 0);
  return text;
}
