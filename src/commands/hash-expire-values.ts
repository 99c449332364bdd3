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
  propagateFieldExpiry,
} from "./hash-fields.ts";
import { dropStaleFields, openHash, openOrCreateHash, storeHash } from "./hash-value.ts";
import { replyEntry } from "./listpack-reply.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { isPast } from "./string-options.ts";

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
  /** The argument that says when, for the first four; else 0. */
  timeIndex: number;
  /** NX or XX. */
  keyCondition: string;
  /** FNX or FXX. */
  fieldCondition: string;
}

/** No time was given. */
const NO_TIME = -1;
/** Where the word FIELDS is missing, which is the error that the client hears of. */
const NO_OPTIONS: FieldOptions = {
  expiry: "",
  timeIndex: 0,
  keyCondition: "",
  fieldCondition: "",
};
const TIMES = ["EX", "PX", "EXAT", "PXAT"];

/**
 * The options at arguments [2, to): at most one expiry, `other` among them, and for HSETEX one
 * condition on the key and one on the fields. Null after an error reply.
 */
function fieldOptions(
  args: Args,
  to: number,
  other: "PERSIST" | "KEEPTTL",
  reply: ReplyWriter,
): FieldOptions | null {
  const options: FieldOptions = { expiry: "", timeIndex: 0, keyCondition: "", fieldCondition: "" };
  const hasConditions = other === "KEEPTTL";
  for (let i = 2; i < to; i++) {
    const word = args.text(i).toUpperCase();
    const isTime = TIMES.includes(word);
    if ((word === other || (isTime && i + 1 < to)) && options.expiry === "") {
      options.expiry = word;
      if (isTime) options.timeIndex = ++i;
    } else if (hasConditions && /^[NX]X$/.test(word) && options.keyCondition === "") {
      options.keyCondition = word;
    } else if (hasConditions && /^F[NX]X$/.test(word) && options.fieldCondition === "") {
      options.fieldCondition = word;
    } else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  return options;
}

/** When the options say, in unix ms, or NO_TIME; null after an error reply. */
function momentOf(
  ctx: CommandContext,
  args: Args,
  { expiry, timeIndex }: FieldOptions,
  command: string,
  reply: ReplyWriter,
): number | null {
  if (timeIndex === 0) return NO_TIME;
  const isSeconds = expiry.startsWith("EX");
  return momentArgument(ctx, args, timeIndex, isSeconds, !expiry.endsWith("AT"), command, reply);
}

/** HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS numfields field [field ...] */
function hgetexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { db, keyspace } = ctx;
  const { hashes } = keyspace;
  const word = fieldsWord(args, 2);
  const options = word < args.count ? fieldOptions(args, word, "PERSIST", reply) : NO_OPTIONS;
  if (options === null) return;
  const fields = fieldArguments(args, word, 1, reply);
  if (fields === null) return;
  let record = db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  const atMs = momentOf(ctx, args, options, "hgetex", reply);
  if (atMs === null) return;
  const removes = atMs !== NO_TIME && isPast(ctx, atMs);
  const changed: number[] = [];
  if (options.expiry !== "") {
    db.willChange();
    record = dropStaleFields(ctx, args, record, fields.first, args.count);
  }
  reply.array(fields.count);
  for (let i = fields.first; i < args.count; i++) {
    if (record === 0 || !hashes.find(view, start[i], end[i])) {
      reply.nil();
      continue;
    }
    replyEntry(reply, hashes.value);
    if (options.expiry === "") continue;
    if (removes) hashes.remove(view, start[i], end[i]);
    else if (atMs !== NO_TIME) hashes.setExpireAt(view, start[i], end[i], atMs);
    else if (!hashes.persist(view, start[i], end[i])) continue;
    changed.push(i);
  }
  if (changed.length === 0) return;
  if (removes) {
    fieldsRemoved(ctx, args, record, "hexpired", changed);
    return;
  }
  storeHash(ctx, args, record);
  const event = atMs === NO_TIME ? "hpersist" : "hexpire";
  if (ctx.effects.isOn) {
    propagateFieldExpiry(ctx, args, changed, atMs === NO_TIME ? null : atMs);
  }
  db.changed(NotifyClass.HASH, event, view, start[1], end[1]);
  keyspace.dirty += changed.length - 1;
}

/**
 * HSETEX key [NX | XX] [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]
 *   FIELDS numfields field value [field value ...]
 */
function hsetexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { db, keyspace } = ctx;
  const word = fieldsWord(args, 2);
  const options = word < args.count ? fieldOptions(args, word, "KEEPTTL", reply) : NO_OPTIONS;
  if (options === null) return;
  const fields = fieldArguments(args, word, 2, reply);
  if (fields === null) return;
  let record = db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  const { keyCondition } = options;
  if (keyCondition !== "" && (keyCondition === "XX") !== (record !== 0)) {
    reply.integer(0);
    return;
  }
  const atMs = momentOf(ctx, args, options, "hsetex", reply);
  if (atMs === null) return;
  record = dropStaleFields(ctx, args, record, fields.first, args.count, fields.step);
  if (!fieldsMeet(ctx, args, record, fields, options.fieldCondition)) {
    reply.integer(0);
    return;
  }
  if (atMs !== NO_TIME && isPast(ctx, atMs)) {
    const removed = record === 0 ? [] : removeFields(ctx, args, fields);
    if (removed.length > 0) fieldsRemoved(ctx, args, record, "hexpired", removed);
    reply.integer(removed.length === fields.count ? 1 : 0);
    return;
  }
  openOrCreateHash(ctx, record, reply);
  setFields(ctx, args, fields, options.expiry, atMs);
  storeHash(ctx, args, record);
  if (ctx.effects.isOn) propagateFields(ctx, args, fields, options.expiry, atMs);
  db.changed(NotifyClass.HASH, "hset", view, start[1], end[1]);
  if (atMs !== NO_TIME) db.notify(NotifyClass.HASH, "hexpire", view, start[1], end[1]);
  keyspace.dirty += fields.count - 1;
  reply.integer(1);
}

/** Whether the fields are all there (FXX), or all missing (FNX). */
function fieldsMeet(
  ctx: CommandContext,
  args: Args,
  record: number,
  fields: FieldArguments,
  condition: string,
): boolean {
  if (condition === "") return true;
  const { view, start, end } = args;
  for (let i = fields.first; i < args.count; i += fields.step) {
    const exists = record !== 0 && ctx.keyspace.hashes.find(view, start[i], end[i]);
    if (exists !== (condition === "FXX")) return false;
  }
  return true;
}

/** HSETEX propagates without conditions and with a moment; as HSET if nothing expires. */
function propagateFields(
  ctx: CommandContext,
  args: Args,
  fields: FieldArguments,
  expiry: string,
  atMs: number,
): void {
  const { effects } = ctx;
  const count = fields.count * fields.step;
  if (expiry === "")
    effects
      .begin(2 + count)
      .text("HSET")
      .argument(args, 1);
  else {
    effects
      .begin((atMs === NO_TIME ? 5 : 6) + count)
      .text("HSETEX")
      .argument(args, 1);
    if (atMs === NO_TIME) effects.text("KEEPTTL");
    else effects.text("PXAT").moment(atMs);
    effects.text("FIELDS").integer(fields.count);
  }
  effects.arguments(args, fields.first, args.count);
}

/** Removes the fields from the attached hash, and returns the arguments of those that were there. */
function removeFields(ctx: CommandContext, args: Args, fields: FieldArguments): number[] {
  const { view, start, end } = args;
  const removed: number[] = [];
  for (let i = fields.first; i < args.count; i += fields.step) {
    if (ctx.keyspace.hashes.remove(view, start[i], end[i])) removed.push(i);
  }
  return removed;
}

/** Sets the fields of the attached hash; without time and KEEPTTL they live forever then. */
function setFields(
  ctx: CommandContext,
  args: Args,
  fields: FieldArguments,
  expiry: string,
  atMs: number,
): void {
  const { view, start, end } = args;
  const { hashes } = ctx.keyspace;
  convertForPairs(ctx, args, fields);
  for (let i = fields.first; i < args.count; i += fields.step) {
    hashes.set(view, start[i], end[i], view, start[i + 1], end[i + 1]);
    if (atMs !== NO_TIME) hashes.setExpireAt(view, start[i], end[i], atMs);
    else if (expiry === "") hashes.persist(view, start[i], end[i]);
  }
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

/** HGETDEL key FIELDS numfields field [field ...] */
function hgetdelCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { hashes } = ctx.keyspace;
  const fields = fieldArguments(args, 2, 1, reply);
  if (fields === null) return;
  let record = ctx.db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  record = dropStaleFields(ctx, args, record, fields.first, args.count);
  const removed: number[] = [];
  reply.array(fields.count);
  for (let i = fields.first; i < args.count; i++) {
    if (record === 0 || !hashes.find(view, start[i], end[i])) {
      reply.nil();
      continue;
    }
    replyEntry(reply, hashes.value);
    hashes.remove(view, start[i], end[i]);
    removed.push(i);
  }
  if (removed.length > 0) fieldsRemoved(ctx, args, record, "hdel", removed);
}
