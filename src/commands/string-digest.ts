/**
 * DIGEST, and deletion that depends on the value or its digest: DELIFEQ, DELEX.
 * Documentation: the "Strings" group of Redis's command reference; DELIFEQ: Valkey's.
 */
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { SetFlag, Verdict, compareValue, comparisonWord } from "./string-options.ts";
import { isString } from "./string-value.ts";
import { digestOf } from "./value-digest.ts";

export const stringDigestCommands: readonly CommandSpec[] = [
  {
    name: "digest",
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RO access"),
    run: digestCommand,
  },
  {
    name: "delifeq",
    arity: 3,
    flags: Flag.WRITE,
    acl: Acl.STRING,
    keys: oneKey("RM access delete"),
    run: delifeqCommand,
  },
  {
    name: "delex",
    arity: -2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW delete variable_flags"),
    getKeyFlags: (args) => (args.count > 2 ? "RW access delete" : "RM delete"),
    run: delexCommand,
  },
];

/** DIGEST key */
function digestCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  if (!checkType(ctx, record, ValueType.STRING, reply)) return;
  reply.bulkText(digestOf(ctx.keyspace.arena, record));
}

/** DELIFEQ key value */
function delifeqCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkType(ctx, record, ValueType.STRING, reply)) return;
  deleteIf(ctx, record, SetFlag.IFEQ, args, 2, reply);
}

/** DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] */
function delexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count !== 2 && args.count !== 4) {
    reply.error(errors.wrongArity("delex"));
    return;
  }
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (args.count === 2) {
    deleteIf(ctx, record, SetFlag.NONE, args, 0, reply);
    return;
  }
  if (!isString(ctx.keyspace.arena, record)) {
    reply.error("ERR Key should be of string type if conditions are specified");
    return;
  }
  const condition = comparisonWord(args, 2);
  if (condition === SetFlag.NONE) {
    reply.error("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
    return;
  }
  deleteIf(ctx, record, condition, args, 3, reply);
}

/** Deletes the key looked up last, if the condition holds, and replies. */
function deleteIf(
  ctx: CommandContext,
  record: number,
  condition: SetFlag,
  args: Args,
  index: number,
  reply: ReplyWriter,
): void {
  if (condition !== SetFlag.NONE) {
    const verdict = compareValue(ctx, record, condition, args, index, reply);
    if (verdict === Verdict.FAILS) reply.integer(0);
    if (verdict !== Verdict.HOLDS) return;
  }
  ctx.db.removeFound(record);
  if (ctx.effects.isOn) ctx.effects.deletes(args, 1, false);
  ctx.db.changed(NotifyClass.GENERIC, "del", args.view, args.start[1], args.end[1]);
  reply.integer(1);
}
