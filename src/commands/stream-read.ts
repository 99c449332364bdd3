/** XREAD and XREADGROUP: new entries of several streams, and waiting for them. */
import { parseInt64 } from "../base/integer.ts";
import { ValueType } from "../keyspace/record.ts";
import { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { ReplyType, type ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { nameTableSize } from "../structures/name-table.ts";
import { IdParse, ID_TEXT_BYTES_MAX, StreamId } from "../structures/stream-id.ts";
import { advanceGroup } from "../types/stream-counters.ts";
import { findGroup } from "../types/stream-group.ts";
import { checkType } from "./arguments.ts";
import { waitForKeys } from "./blocking.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag } from "./spec.ts";
import {
  idArgument,
  replyEntryWithId,
  replyId,
  replyRange,
  replyStreamEntry,
  streamOf,
} from "./stream-arguments.ts";
import { seenConsumer } from "./stream-group.ts";
import { propagateClaim, propagateConsumer, propagateGroupPosition } from "./stream-propagation.ts";

export const streamReadCommands: readonly CommandSpec[] = [
  {
    name: "xread",
    arity: -4,
    flags: Flag.READONLY | Flag.BLOCKING | Flag.MOVABLE_KEYS,
    acl: Acl.STREAM,
    keys: [
      {
        flags: "RO access",
        begin: { keyword: "STREAMS", from: 1 },
        find: { last: -1, step: 1, limit: 2 },
      },
    ],
    getKeys: xreadGetKeys,
    run: xreadCommand,
  },
  {
    name: "xreadgroup",
    arity: -7,
    flags: Flag.WRITE | Flag.BLOCKING | Flag.MOVABLE_KEYS,
    acl: Acl.STREAM,
    keys: [
      {
        flags: "RO access",
        begin: { keyword: "STREAMS", from: 4 },
        find: { last: -1, step: 1, limit: 2 },
      },
    ],
    getKeys: xreadGetKeys,
    run: xreadgroupCommand,
  },
];

const INT64_MAX = (1n << 63n) - 1n;

/** What a request asks for. */
interface ReadRequest {
  /** Index of the first key; the IDs follow the keys. */
  readonly firstKey: number;
  readonly streamCount: number;
  /** Entries of each stream at most; 0 = no limit. */
  readonly count: number;
  /** Unix ms, 0 = for ever, -1 = do not wait. */
  readonly deadlineMs: number;
  /** Index of the group's name, which the consumer's follows; 0 = no group. */
  readonly groupIndex: number;
  readonly isNoAck: boolean;
}

/** From where a stream is to be read. */
interface ReadPosition {
  /** The last ID that is known already. The largest one stands for `>`. */
  readonly after: StreamId;
  /** The block of the group; 0 = no group. */
  readonly group: number;
}

/** XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...] */
function xreadCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  xreadGeneric(ctx, args, reply, false);
}

/**
 * XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK]
 *   STREAMS key [key ...] id [id ...]
 */
function xreadgroupCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  xreadGeneric(ctx, args, reply, true);
  // What was delivered has propagated by itself; that entries were read once more does not.
  if (ctx.effects.isOn) ctx.effects.none();
}

function xreadGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  hasGroup: boolean,
): void {
  const request = readRequest(ctx, args, reply, hasGroup);
  if (request === null) return;
  const positions: ReadPosition[] = [];
  for (let i = 0; i < request.streamCount; i++) {
    const position = readPosition(ctx, args, reply, request, i);
    if (position === null) return;
    positions.push(position);
  }
  const mark = reply.deferLength();
  let served = 0;
  for (let i = 0; i < request.streamCount; i++) {
    if (serveStream(ctx, args, reply, request, request.firstKey + i, positions[i])) served++;
  }
  if (served > 0) {
    reply.setDeferred(mark, reply.resp3 ? ReplyType.MAP : ReplyType.ARRAY, served);
  } else if (request.deadlineMs < 0) reply.nilArray();
  else waitForStreams(ctx, args, reply, request, positions);
}

/** Reads the options; null after an error reply. */
function readRequest(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  hasGroup: boolean,
): ReadRequest | null {
  let deadlineMs = -1;
  let count = 0;
  let groupIndex = 0;
  let isNoAck = false;
  let firstKey = 0;
  for (let i = 1; i < args.count && firstKey === 0; i++) {
    const left = args.count - i - 1;
    if (args.is(i, "BLOCK") && left > 0) {
      deadlineMs = blockArgument(ctx, args, ++i, reply);
      if (deadlineMs < 0) return null;
    } else if (args.is(i, "COUNT") && left > 0) {
      i++;
      const given = parseInt64(args.bytes, args.start[i], args.end[i]);
      if (given === null) {
        reply.error(errors.NOT_AN_INTEGER);
        return null;
      }
      count = Math.max(0, Number(given));
    } else if (args.is(i, "STREAMS") && left > 0) firstKey = i + 1;
    else if (args.is(i, "GROUP") && left >= 2) {
      if (!hasGroup) {
        reply.error(onlyForGroups("GROUP"));
        return null;
      }
      groupIndex = i + 1;
      i += 2;
    } else if (args.is(i, "NOACK")) {
      if (!hasGroup) {
        reply.error(onlyForGroups("NOACK"));
        return null;
      }
      isNoAck = true;
    } else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  const error = requestError(args, firstKey, hasGroup, groupIndex);
  if (error !== null) {
    reply.error(error);
    return null;
  }
  const streamCount = (args.count - firstKey) / 2;
  return { firstKey, streamCount, count, deadlineMs, groupIndex, isNoAck };
}

function onlyForGroups(option: string): string {
  return `ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`;
}

function requestError(
  args: Args,
  firstKey: number,
  hasGroup: boolean,
  groupIndex: number,
): string | null {
  if (firstKey === 0) return errors.SYNTAX;
  if ((args.count - firstKey) % 2 !== 0) {
    const command = hasGroup ? "xreadgroup" : "xread";
    return (
      `ERR Unbalanced '${command}' list of streams: for each stream key an ID or ` +
      `'${hasGroup ? ">" : "$"}' must be specified.`
    );
  }
  return hasGroup && groupIndex === 0 ? "ERR Missing GROUP option for XREADGROUP" : null;
}

/** The argument of BLOCK as a deadline in unix ms, 0 = for ever; -1 after an error reply. */
function blockArgument(ctx: CommandContext, args: Args, index: number, reply: ReplyWriter): number {
  const ms = parseInt64(args.bytes, args.start[index], args.end[index]);
  if (ms === null) reply.error("ERR timeout is not an integer or out of range");
  else if (ms < 0n) reply.error("ERR timeout is negative");
  else if (ms > INT64_MAX - BigInt(ctx.keyspace.nowMs)) reply.error("ERR timeout is out of range");
  else return ms === 0n ? 0 : ctx.keyspace.nowMs + Number(ms);
  return -1;
}

/** From where stream number `number` of the request is to be read; null after an error reply. */
function readPosition(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  request: ReadRequest,
  number: number,
): ReadPosition | null {
  const { view, start, end } = args;
  const { arena, streams } = ctx.keyspace;
  const { groupIndex } = request;
  const key = request.firstKey + number;
  const idIndex = key + request.streamCount;
  const record = ctx.db.lookupRead(view, start[key], end[key]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STREAM, reply)) return null;
  if (record !== 0) streamOf(ctx, record);
  let group = 0;
  if (groupIndex !== 0) {
    const from = start[groupIndex];
    if (record !== 0) group = findGroup(arena, streams.groups, view, from, end[groupIndex]);
    if (group === 0) {
      const keyText = beforeNul(args.text(key));
      const groupText = beforeNul(args.text(groupIndex));
      reply.error(
        `NOGROUP No such key '${keyText}' or consumer group '${groupText}' in XREADGROUP with ` +
          "GROUP option",
      );
      return null;
    }
  }
  const after = new StreamId();
  const isLast = args.is(idIndex, "$");
  if (isLast || args.is(idIndex, "+")) {
    if (groupIndex !== 0) {
      reply.error(meaningless(isLast ? "$" : "+"));
      return null;
    }
    if (record !== 0) after.copy(streams.lastId);
    if (!isLast && record !== 0 && !after.decrement()) {
      reply.error("ERR the stream last element ID is 0-0");
      return null;
    }
  } else if (args.is(idIndex, ">")) {
    if (groupIndex === 0) {
      reply.error(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> " +
          "<consumer> option.",
      );
      return null;
    }
    after.setMax();
  } else if (idArgument(args, idIndex, after, 0, reply) === IdParse.INVALID) return null;
  return { after, group };
}

function meaningless(symbol: string): string {
  return (
    `ERR The ${symbol} ID is meaningless in the context of XREADGROUP: you want to read the ` +
    "history of this consumer by specifying a proper ID, or use the > ID to get new messages. " +
    `The ${symbol} ID would just return an empty result set.`
  );
}

/** Replies with what there is of one stream; false, and no reply, if there is nothing. */
function serveStream(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  request: ReadRequest,
  key: number,
  { after, group }: ReadPosition,
): boolean {
  const { keyspace } = ctx;
  const { streamGroups } = keyspace;
  const record = ctx.db.lookupRead(args.view, args.start[key], args.end[key]);
  if (record === 0) return false;
  const streams = streamOf(ctx, record);
  const from = new StreamId();
  from.copy(after);
  let consumer = 0;
  let isHistory = false;
  if (group !== 0) {
    ctx.db.willChange();
    streamGroups.open(group);
    isHistory = !after.isMax();
    if (!isHistory) from.copy(streamGroups.lastId);
    consumer = readingConsumer(ctx, args, key, request);
  }
  if (!isHistory) {
    if (streams.length === 0) return false;
    streams.lastEntryId(streams.toId);
    if (streams.toId.compare(from) <= 0) return false;
  }
  from.increment();
  if (!reply.resp3) reply.array(2);
  reply.bulk(args.view, args.start[key], args.lengthOf(key));
  if (group === 0) replyRange(ctx, reply, from, streams.maxId, request.count, false);
  else {
    if (isHistory) replyHistory(ctx, reply, from, request.count, consumer);
    else deliverEntries(ctx, args, reply, from, request, key, consumer);
    keyspace.dirty++;
  }
  return true;
}

/** The consumer that reads, made if it is missing. */
function readingConsumer(
  ctx: CommandContext,
  args: Args,
  key: number,
  { groupIndex, isNoAck }: ReadRequest,
): number {
  if (!ctx.effects.isOn || !isNoAck) return seenConsumer(ctx, args, key, groupIndex + 1);
  // Nothing that it is given tells of it.
  const { arena, streamGroups } = ctx.keyspace;
  const countBefore = nameTableSize(arena, streamGroups.consumers);
  const consumer = seenConsumer(ctx, args, key, groupIndex + 1);
  if (nameTableSize(arena, streamGroups.consumers) !== countBefore) {
    propagateConsumer(ctx, args, { key, group: groupIndex }, groupIndex + 1);
  }
  return consumer;
}

/** Replies with new entries, which the group and the consumer are given by that. */
function deliverEntries(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  from: StreamId,
  { count, isNoAck, groupIndex }: ReadRequest,
  key: number,
  consumer: number,
): void {
  const { streams, streamGroups, nowMs } = ctx.keyspace;
  const { iterator } = streams;
  const propagates = ctx.effects.isOn;
  const names = { key, group: groupIndex };
  let isAdvanced = false;
  const mark = reply.deferLength();
  let found = 0;
  iterator.start(streams.root, from, streams.maxId, false);
  while ((count === 0 || found < count) && iterator.next()) {
    const { id } = iterator.entry;
    if (id.compare(streamGroups.lastId) > 0) {
      advanceGroup(streams, streamGroups, id);
      isAdvanced = true;
    }
    replyStreamEntry(ctx, reply);
    found++;
    if (isNoAck) continue;
    const entry = streamGroups.deliver(id, consumer, nowMs);
    streamGroups.setActive(consumer, nowMs);
    if (propagates) propagateClaim(ctx, args, names, id, entry);
  }
  if (propagates && isAdvanced) propagateGroupPosition(ctx, args, names);
  reply.setDeferred(mark, ReplyType.ARRAY, found);
}

/** Replies with entries that are pending for the consumer; null in place of those deleted. */
function replyHistory(
  ctx: CommandContext,
  reply: ReplyWriter,
  from: StreamId,
  count: number,
  consumer: number,
): void {
  const { streamGroups, nowMs } = ctx.keyspace;
  const pending = streamGroups.consumerPending;
  streamGroups.openConsumer(consumer);
  const id = new StreamId();
  const mark = reply.deferLength();
  let found = 0;
  for (let entry = pending.seekAtOrAfter(from); entry !== 0; entry = pending.next()) {
    if (count !== 0 && found === count) break;
    pending.readId(id);
    if (replyEntryWithId(ctx, reply, id)) {
      streamGroups.setDelivered(entry, nowMs);
      streamGroups.countDelivery(entry);
    } else {
      reply.array(2);
      replyId(ctx, reply, id);
      reply.nilArray();
    }
    found++;
  }
  reply.setDeferred(mark, ReplyType.ARRAY, found);
}

/** Lets the request wait; `$` means what it means now, whenever the request runs anew. */
function waitForStreams(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  request: ReadRequest,
  positions: readonly ReadPosition[],
): void {
  const { firstKey, streamCount, groupIndex } = request;
  const parts = Array.from({ length: args.count }, (_, i) => args.copy(i));
  for (let i = 0; i < streamCount; i++) {
    const idIndex = firstKey + streamCount + i;
    if (!args.is(idIndex, "$")) continue;
    const text = new Uint8Array(ID_TEXT_BYTES_MAX);
    parts[idIndex] = text.subarray(0, positions[i].after.writeText(text, 0));
  }
  const kept = new Args();
  kept.assign(parts);
  const keys = Array.from({ length: streamCount }, (_, i) => firstKey + i);
  const nothing = (timedOut: ReplyWriter): void => timedOut.nilArray();
  const wakesOnMissing = groupIndex !== 0;
  const { deadlineMs } = request;
  waitForKeys(ctx, kept, reply, ValueType.STREAM, keys, deadlineMs, nothing, wakesOnMissing);
}

/** Indexes of the keys, or null. */
function xreadGetKeys(args: Args): number[] | null {
  for (let i = 1; i < args.count; i++) {
    if (args.is(i, "BLOCK") || args.is(i, "COUNT")) i++;
    else if (args.is(i, "GROUP")) i += 2;
    else if (args.is(i, "STREAMS")) {
      const rest = args.count - i - 1;
      if (rest === 0 || rest % 2 !== 0) return null;
      return Array.from({ length: rest / 2 }, (_, k) => i + 1 + k);
    } else if (!args.is(i, "NOACK")) return null;
  }
  return null;
}
