// HOT PATH: rules in src/README.md
/**
 * Commands on keys of any type. Documentation: the "Generic" group of Redis's command reference.
 *
 * RENAME, MOVE and COPY know nothing of the types: they copy a record's inline value, and hand
 * over the root block of a value that has one, or its duplicate.
 */
import { equalBytes } from "../base/bytes.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { Meta, encodingOf, metaOf, rootOf, setRoot, typeOf, viewOf } from "../keyspace/record.ts";
import { VALUE_TYPES } from "../keyspace/value-types.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { databaseArgument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, keyRange, oneKey } from "./spec.ts";

const SUM_OF_SHARDS = ["request_policy:multi_shard", "response_policy:agg_sum"];

export const genericCommands: readonly CommandSpec[] = [
  {
    name: "del",
    arity: -2,
    flags: Flag.WRITE | Flag.CHEAP,
    acl: Acl.KEYSPACE,
    keys: keyRange("RM delete"),
    tips: SUM_OF_SHARDS,
    run: delCommand,
  },
  {
    name: "unlink",
    arity: -2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: keyRange("RM delete"),
    tips: SUM_OF_SHARDS,
    run: delCommand,
  },
  {
    name: "exists",
    arity: -2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: keyRange("RO"),
    tips: SUM_OF_SHARDS,
    run: existsCommand,
  },
  {
    name: "touch",
    arity: -2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: keyRange("RO"),
    tips: SUM_OF_SHARDS,
    run: touchCommand,
  },
  {
    name: "type",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: oneKey("RO"),
    run: typeCommand,
  },
  {
    name: "rename",
    arity: 3,
    flags: Flag.WRITE | Flag.CHEAP,
    acl: Acl.KEYSPACE,
    keys: twoKeys("RW access delete", "OW update"),
    run: (ctx, args, reply) => renameGeneric(ctx, args, reply, false),
  },
  {
    name: "renamenx",
    arity: 3,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: twoKeys("RW access delete", "OW insert"),
    run: (ctx, args, reply) => renameGeneric(ctx, args, reply, true),
  },
  {
    name: "move",
    arity: 3,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: oneKey("RW access update"),
    run: moveCommand,
  },
  {
    name: "copy",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.KEYSPACE,
    keys: twoKeys("RO access", "OW update"),
    run: copyCommand,
  },
];

/**
 * One key at argument 1 and one at argument 2, used in different ways.
 * COLD: called by the rows.
 */
function twoKeys(first: string, second: string): readonly KeySpec[] {
  const find = { last: 0, step: 1, limit: 0 };
  return [
    { flags: first, begin: { index: 1 }, find },
    { flags: second, begin: { index: 2 }, find },
  ];
}

/** DEL key [key ...] and UNLINK, which differ in nothing here: no value takes long to free. */
function delCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const db = ctx.db;
  let removed = 0;
  for (let i = 1; i < args.count; i++) {
    const record = db.peek(view, start[i], end[i]);
    if (record === 0) continue;
    db.removeFound(record);
    db.changed(NotifyClass.GENERIC, "del", view, start[i], end[i]);
    removed++;
  }
  reply.integer(removed);
}

/** EXISTS key [key ...]. A key that is named twice counts twice. */
function existsCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let count = 0;
  for (let i = 1; i < args.count; i++) {
    if (ctx.db.lookupReadUntouched(args.view, args.start[i], args.end[i]) !== 0) count++;
  }
  reply.integer(count);
}

/** TOUCH key [key ...] */
function touchCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let count = 0;
  for (let i = 1; i < args.count; i++) {
    if (ctx.db.lookupRead(args.view, args.start[i], args.end[i]) !== 0) count++;
  }
  reply.integer(count);
}

/** TYPE key */
function typeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupReadUntouched(args.view, args.start[1], args.end[1]);
  if (record === 0) reply.simple("none");
  else reply.simple(VALUE_TYPES[typeOf(metaOf(ctx.keyspace.arena, record))].name);
}

/** RENAME key newkey and RENAMENX. A key renamed to itself is left alone. */
function renameGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  onlyIfMissing: boolean,
): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const source = db.lookupWrite(view, start[1], end[1]);
  if (source === 0) {
    reply.error(errors.NO_SUCH_KEY);
    return;
  }
  const isSame = namesSameKey(args);
  if (!isSame) {
    const target = db.lookupWrite(view, start[2], end[2]);
    if (target === 0 || !onlyIfMissing) {
      if (target !== 0) db.removeFound(target);
      db.insertLike(source, view, start[2], end[2]);
      db.findRecord(source);
      db.detachFound(source);
      ctx.keyspace.freeRecordBlock(source);
      db.signal(view, start[1], end[1]);
      db.notify(NotifyClass.GENERIC, "rename_from", view, start[1], end[1]);
      db.changed(NotifyClass.GENERIC, "rename_to", view, start[2], end[2]);
      if (onlyIfMissing) reply.integer(1);
      else reply.ok();
      return;
    }
  }
  if (onlyIfMissing) reply.integer(0);
  else reply.ok();
}

/** MOVE key db */
function moveCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const from = ctx.db;
  const to = databaseArgument(ctx, args, 2, reply);
  if (to === null) return;
  if (from === to) {
    reply.error(errors.SAME_OBJECT);
    return;
  }
  const source = from.lookupWrite(view, start[1], end[1]);
  if (source === 0 || to.lookupWrite(view, start[1], end[1]) !== 0) {
    reply.integer(0);
    return;
  }
  to.insertLike(source, view, start[1], end[1]);
  from.detachFound(source);
  ctx.keyspace.freeRecordBlock(source);
  from.signal(view, start[1], end[1]);
  to.signal(view, start[1], end[1]);
  from.notify(NotifyClass.GENERIC, "move_from", view, start[1], end[1]);
  to.notify(NotifyClass.GENERIC, "move_to", view, start[1], end[1]);
  ctx.keyspace.dirty++;
  reply.integer(1);
}

/** COPY source destination [DB index] [REPLACE] */
function copyCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  let to = ctx.db;
  let replaces = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "REPLACE")) replaces = true;
    else if (args.is(i, "DB") && i + 1 < args.count) {
      const database = databaseArgument(ctx, args, ++i, reply);
      if (database === null) return;
      to = database;
    } else {
      reply.error(errors.SYNTAX);
      return;
    }
  }
  if (to === ctx.db && namesSameKey(args)) {
    reply.error(errors.SAME_OBJECT);
    return;
  }
  const source = ctx.db.lookupRead(view, start[1], end[1]);
  if (source === 0) {
    reply.integer(0);
    return;
  }
  const target = to.lookupWrite(view, start[2], end[2]);
  if (target !== 0) {
    if (!replaces) {
      reply.integer(0);
      return;
    }
    to.removeFound(target);
  }
  duplicateRoot(ctx, to.insertLike(source, view, start[2], end[2]));
  to.changed(NotifyClass.GENERIC, "copy_to", view, start[2], end[2]);
  reply.integer(1);
}

/** Gives a record that shares another one's root a root of its own. */
function duplicateRoot(ctx: CommandContext, record: number): void {
  const arena = ctx.keyspace.arena;
  const meta = metaOf(arena, record);
  if ((meta & Meta.ROOT) === 0) return;
  const view = viewOf(arena, record);
  const root = VALUE_TYPES[typeOf(meta)].duplicate(
    arena,
    rootOf(view, record, meta),
    encodingOf(meta),
  );
  setRoot(view, record, meta, root);
}

function namesSameKey({ view, start, end }: Args): boolean {
  const length = end[1] - start[1];
  return length === end[2] - start[2] && equalBytes(view, start[1], view, start[2], length);
}
