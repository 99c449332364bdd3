/**
 * What the commands on expiring fields have in common: `FIELDS numfields field ...`, and moments.
 *
 * The words are Valkey 9's. Moments beyond 2^53 ms (the year 287396) are refused.
 */
import { parseInt64 } from "../base/integer.ts";
import { membersRemoved } from "./member-removal.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { settleHash } from "./hash-value.ts";

const NUMFIELDS = "ERR numfields should be greater than 0 and match the provided number of fields";

/** Fields among the arguments: `count` of them, each `step` arguments from the one before. */
export interface FieldArguments {
  readonly first: number;
  readonly count: number;
  readonly step: number;
}

/** The argument that spells FIELDS, from argument `from` on; `args.count` if none does. */
export function fieldsWord(args: Args, from: number): number {
  let index = from;
  while (index < args.count && !args.is(index, "FIELDS")) index++;
  return index;
}

/**
 * The fields behind the word FIELDS at argument `word`, to the end of the arguments, each followed
 * by `step` - 1 others. Null after an error reply, `mismatch` if there are not as many as said.
 */
export function fieldArguments(
  args: Args,
  word: number,
  step: number,
  reply: ReplyWriter,
  mismatch: string = NUMFIELDS,
): FieldArguments | null {
  if (word + 1 >= args.count) {
    reply.error(mismatch);
    return null;
  }
  const given = parseInt64(args.bytes, args.start[word + 1], args.end[word + 1]);
  if (given === null) {
    reply.error(errors.NOT_AN_INTEGER);
    return null;
  }
  const first = word + 2;
  const count = Number(given);
  if (count <= 0 || count * step !== args.count - first) {
    reply.error(mismatch);
    return null;
  }
  return { first, count, step };
}

/** Argument `index` as a moment in unix ms; null after an error reply. Zero is allowed. */
export function momentArgument(
  ctx: CommandContext,
  args: Args,
  index: number,
  isSeconds: boolean,
  isRelative: boolean,
  command: string,
  reply: ReplyWriter,
): number | null {
  const value = parseInt64(args.bytes, args.start[index], args.end[index]);
  if (value === null) {
    reply.error(errors.NOT_AN_INTEGER);
    return null;
  }
  const base = isRelative ? ctx.keyspace.nowMs : 0;
  const atMs = Number(isSeconds ? value * 1000n : value) + base;
  if (value >= 0n && Number.isSafeInteger(atMs)) return atMs;
  reply.error(errors.invalidExpire(command));
  return null;
}

/**
 * Removes fields of the attached hash, whose record was looked up last, and says so as `event`;
 * `removed` = the arguments of those that really went. The key goes with its last field.
 */
export function fieldsRemoved(
  ctx: CommandContext,
  args: Args,
  record: number,
  event: "hdel" | "hexpired",
  removed: readonly number[],
): void {
  const { db, keyspace } = ctx;
  const isGone = settleHash(db, record, keyspace.hashes);
  if (removed.length === 0) return;
  if (event === "hexpired") keyspace.expiredFields += removed.length;
  if (ctx.effects.isOn) {
    ctx.effects
      .begin(2 + removed.length)
      .text("HDEL")
      .argument(args, 1);
    writeFields(ctx, args, removed);
  }
  membersRemoved(ctx, args, 1, NotifyClass.HASH, event, removed.length, isGone);
}

/**
 * The fields at these arguments propagate as expiring then, or, without a moment, as living
 * forever. The words are those of Redis and Valkey 9 alike.
 */
export function propagateFieldExpiry(
  ctx: CommandContext,
  args: Args,
  fields: readonly number[],
  atMs: number | null,
): void {
  const { effects } = ctx;
  if (atMs === null)
    effects
      .begin(4 + fields.length)
      .text("HPERSIST")
      .argument(args, 1);
  else
    effects
      .begin(5 + fields.length)
      .text("HPEXPIREAT")
      .argument(args, 1)
      .moment(atMs);
  effects.text("FIELDS").integer(fields.length);
  writeFields(ctx, args, fields);
}

function writeFields({ effects }: CommandContext, args: Args, fields: readonly number[]): void {
  for (const index of fields) effects.argument(args, index);
}
