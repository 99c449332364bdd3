/**
 * INCRBYFLOAT: adds in the extended precision of x86, since its results show it (base/extended.ts).
 */
import {
  type Extended,
  addExtended,
  isFiniteExtended,
  parseExtended,
  writeExtended,
} from "../base/extended.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { StringEncoding, ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { bytesOf, stringLength, stringStart } from "./string-value.ts";

export const stringIncrementFloatCommands: readonly CommandSpec[] = [
  {
    name: "incrbyfloat",
    arity: 3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.STRING,
    keys: oneKey("RW access update"),
    run: incrbyfloatCommand,
  },
];

const ZERO: Extended = { significand: 0n, exponent: 0 };

/** INCRBYFLOAT key increment */
function incrbyfloatCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { bytes, view, start, end } = args;
  const { db, scratch } = ctx;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
  const value = record === 0 ? ZERO : extendedOf(ctx, record);
  const amount = value === null ? null : parseExtended(bytes, start[2], end[2]);
  if (value === null || amount === null) {
    reply.error(errors.NOT_A_FLOAT);
    return;
  }
  const sum = addExtended(value, amount);
  if (!isFiniteExtended(sum)) {
    reply.error("ERR increment would produce NaN or Infinity");
    return;
  }
  const count = writeExtended(scratch.bytes, 0, sum);
  if (record === 0) {
    db.insertString(view, start[1], end[1], scratch.view, 0, count, StringEncoding.TEXT);
  } else {
    db.replaceWithString(record, scratch.view, 0, count, StringEncoding.TEXT, true);
  }
  if (ctx.effects.isOn) {
    // The result, since other servers may calculate otherwise.
    ctx.effects.begin(4).text("SET").argument(args, 1).bytes(scratch.view, 0, count);
    ctx.effects.text("KEEPTTL");
  }
  db.changed(NotifyClass.STRING, "incrbyfloat", view, start[1], end[1]);
  reply.bulk(scratch.view, 0, count);
}

function extendedOf(ctx: CommandContext, record: number): Extended | null {
  const arena = ctx.keyspace.arena;
  const from = stringStart(arena, record);
  return parseExtended(bytesOf(arena, record), from, from + stringLength(arena, record));
}
