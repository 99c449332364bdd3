// HOT PATH: rules in src/README.md
/**
 * What list commands share: attaching the list of a record to the engine's `Lists`, and noting in
 * the record what became of it. "The key looked up last" is as in keyspace/database.ts.
 */
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType, encodingOf, metaOf, rootOf, typeOf, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Lists } from "../types/list.ts";
import type { CommandContext } from "./context.ts";
import { replyEntry, replyRun } from "./listpack-reply.ts";

/** Attaches the list of a record whose type was checked. */
export function attachList(ctx: CommandContext, record: number): Lists {
  const { arena, lists } = ctx.keyspace;
  const meta = metaOf(arena, record);
  lists.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  return lists;
}

/** The same for any record; false after an error reply if it holds another type. */
export function attachChecked(ctx: CommandContext, record: number, reply: ReplyWriter): boolean {
  const { arena, lists } = ctx.keyspace;
  // One look at the record does both.
  const meta = metaOf(arena, record);
  if (typeOf(meta) !== ValueType.LIST) {
    reply.error(errors.WRONG_TYPE);
    return false;
  }
  lists.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  return true;
}

/** Notes a list's new place and encoding in its record, between two changes by one command. */
export function noteList(ctx: CommandContext, record: number, lists: Lists): void {
  if (!lists.isMoved) return;
  ctx.db.updateRoot(record, lists.encoding, lists.root);
  lists.noted();
}

/** The same after the last change. */
export function storeList(ctx: CommandContext, record: number, lists: Lists): void {
  lists.rest();
  noteList(ctx, record, lists);
}

/** Gives the key looked up last, argument `keyIndex`, which is missing, the attached list. */
export function insertList(
  ctx: CommandContext,
  args: Args,
  keyIndex: number,
  lists: Lists,
): number {
  lists.rest();
  return ctx.db.insertRoot(
    args.view,
    args.start[keyIndex],
    args.end[keyIndex],
    ValueType.LIST,
    lists.encoding,
    lists.root,
  );
}

/**
 * A command removed elements from the attached list of the key looked up last: shrinks the list,
 * or removes the key with it; fires `event` and counts `count` changes.
 */
export function listShrank(
  ctx: CommandContext,
  args: Args,
  keyIndex: number,
  record: number,
  lists: Lists,
  event: string,
  count: number,
): void {
  const { db } = ctx;
  const start = args.start[keyIndex];
  const end = args.end[keyIndex];
  const isEmpty = lists.length === 0;
  if (!isEmpty) lists.shrink();
  storeList(ctx, record, lists);
  if (isEmpty) db.removeFound(record);
  ctx.keyspace.dirty += count;
  db.signal(args.view, start, end);
  db.notify(NotifyClass.LIST, event, args.view, start, end);
  if (isEmpty) db.notify(NotifyClass.GENERIC, "del", args.view, start, end);
}

/**
 * Removes up to `count` elements from an end of the key looked up last, and replies with them.
 * Returns how many.
 */
export function popRange(
  ctx: CommandContext,
  args: Args,
  keyIndex: number,
  record: number,
  atHead: boolean,
  count: number,
  reply: ReplyWriter,
): number {
  const lists = attachList(ctx, record);
  const length = lists.length;
  const popped = Math.min(count, length);
  reply.array(popped);
  lists.seekEnd(atHead);
  replyElements(lists, popped, atHead, reply);
  lists.removeRange(atHead ? 0 : length - popped, popped);
  listShrank(ctx, args, keyIndex, record, lists, popEvent(atHead), popped);
  return popped;
}

/** Replies with `count` elements from the cursor on. */
export function replyElements(
  lists: Lists,
  count: number,
  forwards: boolean,
  reply: ReplyWriter,
): void {
  if (forwards) replyForwards(lists, count, reply);
  else replyBackwards(lists, count, reply);
}

function replyForwards(lists: Lists, count: number, reply: ReplyWriter): void {
  const { cursor, entry } = lists;
  for (let rest = count; rest > 0;) {
    if (cursor.plainBytes === 0) rest -= replyRun(reply, cursor.view, cursor.at, rest);
    else {
      lists.read();
      replyEntry(reply, entry);
      rest--;
    }
    if (rest > 0) lists.stepNode();
  }
}

function replyBackwards(lists: Lists, count: number, reply: ReplyWriter): void {
  for (let rest = count; rest > 0; rest--) {
    lists.read();
    replyEntry(reply, lists.entry);
    if (rest > 1) lists.step(false);
  }
}

export function popEvent(atHead: boolean): string {
  return atHead ? "lpop" : "rpop";
}

export function pushEvent(atHead: boolean): string {
  return atHead ? "lpush" : "rpush";
}

/** An end of a list, as an argument says: 1 = LEFT, 0 = RIGHT, -1 after an error reply. */
export function endArgument(args: Args, index: number, reply: ReplyWriter): number {
  if (args.is(index, "LEFT")) return 1;
  if (args.is(index, "RIGHT")) return 0;
  reply.error(errors.SYNTAX);
  return -1;
}
