// HOT PATH: rules in src/README.md
/** Replies with entries of listpacks, as bulk strings. */
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";

/** The entry as a bulk string: its bytes, or its integer's digits. */
export function replyEntry(reply: ReplyWriter, entry: ListpackEntry): void {
  if (!entry.isInteger) reply.bulk(entry.view, entry.start, entry.length);
  else if (entry.value === entry.value) reply.bulkInteger(entry.value);
  else reply.bulkInt64(entry.high, entry.low);
}
