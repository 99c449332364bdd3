/** Whole databases: FLUSHDB, FLUSHALL, SWAPDB. */
import { parseInt64 } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { INT32_MAX, INT32_MIN } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const FLUSH_TIPS = ["request_policy:all_shards", "response_policy:all_succeeded"];

export const genericDatabaseCommands: readonly CommandSpec[] = [
  {
    name: "flushdb",
    arity: -1,
    flags: Flag.WRITE,
    acl: Acl.KEYSPACE | Acl.DANGEROUS,
    keys: NO_KEYS,
    tips: FLUSH_TIPS,
    run: flushdbCommand,
  },
  {
    name: "flushall",
    arity: -1,
    flags: Flag.WRITE,
    acl: Acl.KEYSPACE | Acl.DANGEROUS,
    keys: NO_KEYS,
    tips: FLUSH_TIPS,
    run: flushallCommand,
  },
  {
    name: "swapdb",
    arity: 3,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.KEYSPACE | Acl.DANGEROUS,
    keys: NO_KEYS,
    run: swapdbCommand,
  },
];

/** FLUSHDB [ASYNC | SYNC] */
function flushdbCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (!checkFlushOptions(args, reply)) return;
  ctx.keyspace.dirty += ctx.keyspace.clearDatabase(ctx.db, isLazyFlush(ctx, args));
  if (ctx.effects.isOn) ctx.effects.verbatim(args);
  ctx.clients.tracking.invalidateAll(ctx.clients.all());
  reply.ok();
}

/** FLUSHALL [ASYNC | SYNC] */
function flushallCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (!checkFlushOptions(args, reply)) return;
  ctx.keyspace.dirty += ctx.keyspace.clearAll(isLazyFlush(ctx, args));
  if (ctx.effects.isOn) ctx.effects.verbatim(args);
  ctx.server.saving.flushed();
  ctx.clients.tracking.invalidateAll(ctx.clients.all());
  reply.ok();
}

function checkFlushOptions(args: Args, reply: ReplyWriter): boolean {
  if (args.count === 1) return true;
  if (args.count === 2 && (args.is(1, "SYNC") || args.is(1, "ASYNC"))) return true;
  reply.error(errors.SYNTAX);
  return false;
}

/** Whether keys may be freed after the reply: as an option says, or lazyfree-lazy-user-flush. */
function isLazyFlush(ctx: CommandContext, args: Args): boolean {
  return args.count === 1 ? ctx.config.bool("lazyfree-lazy-user-flush") : args.is(1, "ASYNC");
}

/** SWAPDB index1 index2 */
function swapdbCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const first = indexArgument(args, 1, reply, "ERR invalid first DB index");
  if (first === null) return;
  const second = indexArgument(args, 2, reply, "ERR invalid second DB index");
  if (second === null) return;
  const { keyspace } = ctx;
  const { length } = keyspace.databases;
  if (first < 0 || first >= length || second < 0 || second >= length) {
    reply.error(errors.DB_OUT_OF_RANGE);
    return;
  }
  keyspace.swap(first, second);
  ctx.db = keyspace.databases[ctx.client.database];
  keyspace.dirty++;
  reply.ok();
}

function indexArgument(
  args: Args,
  index: number,
  reply: ReplyWriter,
  error: string,
): number | null {
  const value = parseInt64(args.bytes, args.start[index], args.end[index]);
  if (value !== null && value >= INT32_MIN && value <= INT32_MAX) return Number(value);
  reply.error(error);
  return null;
}
