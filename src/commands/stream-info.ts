/** XINFO: streams, their groups and consumers in figures. */
import { parseInt64 } from "../base/integer.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { ReplyType, type ReplyWriter } from "../protocol/reply-writer.ts";
import { nameTableGet, nameTableSize } from "../structures/name-table.ts";
import { StreamId } from "../structures/stream-id.ts";
import type { StreamTree } from "../structures/stream-tree.ts";
import { groupLag } from "../types/stream-counters.ts";
import { ConsumerBlock, GroupBlock, findGroup } from "../types/stream-group.ts";
import { radixTreeNodes } from "../types/stream-radix.ts";
import { checkType } from "./arguments.ts";
import { containerRow, replyHelp, replyUnknownSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, NO_KEYS } from "./spec.ts";
import { replyId, replyName, replyRange, replyStreamEntry, streamOf } from "./stream-arguments.ts";
import { noSuchGroup } from "./stream-group.ts";

const KEY_AT_2: readonly KeySpec[] = [
  { flags: "RO access", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } },
];

export const streamInfoCommands: readonly CommandSpec[] = [
  containerRow("xinfo"),
  {
    name: "consumers",
    parent: "xinfo",
    arity: 4,
    flags: Flag.READONLY,
    acl: Acl.STREAM,
    keys: KEY_AT_2,
    tips: ["nondeterministic_output"],
    run: xinfoConsumersCommand,
  },
  {
    name: "groups",
    parent: "xinfo",
    arity: 3,
    flags: Flag.READONLY,
    acl: Acl.STREAM,
    keys: KEY_AT_2,
    run: xinfoGroupsCommand,
  },
  {
    name: "help",
    parent: "xinfo",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.STREAM,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, "XINFO", HELP),
  },
  {
    name: "stream",
    parent: "xinfo",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.STREAM,
    keys: KEY_AT_2,
    run: xinfoStreamCommand,
  },
];

const HELP = [
  "CONSUMERS <key> <groupname>",
  "    Show consumers of <groupname>.",
  "GROUPS <key>",
  "    Show the stream consumer groups.",
  "STREAM <key> [FULL [COUNT <count>]",
  "    Show information about the stream.",
];
/** Without COUNT, FULL shows so many entries of each kind. */
const FULL_COUNT_DEFAULT = 10;

/** Takes the stream of argument 2 at hand; false after an error reply. */
function openStream(ctx: CommandContext, args: Args, reply: ReplyWriter): boolean {
  const record = ctx.db.lookupRead(args.view, args.start[2], args.end[2]);
  if (record === 0) {
    reply.error(errors.NO_SUCH_KEY);
    return false;
  }
  if (!checkType(ctx, record, ValueType.STREAM, reply)) return false;
  streamOf(ctx, record);
  return true;
}

/** XINFO CONSUMERS key group */
function xinfoConsumersCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { arena, streams, streamGroups, nowMs } = ctx.keyspace;
  if (!openStream(ctx, args, reply)) return;
  const group = findGroup(arena, streams.groups, args.view, args.start[3], args.end[3]);
  if (group === 0) {
    reply.error(noSuchGroup(args, 2, 3));
    return;
  }
  streamGroups.open(group);
  const { consumers } = streamGroups;
  const count = nameTableSize(arena, consumers);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const consumer = nameTableGet(arena, consumers, i);
    const active = streamGroups.active(consumer);
    reply.map(4);
    reply.bulkText("name");
    replyName(ctx, reply, consumer, ConsumerBlock.NAME);
    reply.bulkText("pending");
    reply.integer(streamGroups.pendingOf(consumer));
    reply.bulkText("idle");
    reply.integer(Math.max(0, nowMs - streamGroups.seen(consumer)));
    reply.bulkText("inactive");
    reply.integer(active === -1 ? -1 : nowMs - active);
  }
}

/** XINFO GROUPS key */
function xinfoGroupsCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { arena, streams, streamGroups } = ctx.keyspace;
  if (!openStream(ctx, args, reply)) return;
  const count = nameTableSize(arena, streams.groups);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const group = nameTableGet(arena, streams.groups, i);
    streamGroups.open(group);
    reply.map(6);
    reply.bulkText("name");
    replyName(ctx, reply, group, GroupBlock.NAME);
    reply.bulkText("consumers");
    reply.integer(nameTableSize(arena, streamGroups.consumers));
    reply.bulkText("pending");
    reply.integer(streamGroups.pending.size);
    replyProgress(ctx, reply);
  }
}

/** XINFO STREAM key [FULL [COUNT count]] */
function xinfoStreamCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { arena, streams } = ctx.keyspace;
  if (!openStream(ctx, args, reply)) return;
  const isFull = args.count > 3;
  let count = FULL_COUNT_DEFAULT;
  if (isFull) {
    const hasCount = args.count === 6 && args.is(4, "COUNT");
    if (!args.is(3, "FULL") || (args.count !== 4 && !hasCount)) {
      replyUnknownSubcommand(reply, "XINFO", args);
      return;
    }
    if (hasCount) {
      const given = parseInt64(args.bytes, args.start[5], args.end[5]);
      if (given === null) {
        reply.error(errors.NOT_AN_INTEGER);
        return;
      }
      if (given >= 0n) count = Number(given);
    }
  }
  reply.map(isFull ? 9 : 10);
  reply.bulkText("length");
  reply.integer(streams.length);
  reply.bulkText("radix-tree-keys");
  reply.integer(streams.nodes.size);
  reply.bulkText("radix-tree-nodes");
  reply.integer(radixTreeNodes(streams.nodes));
  reply.bulkText("last-generated-id");
  replyId(ctx, reply, streams.lastId);
  reply.bulkText("max-deleted-entry-id");
  replyId(ctx, reply, streams.maxDeletedId);
  reply.bulkText("entries-added");
  reply.bigInteger(streams.entriesAdded());
  reply.bulkText("recorded-first-entry-id");
  replyId(ctx, reply, streams.firstId);
  if (isFull) {
    reply.bulkText("entries");
    replyRange(ctx, reply, streams.zeroId, streams.maxId, count, false);
    reply.bulkText("groups");
    replyGroups(ctx, reply, count);
    return;
  }
  reply.bulkText("groups");
  reply.integer(nameTableSize(arena, streams.groups));
  reply.bulkText("first-entry");
  replyEdge(ctx, reply, false);
  reply.bulkText("last-entry");
  replyEdge(ctx, reply, true);
}

/** The first or the last entry, or null. */
function replyEdge(ctx: CommandContext, reply: ReplyWriter, isLast: boolean): void {
  const { streams } = ctx.keyspace;
  streams.iterator.start(streams.root, streams.zeroId, streams.maxId, isLast);
  if (streams.iterator.next()) replyStreamEntry(ctx, reply);
  else reply.nil();
}

/** Three pairs of a map: how far the group at hand is. */
function replyProgress(ctx: CommandContext, reply: ReplyWriter): void {
  const { streams, streamGroups } = ctx.keyspace;
  reply.bulkText("last-delivered-id");
  replyId(ctx, reply, streamGroups.lastId);
  reply.bulkText("entries-read");
  if (streamGroups.knowsEntriesRead()) reply.bigInteger(streamGroups.entriesRead());
  else reply.nil();
  reply.bulkText("lag");
  const lag = groupLag(streams, streamGroups);
  if (lag === null) reply.nil();
  else reply.bigInteger(lag);
}

/** All groups, with up to `count` pending entries each (0 = all). */
function replyGroups(ctx: CommandContext, reply: ReplyWriter, count: number): void {
  const { arena, streams, streamGroups } = ctx.keyspace;
  const size = nameTableSize(arena, streams.groups);
  reply.array(size);
  for (let i = 0; i < size; i++) {
    const group = nameTableGet(arena, streams.groups, i);
    streamGroups.open(group);
    reply.map(7);
    reply.bulkText("name");
    replyName(ctx, reply, group, GroupBlock.NAME);
    replyProgress(ctx, reply);
    reply.bulkText("pel-count");
    reply.integer(streamGroups.pending.size);
    reply.bulkText("pending");
    replyPendingEntries(ctx, reply, streamGroups.pending, count, true);
    reply.bulkText("consumers");
    replyConsumers(ctx, reply, count);
  }
}

/** All consumers of the group at hand, with up to `count` pending entries each (0 = all). */
function replyConsumers(ctx: CommandContext, reply: ReplyWriter, count: number): void {
  const { arena, streamGroups } = ctx.keyspace;
  const { consumers, consumerPending } = streamGroups;
  const size = nameTableSize(arena, consumers);
  reply.array(size);
  for (let i = 0; i < size; i++) {
    const consumer = nameTableGet(arena, consumers, i);
    streamGroups.openConsumer(consumer);
    reply.map(5);
    reply.bulkText("name");
    replyName(ctx, reply, consumer, ConsumerBlock.NAME);
    reply.bulkText("seen-time");
    reply.integer(streamGroups.seen(consumer));
    reply.bulkText("active-time");
    reply.integer(streamGroups.active(consumer));
    reply.bulkText("pel-count");
    reply.integer(consumerPending.size);
    reply.bulkText("pending");
    replyPendingEntries(ctx, reply, consumerPending, count, false);
  }
}

function replyPendingEntries(
  ctx: CommandContext,
  reply: ReplyWriter,
  pending: StreamTree,
  count: number,
  showsConsumer: boolean,
): void {
  const { streamGroups } = ctx.keyspace;
  const id = new StreamId();
  const mark = reply.deferLength();
  let found = 0;
  for (let entry = pending.seekFirst(); entry !== 0; entry = pending.next()) {
    if (count !== 0 && found === count) break;
    pending.readId(id);
    reply.array(showsConsumer ? 4 : 3);
    replyId(ctx, reply, id);
    if (showsConsumer) {
      replyName(ctx, reply, streamGroups.consumerOf(entry), ConsumerBlock.NAME);
    }
    reply.integer(streamGroups.delivered(entry));
    reply.bigInteger(streamGroups.deliveries(entry));
    found++;
  }
  reply.setDeferred(mark, ReplyType.ARRAY, found);
}
