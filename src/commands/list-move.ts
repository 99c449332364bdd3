// HOT PATH: rules in src/README.md
/**
 * Lists: moving an element from an end of one list to an end of another, or of the same one.
 * BLMOVE and BRPOPLPUSH wait for a missing source.
 */
import { copyBytes } from "../base/bytes.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import { Ref } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { ListEncoding } from "../types/list.ts";
import { checkType } from "./arguments.ts";
import { deadlineArgument, waitForKeys } from "./blocking.ts";
import type { CommandContext } from "./context.ts";
import {
  attachList,
  endArgument,
  insertList,
  listShrank,
  popEvent,
  pushEvent,
  storeList,
} from "./list-value.ts";
import { Acl, type CommandSpec, Flag, type KeySpec } from "./spec.ts";

/** The source, then the destination. */
const TWO_KEYS: readonly KeySpec[] = [
  {
    flags: "RW access delete",
    begin: { index: 1 },
    find: { last: 0, step: 1, limit: 0 },
  },
  { flags: "RW insert", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } },
];
const SOURCE_INDEXES: readonly number[] = [1];

export const listMoveCommands: readonly CommandSpec[] = [
  {
    name: "lmove",
    arity: 5,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.CHEAP,
    acl: Acl.LIST,
    keys: TWO_KEYS,
    run: lmoveCommand,
  },
  {
    name: "rpoplpush",
    arity: 3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.CHEAP,
    acl: Acl.LIST,
    keys: TWO_KEYS,
    run: rpoplpushCommand,
  },
  {
    name: "blmove",
    arity: 6,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.BLOCKING,
    acl: Acl.LIST,
    keys: TWO_KEYS,
    run: blmoveCommand,
  },
  {
    name: "brpoplpush",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.BLOCKING,
    acl: Acl.LIST,
    keys: TWO_KEYS,
    run: brpoplpushCommand,
  },
];

/** LMOVE source destination LEFT | RIGHT LEFT | RIGHT */
function lmoveCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const from = endArgument(args, 3, reply);
  if (from < 0) return;
  const to = endArgument(args, 4, reply);
  if (to < 0) return;
  move(ctx, args, reply, from === 1, to === 1);
}

/** RPOPLPUSH source destination */
function rpoplpushCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  move(ctx, args, reply, false, true);
}

/** BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout */
function blmoveCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const from = endArgument(args, 3, reply);
  if (from < 0) return;
  const to = endArgument(args, 4, reply);
  if (to < 0) return;
  const deadlineMs = deadlineArgument(ctx, args, 5, reply);
  if (deadlineMs !== deadlineMs) return;
  moveOrWait(ctx, args, reply, from === 1, to === 1, deadlineMs, "LMOVE");
}

/** BRPOPLPUSH source destination timeout */
function brpoplpushCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const deadlineMs = deadlineArgument(ctx, args, 3, reply);
  if (deadlineMs !== deadlineMs) return;
  moveOrWait(ctx, args, reply, false, true, deadlineMs, "RPOPLPUSH");
}

/**
 * Propagates as `name` without the timeout. Where it may not wait the reply is null, after a timeout
 * it is a null array, as in Valkey.
 */
function moveOrWait(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  fromHead: boolean,
  toHead: boolean,
  deadlineMs: number,
  name: string,
): void {
  const source = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (source !== 0 || !ctx.client.mayBlock) {
    const isMoved = move(ctx, args, reply, fromHead, toHead);
    if (isMoved && ctx.effects.isOn) ctx.effects.renames(name, args, args.count - 1);
    return;
  }
  waitForKeys(ctx, args, reply, ValueType.LIST, SOURCE_INDEXES, deadlineMs, replyNilArray);
}

function replyNilArray(reply: ReplyWriter): void {
  reply.nilArray();
}

/** Moves an element and replies with it; false if there is none, or after an error reply. */
function move(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  fromHead: boolean,
  toHead: boolean,
): boolean {
  const { db } = ctx;
  const { view, start, end } = args;
  const source = db.lookupWrite(view, start[1], end[1]);
  if (source === 0) {
    reply.nil();
    return false;
  }
  if (!checkType(ctx, source, ValueType.LIST, reply)) return false;
  const target = db.lookupWrite(view, start[2], end[2]);
  if (target !== 0 && !checkType(ctx, target, ValueType.LIST, reply)) return false;
  if (target === source) {
    rotate(ctx, args, reply, source, fromHead, toHead);
    return true;
  }
  const lists = attachList(ctx, source);
  const { entry } = lists;
  lists.seekEnd(fromHead);
  lists.read();
  let from = entry.view;
  let at = entry.start;
  let length = entry.length;
  let grownBytes = length;
  if (entry.isInteger) {
    from = ctx.scratch.view;
    at = 0;
    length = entry.writeText(ctx.scratch.bytes, ctx.scratch.view, 0);
    // Valkey does not count integers that come from quicklists.
    grownBytes = lists.encoding === ListEncoding.QUICKLIST ? 0 : length;
  }
  // The element stays where it is while it is copied to the destination: no block of the source
  // is touched.
  if (target !== 0) attachList(ctx, target);
  else lists.create();
  lists.grow(grownBytes, 1);
  lists.push(toHead, from, at, at + length);
  if (target !== 0) storeList(ctx, target, lists);
  else insertList(ctx, args, 2, lists);
  reply.bulk(from, at, length);
  announcePush(ctx, args, toHead);
  const record = db.find(view, start[1], end[1]);
  attachList(ctx, record);
  lists.removeEnd(fromHead);
  listShrank(ctx, args, 1, record, lists, popEvent(fromHead), 1);
  return true;
}

/** Moves an element within one list, by way of a block of its own. */
function rotate(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  record: number,
  fromHead: boolean,
  toHead: boolean,
): void {
  const { arena } = ctx.keyspace;
  const lists = attachList(ctx, record);
  const { entry } = lists;
  lists.seekEnd(fromHead);
  lists.read();
  const length = entry.textLength();
  const blockLength = Math.max(length, 1);
  const block = arena.allocate(blockLength);
  const segment = block >>> Ref.SEGMENT_SHIFT;
  const view = arena.views[segment];
  const at = (block & Ref.GRANULE_MASK) << 3;
  const isCounted = !entry.isInteger || lists.encoding === ListEncoding.LISTPACK;
  if (entry.isInteger) entry.writeText(arena.bytes[segment], view, at);
  else copyBytes(view, at, entry.view, entry.start, length);
  lists.removeEnd(fromHead);
  storeList(ctx, record, lists);
  lists.grow(isCounted ? length : 0, 1);
  lists.push(toHead, view, at, at + length);
  reply.bulk(view, at, length);
  arena.free(block, blockLength);
  announcePush(ctx, args, toHead);
  listShrank(ctx, args, 1, record, lists, popEvent(fromHead), 1);
}

/** The push is no change of its own: that of the source counts. */
function announcePush(ctx: CommandContext, args: Args, toHead: boolean): void {
  const { db } = ctx;
  db.signal(args.view, args.start[2], args.end[2]);
  db.notify(NotifyClass.LIST, pushEvent(toHead), args.view, args.start[2], args.end[2]);
}
