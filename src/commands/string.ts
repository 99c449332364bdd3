// HOT PATH: rules in src/README.md
/**
 * String commands. Documentation: the "Strings" group of Redis's command reference.
 *
 * Strings are text in the arena; OBJECT ENCODING derives "int", "embstr" or "raw" from the bytes,
 * except where APPEND, SETRANGE or SETBIT has made a value "raw" for good, as in Redis.
 */
import { parseInteger, writeInteger } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { StringEncoding, ValueType, metaOf, typeOf, valueAt, viewOf } from "../keyspace/record.ts";
import { Ref } from "../memory/arena.ts";
import { prefixBytes, storedLength } from "../memory/stored-bytes.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";

export const stringCommands: readonly CommandSpec[] = [
  {
    name: "get",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RO access"),
    run: getCommand,
  },
  {
    name: "set",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.CHEAP,
    acl: Acl.STRING,
    keys: oneKey("RW access update variable_flags"),
    run: setCommand,
  },
  {
    name: "incr",
    arity: 2,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW access update"),
    run: incrCommand,
  },
];

/** GET key */
function getCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  const arena = ctx.keyspace.arena;
  const meta = metaOf(arena, record);
  if (typeOf(meta) !== ValueType.STRING) {
    reply.error(errors.WRONG_TYPE);
    return;
  }
  const view = viewOf(arena, record);
  const at = valueAt(view, record, meta);
  const length = storedLength(view, at);
  reply.bulk(view, at + prefixBytes(length), length);
}

/** SET key value */
function setCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const from = start[2];
  const length = end[2] - from;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0)
    db.insertString(view, start[1], end[1], view, from, length, StringEncoding.AUTO);
  else db.replaceWithString(record, view, from, length, StringEncoding.AUTO, false);
  db.changed(NotifyClass.STRING, "set", view, start[1], end[1]);
  reply.ok();
}

/** INCR key */
function incrCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { db, scratch } = ctx;
  const arena = ctx.keyspace.arena;
  const record = db.lookupWrite(view, start[1], end[1]);
  let value = 0;
  if (record !== 0) {
    const meta = metaOf(arena, record);
    if (typeOf(meta) !== ValueType.STRING) {
      reply.error(errors.WRONG_TYPE);
      return;
    }
    const recordView = viewOf(arena, record);
    const at = valueAt(recordView, record, meta);
    const length = storedLength(recordView, at);
    const from = at + prefixBytes(length);
    value = parseInteger(arena.bytes[record >>> Ref.SEGMENT_SHIFT], from, from + length);
    if (value !== value) {
      reply.error(errors.NOT_AN_INTEGER);
      return;
    }
  }
  value++;
  const count = writeInteger(scratch.bytes, 0, value);
  if (record === 0) {
    db.insertString(view, start[1], end[1], scratch.view, 0, count, StringEncoding.AUTO);
  } else {
    db.replaceWithString(record, scratch.view, 0, count, StringEncoding.AUTO, true);
  }
  db.changed(NotifyClass.STRING, "incrby", view, start[1], end[1]);
  reply.integer(value);
}
