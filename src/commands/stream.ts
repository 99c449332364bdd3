// HOT PATH: rules in src/README.md
/** Streams as logs: adding, reading by range, removing and trimming entries. */
import { parseInt64 } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { IdForm, IdParse, StreamId } from "../structures/stream-id.ts";
import { trimStream } from "../types/stream-trim.ts";
import type { Streams } from "../types/stream.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { idArgument, intervalArgument, replyId, replyRange, streamOf } from "./stream-arguments.ts";
import { type StreamOptions, streamOptions } from "./stream-options.ts";
import { propagateXadd, propagateXtrim } from "./stream-propagation.ts";

export const streamCommands: readonly CommandSpec[] = [
  {
    name: "xadd",
    arity: -5,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STREAM,
    keys: [
      {
        ...oneKey("RW update")[0],
        notes: "Not a mere insert, because the trimming options remove entries",
      },
    ],
    tips: ["nondeterministic_output"],
    run: xaddCommand,
  },
  {
    name: "xlen",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.STREAM,
    keys: oneKey("RO"),
    run: xlenCommand,
  },
  {
    name: "xrange",
    arity: -4,
    flags: Flag.READONLY,
    acl: Acl.STREAM,
    keys: oneKey("RO access"),
    run: xrangeCommand,
  },
  {
    name: "xrevrange",
    arity: -4,
    flags: Flag.READONLY,
    acl: Acl.STREAM,
    keys: oneKey("RO access"),
    run: xrevrangeCommand,
  },
  {
    name: "xdel",
    arity: -3,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STREAM,
    keys: oneKey("RW delete"),
    run: xdelCommand,
  },
  {
    name: "xtrim",
    arity: -4,
    flags: Flag.WRITE,
    acl: Acl.STREAM,
    keys: oneKey("RW delete"),
    tips: ["nondeterministic_output"],
    run: xtrimCommand,
  },
  {
    name: "xsetid",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STREAM,
    keys: oneKey("RW update"),
    run: xsetidCommand,
  },
];

const ASTERISK = 0x2a;
const ZERO = 0x30;
const NINE = 0x39;
const SMALLER_ID =
  "ERR The ID specified in XADD is equal or smaller than the target stream top item";

/**
 * XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [MAXLEN | MINID [= | ~] threshold
 *   [LIMIT count]] * | id field value [field value ...]
 */
function xaddCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { db } = ctx;
  let options: StreamOptions | null = null;
  let idIndex = 2;
  const isAuto = isAsterisk(args, 2);
  const first = args.bytes[start[2]];
  // Names of options do not begin with a digit.
  if (!isAuto && !(first >= ZERO && first <= NINE && end[2] > start[2])) {
    options = streamOptions(ctx, args, reply, true);
    if (options === null) return;
    idIndex = options.idIndex;
  }
  const { newId } = ctx.keyspace.streams;
  let parsed: IdParse = IdParse.INVALID;
  if (idIndex < args.count && !isAsterisk(args, idIndex)) {
    parsed = idArgument(args, idIndex, newId, IdForm.OPEN_SEQUENCE, reply);
    if (parsed === IdParse.INVALID) return;
  }
  const fields = args.count - idIndex - 1;
  if (fields < 2 || fields % 2 === 1) {
    reply.error(errors.wrongArity("xadd"));
    return;
  }
  if (parsed === IdParse.COMPLETE && newId.isZero()) {
    reply.error("ERR The ID specified in XADD must be greater than 0-0");
    return;
  }
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STREAM, reply)) return;
  if (record === 0 && options !== null && options.keepsMissing) {
    reply.nil();
    return;
  }
  const streams = ctx.keyspace.streams;
  if (streams.isTooLarge(args, idIndex + 1)) {
    reply.error("ERR Elements are too large to be stored");
    return;
  }
  if (record === 0) streams.create();
  else streamOf(ctx, record);
  const error = chooseId(ctx, streams, parsed);
  if (error !== null) {
    if (record === 0) throw new Error("a new stream refused its first ID");
    reply.error(error);
    return;
  }
  streams.append(newId, args, idIndex + 1, fields >>> 1);
  if (record === 0) {
    db.insertRoot(view, start[1], end[1], ValueType.STREAM, 0, streams.root);
  }
  db.changed(NotifyClass.STREAM, "xadd", view, start[1], end[1]);
  replyId(ctx, reply, newId);
  if (options !== null && options.trim !== null) {
    if (trimStream(streams, ctx.keyspace.streamGroups, options.trim) > 0) {
      db.notify(NotifyClass.STREAM, "xtrim", view, start[1], end[1]);
    }
  }
  const isChosen = parsed !== IdParse.COMPLETE;
  if (ctx.effects.isOn && (isChosen || options !== null)) {
    propagateXadd(ctx, args, options, idIndex, isChosen);
  }
}

function isAsterisk(args: Args, index: number): boolean {
  return args.end[index] - args.start[index] === 1 && args.bytes[args.start[index]] === ASTERISK;
}

/**
 * Completes `newId`: all of it if nothing of it was given (INVALID), its sequence number if that
 * was left open. An error's text, or null.
 */
function chooseId(ctx: CommandContext, streams: Streams, given: IdParse): string | null {
  const { newId, lastId } = streams;
  if (lastId.isMax()) {
    return "ERR The stream has exhausted the last possible ID, unable to add more items";
  }
  if (given === IdParse.OPEN) {
    if (newId.hasTimeOf(lastId)) {
      if (lastId.hasMaxSequence()) return SMALLER_ID;
      newId.copy(lastId);
      newId.increment();
    }
  } else if (given === IdParse.INVALID) {
    newId.setTime(ctx.keyspace.nowMs);
    // In the last ID's millisecond, and after it, should the clock have gone back.
    if (newId.hasTimeOf(lastId) || newId.compare(lastId) <= 0) {
      newId.copy(lastId);
      newId.increment();
    }
  }
  return newId.compare(lastId) <= 0 ? SMALLER_ID : null;
}

/** XLEN key */
function xlenCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) reply.integer(0);
  else if (checkType(ctx, record, ValueType.STREAM, reply)) {
    reply.integer(streamOf(ctx, record).length);
  }
}

/** XRANGE key start end [COUNT count] */
function xrangeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  xrangeGeneric(ctx, args, reply, 2, 3, false);
}

/** XREVRANGE key end start [COUNT count] */
function xrevrangeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  xrangeGeneric(ctx, args, reply, 3, 2, true);
}

function xrangeGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  fromIndex: number,
  toIndex: number,
  isReverse: boolean,
): void {
  const { fromId, toId } = ctx.keyspace.streams;
  if (!intervalArgument(args, fromIndex, fromId, true, reply)) return;
  if (!intervalArgument(args, toIndex, toId, false, reply)) return;
  let count = -1;
  for (let i = 4; i < args.count; i += 2) {
    if (!args.is(i, "COUNT") || i + 1 >= args.count) {
      reply.error(errors.SYNTAX);
      return;
    }
    const given = parseInt64(args.bytes, args.start[i + 1], args.end[i + 1]);
    if (given === null) {
      reply.error(errors.NOT_AN_INTEGER);
      return;
    }
    count = Math.max(0, Number(given));
  }
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.array(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.STREAM, reply)) return;
  if (count === 0) {
    reply.nilArray();
    return;
  }
  streamOf(ctx, record);
  replyRange(ctx, reply, fromId, toId, Math.max(0, count), isReverse);
}

/** XDEL key id [id ...] */
function xdelCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const record = ctx.db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.STREAM, reply)) return;
  const streams = streamOf(ctx, record);
  const id = streams.newId;
  for (let i = 2; i < args.count; i++) {
    if (idArgument(args, i, id, 0, reply) === IdParse.INVALID) return;
  }
  let deleted = 0;
  for (let i = 2; i < args.count; i++) {
    id.parse(args.bytes, start[i], end[i], 0);
    if (streams.remove(id)) deleted++;
  }
  if (deleted > 0) {
    ctx.keyspace.dirty += deleted - 1;
    ctx.db.changed(NotifyClass.STREAM, "xdel", view, start[1], end[1]);
  }
  reply.integer(deleted);
}

/** XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED] */
function xtrimCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const options = streamOptions(ctx, args, reply, false);
  if (options === null || options.trim === null) return;
  const record = ctx.db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.STREAM, reply)) return;
  const streams = streamOf(ctx, record);
  const removed = trimStream(streams, ctx.keyspace.streamGroups, options.trim);
  if (removed > 0) {
    ctx.keyspace.dirty += removed - 1;
    ctx.db.changed(NotifyClass.STREAM, "xtrim", view, start[1], end[1]);
    if (ctx.effects.isOn) propagateXtrim(ctx, args, options);
  }
  reply.integer(removed);
}

/**
 * XSETID key last-id [ENTRIESADDED count] [MAXDELETEDID id]
 * COLD: for servers that rebuild a stream.
 */
function xsetidCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const id = new StreamId();
  const maxDeletedId = new StreamId();
  let entriesAdded = -1n;
  if (idArgument(args, 2, id, 0, reply) === IdParse.INVALID) return;
  for (let i = 3; i < args.count; i += 2) {
    const hasMore = i + 1 < args.count;
    if (args.is(i, "ENTRIESADDED") && hasMore) {
      const count = parseInt64(args.bytes, args.start[i + 1], args.end[i + 1]);
      if (count === null || count < 0n) {
        reply.error(count === null ? errors.NOT_AN_INTEGER : "ERR entries_added must be positive");
        return;
      }
      entriesAdded = count;
    } else if (args.is(i, "MAXDELETEDID") && hasMore) {
      if (idArgument(args, i + 1, maxDeletedId, 0, reply) === IdParse.INVALID) return;
      if (id.compare(maxDeletedId) < 0) {
        reply.error(
          "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
        );
        return;
      }
    } else {
      reply.error(errors.SYNTAX);
      return;
    }
  }
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.error(errors.NO_SUCH_KEY);
    return;
  }
  if (!checkType(ctx, record, ValueType.STREAM, reply)) return;
  const streams = streamOf(ctx, record);
  const error = xsetidConflict(streams, id, entriesAdded);
  if (error !== null) {
    reply.error(error);
    return;
  }
  streams.setLastId(id);
  if (entriesAdded >= 0n) streams.setEntriesAdded(entriesAdded);
  if (!maxDeletedId.isZero()) streams.setMaxDeletedId(maxDeletedId);
  ctx.keyspace.dirty++;
  ctx.db.notify(NotifyClass.STREAM, "xsetid", args.view, args.start[1], args.end[1]);
  reply.ok();
}

/** Why a stream cannot take these numbers; or null. */
function xsetidConflict(streams: Streams, id: StreamId, entriesAdded: bigint): string | null {
  if (id.compare(streams.maxDeletedId) < 0) {
    return "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
  }
  if (streams.length === 0) return null;
  streams.lastEntryId(streams.newId);
  if (id.compare(streams.newId) < 0) {
    return "ERR The ID specified in XSETID is smaller than the target stream top item";
  }
  if (entriesAdded >= 0n && BigInt(streams.length) > entriesAdded) {
    return "ERR The entries_added specified in XSETID is smaller than the target stream length";
  }
  return null;
}
