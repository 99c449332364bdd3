// HOT PATH: rules in src/README.md
/** What the stream commands share: IDs as arguments and in replies, and entries in replies. */
import { metaOf, rootOf, viewOf } from "../keyspace/record.ts";
import { Ref } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import { ReplyType, type ReplyWriter } from "../protocol/reply-writer.ts";
import { IdForm, IdParse, type StreamId } from "../structures/stream-id.ts";
import { blockNameLength, blockNameStart } from "../types/stream-group.ts";
import type { Streams } from "../types/stream.ts";
import type { CommandContext } from "./context.ts";
import { replyEntry } from "./listpack-reply.ts";

const BAD_ID = "ERR Invalid stream ID specified as stream command argument";
const PARENTHESIS = 0x28;

/** Reads argument `index` into `id`; INVALID after an error reply. `forms` are IdForms. */
export function idArgument(
  args: Args,
  index: number,
  id: StreamId,
  forms: number,
  reply: ReplyWriter,
): IdParse {
  const parsed = id.parse(args.bytes, args.start[index], args.end[index], forms);
  if (parsed === IdParse.INVALID) reply.error(BAD_ID);
  return parsed;
}

/**
 * Reads an end of an interval: an ID, `-` or `+`, or `(` and an ID that does not belong to it any
 * more. False after an error reply.
 */
export function intervalArgument(
  args: Args,
  index: number,
  id: StreamId,
  isStart: boolean,
  reply: ReplyWriter,
): boolean {
  const start = args.start[index];
  const end = args.end[index];
  const isExclusive = end - start > 1 && args.bytes[start] === PARENTHESIS;
  const forms = (isExclusive ? 0 : IdForm.RANGE) | (isStart ? 0 : IdForm.MISSING_IS_MAX);
  if (id.parse(args.bytes, isExclusive ? start + 1 : start, end, forms) === IdParse.INVALID) {
    reply.error(BAD_ID);
    return false;
  }
  if (!isExclusive || (isStart ? id.increment() : id.decrement())) return true;
  reply.error(`ERR invalid ${isStart ? "start" : "end"} ID for the interval`);
  return false;
}

/** The stream of a record, which is at hand then. */
export function streamOf(ctx: CommandContext, record: number): Streams {
  const { arena, streams } = ctx.keyspace;
  streams.open(rootOf(viewOf(arena, record), record, metaOf(arena, record)));
  return streams;
}

/** An ID as a bulk string. */
export function replyId(ctx: CommandContext, reply: ReplyWriter, id: StreamId): void {
  const { idText } = ctx.keyspace.streams;
  const length = idText.write(id);
  reply.bulk(idText.view, 0, length);
}

/** The name of a group or a consumer as a bulk string; `nameAt` is where it is in the block. */
export function replyName(
  ctx: CommandContext,
  reply: ReplyWriter,
  block: number,
  nameAt: number,
): void {
  const { arena } = ctx.keyspace;
  const view = arena.views[block >>> Ref.SEGMENT_SHIFT];
  const start = blockNameStart(arena, block, nameAt);
  reply.bulk(view, start, blockNameLength(arena, block, nameAt));
}

/** The entry that the iterator of the stream is at: its ID, and its fields and values. */
export function replyStreamEntry(ctx: CommandContext, reply: ReplyWriter): void {
  const { iterator, piece } = ctx.keyspace.streams;
  const { entry } = iterator;
  reply.array(2);
  replyId(ctx, reply, entry.id);
  reply.array(entry.fieldCount * 2);
  for (let i = entry.fieldCount; i > 0; i--) {
    piece.read(entry.view, entry.fieldAt);
    replyEntry(reply, piece);
    piece.read(entry.view, entry.valueAt);
    replyEntry(reply, piece);
    if (i > 1) entry.nextField();
  }
}

/** Entries of the stream at hand in an array, up to `count` of them (0 = all). */
export function replyRange(
  ctx: CommandContext,
  reply: ReplyWriter,
  from: StreamId,
  to: StreamId,
  count: number,
  isReverse: boolean,
): void {
  const { streams } = ctx.keyspace;
  const { iterator } = streams;
  const mark = reply.deferLength();
  let found = 0;
  iterator.start(streams.root, from, to, isReverse);
  while ((count === 0 || found < count) && iterator.next()) {
    replyStreamEntry(ctx, reply);
    found++;
  }
  reply.setDeferred(mark, ReplyType.ARRAY, found);
}

/** The entry with this ID; false, and no reply, if there is none. */
export function replyEntryWithId(ctx: CommandContext, reply: ReplyWriter, id: StreamId): boolean {
  const { streams } = ctx.keyspace;
  streams.iterator.start(streams.root, id, id, false);
  if (!streams.iterator.next()) return false;
  replyStreamEntry(ctx, reply);
  return true;
}
