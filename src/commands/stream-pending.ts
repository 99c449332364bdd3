/** What consumers were given and did not acknowledge: XACK, XPENDING, XCLAIM and XAUTOCLAIM. */
import { parseInt64 } from "../base/integer.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { ReplyType, type ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { nameTableGet, nameTableSize } from "../structures/name-table.ts";
import { IdParse, StreamId } from "../structures/stream-id.ts";
import { ConsumerBlock, findGroup } from "../types/stream-group.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import {
  idArgument,
  intervalArgument,
  replyEntryWithId,
  replyId,
  replyName,
  streamOf,
} from "./stream-arguments.ts";
import { seenConsumer } from "./stream-group.ts";
import { propagateClaim, propagateGroupPosition } from "./stream-propagation.ts";

export const streamPendingCommands: readonly CommandSpec[] = [
  {
    name: "xack",
    arity: -4,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STREAM,
    keys: oneKey("RW update"),
    run: xackCommand,
  },
  {
    name: "xpending",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.STREAM,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output"],
    run: xpendingCommand,
  },
  {
    name: "xclaim",
    arity: -6,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STREAM,
    keys: oneKey("RW update"),
    tips: ["nondeterministic_output"],
    run: xclaimCommand,
  },
  {
    name: "xautoclaim",
    arity: -6,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STREAM,
    keys: oneKey("RW delete"),
    tips: ["nondeterministic_output"],
    run: xautoclaimCommand,
  },
];

/** XPENDING with all its arguments has so many. */
const XPENDING_ARGUMENTS_MAX = 9;
const XAUTOCLAIM_COUNT_DEFAULT = 100;
const XAUTOCLAIM_COUNT_MAX = 576460752303423487n;
/** Valkey reserves room for so many IDs, if it can. */
const XAUTOCLAIM_COUNT_POSSIBLE = 2 ** 43;
/** Where XCLAIM and XAUTOCLAIM name the key and the group. */
const NAMES = { key: 1, group: 2 };
/** XAUTOCLAIM looks at so many entries for each that it may claim. */
const ATTEMPTS_PER_CLAIM = 10;

/** The group that arguments 1 (key) and 2 name is at hand: null = missing, false = wrong type. */
function lookupGroup(ctx: CommandContext, args: Args, reply: ReplyWriter): boolean | null {
  const { view, start, end } = args;
  const { arena, streamGroups } = ctx.keyspace;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record === 0) return null;
  if (!checkType(ctx, record, ValueType.STREAM, reply)) return false;
  // Most commands on a group change it, if only the time when a consumer was seen.
  ctx.db.willChange();
  const group = findGroup(arena, streamOf(ctx, record).groups, view, start[2], end[2]);
  if (group === 0) return null;
  streamGroups.open(group);
  return true;
}

/** `lookupGroup` for commands that need a group; false after an error reply. */
function needGroup(ctx: CommandContext, args: Args, reply: ReplyWriter): boolean {
  const found = lookupGroup(ctx, args, reply);
  if (found === null) {
    const key = beforeNul(args.text(1));
    reply.error(`NOGROUP No such key '${key}' or consumer group '${beforeNul(args.text(2))}'`);
  }
  return found === true;
}

/** XACK key group id [id ...] */
function xackCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { streams, streamGroups } = ctx.keyspace;
  const found = lookupGroup(ctx, args, reply);
  if (found === false) return;
  if (found === null) {
    reply.integer(0);
    return;
  }
  const id = streams.newId;
  for (let i = 3; i < args.count; i++) {
    if (idArgument(args, i, id, 0, reply) === IdParse.INVALID) return;
  }
  let acknowledged = 0;
  for (let i = 3; i < args.count; i++) {
    id.parse(args.bytes, args.start[i], args.end[i], 0);
    if (streamGroups.acknowledge(id)) acknowledged++;
  }
  ctx.keyspace.dirty += acknowledged;
  reply.integer(acknowledged);
}

/** XPENDING key group [[IDLE min-idle-time] start end count [consumer]] */
function xpendingCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count === 3) {
    if (needGroup(ctx, args, reply)) replyPendingSummary(ctx, reply);
    return;
  }
  if (args.count < 6 || args.count > XPENDING_ARGUMENTS_MAX) {
    reply.error(errors.SYNTAX);
    return;
  }
  const { fromId, toId } = ctx.keyspace.streams;
  let first = 3;
  let idleMin = 0n;
  if (args.is(3, "IDLE")) {
    const idle = parseInt64(args.bytes, args.start[4], args.end[4]);
    if (idle === null || args.count < 8) {
      reply.error(idle === null ? errors.NOT_AN_INTEGER : errors.SYNTAX);
      return;
    }
    idleMin = idle;
    first = 5;
  }
  const count = parseInt64(args.bytes, args.start[first + 2], args.end[first + 2]);
  if (count === null) {
    reply.error(errors.NOT_AN_INTEGER);
    return;
  }
  if (!intervalArgument(args, first, fromId, true, reply)) return;
  if (!intervalArgument(args, first + 1, toId, false, reply)) return;
  if (!needGroup(ctx, args, reply)) return;
  replyPending(ctx, args, reply, first + 3, Number(count), Number(idleMin));
}

/** How much is pending, from which ID to which, and for whom. */
function replyPendingSummary(ctx: CommandContext, reply: ReplyWriter): void {
  const { arena, streamGroups } = ctx.keyspace;
  const { pending, consumers } = streamGroups;
  reply.array(4);
  reply.integer(pending.size);
  if (pending.size === 0) {
    reply.nil();
    reply.nil();
    reply.nilArray();
    return;
  }
  const id = new StreamId();
  pending.seekFirst();
  pending.readId(id);
  replyId(ctx, reply, id);
  pending.seekLast();
  pending.readId(id);
  replyId(ctx, reply, id);
  const mark = reply.deferLength();
  let found = 0;
  for (let i = 0; i < nameTableSize(arena, consumers); i++) {
    const consumer = nameTableGet(arena, consumers, i);
    const count = streamGroups.pendingOf(consumer);
    if (count === 0) continue;
    reply.array(2);
    replyName(ctx, reply, consumer, ConsumerBlock.NAME);
    reply.bulkInteger(count);
    found++;
  }
  reply.setDeferred(mark, ReplyType.ARRAY, found);
}

/** Pending entries from `fromId` to `toId`, of the consumer whose name may be an argument. */
function replyPending(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  consumerIndex: number,
  count: number,
  idleMin: number,
): void {
  const { streamGroups, nowMs, streams } = ctx.keyspace;
  let { pending } = streamGroups;
  if (consumerIndex < args.count) {
    const from = args.start[consumerIndex];
    const consumer = streamGroups.findConsumer(args.view, from, args.end[consumerIndex]);
    if (consumer === 0) {
      reply.array(0);
      return;
    }
    streamGroups.openConsumer(consumer);
    pending = streamGroups.consumerPending;
  }
  const id = new StreamId();
  const mark = reply.deferLength();
  let found = 0;
  for (let entry = pending.seekAtOrAfter(streams.fromId); entry !== 0; entry = pending.next()) {
    if (found >= count) break;
    pending.readId(id);
    if (id.compare(streams.toId) > 0) break;
    const idle = nowMs - streamGroups.delivered(entry);
    if (idleMin !== 0 && idle < idleMin) continue;
    reply.array(4);
    replyId(ctx, reply, id);
    replyName(ctx, reply, streamGroups.consumerOf(entry), ConsumerBlock.NAME);
    reply.integer(Math.max(0, idle));
    reply.bigInteger(streamGroups.deliveries(entry));
    found++;
  }
  reply.setDeferred(mark, ReplyType.ARRAY, found);
}

/** The options of XCLAIM. */
interface Claim {
  idleMin: number;
  /** Index of the first argument that is no ID. */
  idsEnd: number;
  force: boolean;
  justId: boolean;
  /** When the entries count as delivered; null = now. */
  delivered: bigint | null;
  /** Negative: not given. */
  deliveries: bigint;
  readonly lastId: StreamId;
}

/**
 * XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-ms]
 *   [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]
 */
function xclaimCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { keyspace } = ctx;
  const { streams, streamGroups, nowMs } = keyspace;
  if (!needGroup(ctx, args, reply)) return;
  const claim = claimOptions(ctx, args, reply);
  if (claim === null) return;
  let isMoved = false;
  if (claim.lastId.compare(streamGroups.lastId) > 0) {
    streamGroups.setLastId(claim.lastId);
    isMoved = true;
  }
  const isSensible =
    claim.delivered !== null && claim.delivered >= 0n && claim.delivered <= BigInt(nowMs);
  const deliveredMs = isSensible ? Number(claim.delivered) : nowMs;
  const consumer = seenConsumer(ctx, args, 1, 3);
  const propagates = ctx.effects.isOn;
  const id = new StreamId();
  const mark = reply.deferLength();
  let claimed = 0;
  let changed = 0;
  for (let i = 5; i < claim.idsEnd; i++) {
    id.parse(args.bytes, args.start[i], args.end[i], 0);
    let entry = streamGroups.pending.find(id);
    if (!streams.has(id)) {
      if (entry === 0) continue;
      if (propagates) propagateClaim(ctx, args, NAMES, i, entry);
      streamGroups.acknowledge(id);
      changed++;
      continue;
    }
    if (entry === 0) {
      if (!claim.force) continue;
      entry = streamGroups.addPending(id, consumer);
      streamGroups.setDeliveries(entry, 1n);
    } else {
      const idle = nowMs - streamGroups.delivered(entry);
      if (claim.idleMin > 0 && idle < claim.idleMin) continue;
      streamGroups.reassign(id, entry, consumer);
    }
    streamGroups.setDelivered(entry, deliveredMs);
    if (claim.deliveries >= 0n) streamGroups.setDeliveries(entry, claim.deliveries);
    else if (!claim.justId) streamGroups.countDelivery(entry);
    if (claim.justId) replyId(ctx, reply, id);
    else replyEntryWithId(ctx, reply, id);
    streamGroups.setActive(consumer, nowMs);
    if (propagates) propagateClaim(ctx, args, NAMES, i, entry);
    claimed++;
    changed++;
  }
  keyspace.dirty += isMoved && changed === 0 ? 1 : changed;
  if (propagates) {
    if (isMoved && changed === 0) propagateGroupPosition(ctx, args, NAMES);
    ctx.effects.none();
  }
  reply.setDeferred(mark, ReplyType.ARRAY, claimed);
}

/** Reads IDs and options; null after an error reply. */
function claimOptions(ctx: CommandContext, args: Args, reply: ReplyWriter): Claim | null {
  const id = new StreamId();
  const claim: Claim = {
    idleMin: 0,
    idsEnd: 5,
    force: false,
    justId: false,
    delivered: null,
    deliveries: -1n,
    lastId: new StreamId(),
  };
  const idleMin = parseInt64(args.bytes, args.start[4], args.end[4]);
  if (idleMin === null) {
    reply.error("ERR Invalid min-idle-time argument for XCLAIM");
    return null;
  }
  claim.idleMin = Math.max(0, Number(idleMin));
  let i = 5;
  while (
    i < args.count &&
    id.parse(args.bytes, args.start[i], args.end[i], 0) !== IdParse.INVALID
  ) {
    i++;
  }
  claim.idsEnd = i;
  for (; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (args.is(i, "FORCE")) claim.force = true;
    else if (args.is(i, "JUSTID")) claim.justId = true;
    else if (hasMore && (args.is(i, "IDLE") || args.is(i, "TIME") || args.is(i, "RETRYCOUNT"))) {
      if (!claimNumber(ctx, args, i, claim, reply)) return null;
      i++;
    } else if (args.is(i, "LASTID") && hasMore) {
      if (idArgument(args, ++i, claim.lastId, 0, reply) === IdParse.INVALID) return null;
    } else {
      reply.error(`ERR Unrecognized XCLAIM option '${beforeNul(args.text(i))}'`);
      return null;
    }
  }
  return claim;
}

/** Reads the number of the option at `index`; false after an error reply. */
function claimNumber(
  ctx: CommandContext,
  args: Args,
  index: number,
  claim: Claim,
  reply: ReplyWriter,
): boolean {
  const value = parseInt64(args.bytes, args.start[index + 1], args.end[index + 1]);
  if (value === null) {
    reply.error(`ERR Invalid ${args.text(index).toUpperCase()} option argument for XCLAIM`);
    return false;
  }
  if (args.is(index, "RETRYCOUNT")) claim.deliveries = value;
  else if (args.is(index, "TIME")) claim.delivered = value;
  else claim.delivered = BigInt.asIntN(64, BigInt(ctx.keyspace.nowMs) - value);
  return true;
}

/** XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID] */
function xautoclaimCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { keyspace } = ctx;
  const { streams, streamGroups, nowMs } = keyspace;
  const idleMin = parseInt64(args.bytes, args.start[4], args.end[4]);
  if (idleMin === null) {
    reply.error("ERR Invalid min-idle-time argument for XAUTOCLAIM");
    return;
  }
  if (!intervalArgument(args, 5, streams.fromId, true, reply)) return;
  let count = XAUTOCLAIM_COUNT_DEFAULT;
  let justId = false;
  for (let i = 6; i < args.count; i++) {
    if (args.is(i, "COUNT") && i + 1 < args.count) {
      i++;
      const given = parseInt64(args.bytes, args.start[i], args.end[i]);
      if (given === null || given < 1n || given > XAUTOCLAIM_COUNT_MAX) {
        reply.error("ERR COUNT must be > 0");
        return;
      }
      count = Number(given);
    } else if (args.is(i, "JUSTID")) justId = true;
    else {
      reply.error(errors.SYNTAX);
      return;
    }
  }
  if (!needGroup(ctx, args, reply)) return;
  if (count > XAUTOCLAIM_COUNT_POSSIBLE) {
    reply.error("ERR Insufficient memory, failed allocating transient memory, COUNT too high.");
    return;
  }
  const consumer = seenConsumer(ctx, args, 1, 3);
  const propagates = ctx.effects.isOn;
  const { pending } = streamGroups;
  const claimed: StreamId[] = [];
  const deleted: StreamId[] = [];
  let entry = pending.seekAtOrAfter(streams.fromId);
  let attempts = count * ATTEMPTS_PER_CLAIM;
  for (; entry !== 0 && attempts > 0 && claimed.length + deleted.length < count; attempts--) {
    const id = new StreamId();
    pending.readId(id);
    if (!streams.has(id)) {
      if (propagates) propagateClaim(ctx, args, NAMES, id, entry);
      streamGroups.acknowledge(id);
      deleted.push(id);
      entry = pending.seekAtOrAfter(id);
      continue;
    }
    if (idleMin <= 0n || nowMs - streamGroups.delivered(entry) >= Number(idleMin)) {
      streamGroups.reassign(id, entry, consumer);
      streamGroups.setDelivered(entry, nowMs);
      if (!justId) streamGroups.countDelivery(entry);
      streamGroups.setActive(consumer, nowMs);
      if (propagates) propagateClaim(ctx, args, NAMES, id, entry);
      claimed.push(id);
    }
    entry = pending.next();
  }
  keyspace.dirty += claimed.length + deleted.length;
  if (propagates) ctx.effects.none();
  const cursor = new StreamId();
  if (entry !== 0) pending.readId(cursor);
  reply.array(3);
  replyId(ctx, reply, cursor);
  reply.array(claimed.length);
  for (const id of claimed) {
    if (justId) replyId(ctx, reply, id);
    else replyEntryWithId(ctx, reply, id);
  }
  reply.array(deleted.length);
  for (const id of deleted) replyId(ctx, reply, id);
}
