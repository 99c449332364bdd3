// HOT PATH: rules in src/README.md
/**
 * Strings as bitmaps: SETBIT, GETBIT, BITCOUNT, BITPOS. BITOP is in bitop.ts, BITFIELD in
 * bitfield.ts. Documentation: the "Bitmap" group of Redis's command reference.
 */
import { countBits, findBit } from "../base/bits.ts";
import { parseInteger } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import {
  growWithZeros,
  isReversed,
  offsetArgument,
  stringLength,
  stringStart,
} from "./string-value.ts";

export const bitmapCommands: readonly CommandSpec[] = [
  {
    name: "setbit",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.CHEAP,
    acl: Acl.BITMAP,
    keys: oneKey("RW access update"),
    run: setbitCommand,
  },
  {
    name: "getbit",
    arity: 3,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.BITMAP,
    keys: oneKey("RO access"),
    run: getbitCommand,
  },
  {
    name: "bitcount",
    arity: -2,
    flags: Flag.READONLY,
    acl: Acl.BITMAP,
    keys: oneKey("RO access"),
    run: bitcountCommand,
  },
  {
    name: "bitpos",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.BITMAP,
    keys: oneKey("RO access"),
    run: bitposCommand,
  },
];

export const BAD_OFFSET = "ERR bit offset is not an integer or out of range";
const BAD_BIT = "ERR bit is not an integer or out of range";

/** Argument `index` as a bit's position in a string of allowed length; NaN after an error reply. */
function bitOffsetArgument(
  ctx: CommandContext,
  args: Args,
  index: number,
  reply: ReplyWriter,
): number {
  const offset = parseInteger(args.bytes, args.start[index], args.end[index]);
  if (offset >= 0 && Math.floor(offset / 8) < ctx.keyspace.stringBytesMax) return offset;
  reply.error(BAD_OFFSET);
  return NaN;
}

/** SETBIT key offset value */
function setbitCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const offset = bitOffsetArgument(ctx, args, 2, reply);
  if (offset !== offset) return;
  const bit = parseInteger(args.bytes, start[3], end[3]);
  if (bit !== 0 && bit !== 1) {
    reply.error(BAD_BIT);
    return;
  }
  const record = ctx.db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
  const arena = ctx.keyspace.arena;
  const byte = Math.floor(offset / 8);
  const grows = record === 0 || stringLength(arena, record) <= byte;
  const grown = growWithZeros(ctx, args, 1, record, byte + 1);
  const recordView = viewOf(arena, grown);
  const at = stringStart(arena, grown) + byte;
  const shift = 7 - (offset & 7);
  const old = recordView.getUint8(at);
  const oldBit = (old >>> shift) & 1;
  if (grows || oldBit !== bit) {
    recordView.setUint8(at, (old & ~(1 << shift)) | (bit << shift));
    ctx.db.changed(NotifyClass.STRING, "setbit", view, start[1], end[1]);
  }
  reply.integer(oldBit);
}

/** GETBIT key offset */
function getbitCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const offset = bitOffsetArgument(ctx, args, 2, reply);
  if (offset !== offset) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.STRING, reply)) return;
  const arena = ctx.keyspace.arena;
  const byte = Math.floor(offset / 8);
  if (byte >= stringLength(arena, record)) {
    reply.integer(0);
    return;
  }
  const bits = viewOf(arena, record).getUint8(stringStart(arena, record) + byte);
  reply.integer((bits >>> (7 - (offset & 7))) & 1);
}

/** BITCOUNT key [start [end [BYTE | BIT]]] */
function bitcountCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 5) {
    reply.error(errors.SYNTAX);
    return;
  }
  const start = args.count > 2 ? offsetArgument(args, 2, reply) : 0;
  if (start !== start) return;
  const unit = args.count > 4 ? bitsPerUnit(args, 4, reply) : 8;
  if (unit === 0) return;
  const end = args.count > 3 ? offsetArgument(args, 3, reply) : -1;
  if (end !== end) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
  const arena = ctx.keyspace.arena;
  const bits = record === 0 ? 0 : stringLength(arena, record) * 8;
  const first = firstBit(start, unit, bits);
  const last = lastBit(end, unit, bits);
  if (first > last || (args.count > 3 && isReversed(args, 2, start, end))) {
    reply.integer(0);
    return;
  }
  reply.integer(countBits(viewOf(arena, record), stringStart(arena, record), first, last));
}

/** BITPOS key bit [start [end [BYTE | BIT]]] */
function bitposCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const bit = offsetArgument(args, 2, reply);
  if (bit !== bit) return;
  if (bit !== 0 && bit !== 1) {
    reply.error("ERR The bit argument must be 1 or 0.");
    return;
  }
  if (args.count > 6) {
    reply.error(errors.SYNTAX);
    return;
  }
  const start = args.count > 3 ? offsetArgument(args, 3, reply) : 0;
  if (start !== start) return;
  const unit = args.count > 5 ? bitsPerUnit(args, 5, reply) : 8;
  if (unit === 0) return;
  const end = args.count > 4 ? offsetArgument(args, 4, reply) : -1;
  if (end !== end) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    // A missing key is an endless string of zeros.
    reply.integer(bit === 0 ? 0 : -1);
    return;
  }
  if (!checkType(ctx, record, ValueType.STRING, reply)) return;
  const arena = ctx.keyspace.arena;
  const bits = stringLength(arena, record) * 8;
  const first = firstBit(start, unit, bits);
  const last = lastBit(end, unit, bits);
  if (first > last) {
    reply.integer(-1);
    return;
  }
  const found = findBit(viewOf(arena, record), stringStart(arena, record), first, last, bit);
  // Without an end, zeros are thought to follow the string.
  reply.integer(found === -1 && bit === 0 && args.count < 5 ? bits : found);
}

/** Bits of the unit that argument `index` names: 1 or 8; 0 after an error reply. */
function bitsPerUnit(args: Args, index: number, reply: ReplyWriter): number {
  if (args.is(index, "BIT")) return 1;
  if (args.is(index, "BYTE")) return 8;
  reply.error(errors.SYNTAX);
  return 0;
}

/** The first bit of a range that begins at unit `start`, negative from the end. */
function firstBit(start: number, unit: number, bits: number): number {
  const count = bits / unit;
  return Math.max(0, start < 0 ? start + count : start) * unit;
}

/** The last bit of a range that ends with unit `end`, negative from the end. */
function lastBit(end: number, unit: number, bits: number): number {
  const count = bits / unit;
  const last = Math.max(0, end < 0 ? end + count : end);
  return Math.min(last, count - 1) * unit + unit - 1;
}
