// HOT PATH: rules in src/README.md
/** Replies with entries of listpacks, as bulk strings. */
import { type ReplyWriter, ShortBulk, writeShortBulk } from "../protocol/reply-writer.ts";
import { ListpackEntry, entryEnd, shortStringLength } from "../structures/listpack-entry.ts";
import { listpackIsEnd } from "../structures/listpack.ts";

const entryOfRun = new ListpackEntry();

/** The entry as a bulk string: its bytes, or its integer's digits. */
export function replyEntry(reply: ReplyWriter, entry: ListpackEntry): void {
  if (!entry.isInteger) reply.bulk(entry.view, entry.start, entry.length);
  else if (entry.value === entry.value) reply.bulkInteger(entry.value);
  else reply.bulkInt64(entry.high, entry.low);
}

/**
 * The entries of a listpack from position `from` on, but at most `countMax`. Returns how many.
 * O(bytes).
 */
export function replyRun(
  reply: ReplyWriter,
  view: DataView,
  from: number,
  countMax: number,
): number {
  return replyEach(reply, view, from, countMax, false);
}

/** As `replyRun`, but only every other entry. */
export function replyEveryOther(
  reply: ReplyWriter,
  view: DataView,
  from: number,
  countMax: number,
): number {
  return replyEach(reply, view, from, countMax, true);
}

function replyEach(
  reply: ReplyWriter,
  view: DataView,
  from: number,
  countMax: number,
  skips: boolean,
): number {
  let { view: target, length: to } = reply;
  let toMax = reply.bytes.length - ShortBulk.BYTES_MAX;
  let at = from;
  let count = 0;
  for (; count < countMax && !listpackIsEnd(view, at); count++) {
    const length = shortStringLength(view, at);
    if (length >= 0 && to <= toMax) {
      to = writeShortBulk(target, to, view, at + 1, length);
      // What entryEnd says, with the length at hand.
      at += length + 2;
    } else {
      reply.length = to;
      entryOfRun.read(view, at);
      replyEntry(reply, entryOfRun);
      ({ view: target, length: to } = reply);
      toMax = reply.bytes.length - ShortBulk.BYTES_MAX;
      at = entryEnd(view, at);
    }
    if (skips && !listpackIsEnd(view, at)) at = entryEnd(view, at);
  }
  reply.length = to;
  return count;
}
