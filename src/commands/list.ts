// HOT PATH: rules in src/README.md
/**
 * Lists: adding, taking, reading and trimming by position.
 * Documentation: the "List" group of Redis's command reference.
 */
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import {
  attachChecked,
  insertList,
  listShrank,
  popEvent,
  popRange,
  pushEvent,
  replyElements,
  storeList,
} from "./list-value.ts";
import { replyEntry } from "./listpack-reply.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { offsetArgument } from "./string-value.ts";

const MUST_BE_POSITIVE = "ERR value is out of range, must be positive";

export const listCommands: readonly CommandSpec[] = [
  {
    name: "lpush",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.LIST,
    keys: oneKey("RW insert"),
    run: lpushCommand,
  },
  {
    name: "rpush",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.LIST,
    keys: oneKey("RW insert"),
    run: rpushCommand,
  },
  {
    name: "lpushx",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.LIST,
    keys: oneKey("RW insert"),
    run: lpushxCommand,
  },
  {
    name: "rpushx",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.LIST,
    keys: oneKey("RW insert"),
    run: rpushxCommand,
  },
  {
    name: "lpop",
    arity: -2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.LIST,
    keys: oneKey("RW access delete"),
    run: lpopCommand,
  },
  {
    name: "rpop",
    arity: -2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.LIST,
    keys: oneKey("RW access delete"),
    run: rpopCommand,
  },
  {
    name: "llen",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.LIST,
    keys: oneKey("RO"),
    run: llenCommand,
  },
  {
    name: "lindex",
    arity: 3,
    flags: Flag.READONLY,
    acl: Acl.LIST,
    keys: oneKey("RO access"),
    run: lindexCommand,
  },
  {
    name: "lset",
    arity: 4,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.LIST,
    keys: oneKey("RW update"),
    run: lsetCommand,
  },
  {
    name: "lrange",
    arity: 4,
    flags: Flag.READONLY,
    acl: Acl.LIST,
    keys: oneKey("RO access"),
    run: lrangeCommand,
  },
  {
    name: "ltrim",
    arity: 4,
    flags: Flag.WRITE,
    acl: Acl.LIST,
    keys: oneKey("RW delete"),
    run: ltrimCommand,
  },
];

/** LPUSH key element [element ...] */
function lpushCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  push(ctx, args, reply, true, false);
}

/** RPUSH key element [element ...] */
function rpushCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  push(ctx, args, reply, false, false);
}

/** LPUSHX key element [element ...] */
function lpushxCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  push(ctx, args, reply, true, true);
}

/** RPUSHX key element [element ...] */
function rpushxCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  push(ctx, args, reply, false, true);
}

function push(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  atHead: boolean,
  onlyExisting: boolean,
): void {
  const { db, keyspace } = ctx;
  const { view, start, end, count } = args;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record !== 0) {
    if (!attachChecked(ctx, record, reply)) return;
  } else if (onlyExisting) {
    reply.integer(0);
    return;
  } else keyspace.lists.create();
  const { lists } = keyspace;
  let bytes = 0;
  for (let i = 2; i < count; i++) bytes += end[i] - start[i];
  lists.grow(bytes, count - 2);
  let length = 0;
  for (let i = 2; i < count; i++) {
    length = lists.push(atHead, view, start[i], end[i]);
    // Each time, in case that the next element finds no more memory.
    if (record !== 0) storeList(ctx, record, lists);
  }
  if (record === 0) insertList(ctx, args, 1, lists);
  keyspace.dirty += count - 3;
  db.changed(NotifyClass.LIST, pushEvent(atHead), view, start[1], end[1]);
  reply.integer(length);
}

/** LPOP key [count] */
function lpopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  pop(ctx, args, reply, true);
}

/** RPOP key [count] */
function rpopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  pop(ctx, args, reply, false);
}

function pop(ctx: CommandContext, args: Args, reply: ReplyWriter, atHead: boolean): void {
  if (args.count > 2) {
    popMany(ctx, args, reply, atHead);
    return;
  }
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  if (!attachChecked(ctx, record, reply)) return;
  const { lists } = ctx.keyspace;
  lists.seekEnd(atHead);
  lists.read();
  replyEntry(reply, lists.entry);
  lists.removeEnd(atHead);
  listShrank(ctx, args, 1, record, lists, popEvent(atHead), 1);
}

function popMany(ctx: CommandContext, args: Args, reply: ReplyWriter, atHead: boolean): void {
  if (args.count > 3) {
    reply.error(errors.wrongArity(popEvent(atHead)));
    return;
  }
  const count = offsetArgument(args, 2, reply, MUST_BE_POSITIVE);
  if (count !== count) return;
  if (count < 0) {
    reply.error(MUST_BE_POSITIVE);
    return;
  }
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nilArray();
    return;
  }
  if (!checkType(ctx, record, ValueType.LIST, reply)) return;
  if (count === 0) reply.array(0);
  else popRange(ctx, args, 1, record, atHead, count, reply);
}

/** LLEN key */
function llenCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) reply.integer(0);
  else if (attachChecked(ctx, record, reply)) {
    reply.integer(ctx.keyspace.lists.length);
  }
}

/** LINDEX key index */
function lindexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  if (!attachChecked(ctx, record, reply)) return;
  const index = offsetArgument(args, 2, reply);
  if (index !== index) return;
  const { lists } = ctx.keyspace;
  if (!lists.seek(index)) {
    reply.nil();
    return;
  }
  lists.read();
  replyEntry(reply, lists.entry);
}

/** LSET key index element */
function lsetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { db } = ctx;
  const { view, start, end } = args;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.error(errors.NO_SUCH_KEY);
    return;
  }
  if (!attachChecked(ctx, record, reply)) return;
  const index = offsetArgument(args, 2, reply);
  if (index !== index) return;
  const { lists } = ctx.keyspace;
  lists.grow(args.lengthOf(3), 1);
  if (!lists.seek(index)) {
    // The list may be a quicklist now, as in Valkey.
    storeList(ctx, record, lists);
    reply.error(errors.OUT_OF_RANGE);
    return;
  }
  lists.replaceElement(view, start[3], end[3]);
  lists.shrink();
  storeList(ctx, record, lists);
  db.changed(NotifyClass.LIST, "lset", view, start[1], end[1]);
  reply.ok();
}

/** LRANGE key start stop */
function lrangeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let from = offsetArgument(args, 2, reply);
  if (from !== from) return;
  let to = offsetArgument(args, 3, reply);
  if (to !== to) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.array(0);
    return;
  }
  if (!attachChecked(ctx, record, reply)) return;
  const { lists } = ctx.keyspace;
  const length = lists.length;
  if (from < 0) from = Math.max(from + length, 0);
  if (to < 0) to += length;
  const count = Math.min(to, length - 1) - from + 1;
  if (count <= 0) {
    reply.array(0);
    return;
  }
  lists.seek(from);
  reply.array(count);
  replyElements(lists, count, true, reply);
}

/** LTRIM key start stop. Counts as many changes as it removes elements, none too. */
function ltrimCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let from = offsetArgument(args, 2, reply);
  if (from !== from) return;
  let to = offsetArgument(args, 3, reply);
  if (to !== to) return;
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.ok();
    return;
  }
  if (!attachChecked(ctx, record, reply)) return;
  const { lists } = ctx.keyspace;
  const length = lists.length;
  if (from < 0) from = Math.max(from + length, 0);
  if (to < 0) to += length;
  to = Math.min(to, length - 1);
  if (from > to) {
    from = length;
    to = length - 1;
  }
  const behind = length - 1 - to;
  lists.removeRange(to + 1, behind);
  storeList(ctx, record, lists);
  lists.removeRange(0, from);
  listShrank(ctx, args, 1, record, lists, "ltrim", from + behind);
  reply.ok();
}
