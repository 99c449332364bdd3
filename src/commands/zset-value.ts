// HOT PATH: rules in src/README.md
/** Sorted sets in their records, as the sorted set and geo commands find, keep and drop them. */
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType, encodingOf, metaOf, rootOf, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { SortedSets } from "../types/zset.ts";
import type { CommandContext } from "./context.ts";
import { replyEntry } from "./listpack-reply.ts";

/** The sorted set of a record, attached to the keyspace's object for one. */
export function zsetOf(ctx: CommandContext, record: number): SortedSets {
  const { arena, zsets } = ctx.keyspace;
  const meta = metaOf(arena, record);
  zsets.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  return zsets;
}

/** Adds the key at argument `index`, which was looked up last and is missing. */
export function insertZset(ctx: CommandContext, args: Args, index: number, zset: SortedSets): void {
  const { view, start, end } = args;
  ctx.db.insertRoot(view, start[index], end[index], ValueType.ZSET, zset.encoding, zset.root);
}

/**
 * Reports that members were taken from the key at argument `index`, which was looked up last, and
 * removes it if none is left. `removed` counts the members.
 */
export function finishRemoval(
  ctx: CommandContext,
  args: Args,
  index: number,
  record: number,
  zset: SortedSets,
  event: string,
  removed: number,
): void {
  const { view, start, end } = args;
  const { db } = ctx;
  db.updateRoot(record, zset.encoding, zset.root);
  const isEmpty = zset.length === 0;
  if (isEmpty) db.removeFound(record);
  ctx.keyspace.dirty += removed - 1;
  db.changed(NotifyClass.ZSET, event, view, start[index], end[index]);
  if (isEmpty) db.notify(NotifyClass.GENERIC, "del", view, start[index], end[index]);
}

/**
 * Puts a new sorted set at the key of argument `index`, in place of whatever it held; an empty one
 * is freed, and the key removed. Replies with the length.
 */
export function storeZset(
  ctx: CommandContext,
  args: Args,
  index: number,
  zset: SortedSets,
  event: string,
  reply: ReplyWriter,
): void {
  const { view } = args;
  const { db } = ctx;
  const start = args.start[index];
  const end = args.end[index];
  const record = db.lookupWrite(view, start, end);
  const { length } = zset;
  if (length > 0) {
    db.replaceWithRoot(record, view, start, end, ValueType.ZSET, zset.encoding, zset.root);
    db.changed(NotifyClass.ZSET, event, view, start, end);
  } else {
    zset.free();
    if (record !== 0) {
      db.removeFound(record);
      db.changed(NotifyClass.GENERIC, "del", view, start, end);
    }
  }
  reply.integer(length);
}

/** Begins a reply of `count` members: with scores they are pairs, which RESP2 flattens. */
export function replyMemberCount(reply: ReplyWriter, count: number, withScores: boolean): void {
  reply.array(withScores && !reply.resp3 ? count * 2 : count);
}

/** Replies with the member at the cursor, and its score if wanted. */
export function replyMemberWith(reply: ReplyWriter, zset: SortedSets, withScores: boolean): void {
  if (!withScores) {
    replyEntry(reply, zset.member);
    return;
  }
  if (reply.resp3) reply.array(2);
  replyEntry(reply, zset.member);
  reply.double(zset.score);
}
