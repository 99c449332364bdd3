/**
 * What blocking commands share: their timeout argument, and waiting.
 */
import { parseExtended } from "../base/extended.ts";
import type { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { TimeoutReply } from "../session/blocking.ts";
import type { CommandContext } from "./context.ts";

/**
 * Argument `index`, seconds with a fraction, as a deadline in unix ms; 0 = wait for ever. NaN after
 * an error reply.
 */
export function deadlineArgument(
  ctx: CommandContext,
  args: Args,
  index: number,
  reply: ReplyWriter,
): number {
  const seconds = parseExtended(args.bytes, args.start[index], args.end[index]);
  if (seconds === null) {
    reply.error("ERR timeout is not a float or out of range");
    return NaN;
  }
  const text = args.text(index);
  const ms = Math.ceil(Number(text) * 1000);
  if (ms < 0) {
    reply.error("ERR timeout is negative");
    return NaN;
  }
  if (!(ms <= Number.MAX_SAFE_INTEGER - ctx.keyspace.nowMs)) {
    reply.error("ERR timeout is out of range");
    return NaN;
  }
  return ms === 0 ? 0 : ctx.keyspace.nowMs + ms;
}

/**
 * Lets the request wait until one of its keys holds a value of `type`, or answers as at its timeout
 * where it may not wait (in MULTI). The handler returns after this without a reply of its own.
 * With `wakesOnMissing` the request also runs anew when a key is gone or has another type.
 */
export function waitForKeys(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  type: ValueType,
  keyIndexes: readonly number[],
  deadlineMs: number,
  onTimeout: TimeoutReply,
  wakesOnMissing = false,
): void {
  if (!ctx.client.mayBlock) {
    onTimeout(reply);
    return;
  }
  ctx.clients.blocking.block(ctx.client, args, {
    type,
    keyIndexes,
    deadlineMs,
    onTimeout,
    wakesOnMissing,
  });
}

/**
 * As `waitForKeys`, for the keys in the arguments [from, to); times out with a null array.
 */
export function waitForKeyRange(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  type: ValueType,
  from: number,
  to: number,
  deadlineMs: number,
): void {
  const indexes = Array.from({ length: to - from }, (_, i) => from + i);
  waitForKeys(ctx, args, reply, type, indexes, deadlineMs, replyNilArray);
}

function replyNilArray(reply: ReplyWriter): void {
  reply.nilArray();
}
