// HOT PATH: rules in src/README.md
/**
 * When keys expire: EXPIRE and TTL with their relatives, and PERSIST.
 *
 * Moments are unix milliseconds: numbers where those are exact, bigints beyond 2^53, so that every
 * signed 64-bit moment is kept as it was given.
 */
import { INT64_MAX, INT64_MIN, parseInt64, parseInteger } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { Meta, expireAtExact, expireAtMs, metaOf, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandHandler, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { isPast } from "./string-options.ts";

const enum Unit {
  MILLISECOND = 1,
  SECOND = 1000,
}

/** What EXPIRE asks of the expiry that the key has. */
const enum Condition {
  NONE = 0,
  NX = 1 << 0,
  XX = 1 << 1,
  GT = 1 << 2,
  LT = 1 << 3,
  INVALID = 1 << 4,
}

export const NX_NOT_COMPATIBLE =
  "ERR NX and XX, GT or LT options at the same time are not compatible";
export const GT_LT_NOT_COMPATIBLE = "ERR GT and LT options at the same time are not compatible";
const NO_KEY = -2;
const NO_EXPIRY = -1;

export const genericExpireCommands: readonly CommandSpec[] = [
  expireRow("expire", (ctx, args, reply) => {
    expireGeneric(ctx, args, reply, "expire", Unit.SECOND, ctx.keyspace.nowMs);
  }),
  expireRow("pexpire", (ctx, args, reply) => {
    expireGeneric(ctx, args, reply, "pexpire", Unit.MILLISECOND, ctx.keyspace.nowMs);
  }),
  expireRow("expireat", (ctx, args, reply) => {
    expireGeneric(ctx, args, reply, "expireat", Unit.SECOND, 0);
  }),
  expireRow("pexpireat", (ctx, args, reply) => {
    expireGeneric(ctx, args, reply, "pexpireat", Unit.MILLISECOND, 0);
  }),
  ttlRow("ttl", true, (ctx, args, reply) => {
    ttlGeneric(ctx, args, reply, Unit.SECOND, ctx.keyspace.nowMs);
  }),
  ttlRow("pttl", true, (ctx, args, reply) => {
    ttlGeneric(ctx, args, reply, Unit.MILLISECOND, ctx.keyspace.nowMs);
  }),
  ttlRow("expiretime", false, (ctx, args, reply) => {
    ttlGeneric(ctx, args, reply, Unit.SECOND, 0);
  }),
  ttlRow("pexpiretime", false, (ctx, args, reply) => {
    ttlGeneric(ctx, args, reply, Unit.MILLISECOND, 0);
  }),
  {
    name: "persist",
    arity: 2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: oneKey("RW update"),
    run: persistCommand,
  },
];

/** COLD: called by the rows. */
function expireRow(name: string, run: CommandHandler): CommandSpec {
  return {
    name,
    arity: -3,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: oneKey("RW update"),
    run,
  };
}

/** COLD: called by the rows. */
function ttlRow(name: string, isRelative: boolean, run: CommandHandler): CommandSpec {
  return {
    name,
    arity: 2,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: oneKey("RO access"),
    tips: isRelative ? ["nondeterministic_output"] : [],
    run,
  };
}

/** EXPIRE key time [NX | XX | GT | LT]. A moment that has passed removes the key at once. */
function expireGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  command: string,
  unit: Unit,
  baseMs: number,
): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const condition = conditionArguments(args, reply);
  if (condition === Condition.INVALID) return;
  const atMs = momentArgument(args, reply, command, unit, baseMs);
  if (atMs === null) return;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0 || (condition !== 0 && !isMet(ctx, record, condition, atMs))) {
    reply.integer(0);
    return;
  }
  if (isPast(ctx, atMs)) {
    db.removeExpired(record, view, start[1], end[1]);
    if (ctx.effects.isOn) ctx.effects.expires(args, 1);
  } else {
    db.setExpireAt(record, atMs);
    if (ctx.effects.isOn && command !== "pexpireat") propagateExpire(ctx, args, atMs);
    db.changed(NotifyClass.GENERIC, "expire", view, start[1], end[1]);
  }
  reply.integer(1);
}

/** The conditions hold as well when the log is read, and stay. */
function propagateExpire(ctx: CommandContext, args: Args, atMs: number | bigint): void {
  const { effects } = ctx;
  effects.begin(args.count).text("PEXPIREAT").argument(args, 1).moment(atMs);
  effects.arguments(args, 3, args.count);
}

/** The conditions from argument 3 on; INVALID after an error reply. */
function conditionArguments(args: Args, reply: ReplyWriter): number {
  let condition = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "NX")) condition |= Condition.NX;
    else if (args.is(i, "XX")) condition |= Condition.XX;
    else if (args.is(i, "GT")) condition |= Condition.GT;
    else if (args.is(i, "LT")) condition |= Condition.LT;
    else {
      reply.error(`ERR Unsupported option ${beforeNul(args.text(i))}`);
      return Condition.INVALID;
    }
  }
  if ((condition & Condition.NX) !== 0 && condition !== Condition.NX) {
    reply.error(NX_NOT_COMPATIBLE);
    return Condition.INVALID;
  }
  if ((condition & Condition.GT) !== 0 && (condition & Condition.LT) !== 0) {
    reply.error(GT_LT_NOT_COMPATIBLE);
    return Condition.INVALID;
  }
  return condition;
}

/** The moment that argument 2 means; null after an error reply. */
function momentArgument(
  args: Args,
  reply: ReplyWriter,
  command: string,
  unit: Unit,
  baseMs: number,
): number | bigint | null {
  const value = parseInteger(args.bytes, args.start[2], args.end[2]);
  const atMs = value * unit + baseMs;
  if (Number.isSafeInteger(atMs)) return atMs;
  return exactMoment(args, reply, command, unit, baseMs);
}

/** COLD: moments beyond the year 287396, and invalid ones. */
function exactMoment(
  args: Args,
  reply: ReplyWriter,
  command: string,
  unit: Unit,
  baseMs: number,
): bigint | null {
  const value = parseInt64(args.bytes, args.start[2], args.end[2]);
  if (value === null) {
    reply.error(errors.NOT_AN_INTEGER);
    return null;
  }
  const scaled = value * BigInt(unit);
  const atMs = scaled + BigInt(baseMs);
  if (scaled >= INT64_MIN && scaled <= INT64_MAX && atMs <= INT64_MAX) return atMs;
  reply.error(errors.invalidExpire(command));
  return null;
}

/** Whether the key may be given this moment. No expiry counts as one infinitely far away. */
function isMet(
  ctx: CommandContext,
  record: number,
  condition: number,
  atMs: number | bigint,
): boolean {
  const arena = ctx.keyspace.arena;
  if ((metaOf(arena, record) & Meta.EXPIRY) === 0) {
    return (condition & (Condition.XX | Condition.GT)) === 0;
  }
  if ((condition & Condition.NX) !== 0) return false;
  if ((condition & (Condition.GT | Condition.LT)) === 0) return true;
  const view = viewOf(arena, record);
  const rounded = expireAtMs(view, record);
  const current = Number.isSafeInteger(rounded) ? rounded : expireAtExact(view, record);
  return (condition & Condition.GT) !== 0 ? atMs > current : atMs < current;
}

/** TTL key and its relatives: the time from `baseMs` to the expiry, in `unit`s. */
function ttlGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  unit: Unit,
  baseMs: number,
): void {
  const record = ctx.db.lookupReadUntouched(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(NO_KEY);
    return;
  }
  const arena = ctx.keyspace.arena;
  if ((metaOf(arena, record) & Meta.EXPIRY) === 0) {
    reply.integer(NO_EXPIRY);
    return;
  }
  const view = viewOf(arena, record);
  const atMs = expireAtMs(view, record);
  if (!Number.isSafeInteger(atMs)) {
    replyExactTtl(reply, expireAtExact(view, record), unit, baseMs);
    return;
  }
  const ttl = Math.max(0, atMs - baseMs);
  reply.integer(unit === Unit.SECOND ? Math.floor((ttl + 500) / 1000) : ttl);
}

/** COLD: moments beyond the year 287396. */
function replyExactTtl(reply: ReplyWriter, atMs: bigint, unit: Unit, baseMs: number): void {
  const ttl = atMs - BigInt(baseMs);
  reply.bigInteger(unit === Unit.SECOND ? (ttl + 500n) / 1000n : ttl);
}

/** PERSIST key */
function persistCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0 || (metaOf(ctx.keyspace.arena, record) & Meta.EXPIRY) === 0) {
    reply.integer(0);
    return;
  }
  db.clearExpiry(record);
  db.changed(NotifyClass.GENERIC, "persist", view, start[1], end[1]);
  reply.integer(1);
}
