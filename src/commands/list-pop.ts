// HOT PATH: rules in src/README.md
/** Lists: taking elements from the first of several keys that has any, waiting for one or not. */
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import { deadlineArgument, waitForKeyRange } from "./blocking.ts";
import type { CommandContext } from "./context.ts";
import { attachChecked, endArgument, listShrank, popEvent, popRange } from "./list-value.ts";
import { replyEntry } from "./listpack-reply.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, keyRange } from "./spec.ts";
import { popCount } from "./pop-count.ts";
import { positiveArgument } from "./string-value.ts";

export const listPopCommands: readonly CommandSpec[] = [
  {
    name: "lmpop",
    arity: -4,
    flags: Flag.WRITE | Flag.MOVABLE_KEYS,
    acl: Acl.LIST,
    keys: countedKeys(1),
    run: lmpopCommand,
  },
  {
    name: "blmpop",
    arity: -5,
    flags: Flag.WRITE | Flag.BLOCKING | Flag.MOVABLE_KEYS,
    acl: Acl.LIST,
    keys: countedKeys(2),
    run: blmpopCommand,
  },
  {
    name: "blpop",
    arity: -3,
    flags: Flag.WRITE | Flag.BLOCKING,
    acl: Acl.LIST,
    keys: keyRange("RW access delete", -2),
    run: blpopCommand,
  },
  {
    name: "brpop",
    arity: -3,
    flags: Flag.WRITE | Flag.BLOCKING,
    acl: Acl.LIST,
    keys: keyRange("RW access delete", -2),
    run: brpopCommand,
  },
];

const NUMKEYS_TOO_LOW = "ERR numkeys should be greater than 0";

/**
 * Keys behind their count, which is argument `index`.
 * COLD: for the rows.
 */
function countedKeys(index: number): readonly KeySpec[] {
  return [{ flags: "RW access delete", begin: { index }, find: { countAt: 0, first: 1, step: 1 } }];
}

/** LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count] */
function lmpopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  popFromKeys(ctx, args, reply, 1);
}

/** BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count] */
function blmpopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  popFromKeys(ctx, args, reply, 2);
}

/** BLPOP key [key ...] timeout */
function blpopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  popOneOrWait(ctx, args, reply, true);
}

/** BRPOP key [key ...] timeout */
function brpopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  popOneOrWait(ctx, args, reply, false);
}

/** LMPOP, whose numkeys is argument 1, and BLMPOP, where it is argument 2. */
function popFromKeys(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  countIndex: number,
): void {
  const keyCount = positiveArgument(args, countIndex, reply, NUMKEYS_TOO_LOW);
  if (keyCount !== keyCount) return;
  const endIndex = countIndex + keyCount + 1;
  if (endIndex >= args.count) {
    reply.error(errors.SYNTAX);
    return;
  }
  const end = endArgument(args, endIndex, reply);
  if (end < 0) return;
  const count = popCount(args, endIndex + 1, reply);
  if (count !== count) return;
  const waits = countIndex === 2;
  let deadlineMs = 0;
  if (waits) {
    deadlineMs = deadlineArgument(ctx, args, 1, reply);
    if (deadlineMs !== deadlineMs) return;
  }
  const { view, start } = args;
  for (let i = countIndex + 1; i < endIndex; i++) {
    const record = ctx.db.lookupWrite(view, start[i], args.end[i]);
    if (record === 0) continue;
    if (!checkType(ctx, record, ValueType.LIST, reply)) return;
    reply.array(2);
    reply.bulk(view, start[i], args.end[i] - start[i]);
    const popped = popRange(ctx, args, i, record, end === 1, count, reply);
    if (ctx.effects.isOn) ctx.effects.takes(end === 1 ? "LPOP" : "RPOP", args, i, popped);
    return;
  }
  if (waits)
    waitForKeyRange(ctx, args, reply, ValueType.LIST, countIndex + 1, endIndex, deadlineMs);
  else reply.nilArray();
}

function popOneOrWait(ctx: CommandContext, args: Args, reply: ReplyWriter, atHead: boolean): void {
  const last = args.count - 1;
  const deadlineMs = deadlineArgument(ctx, args, last, reply);
  if (deadlineMs !== deadlineMs) return;
  const { view, start, end } = args;
  for (let i = 1; i < last; i++) {
    const record = ctx.db.lookupWrite(view, start[i], end[i]);
    if (record === 0) continue;
    if (!attachChecked(ctx, record, reply)) return;
    const { lists } = ctx.keyspace;
    reply.array(2);
    reply.bulk(view, start[i], end[i] - start[i]);
    lists.seekEnd(atHead);
    lists.read();
    replyEntry(reply, lists.entry);
    lists.removeEnd(atHead);
    listShrank(ctx, args, i, record, lists, popEvent(atHead), 1);
    if (ctx.effects.isOn) {
      ctx.effects
        .begin(2)
        .text(atHead ? "LPOP" : "RPOP")
        .argument(args, i);
    }
    return;
  }
  waitForKeyRange(ctx, args, reply, ValueType.LIST, 1, last, deadlineMs);
}
