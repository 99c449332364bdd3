/**
 * Fields that expire, read and written with their values: HGETEX, HSETEX, HGETDEL. Valkey 9's
 * commands.
 */
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import {
  type FieldArguments,
  fieldArguments,
  fieldsRemoved,
  fieldsWord,
  momentArgument,
} from "./hash-fields.ts";
import { openHash, openOrCreateHash, storeHash } from "./hash-value.ts";
import { replyEntry } from "./listpack-reply.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";

export const hashExpireValueCommands: readonly CommandSpec[] = [
  {
    name: "hgetex",
    arity: -5,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW access"),
    run: hgetexCommand,
  },
  {
    name: "hsetex",
    arity: -6,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW insert"),
    run: hsetexCommand,
  },
  {
    name: "hgetdel",
    arity: -5,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW access delete"),
    run: hgetdelCommand,
  },
];

/** Options before FIELDS, in capitals; "" = none. */
interface FieldOptions {
  /** EX, PX, EXAT, PXAT, PERSIST or KEEPTTL. */
  expiry: string;
  /** What EX, PX, EXAT and PXAT mean, in unix ms; -1 without one. */
  atMs: number;
  /** NX or XX. */
  keyCondition: string;
  /** FNX or FXX. */
  fieldCondition: string;
}

const TIMES = ["EX", "PX", "EXAT", "PXAT"];

/**
 * The options at arguments [2, to), of which `expiry`, `key` and `field` are allowed, at most one
 * each. Null after an error reply.
 */
function fieldOptions(
  ctx: CommandContext,
  args: Args,
  to: number,
  expiries: readonly string[],
  hasConditions: boolean,
  command: string,
  reply: ReplyWriter,
): FieldOptions | null {
  const options: FieldOptions = { expiry: "", atMs: -1, keyCondition: "", fieldCondition: "" };
  let timeIndex = 0;
  for (let i = 2; i < to; i++) {
    const word = args.text(i).toUpperCase();
    const isTime = TIMES.includes(word);
    if ((isTime || expiries.includes(word)) && options.expiry === "" && (!isTime || i + 1 < to)) {
      options.expiry = word;
      if (isTime) timeIndex = ++i;
    } else if (hasConditions && /^[NX]X$/.test(word) && options.keyCondition === "") {
      options.keyCondition = word;
    } else if (hasConditions && /^F[NX]X$/.test(word) && options.fieldCondition === "") {
      options.fieldCondition = word;
    } else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  if (timeIndex === 0) return options;
  const isSeconds = options.expiry.startsWith("EX");
  const isRelative = !options.expiry.endsWith("AT");
  const atMs = momentArgument(ctx, args, timeIndex, isSeconds, isRelative, command, reply);
  if (atMs === null) return null;
  options.atMs = atMs;
  return options;
}

/** HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS numfields field [field ...] */
function hgetexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { db, keyspace } = ctx;
  const { hashes } = keyspace;
  const word = fieldsWord(args, 2);
  const fields = fieldArguments(args, word, 1, reply);
  if (fields === null) return;
  const options = fieldOptions(ctx, args, word, ["PERSIST"], false, "hgetex", reply);
  if (options === null) return;
  const record = db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  replyValues(ctx, args, record, fields, reply);
  if (record === 0 || options.expiry === "") return;
  const { atMs } = options;
  const isPast = atMs >= 0 && atMs <= keyspace.nowMs;
  let changed = 0;
  for (let i = fields.first; i < args.count; i++) {
    if (!hashes.find(view, start[i], end[i])) continue;
    if (isPast) hashes.remove(view, start[i], end[i]);
    else if (atMs >= 0) hashes.setExpireAt(view, start[i], end[i], atMs);
    else if (!hashes.persist(view, start[i], end[i])) continue;
    changed++;
  }
  if (isPast) {
    fieldsRemoved(ctx, args, record, "hexpired", changed);
    return;
  }
  storeHash(ctx, args, record);
  if (changed === 0) return;
  db.changed(NotifyClass.HASH, atMs >= 0 ? "hexpire" : "hpersist", view, start[1], end[1]);
  keyspace.dirty += changed - 1;
}

/** Replies the values of the fields, of the attached hash unless `record` is 0. */
function replyValues(
  ctx: CommandContext,
  args: Args,
  record: number,
  fields: FieldArguments,
  reply: ReplyWriter,
): void {
  const { view, start, end } = args;
  const { hashes } = ctx.keyspace;
  reply.array(fields.count);
  for (let i = fields.first; i < args.count; i++) {
    if (record !== 0 && hashes.find(view, start[i], end[i])) replyEntry(reply, hashes.value);
    else reply.nil();
  }
}

/**
 * HSETEX key [NX | XX] [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]
 *   FIELDS numfields field value [field value ...]
 */
function hsetexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { db, keyspace } = ctx;
  const { hashes } = keyspace;
  const word = fieldsWord(args, 2);
  const fields = fieldArguments(args, word, 2, reply);
  if (fields === null) return;
  const options = fieldOptions(ctx, args, word, ["KEEPTTL"], true, "hsetex", reply);
  if (options === null) return;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  if (!conditionsHold(ctx, args, record, fields, options)) {
    reply.integer(0);
    return;
  }
  const { atMs } = options;
  if (atMs >= 0 && atMs <= keyspace.nowMs) {
    let removed = 0;
    for (let i = fields.first; record !== 0 && i < args.count; i += fields.step) {
      if (hashes.remove(view, start[i], end[i])) removed++;
    }
    if (record !== 0) fieldsRemoved(ctx, args, record, "hexpired", removed);
    reply.integer(1);
    return;
  }
  openOrCreateHash(ctx, record, reply);
  convertForPairs(ctx, args, fields);
  for (let i = fields.first; i < args.count; i += fields.step) {
    hashes.set(view, start[i], end[i], view, start[i + 1], end[i + 1]);
    if (atMs >= 0) hashes.setExpireAt(view, start[i], end[i], atMs);
    else if (options.expiry === "") hashes.persist(view, start[i], end[i]);
  }
  storeHash(ctx, args, record);
  db.changed(NotifyClass.HASH, "hset", view, start[1], end[1]);
  if (atMs >= 0) db.notify(NotifyClass.HASH, "hexpire", view, start[1], end[1]);
  keyspace.dirty += fields.count - 1;
  reply.integer(1);
}

/** Converts the attached hash if the fields and their values ask for it. */
function convertForPairs(ctx: CommandContext, args: Args, fields: FieldArguments): void {
  let longest = 0;
  let total = 0;
  for (let i = fields.first; i < args.count; i++) {
    longest = Math.max(longest, args.lengthOf(i));
    total += args.lengthOf(i);
  }
  ctx.keyspace.hashes.convertFor(fields.count, longest, total);
}

/** Whether key and fields are there, or missing, as the options demand. */
function conditionsHold(
  ctx: CommandContext,
  args: Args,
  record: number,
  fields: FieldArguments,
  options: FieldOptions,
): boolean {
  const { keyCondition, fieldCondition } = options;
  if (keyCondition !== "" && (keyCondition === "XX") !== (record !== 0)) return false;
  if (fieldCondition === "") return true;
  const { view, start, end } = args;
  for (let i = fields.first; i < args.count; i += fields.step) {
    const exists = record !== 0 && ctx.keyspace.hashes.find(view, start[i], end[i]);
    if (exists !== (fieldCondition === "FXX")) return false;
  }
  return true;
}

/** HGETDEL key FIELDS numfields field [field ...] */
function hgetdelCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { hashes } = ctx.keyspace;
  const fields = fieldArguments(args, 2, 1, reply);
  if (fields === null) return;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  replyValues(ctx, args, record, fields, reply);
  if (record === 0) return;
  let removed = 0;
  for (let i = fields.first; i < args.count && hashes.length > 0; i++) {
    if (hashes.remove(view, start[i], end[i])) removed++;
  }
  if (removed > 0) fieldsRemoved(ctx, args, record, "hdel", removed);
}
