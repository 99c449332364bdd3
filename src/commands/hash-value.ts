// HOT PATH: rules in src/README.md
/** Hashes as values of keys: between a record and the object that works on its hash. */
import type { Database } from "../keyspace/database.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType, encodingOf, metaOf, rootOf, typeOf, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Hashes } from "../types/hash.ts";
import type { CommandContext } from "./context.ts";

/** Attaches the hash of a record after a check of the type; false after an error reply. */
export function openHash(ctx: CommandContext, record: number, reply: ReplyWriter): boolean {
  const { arena, hashes } = ctx.keyspace;
  const meta = metaOf(arena, record);
  if (typeOf(meta) !== ValueType.HASH) {
    reply.error(errors.WRONG_TYPE);
    return false;
  }
  hashes.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  return true;
}

/** `openHash` for a hash that a command creates where the key is missing (record 0). */
export function openOrCreateHash(ctx: CommandContext, record: number, reply: ReplyWriter): boolean {
  if (record !== 0) return openHash(ctx, record, reply);
  ctx.keyspace.hashes.create();
  return true;
}

/** Notes what became of the attached hash, which is not empty: at its record, or in a new one. */
export function storeHash(ctx: CommandContext, args: Args, record: number): void {
  const { db } = ctx;
  const { hashes } = ctx.keyspace;
  if (record !== 0) {
    db.updateRoot(record, hashes.encoding, hashes.root);
    db.setFieldExpiry(record, hashes.hasExpiries);
    return;
  }
  const { view, start, end } = args;
  const { encoding, root } = hashes;
  const added = db.insertRoot(view, start[1], end[1], ValueType.HASH, encoding, root);
  if (hashes.hasExpiries) db.setFieldExpiry(added, true);
}

/**
 * Removes a field of the key looked up last, whose hash is attached, if it has expired, as whatever
 * writes must that depends on the field: its request, read again later, finds the field gone as it
 * did. Returns whether the key has gone with its last field.
 */
export function dropStaleField(
  ctx: CommandContext,
  record: number,
  view: DataView,
  start: number,
  end: number,
  fieldView: DataView,
  fieldStart: number,
  fieldEnd: number,
): boolean {
  const { db, effects, keyspace } = ctx;
  const { hashes } = keyspace;
  if (!hashes.hasExpiries || !keyspace.mayExpire) return false;
  db.willChange();
  if (!hashes.removeIfExpired(fieldView, fieldStart, fieldEnd)) return false;
  if (effects.isOn) {
    effects.fieldVanished(db.id, view, start, end, fieldView, fieldStart, fieldEnd);
  }
  keyspace.expiredFields++;
  const isGone = settleHash(db, record, hashes);
  db.signal(view, start, end);
  db.notify(NotifyClass.HASH, "hexpired", view, start, end);
  if (isGone) db.notify(NotifyClass.GENERIC, "del", view, start, end);
  return isGone;
}

/**
 * `dropStaleField` for the fields at arguments `from`, `from` + `step` ... before `to` of the key at
 * argument 1. Returns its record, or 0 if it has gone.
 */
export function dropStaleFields(
  ctx: CommandContext,
  args: Args,
  record: number,
  from: number,
  to: number,
  step = 1,
): number {
  if (record === 0 || !ctx.keyspace.hashes.hasExpiries) return record;
  const { view, start, end } = args;
  for (let i = from; i < to; i += step) {
    if (dropStaleField(ctx, record, view, start[1], end[1], view, start[i], end[i])) return 0;
  }
  return record;
}

/** `dropStaleFields` for a command that makes the hash if it is missing, or gone by this. */
export function renewStaleFields(
  ctx: CommandContext,
  args: Args,
  record: number,
  from: number,
  to: number,
  step = 1,
): number {
  const left = dropStaleFields(ctx, args, record, from, to, step);
  if (record !== 0 && left === 0) ctx.keyspace.hashes.create();
  return left;
}

/**
 * Notes in the record of the key looked up last what became of its hash, which is attached: the
 * key goes if the hash is empty, and then the result is true.
 */
export function settleHash(db: Database, record: number, hashes: Hashes): boolean {
  db.updateRoot(record, hashes.encoding, hashes.root);
  db.setFieldExpiry(record, hashes.hasExpiries);
  if (hashes.length > 0) return false;
  db.removeFound(record);
  return true;
}
