/** Members of sorted sets in no order of theirs: ZSCAN, and at random: ZRANDMEMBER. */
import { INT64_MAX } from "../base/integer.ts";
import type { Prng } from "../base/prng.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { SortedSets } from "../types/zset.ts";
import { checkType, int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { replyEntry } from "./listpack-reply.ts";
import { memberScan, replyEmptyScan, replyScan, scanCursor } from "./member-scan.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { replyMemberCount, replyMemberWith, zsetOf } from "./zset-value.ts";

export const zsetScanCommands: readonly CommandSpec[] = [
  {
    name: "zscan",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output"],
    run: zscanCommand,
  },
  {
    name: "zrandmember",
    arity: -2,
    flags: Flag.READONLY,
    acl: Acl.SORTED_SET,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output"],
    run: zrandmemberCommand,
  },
];

/** Members wanted without repetition are drawn one by one if they are less than a third of all. */
const DRAWN_SHARE = 3;

/** ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES] */
function zscanCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const cursor = scanCursor(args, reply);
  if (cursor === null) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    replyEmptyScan(reply);
    return;
  }
  if (!checkType(ctx, record, ValueType.ZSET, reply)) return;
  const scan = memberScan(args, cursor, "NOSCORES", reply);
  if (scan === null) return;
  const zset = zsetOf(ctx, record);
  replyScan(args, scan, zset, reply, () => {
    replyEntry(reply, zset.member);
    if (scan.namesOnly) return 1;
    // Redis's skip list shows scores as C's "%.17Lg" has them, its listpack as they are stored.
    const { score } = zset;
    if (zset.isIndexed && !isShortDecimal(score)) reply.bulkText(seventeenDigits(score));
    else reply.bulkDouble(score);
    return 2;
  });
}

/**
 * Whether a double is a decimal of at most 15 digits: then its shortest digits are all that it has,
 * however many are wanted.
 */
function isShortDecimal(value: number): boolean {
  return Math.abs(value) < 1e9 && Number.isInteger(value * 64);
}

/** A double as C's "%.17g" prints it. */
function seventeenDigits(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits, power] = value.toExponential(16).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 17) return withoutZeros(value.toFixed(16 - exponent));
  const sign = exponent < 0 ? "-" : "+";
  return `${withoutZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function withoutZeros(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}

/** ZRANDMEMBER key [count [WITHSCORES]] */
function zrandmemberCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count === 2) {
    const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
    if (record === 0) {
      reply.nil();
      return;
    }
    if (!checkType(ctx, record, ValueType.ZSET, reply)) return;
    const zset = zsetOf(ctx, record);
    zset.seek(ctx.prng.nextBelow(zset.length));
    replyEntry(reply, zset.member);
    return;
  }
  const given = int64Argument(args, 2, reply);
  if (given === null) return;
  if (given < -INT64_MAX) {
    reply.error(`ERR value is out of range, value must between ${-INT64_MAX} and ${INT64_MAX}`);
    return;
  }
  if (args.count > 4 || (args.count === 4 && !args.is(3, "WITHSCORES"))) {
    reply.error(errors.SYNTAX);
    return;
  }
  const withScores = args.count === 4;
  if (withScores && (given < -INT64_MAX / 2n || given > INT64_MAX / 2n)) {
    reply.error("ERR value is out of range");
    return;
  }
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  if (record === 0 || given === 0n) {
    reply.array(0);
    return;
  }
  replyRandom(ctx.prng, zsetOf(ctx, record), Number(given), withScores, reply);
}

/** Replies with `count` different members, or, negative, with so many as they are drawn. */
function replyRandom(
  prng: Prng,
  zset: SortedSets,
  count: number,
  withScores: boolean,
  reply: ReplyWriter,
): void {
  const { length } = zset;
  const wanted = count < 0 ? -count : Math.min(count, length);
  replyMemberCount(reply, wanted, withScores);
  if (count < 0) {
    for (let i = 0; i < wanted && !reply.overflowed; i++) {
      zset.seek(prng.nextBelow(length));
      replyMemberWith(reply, zset, withScores);
    }
    return;
  }
  if (wanted === length) {
    // From the highest down, as Redis does.
    zset.seek(length - 1);
    do replyMemberWith(reply, zset, withScores);
    while (zset.previous());
    return;
  }
  for (const rank of differentRanks(prng, length, wanted)) {
    zset.seek(rank);
    replyMemberWith(reply, zset, withScores);
  }
}

/** `wanted` different numbers below `length`, every choice equally likely. */
function differentRanks(prng: Prng, length: number, wanted: number): Iterable<number> {
  const ranks = new Set<number>();
  if (wanted * DRAWN_SHARE <= length) {
    while (ranks.size < wanted) ranks.add(prng.nextBelow(length));
    return ranks;
  }
  // Each rank is taken with the probability that is left for it (Knuth's algorithm S).
  for (let rank = 0; ranks.size < wanted; rank++) {
    if (prng.nextBelow(length - rank) < wanted - ranks.size) ranks.add(rank);
  }
  return ranks;
}
