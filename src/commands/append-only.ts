/**
 * Commands on the durability of changes: BGREWRITEAOF, and WAIT and WAITAOF, which wait until the
 * changes before them have reached other machines, or the disk. Without replicas, WAIT can only
 * wait for its timeout.
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { TimeoutReply, Wait } from "../session/blocking.ts";
import { int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const WAIT_TIPS = ["request_policy:all_shards", "response_policy:agg_min"];
const TIMEOUT_NOT_INTEGER = "ERR timeout is not an integer or out of range";
const NOT_APPEND_ONLY =
  "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";
const INT64_MAX = 2n ** 63n - 1n;

export const appendOnlyCommands: readonly CommandSpec[] = [
  {
    name: "bgrewriteaof",
    arity: 1,
    flags: Flag.NO_ASYNC_LOADING | Flag.ADMIN | Flag.NOSCRIPT,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: bgrewriteaofCommand,
  },
  {
    name: "wait",
    arity: 3,
    flags: Flag.BLOCKING,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    tips: WAIT_TIPS,
    run: waitCommand,
  },
  {
    name: "waitaof",
    arity: 4,
    flags: Flag.BLOCKING,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    tips: WAIT_TIPS,
    run: waitaofCommand,
  },
];

/** BGREWRITEAOF */
function bgrewriteaofCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const text = ctx.server.appendOnly.rewrite();
  if (text.startsWith("ERR ")) reply.error(text);
  else reply.simple(text);
}

/** WAIT numreplicas timeout */
function waitCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const replicas = int64Argument(args, 1, reply);
  if (replicas === null) return;
  const deadlineMs = deadlineArgument(ctx, args, 2, reply);
  if (deadlineMs === null) return;
  if (replicas <= 0n || !ctx.client.mayBlock) {
    reply.integer(0);
    return;
  }
  block(ctx, args, deadlineMs, (timeoutReply) => timeoutReply.integer(0));
}

/** WAITAOF numlocal numreplicas timeout */
function waitaofCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { appendOnly } = ctx.server;
  const local = int64Argument(args, 1, reply);
  if (local === null) return;
  if (local < 0n || local > 1n) {
    reply.error("ERR value is out of range, value must between 0 and 1");
    return;
  }
  const replicas = int64Argument(args, 2, reply);
  if (replicas === null) return;
  if (replicas < 0n) {
    reply.error("ERR value is out of range, must be positive");
    return;
  }
  const deadlineMs = deadlineArgument(ctx, args, 3, reply);
  if (deadlineMs === null) return;
  if (local > 0n && !appendOnly.report().isOn) {
    reply.error(NOT_APPEND_ONLY);
    return;
  }
  const offset = appendOnly.changesOffset();
  const answer: TimeoutReply = (writer) => {
    writer.array(2);
    writer.integer(appendOnly.syncedOffset() >= offset ? 1 : 0);
    writer.integer(0);
  };
  const isDone = replicas === 0n && (local === 0n || appendOnly.syncedOffset() >= offset);
  if (isDone || !ctx.client.mayBlock) {
    answer(reply);
    return;
  }
  const wait = block(ctx, args, deadlineMs, answer);
  if (replicas === 0n && wait !== null) appendOnly.wakeWhenSynced(wait, offset);
}

/** Lets the client wait for something that is no key. */
function block(
  ctx: CommandContext,
  args: Args,
  deadlineMs: number,
  onTimeout: TimeoutReply,
): Wait | null {
  const { client } = ctx;
  ctx.clients.blocking.block(client, args, { type: 0, keyIndexes: [], deadlineMs, onTimeout });
  return client.wait;
}

/** When a timeout in milliseconds ends, 0 = never; null after an error reply. */
function deadlineArgument(
  ctx: CommandContext,
  args: Args,
  index: number,
  reply: ReplyWriter,
): number | null {
  const timeout = int64Argument(args, index, reply, TIMEOUT_NOT_INTEGER);
  if (timeout === null) return null;
  if (timeout < 0n) {
    reply.error("ERR timeout is negative");
    return null;
  }
  const { nowMs } = ctx.keyspace;
  if (timeout > INT64_MAX - BigInt(nowMs)) {
    reply.error("ERR timeout is out of range");
    return null;
  }
  return timeout === 0n ? 0 : nowMs + Number(timeout);
}
