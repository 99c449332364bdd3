// HOT PATH: rules in src/README.md
/**
 * The option words that SET, GETEX, MSETEX and their relatives share: expiries and conditions.
 */
import { equalBytes } from "../base/bytes.ts";
import { INT64_MAX, parseInt64, parseInteger } from "../base/integer.ts";
import { viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { stringLength, stringStart } from "./string-value.ts";
import { digestMatches } from "./value-digest.ts";

export const enum SetFlag {
  NONE = 0,
  NX = 1 << 0,
  XX = 1 << 1,
  IFEQ = 1 << 2,
  IFNE = 1 << 3,
  IFDEQ = 1 << 4,
  IFDNE = 1 << 5,
  GET = 1 << 6,
  KEEPTTL = 1 << 7,
  PERSIST = 1 << 8,
  EX = 1 << 9,
  PX = 1 << 10,
  EXAT = 1 << 11,
  PXAT = 1 << 12,
  /** Conditions on the value, each with an argument. */
  COMPARISONS = IFEQ | IFNE | IFDEQ | IFDNE,
  CONDITIONS = NX | XX | COMPARISONS,
  /** Expiries that have an argument. */
  TIMES = EX | PX | EXAT | PXAT,
  RELATIVE = EX | PX,
  SECONDS = EX | EXAT,
  EXPIRIES = TIMES | KEEPTTL | PERSIST,
}

/** What a condition on a value says. */
export const enum Verdict {
  ERROR = -1,
  FAILS = 0,
  HOLDS = 1,
}

const DIGEST_DIGITS = 16;
const SECONDS_MAX = INT64_MAX / 1000n;

/** The expiry option that argument `index` spells, or 0. */
export function expiryWord(args: Args, index: number): SetFlag {
  const length = args.lengthOf(index);
  if (length === 2) {
    if (args.is(index, "EX")) return SetFlag.EX;
    return args.is(index, "PX") ? SetFlag.PX : SetFlag.NONE;
  }
  if (length === 4) {
    if (args.is(index, "EXAT")) return SetFlag.EXAT;
    return args.is(index, "PXAT") ? SetFlag.PXAT : SetFlag.NONE;
  }
  if (args.is(index, "KEEPTTL")) return SetFlag.KEEPTTL;
  return args.is(index, "PERSIST") ? SetFlag.PERSIST : SetFlag.NONE;
}

/** The condition that argument `index` spells, or 0. */
export function conditionWord(args: Args, index: number): SetFlag {
  const length = args.lengthOf(index);
  if (length === 2) {
    if (args.is(index, "NX")) return SetFlag.NX;
    return args.is(index, "XX") ? SetFlag.XX : SetFlag.NONE;
  }
  return comparisonWord(args, index);
}

/** The condition on the value that argument `index` spells, or 0. */
export function comparisonWord(args: Args, index: number): SetFlag {
  const length = args.lengthOf(index);
  if (length === 4) {
    if (args.is(index, "IFEQ")) return SetFlag.IFEQ;
    return args.is(index, "IFNE") ? SetFlag.IFNE : SetFlag.NONE;
  }
  if (length !== 5) return SetFlag.NONE;
  if (args.is(index, "IFDEQ")) return SetFlag.IFDEQ;
  return args.is(index, "IFDNE") ? SetFlag.IFDNE : SetFlag.NONE;
}

/**
 * Argument `index` as the time that the expiry option `unit` makes of it, in unix milliseconds: a
 * number where that is exact, else a bigint; 0 after an error reply.
 */
export function expireAtArgument(
  ctx: CommandContext,
  args: Args,
  index: number,
  unit: SetFlag,
  command: string,
  reply: ReplyWriter,
): number | bigint {
  const value = parseInteger(args.bytes, args.start[index], args.end[index]);
  if (value > 0) {
    const base = (unit & SetFlag.RELATIVE) !== 0 ? ctx.keyspace.nowMs : 0;
    const atMs = base + ((unit & SetFlag.SECONDS) !== 0 ? value * 1000 : value);
    if (atMs <= Number.MAX_SAFE_INTEGER) return atMs;
  } else if (value <= 0) {
    reply.error(errors.invalidExpire(command));
    return 0;
  }
  return expireAtFarAhead(ctx, args, index, unit, command, reply);
}

/** COLD: only for times beyond the year 287396. */
function expireAtFarAhead(
  ctx: CommandContext,
  args: Args,
  index: number,
  unit: SetFlag,
  command: string,
  reply: ReplyWriter,
): bigint | 0 {
  const value = parseInt64(args.bytes, args.start[index], args.end[index]);
  if (value === null) {
    reply.error(errors.NOT_AN_INTEGER);
    return 0;
  }
  const isSeconds = (unit & SetFlag.SECONDS) !== 0;
  const base = (unit & SetFlag.RELATIVE) !== 0 ? BigInt(ctx.keyspace.nowMs) : 0n;
  const atMs = base + (isSeconds ? value * 1000n : value);
  if (value <= 0n || (isSeconds && value > SECONDS_MAX) || atMs > INT64_MAX) {
    reply.error(errors.invalidExpire(command));
    return 0;
  }
  return atMs;
}

/** Whether a key that is to expire then is already gone, and is deleted instead of being set. */
export function isPast(ctx: CommandContext, atMs: number | bigint): boolean {
  return atMs <= ctx.keyspace.nowMs && ctx.keyspace.mayExpire;
}

/**
 * Whether a string's value meets a condition of SetFlag.COMPARISONS with argument `index`. ERROR
 * after an error reply.
 */
export function compareValue(
  ctx: CommandContext,
  record: number,
  condition: SetFlag,
  args: Args,
  index: number,
  reply: ReplyWriter,
): Verdict {
  const arena = ctx.keyspace.arena;
  const length = args.lengthOf(index);
  const isDigest = (condition & (SetFlag.IFDEQ | SetFlag.IFDNE)) !== 0;
  let equal: boolean;
  if (isDigest) {
    if (length !== DIGEST_DIGITS) {
      reply.error("ERR must be exactly 16 hexadecimal characters");
      return Verdict.ERROR;
    }
    equal = digestMatches(arena, record, args, index);
  } else {
    equal =
      stringLength(arena, record) === length &&
      equalBytes(
        viewOf(arena, record),
        stringStart(arena, record),
        args.view,
        args.start[index],
        length,
      );
  }
  const wanted = (condition & (SetFlag.IFEQ | SetFlag.IFDEQ)) !== 0;
  return equal === wanted ? Verdict.HOLDS : Verdict.FAILS;
}
