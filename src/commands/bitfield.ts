/**
 * BITFIELD and BITFIELD_RO: integers of 1 to 64 bits anywhere in a string.
 *
 * All subcommands are parsed first, so that nothing happens if one is wrong, and the string then
 * grows once. Sums and overflow are computed in numbers where those are exact, else with bigint.
 */
import { readBits, writeBits } from "../base/bits.ts";
import { INT64_MAX, parseInt64, parseInteger } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import { BAD_OFFSET } from "./bitmap.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { growWithZeros, stringLength, stringStart } from "./string-value.ts";

export const bitfieldCommands: readonly CommandSpec[] = [
  {
    name: "bitfield",
    arity: -2,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.BITMAP,
    keys: [
      {
        ...oneKey("RW access update variable_flags")[0],
        notes: "Subcommands may read the value, change it, or both",
      },
    ],
    getKeyFlags: bitfieldKeyFlags,
    run: bitfieldCommand,
  },
  {
    name: "bitfield_ro",
    arity: -2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.BITMAP,
    keys: oneKey("RO access"),
    run: bitfieldRoCommand,
  },
];

const BAD_TYPE =
  "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but " +
  "i64 is.";
const LETTER_I = 105;
const LETTER_U = 117;
const HASH = 35;
const NUMBER_BITS_MAX = 52;
const POWERS_OF_TWO = Float64Array.from({ length: NUMBER_BITS_MAX + 1 }, (_, power) => 2 ** power);

type Overflow = "WRAP" | "SAT" | "FAIL";

/** One subcommand. */
interface Operation {
  kind: "GET" | "SET" | "INCRBY";
  isSigned: boolean;
  bits: number;
  offset: number;
  /** The value of SET, the increment of INCRBY: a bigint only if it is no safe integer. */
  amount: bigint | number;
  overflow: Overflow;
}

/**
 * BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value |
 *   INCRBY type offset increment ...]
 */
function bitfieldCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  bitfieldGeneric(ctx, args, reply, false);
}

/** BITFIELD_RO key [GET type offset ...] */
function bitfieldRoCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  bitfieldGeneric(ctx, args, reply, true);
}

function bitfieldGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  readOnly: boolean,
): void {
  const operations = parseOperations(ctx, args, reply);
  if (operations === null) return;
  const { view, start, end } = args;
  const { db } = ctx;
  let lastBit = -1;
  for (const operation of operations) {
    if (operation.kind !== "GET") {
      lastBit = Math.max(lastBit, operation.offset + operation.bits - 1);
    }
  }
  if (lastBit < 0) {
    const record = db.lookupRead(view, start[1], end[1]);
    if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
    reply.array(operations.length);
    for (const operation of operations) getField(ctx, record, operation, reply);
    return;
  }
  if (readOnly) {
    reply.error("ERR BITFIELD_RO only supports the GET subcommand");
    return;
  }
  const found = db.lookupWrite(view, start[1], end[1]);
  if (found !== 0 && !checkType(ctx, found, ValueType.STRING, reply)) return;
  const bytes = Math.floor(lastBit / 8) + 1;
  const grows = found === 0 || stringLength(ctx.keyspace.arena, found) < bytes;
  const record = growWithZeros(ctx, args, 1, found, bytes);
  reply.array(operations.length);
  let changes = 0;
  for (const operation of operations) {
    if (operation.kind === "GET") getField(ctx, record, operation, reply);
    else if (changeField(ctx, record, operation, grows, reply)) changes++;
  }
  if (changes === 0) {
    // Nothing that counts; but the string is longer now, or new.
    if (grows && ctx.effects.isOn) ctx.effects.verbatim(args);
    return;
  }
  db.changed(NotifyClass.STRING, "setbit", view, start[1], end[1]);
  ctx.keyspace.dirty += changes - 1;
}

/** The subcommands, or null after an error reply. */
function parseOperations(ctx: CommandContext, args: Args, reply: ReplyWriter): Operation[] | null {
  const operations: Operation[] = [];
  let overflow: Overflow = "WRAP";
  for (let i = 2; i < args.count;) {
    const left = args.count - i - 1;
    if (args.is(i, "OVERFLOW") && left >= 1) {
      if (args.is(i + 1, "WRAP")) overflow = "WRAP";
      else if (args.is(i + 1, "SAT")) overflow = "SAT";
      else if (args.is(i + 1, "FAIL")) overflow = "FAIL";
      else {
        reply.error("ERR Invalid OVERFLOW type specified");
        return null;
      }
      i += 2;
      continue;
    }
    const kind = args.is(i, "GET") ? "GET" : args.is(i, "SET") ? "SET" : "INCRBY";
    if (left < (kind === "GET" ? 2 : 3) || (kind === "INCRBY" && !args.is(i, "INCRBY"))) {
      reply.error(errors.SYNTAX);
      return null;
    }
    const operation = parseOperation(ctx, args, i, kind, overflow, reply);
    if (operation === null) return null;
    operations.push(operation);
    i += kind === "GET" ? 3 : 4;
  }
  return operations;
}

function parseOperation(
  ctx: CommandContext,
  args: Args,
  index: number,
  kind: Operation["kind"],
  overflow: Overflow,
  reply: ReplyWriter,
): Operation | null {
  const { bytes, start, end } = args;
  const letter = args.lengthOf(index + 1) > 0 ? bytes[start[index + 1]] : 0;
  const bits = parseInteger(bytes, start[index + 1] + 1, end[index + 1]);
  const isSigned = letter === LETTER_I;
  if ((!isSigned && letter !== LETTER_U) || !(bits >= 1 && bits <= (isSigned ? 64 : 63))) {
    reply.error(BAD_TYPE);
    return null;
  }
  // "#n" counts in fields of this width.
  const scaled = args.lengthOf(index + 2) > 0 && bytes[start[index + 2]] === HASH;
  const number = parseInteger(bytes, start[index + 2] + (scaled ? 1 : 0), end[index + 2]);
  const offset = scaled ? number * bits : number;
  if (!(offset >= 0 && Math.floor(offset / 8) < ctx.keyspace.stringBytesMax)) {
    reply.error(BAD_OFFSET);
    return null;
  }
  let amount: bigint | number = 0;
  if (kind !== "GET") {
    amount = parseInteger(bytes, start[index + 3], end[index + 3]);
    if (amount !== amount) {
      const exact = parseInt64(bytes, start[index + 3], end[index + 3]);
      if (exact === null) {
        reply.error(errors.NOT_AN_INTEGER);
        return null;
      }
      amount = exact;
    }
  }
  return { kind, isSigned, bits, offset, amount, overflow };
}

/** The field's value; bits behind the string are 0. */
function readField(ctx: CommandContext, record: number, operation: Operation): bigint | number {
  const { bits, offset, isSigned } = operation;
  if (record === 0) return 0;
  const arena = ctx.keyspace.arena;
  const view = viewOf(arena, record);
  const at = stringStart(arena, record);
  const length = stringLength(arena, record);
  if (bits <= NUMBER_BITS_MAX) {
    const value = readBits(view, at, length, offset, bits);
    return isSigned && value >= POWERS_OF_TWO[bits - 1] ? value - POWERS_OF_TWO[bits] : value;
  }
  const high = BigInt(readBits(view, at, length, offset, bits - 32));
  const low = BigInt(readBits(view, at, length, offset + bits - 32, 32));
  const value = (high << 32n) | low;
  return isSigned ? BigInt.asIntN(bits, value) : value;
}

function getField(
  ctx: CommandContext,
  record: number,
  operation: Operation,
  reply: ReplyWriter,
): void {
  replyValue(readField(ctx, record, operation), reply);
}

function replyValue(value: bigint | number, reply: ReplyWriter): void {
  if (typeof value === "number") reply.integer(value);
  else reply.bigInteger(value);
}

/** SET or INCRBY: replies, and tells whether the string changed. */
function changeField(
  ctx: CommandContext,
  record: number,
  operation: Operation,
  grew: boolean,
  reply: ReplyWriter,
): boolean {
  const { amount, bits, offset } = operation;
  const old = readField(ctx, record, operation);
  if (bits <= NUMBER_BITS_MAX && typeof old === "number" && typeof amount === "number") {
    const wanted = operation.kind === "SET" ? amount : old + amount;
    const isSafe = Math.abs(wanted) <= Number.MAX_SAFE_INTEGER;
    const wrapped = isSafe ? wrap(wanted, operation) : NaN;
    // The other ways to overflow are rare enough for bigint.
    if (wrapped === wanted || (isSafe && operation.overflow === "WRAP")) {
      const view = viewOf(ctx.keyspace.arena, record);
      const at = stringStart(ctx.keyspace.arena, record);
      writeBits(view, at, offset, bits, wrapped < 0 ? wrapped + POWERS_OF_TWO[bits] : wrapped);
      reply.integer(operation.kind === "SET" ? old : wrapped);
      return grew || wrapped !== old;
    }
  }
  return changeExactly(ctx, record, operation, BigInt(old), grew, reply);
}

/** A safe integer as the low bits of the field hold it. */
function wrap(value: number, { bits, isSigned }: Operation): number {
  const count = POWERS_OF_TWO[bits];
  // All of this is exact, since `count` is a power of two.
  const low = value - Math.floor(value / count) * count;
  return isSigned && low >= POWERS_OF_TWO[bits - 1] ? low - count : low;
}

/** As `changeField`, which has read the value, for all values. */
function changeExactly(
  ctx: CommandContext,
  record: number,
  operation: Operation,
  old: bigint,
  grew: boolean,
  reply: ReplyWriter,
): boolean {
  const amount = BigInt(operation.amount);
  const wanted = operation.kind === "SET" ? amount : old + amount;
  const value = fitValue(wanted, operation);
  if (value === null) {
    reply.nil();
    return false;
  }
  const arena = ctx.keyspace.arena;
  const view = viewOf(arena, record);
  const at = stringStart(arena, record);
  const { bits, offset } = operation;
  const stored = BigInt.asUintN(bits, value);
  const highBits = Math.max(0, bits - 32);
  if (highBits > 0) writeBits(view, at, offset, highBits, Number(stored >> 32n));
  writeBits(view, at, offset + highBits, bits - highBits, Number(stored & 0xffffffffn));
  replyValue(operation.kind === "SET" ? old : value, reply);
  return grew || value !== old;
}

/** The value as the field takes it; null if it does not fit and OVERFLOW FAIL was asked for. */
function fitValue(value: bigint, operation: Operation): bigint | null {
  const { bits, isSigned, overflow } = operation;
  const wrapped = isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  if (wrapped === value || overflow === "WRAP") return wrapped;
  if (overflow === "FAIL") return null;
  const greatest = (1n << BigInt(isSigned ? bits - 1 : bits)) - 1n;
  const least = isSigned ? -greatest - 1n : 0n;
  if (value > greatest) return greatest;
  if (operation.kind === "INCRBY") return least;
  // As in Redis, SET takes a negative value of an unsigned field for too large; and that of a
  // signed field, where it lies more than a 64-bit integer can say below the greatest.
  return isSigned && value >= greatest - INT64_MAX ? least : greatest;
}

/** For COMMAND GETKEYSANDFLAGS and ACL. */
function bitfieldKeyFlags(args: Args): string {
  for (let i = 2; i < args.count;) {
    const left = args.count - i - 1;
    if (args.is(i, "GET") && left >= 2) i += 3;
    else if (args.is(i, "OVERFLOW") && left >= 1) i += 2;
    else return "RW access update";
  }
  return "RO access";
}
