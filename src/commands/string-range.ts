// HOT PATH: rules in src/README.md
/** Parts of strings: APPEND, STRLEN, SETRANGE, GETRANGE and its old name SUBSTR. */
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { storeArgument } from "./string.ts";
import {
  growWithZeros,
  isReversed,
  markRaw,
  offsetArgument,
  stringLength,
  stringStart,
  writeArgument,
} from "./string-value.ts";

export const stringRangeCommands: readonly CommandSpec[] = [
  {
    name: "append",
    arity: 3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW insert"),
    run: appendCommand,
  },
  {
    name: "strlen",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RO"),
    run: strlenCommand,
  },
  {
    name: "setrange",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.STRING,
    keys: oneKey("RW update"),
    run: setrangeCommand,
  },
  {
    name: "getrange",
    arity: 4,
    flags: Flag.READONLY,
    acl: Acl.STRING,
    keys: oneKey("RO access"),
    run: getrangeCommand,
  },
  {
    name: "substr",
    arity: 4,
    flags: Flag.READONLY,
    acl: Acl.STRING,
    keys: oneKey("RO access"),
    run: getrangeCommand,
  },
];

/** APPEND key value. Amortised O(value): blocks grow by an eighth at least. */
function appendCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const record = db.lookupWrite(view, start[1], end[1]);
  let length = args.lengthOf(2);
  if (record === 0) {
    storeArgument(ctx, args, 1, 2, 0, false, 0);
  } else {
    if (!checkType(ctx, record, ValueType.STRING, reply)) return;
    const arena = ctx.keyspace.arena;
    const oldLength = stringLength(arena, record);
    length += oldLength;
    if (length > ctx.keyspace.stringBytesMax) {
      reply.error(errors.STRING_TOO_LONG);
      return;
    }
    const grown = db.resizeString(record, length);
    writeArgument(arena, grown, oldLength, args, 2);
    markRaw(arena, grown);
  }
  db.changed(NotifyClass.STRING, "append", view, start[1], end[1]);
  reply.integer(length);
}

/** STRLEN key */
function strlenCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.STRING, reply)) return;
  reply.integer(stringLength(ctx.keyspace.arena, record));
}

/** SETRANGE key offset value. Fills up with zeros; an empty value changes nothing. */
function setrangeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const offset = offsetArgument(args, 2, reply);
  if (offset !== offset) return;
  if (offset < 0) {
    reply.error("ERR offset is out of range");
    return;
  }
  const record = ctx.db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
  const arena = ctx.keyspace.arena;
  const length = args.lengthOf(3);
  if (length === 0) {
    reply.integer(record === 0 ? 0 : stringLength(arena, record));
    return;
  }
  if (offset + length > ctx.keyspace.stringBytesMax) {
    reply.error(errors.STRING_TOO_LONG);
    return;
  }
  const grown = growWithZeros(ctx, args, 1, record, offset + length);
  writeArgument(arena, grown, offset, args, 3);
  ctx.db.changed(NotifyClass.STRING, "setrange", view, start[1], end[1]);
  reply.integer(stringLength(arena, grown));
}

/** GETRANGE key start end, both inclusive, negative ones from the end. */
function getrangeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const first = offsetArgument(args, 2, reply);
  if (first !== first) return;
  const last = offsetArgument(args, 3, reply);
  if (last !== last) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.bulkText("");
    return;
  }
  if (!checkType(ctx, record, ValueType.STRING, reply)) return;
  const arena = ctx.keyspace.arena;
  const length = stringLength(arena, record);
  const from = Math.max(0, first < 0 ? length + first : first);
  const to = Math.min(length - 1, Math.max(0, last < 0 ? length + last : last));
  if (from > to || isReversed(args, 2, first, last)) {
    reply.bulkText("");
    return;
  }
  reply.bulk(viewOf(arena, record), stringStart(arena, record) + from, to - from + 1);
}
