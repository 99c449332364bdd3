// HOT PATH: rules in src/README.md
/** What commands have in common that take members out of a value, and the key with the last one. */
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import type { CommandContext } from "./context.ts";

/**
 * `count` members were removed from the value of the key at argument `keyIndex`, or, if `isGone`,
 * all, and the key with them: counts the changes, fires `event`, and tells whoever watches the key.
 */
export function membersRemoved(
  ctx: CommandContext,
  args: Args,
  keyIndex: number,
  eventClass: NotifyClass,
  event: string,
  count: number,
  isGone: boolean,
): void {
  const { db } = ctx;
  const start = args.start[keyIndex];
  const end = args.end[keyIndex];
  db.changed(eventClass, event, args.view, start, end);
  if (isGone) db.notify(NotifyClass.GENERIC, "del", args.view, start, end);
  ctx.keyspace.dirty += count - 1;
}
