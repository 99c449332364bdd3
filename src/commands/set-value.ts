// HOT PATH: rules in src/README.md
/** Sets as values of keys: between a record and the object that works on its set. */
import { ValueType, encodingOf, metaOf, rootOf, viewOf } from "../keyspace/record.ts";
import type { Database } from "../keyspace/database.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Sets } from "../types/set.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";

/** Attaches the set of a record. */
export function attachSet(ctx: CommandContext, sets: Sets, record: number): void {
  const arena = ctx.keyspace.arena;
  const meta = metaOf(arena, record);
  sets.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
}

/** Attaches the set of a record after a check of the type; false after an error reply. */
export function openSet(ctx: CommandContext, record: number, reply: ReplyWriter): boolean {
  if (!checkType(ctx, record, ValueType.SET, reply)) return false;
  attachSet(ctx, ctx.keyspace.sets, record);
  return true;
}

/**
 * Notes in the record of the key looked up last what became of its set, which is attached: the key
 * goes if the set is empty, and then the result is true.
 */
export function settleSet(db: Database, record: number, sets: Sets): boolean {
  db.updateRoot(record, sets.encoding, sets.root);
  if (sets.length > 0) return false;
  db.removeFound(record);
  return true;
}
