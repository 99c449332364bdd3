/**
 * INCRBYFLOAT: adds in the extended precision of x86, since its results show it (base/extended.ts),
 * or exactly where that shows the same (base/decimal-sum.ts).
 */
import { bytesFromAscii } from "../base/ascii.ts";
import { writeDecimalSum } from "../base/decimal-sum.ts";
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

/** What a key that does not exist counts as. */
const MISSING = bytesFromAscii("0");

/** INCRBYFLOAT key increment */
function incrbyfloatCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { bytes, view, start, end } = args;
  const { db, scratch } = ctx;
  const { arena } = ctx.keyspace;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
  const old = record === 0 ? MISSING : bytesOf(arena, record);
  const from = record === 0 ? 0 : stringStart(arena, record);
  const to = record === 0 ? MISSING.length : from + stringLength(arena, record);
  let count = writeDecimalSum(scratch.bytes, 0, old, from, to, bytes, start[2], end[2]);
  if (count < 0) {
    const sum = sumOf(parseExtended(old, from, to), parseExtended(bytes, start[2], end[2]), reply);
    if (sum === null) return;
    count = writeExtended(scratch.bytes, 0, sum);
  }
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

/** The sum in extended precision; null after an error reply. */
function sumOf(
  value: Extended | null,
  amount: Extended | null,
  reply: ReplyWriter,
): Extended | null {
  if (value === null || amount === null) {
    reply.error(errors.NOT_A_FLOAT);
    return null;
  }
  const sum = addExtended(value, amount);
  if (isFiniteExtended(sum)) return sum;
  reply.error("ERR increment would produce NaN or Infinity");
  return null;
}
