// HOT PATH: rules in src/README.md
/**
 * Arguments as numbers, and lookups with a type check. Each function that can fail has answered the
 * client when it says so, so that a handler only returns.
 */
import { parseDouble } from "../base/double.ts";
import { parseInt64, parseInteger } from "../base/integer.ts";
import type { Database } from "../keyspace/database.ts";
import { type ValueType, metaOf, typeOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";

/** Limits of what Valkey reads as a C int. */
export const INT32_MIN = -2147483648;
export const INT32_MAX = 2147483647;

/** Argument `index` as an integer of at most 53 bits; NaN after an error reply. */
export function integerArgument(
  args: Args,
  index: number,
  reply: ReplyWriter,
  error: string = errors.NOT_AN_INTEGER,
): number {
  const value = parseInteger(args.bytes, args.start[index], args.end[index]);
  if (value !== value) reply.error(error);
  return value;
}

/** Argument `index` as any signed 64-bit integer; null after an error reply. */
export function int64Argument(
  args: Args,
  index: number,
  reply: ReplyWriter,
  error: string = errors.NOT_AN_INTEGER,
): bigint | null {
  const value = parseInt64(args.bytes, args.start[index], args.end[index]);
  if (value === null) reply.error(error);
  return value;
}

/** The database whose number argument `index` is; null after an error reply. */
export function databaseArgument(
  ctx: CommandContext,
  args: Args,
  index: number,
  reply: ReplyWriter,
): Database | null {
  const { databases } = ctx.keyspace;
  const number = parseInteger(args.bytes, args.start[index], args.end[index]);
  if (number >= 0 && number < databases.length) return databases[number];
  const exact = parseInt64(args.bytes, args.start[index], args.end[index]);
  if (exact === null) reply.error(errors.NOT_AN_INTEGER);
  else if (exact < INT32_MIN || exact > INT32_MAX) {
    reply.error(`ERR value is out of range, value must between ${INT32_MIN} and ${INT32_MAX}`);
  } else reply.error(errors.DB_OUT_OF_RANGE);
  return null;
}

/** Argument `index` as a double, infinities included; NaN after an error reply. */
export function doubleArgument(
  args: Args,
  index: number,
  reply: ReplyWriter,
  error: string = errors.NOT_A_FLOAT,
): number {
  const value = parseDouble(args.bytes, args.start[index], args.end[index]);
  if (value !== value) reply.error(error);
  return value;
}

/** Whether the record holds a value of `type`; false after an error reply. */
export function checkType(
  ctx: CommandContext,
  record: number,
  type: ValueType,
  reply: ReplyWriter,
): boolean {
  if (typeOf(metaOf(ctx.keyspace.arena, record)) === type) return true;
  reply.error(errors.WRONG_TYPE);
  return false;
}
