/**
 * Transactions. Documentation: "Transactions" in Redis's manual, and the command reference.
 *
 * MULTI lets the dispatcher queue what follows (Gate.IN_MULTI); EXEC runs the queue in one go,
 * unless a watched key has changed or a request could not be queued.
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { type Client, Gate } from "../session/client.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS, keyRange } from "./spec.ts";

const ALWAYS = Flag.NOSCRIPT | Flag.LOADING | Flag.STALE;

export const transactionCommands: readonly CommandSpec[] = [
  {
    name: "multi",
    arity: 1,
    flags: ALWAYS | Flag.FAST | Flag.NO_MULTI | Flag.ALLOW_BUSY,
    acl: Acl.TRANSACTION,
    keys: NO_KEYS,
    run: multiCommand,
  },
  {
    name: "exec",
    arity: 1,
    flags: ALWAYS | Flag.SKIP_SLOWLOG,
    acl: Acl.TRANSACTION,
    keys: NO_KEYS,
    run: execCommand,
  },
  {
    name: "discard",
    arity: 1,
    flags: ALWAYS | Flag.FAST | Flag.ALLOW_BUSY,
    acl: Acl.TRANSACTION,
    keys: NO_KEYS,
    run: discardCommand,
  },
  {
    name: "watch",
    arity: -2,
    flags: ALWAYS | Flag.FAST | Flag.NO_MULTI | Flag.ALLOW_BUSY,
    acl: Acl.TRANSACTION,
    keys: keyRange("RO"),
    run: watchCommand,
  },
  {
    name: "unwatch",
    arity: 1,
    flags: ALWAYS | Flag.FAST | Flag.ALLOW_BUSY,
    acl: Acl.TRANSACTION,
    keys: NO_KEYS,
    run: unwatchCommand,
  },
];

/** MULTI */
function multiCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  ctx.client.queue = [];
  ctx.client.queueBytes = 0;
  ctx.client.setGate(Gate.IN_MULTI, true);
  reply.ok();
}

/** EXEC */
function execCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { client } = ctx;
  const { queue } = client;
  if (queue === null) {
    reply.error("ERR EXEC without MULTI");
    return;
  }
  if (hasExpiredWatch(ctx, client)) client.watchBroken = true;
  if (client.queueBroken || client.watchBroken) {
    if (client.queueBroken) {
      reply.error("EXECABORT Transaction discarded because of previous errors.");
    } else reply.nilArray();
    endTransaction(ctx, client);
    return;
  }
  endTransaction(ctx, client);
  const { mayBlock, lastCommandNumber } = client;
  client.mayBlock = false;
  reply.array(queue.length);
  for (const request of queue) {
    ctx.server.run(request.command, client, request.args, reply);
  }
  client.mayBlock = mayBlock;
  // CLIENT LIST names the command that the client sent, not what it led to.
  client.lastCommandNumber = lastCommandNumber;
}

/** DISCARD */
function discardCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  if (ctx.client.queue === null) {
    reply.error("ERR DISCARD without MULTI");
    return;
  }
  endTransaction(ctx, ctx.client);
  reply.ok();
}

/** WATCH key [key ...] */
function watchCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { client } = ctx;
  // A broken watch stays broken until EXEC, whatever else is watched.
  if (!client.watchBroken) {
    const { index } = ctx.db;
    for (let i = 1; i < args.count; i++) {
      const { view } = args;
      const hash = index.hash(view, args.start[i], args.end[i]);
      const record = index.find(view, args.start[i], args.end[i], hash);
      const wasExpired = record !== 0 && ctx.db.hasExpired(record);
      ctx.clients.watches.watch(client, client.database, args.copy(i), wasExpired);
    }
    ctx.clients.updateWatching();
  }
  reply.ok();
}

/** UNWATCH */
function unwatchCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  forgetWatches(ctx, ctx.client);
  reply.ok();
}

/** Ends MULTI and WATCH of a client, whatever became of them. */
export function endTransaction(ctx: CommandContext, client: Client): void {
  client.queue = null;
  client.queueBroken = false;
  client.setGate(Gate.IN_MULTI, false);
  forgetWatches(ctx, client);
}

function forgetWatches(ctx: CommandContext, client: Client): void {
  client.watchBroken = false;
  if (client.watched.length === 0) return;
  ctx.clients.watches.unwatch(client);
  ctx.clients.updateWatching();
}

/** Whether a key that was alive when it was watched has expired, though nobody removed it yet. */
function hasExpiredWatch(ctx: CommandContext, client: Client): boolean {
  for (const { database, key, wasExpired } of client.watched) {
    if (wasExpired) continue;
    const db = ctx.keyspace.databases[database];
    const view = new DataView(key.buffer, key.byteOffset, key.length);
    const record = db.index.find(view, 0, key.length, db.index.hash(view, 0, key.length));
    if (record !== 0 && db.hasExpired(record)) return true;
  }
  return false;
}
