/** XGROUP: makes, moves and removes consumer groups and their consumers. */
import { parseInt64 } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { nameTableFind, nameTableInsert, nameTableRemove } from "../structures/name-table.ts";
import { IdForm, IdParse, StreamId } from "../structures/stream-id.ts";
import { GroupBlock, findGroup } from "../types/stream-group.ts";
import { checkType } from "./arguments.ts";
import { containerRow, replyHelp, replyUnknownSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, NO_KEYS } from "./spec.ts";
import { idArgument, streamOf } from "./stream-arguments.ts";

export const streamGroupCommands: readonly CommandSpec[] = [
  containerRow("xgroup"),
  {
    name: "create",
    parent: "xgroup",
    arity: -5,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.STREAM,
    keys: keyAt2("RW insert"),
    run: xgroupCreateCommand,
  },
  {
    name: "createconsumer",
    parent: "xgroup",
    arity: 5,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.STREAM,
    keys: keyAt2("RW insert"),
    run: xgroupCreateconsumerCommand,
  },
  {
    name: "delconsumer",
    parent: "xgroup",
    arity: 5,
    flags: Flag.WRITE,
    acl: Acl.STREAM,
    keys: keyAt2("RW delete"),
    run: xgroupDelconsumerCommand,
  },
  {
    name: "destroy",
    parent: "xgroup",
    arity: 4,
    flags: Flag.WRITE,
    acl: Acl.STREAM,
    keys: keyAt2("RW delete"),
    run: xgroupDestroyCommand,
  },
  {
    name: "help",
    parent: "xgroup",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.STREAM,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, "XGROUP", HELP),
  },
  {
    name: "setid",
    parent: "xgroup",
    arity: -5,
    flags: Flag.WRITE,
    acl: Acl.STREAM,
    keys: keyAt2("RW update"),
    run: xgroupSetidCommand,
  },
];

const HELP = [
  "CREATE <key> <groupname> <id|$> [option]",
  "    Create a new consumer group. Options are:",
  "    * MKSTREAM",
  "      Create the empty stream if it does not exist.",
  "    * ENTRIESREAD entries_read",
  "      Set the group's entries_read counter (internal use).",
  "CREATECONSUMER <key> <groupname> <consumer>",
  "    Create a new consumer in the specified group.",
  "DELCONSUMER <key> <groupname> <consumer>",
  "    Remove the specified consumer.",
  "DESTROY <key> <groupname>",
  "    Remove the specified group.",
  "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
  "    Set the current group ID and entries_read counter.",
];
const NO_KEY =
  "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to " +
  "use the MKSTREAM option to create an empty stream automatically.";
const CREATE_ARGUMENTS_MAX = 8;

function keyAt2(flags: string): readonly KeySpec[] {
  return [{ flags, begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } }];
}

interface GroupOptions {
  readonly makesStream: boolean;
  readonly entriesRead: bigint;
}

/** XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD count] */
function xgroupCreateCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { db } = ctx;
  const { arena, streams, streamGroups } = ctx.keyspace;
  const options = groupOptions(args, reply, true);
  if (options === null) return;
  const record = db.lookupWrite(view, start[2], end[2]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STREAM, reply)) return;
  if (record === 0 && !options.makesStream) {
    reply.error(NO_KEY);
    return;
  }
  if (args.count > CREATE_ARGUMENTS_MAX) {
    replyUnknownSubcommand(reply, "XGROUP", args);
    return;
  }
  const id = new StreamId();
  if (record !== 0) streamOf(ctx, record);
  if (args.is(4, "$")) {
    if (record !== 0) id.copy(streams.lastId);
  } else if (idArgument(args, 4, id, 0, reply) === IdParse.INVALID) return;
  if (record === 0) {
    streams.create();
    db.insertRoot(view, start[2], end[2], ValueType.STREAM, 0, streams.root);
    db.signal(view, start[2], end[2]);
  }
  const index = nameTableFind(arena, streams.groups, GroupBlock.NAME, view, start[3], end[3]);
  if (index >= 0) {
    reply.error("BUSYGROUP Consumer Group name already exists");
    return;
  }
  const group = streamGroups.create(view, start[3], end[3], id, options.entriesRead);
  streams.groups = nameTableInsert(arena, streams.groups, ~index, group);
  ctx.keyspace.dirty++;
  db.notify(NotifyClass.STREAM, "xgroup-create", view, start[2], end[2]);
  reply.ok();
}

/** XGROUP SETID key group id | $ [ENTRIESREAD count] */
function xgroupSetidCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { streams, streamGroups } = ctx.keyspace;
  const options = groupOptions(args, reply, false);
  if (options === null || !openGroup(ctx, args, reply)) return;
  if (args.count !== 5 && args.count !== 7) {
    replyUnknownSubcommand(reply, "XGROUP", args);
    return;
  }
  const id = new StreamId();
  if (args.is(4, "$")) id.copy(streams.lastId);
  else if (idArgument(args, 4, id, IdForm.RANGE, reply) === IdParse.INVALID) return;
  streamGroups.setLastId(id);
  streamGroups.setEntriesRead(options.entriesRead);
  ctx.keyspace.dirty++;
  ctx.db.notify(NotifyClass.STREAM, "xgroup-setid", args.view, args.start[2], args.end[2]);
  reply.ok();
}

/** XGROUP DESTROY key group */
function xgroupDestroyCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { db } = ctx;
  const { arena, streamGroups } = ctx.keyspace;
  const record = db.lookupWrite(view, start[2], end[2]);
  if (record === 0) {
    reply.error(NO_KEY);
    return;
  }
  if (!checkType(ctx, record, ValueType.STREAM, reply)) return;
  const streams = streamOf(ctx, record);
  const group = findGroup(arena, streams.groups, view, start[3], end[3]);
  if (group === 0) {
    reply.integer(0);
    return;
  }
  const index = nameTableFind(arena, streams.groups, GroupBlock.NAME, view, start[3], end[3]);
  streams.groups = nameTableRemove(arena, streams.groups, index);
  streamGroups.open(group);
  streamGroups.free();
  ctx.keyspace.dirty++;
  db.notify(NotifyClass.STREAM, "xgroup-destroy", view, start[2], end[2]);
  reply.integer(1);
  // Who waits for entries of the group learns that it is gone. No key was changed for WATCH.
  ctx.clients.blocking.signal(db.id, args.bytes, start[2], end[2]);
}

/** XGROUP CREATECONSUMER key group consumer */
function xgroupCreateconsumerCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  if (!openGroup(ctx, args, reply)) return;
  const exists = ctx.keyspace.streamGroups.findConsumer(view, start[4], end[4]) !== 0;
  if (!exists) createConsumer(ctx, args, 2, 4);
  reply.integer(exists ? 0 : 1);
}

/** XGROUP DELCONSUMER key group consumer */
function xgroupDelconsumerCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { streamGroups } = ctx.keyspace;
  if (!openGroup(ctx, args, reply)) return;
  const consumer = streamGroups.findConsumer(view, start[4], end[4]);
  if (consumer === 0) {
    reply.integer(0);
    return;
  }
  reply.integer(streamGroups.pendingOf(consumer));
  streamGroups.deleteConsumer(view, start[4], end[4]);
  ctx.keyspace.dirty++;
  ctx.db.notify(NotifyClass.STREAM, "xgroup-delconsumer", view, start[2], end[2]);
}

/**
 * Adds the consumer that argument `nameIndex` names to the group at hand; the stream's key is
 * argument `keyIndex`.
 */
export function createConsumer(
  ctx: CommandContext,
  args: Args,
  keyIndex: number,
  nameIndex: number,
): number {
  const { view, start, end } = args;
  const { keyspace, db } = ctx;
  const nameEnd = end[nameIndex];
  const consumer = keyspace.streamGroups.createConsumer(
    view,
    start[nameIndex],
    nameEnd,
    keyspace.nowMs,
  );
  keyspace.dirty++;
  db.notify(NotifyClass.STREAM, "xgroup-createconsumer", view, start[keyIndex], end[keyIndex]);
  return consumer;
}

/** The consumer that argument `nameIndex` names, made if it is missing, and seen now. */
export function seenConsumer(
  ctx: CommandContext,
  args: Args,
  keyIndex: number,
  nameIndex: number,
): number {
  const { streamGroups, nowMs } = ctx.keyspace;
  let consumer = streamGroups.findConsumer(args.view, args.start[nameIndex], args.end[nameIndex]);
  if (consumer === 0) consumer = createConsumer(ctx, args, keyIndex, nameIndex);
  streamGroups.setSeen(consumer, nowMs);
  return consumer;
}

/** Takes the group of arguments 2 (key) and 3 at hand; false after an error reply. */
function openGroup(ctx: CommandContext, args: Args, reply: ReplyWriter): boolean {
  const { view, start, end } = args;
  const { arena, streamGroups } = ctx.keyspace;
  const record = ctx.db.lookupWrite(view, start[2], end[2]);
  if (record === 0) {
    reply.error(NO_KEY);
    return false;
  }
  if (!checkType(ctx, record, ValueType.STREAM, reply)) return false;
  const group = findGroup(arena, streamOf(ctx, record).groups, view, start[3], end[3]);
  if (group === 0) {
    reply.error(noSuchGroup(args, 2, 3));
    return false;
  }
  streamGroups.open(group);
  return true;
}

/** The error of a group that a stream does not have. */
export function noSuchGroup(args: Args, keyIndex: number, groupIndex: number): string {
  const key = beforeNul(args.text(keyIndex));
  return `NOGROUP No such consumer group '${beforeNul(args.text(groupIndex))}' for key name '${key}'`;
}

/** The options of CREATE and SETID, from argument 5 on; null after an error reply. */
function groupOptions(args: Args, reply: ReplyWriter, isCreate: boolean): GroupOptions | null {
  let makesStream = false;
  let entriesRead = -1n;
  for (let i = 5; i < args.count; i++) {
    if (isCreate && args.is(i, "MKSTREAM")) makesStream = true;
    else if (args.is(i, "ENTRIESREAD") && i + 1 < args.count) {
      i++;
      const count = parseInt64(args.bytes, args.start[i], args.end[i]);
      if (count === null || count < -1n) {
        reply.error(
          count === null
            ? errors.NOT_AN_INTEGER
            : "ERR value for ENTRIESREAD must be positive or -1",
        );
        return null;
      }
      entriesRead = count;
    } else {
      replyUnknownSubcommand(reply, "XGROUP", args);
      return null;
    }
  }
  return { makesStream, entriesRead };
}
