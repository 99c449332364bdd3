// HOT PATH: rules in src/README.md
/** Strings, several keys at a time: MGET, MSET, MSETNX, MSETEX. */
import { parseInteger } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, keyRange } from "./spec.ts";
import { SetFlag, conditionWord, expireAtArgument, expiryWord, isPast } from "./string-options.ts";
import { storeArgument } from "./string.ts";
import { isString, replyString } from "./string-value.ts";

export const stringMultipleCommands: readonly CommandSpec[] = [
  {
    name: "mget",
    arity: -2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.STRING,
    keys: keyRange("RO access"),
    tips: ["request_policy:multi_shard"],
    run: mgetCommand,
  },
  {
    name: "mset",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.STRING,
    keys: keyRange("OW update", -1, 2),
    tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
    run: msetCommand,
  },
  {
    name: "msetnx",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.STRING,
    keys: keyRange("OW insert", -1, 2),
    run: msetnxCommand,
  },
  {
    name: "msetex",
    arity: -4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.MOVABLE_KEYS,
    acl: Acl.STRING,
    keys: [{ flags: "OW update", begin: { index: 1 }, find: { countAt: 0, first: 1, step: 2 } }],
    tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
    run: msetexCommand,
  },
];

const KEY_COUNT_MAX = 0x7fffffff;

/** MGET key [key ...]. Null for missing keys and for other types. */
function mgetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const arena = ctx.keyspace.arena;
  reply.array(args.count - 1);
  for (let i = 1; i < args.count; i++) {
    const record = ctx.db.lookupRead(args.view, args.start[i], args.end[i]);
    if (record !== 0 && isString(arena, record)) replyString(arena, record, reply);
    else reply.nil();
  }
}

/** MSET key value [key value ...] */
function msetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count % 2 === 0) {
    reply.error(errors.wrongArity("mset"));
    return;
  }
  setPairs(ctx, args, 1, args.count, false, 0);
  reply.ok();
}

/** MSETNX key value [key value ...] */
function msetnxCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count % 2 === 0) {
    reply.error(errors.wrongArity("msetnx"));
    return;
  }
  if (existingKeys(ctx, args, 1, args.count) > 0) {
    reply.integer(0);
    return;
  }
  setPairs(ctx, args, 1, args.count, false, 0);
  reply.integer(1);
}

/**
 * MSETEX numkeys key value [key value ...] [NX | XX]
 *   [EX seconds | PX ms | EXAT unix-seconds | PXAT unix-ms | KEEPTTL]
 */
function msetexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const keyCount = parseInteger(args.bytes, args.start[1], args.end[1]);
  if (!(keyCount >= 1 && keyCount <= KEY_COUNT_MAX)) {
    reply.error("ERR invalid numkeys value or out of range");
    return;
  }
  const to = 2 + keyCount * 2;
  let flags: number = SetFlag.NONE;
  let timeIndex = 0;
  let valid = to <= args.count;
  for (let i = to; valid && i < args.count; i++) {
    const expiry = expiryWord(args, i);
    const condition = conditionWord(args, i) & (SetFlag.NX | SetFlag.XX);
    const takesArgument = (expiry & SetFlag.TIMES) !== 0;
    const group = expiry !== 0 ? SetFlag.EXPIRIES : SetFlag.CONDITIONS;
    valid =
      (expiry | condition) !== 0 &&
      expiry !== SetFlag.PERSIST &&
      (flags & group & ~(expiry | condition)) === 0 &&
      !(takesArgument && i === args.count - 1);
    flags |= expiry | condition;
    if (takesArgument) timeIndex = ++i;
  }
  if (!valid) {
    reply.error(errors.SYNTAX);
    return;
  }
  let atMs: number | bigint = 0;
  if (timeIndex !== 0) {
    atMs = expireAtArgument(ctx, args, timeIndex, flags, "msetex", reply);
    if (atMs === 0) return;
  }
  if ((flags & SetFlag.CONDITIONS) !== 0) {
    const wanted = (flags & SetFlag.XX) !== 0 ? keyCount : 0;
    if (existingKeys(ctx, args, 2, to) !== wanted) {
      reply.integer(0);
      return;
    }
  }
  if (atMs !== 0 && isPast(ctx, atMs)) removePairs(ctx, args, 2, to);
  else {
    const keepsExpiry = (flags & SetFlag.KEEPTTL) !== 0;
    setPairs(ctx, args, 2, to, keepsExpiry, atMs);
    if (ctx.effects.isOn) propagatePairs(ctx, args, 2, to, keepsExpiry, atMs);
  }
  reply.integer(1);
}

/** MSETEX propagates as commands that servers without it know, too: MSET, or one SET per key. */
function propagatePairs(
  ctx: CommandContext,
  args: Args,
  from: number,
  to: number,
  keepsExpiry: boolean,
  atMs: number | bigint,
): void {
  const { effects } = ctx;
  if (!keepsExpiry && atMs === 0) {
    effects
      .begin(1 + to - from)
      .text("MSET")
      .arguments(args, from, to);
    return;
  }
  for (let i = from; i < to; i += 2) {
    effects
      .begin(keepsExpiry ? 4 : 5)
      .text("SET")
      .arguments(args, i, i + 2);
    if (keepsExpiry) effects.text("KEEPTTL");
    else effects.text("PXAT").moment(atMs);
  }
}

/** How many of the keys args[from], args[from + 2] ... before `to` exist. */
function existingKeys(ctx: CommandContext, args: Args, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i += 2) {
    if (ctx.db.lookupWrite(args.view, args.start[i], args.end[i]) !== 0) count++;
  }
  return count;
}

/** Stores the pairs args[from..to), in order: of a key that comes twice, the last value stays. */
function setPairs(
  ctx: CommandContext,
  args: Args,
  from: number,
  to: number,
  keepsExpiry: boolean,
  atMs: number | bigint,
): void {
  const { view, start, end } = args;
  const db = ctx.db;
  for (let i = from; i < to; i += 2) {
    const record = db.lookupWrite(view, start[i], end[i]);
    storeArgument(ctx, args, i, i + 1, record, keepsExpiry, atMs);
    db.changed(NotifyClass.STRING, "set", view, start[i], end[i]);
    if (atMs !== 0) db.notify(NotifyClass.GENERIC, "expire", view, start[i], end[i]);
  }
}

/** Removes those of the keys that exist, as expired. */
function removePairs(ctx: CommandContext, args: Args, from: number, to: number): void {
  const { view, start, end } = args;
  for (let i = from; i < to; i += 2) {
    const record = ctx.db.lookupWrite(view, start[i], end[i]);
    if (record === 0) continue;
    ctx.db.removeExpired(record, view, start[i], end[i]);
    if (ctx.effects.isOn) ctx.effects.expires(args, i);
  }
}
