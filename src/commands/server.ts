/** Commands about the server itself that need no file of their own: time, role, end. */
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { integerArgument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { lolwutCommand } from "./lolwut.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const REPLICAOF_FLAGS = Flag.ADMIN | Flag.NOSCRIPT | Flag.STALE | Flag.NO_ASYNC_LOADING;
const PORT_MAX = 65535;

export const serverCommands: readonly CommandSpec[] = [
  {
    name: "time",
    arity: 1,
    flags: Flag.LOADING | Flag.STALE | Flag.FAST,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: ["nondeterministic_output"],
    run: timeCommand,
  },
  {
    name: "lolwut",
    arity: -1,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: lolwutCommand,
  },
  {
    name: "role",
    arity: 1,
    flags: Flag.NOSCRIPT | Flag.LOADING | Flag.STALE | Flag.FAST | Flag.SENTINEL,
    acl: Acl.ADMIN | Acl.DANGEROUS,
    keys: NO_KEYS,
    run: roleCommand,
  },
  {
    name: "replicaof",
    arity: 3,
    flags: REPLICAOF_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: replicaofCommand,
  },
  {
    name: "slaveof",
    arity: 3,
    flags: REPLICAOF_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: replicaofCommand,
  },
  {
    name: "shutdown",
    arity: -1,
    flags:
      Flag.ADMIN |
      Flag.NOSCRIPT |
      Flag.LOADING |
      Flag.STALE |
      Flag.NO_MULTI |
      Flag.ALLOW_BUSY |
      Flag.SENTINEL,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: shutdownCommand,
  },
];

/** TIME */
function timeCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const nowUs = ctx.keyspace.clock.nowUs();
  reply.array(2);
  reply.bulkInteger(Math.floor(nowUs / 1e6));
  reply.bulkInteger(nowUs % 1e6);
}

/** ROLE: a primary without replicas. */
function roleCommand(_ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.array(3);
  reply.bulkText("master");
  reply.integer(0);
  reply.array(0);
}

/** REPLICAOF host port | NO ONE: this server can be a primary only. */
function replicaofCommand(_ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.is(1, "NO") && args.is(2, "ONE")) {
    reply.ok();
    return;
  }
  const port = integerArgument(args, 2, reply, "ERR Invalid master port");
  if (Number.isNaN(port)) return;
  if (port < 0 || port > PORT_MAX) reply.error("ERR Invalid master port");
  else reply.error("ERR This server cannot be a replica: replication is not supported");
}

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT] */
function shutdownCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let save: boolean | null = null;
  let isContradiction = false;
  let now = false;
  let force = false;
  let abort = false;
  for (let i = 1; i < args.count; i++) {
    if (args.is(i, "SAVE") || args.is(i, "NOSAVE")) {
      const wanted = args.is(i, "SAVE");
      if (save === !wanted) isContradiction = true;
      save = wanted;
    } else if (args.is(i, "NOW")) now = true;
    else if (args.is(i, "FORCE")) force = true;
    else if (args.is(i, "ABORT")) abort = true;
    else {
      reply.error(errors.SYNTAX);
      return;
    }
  }
  if (isContradiction || (abort && (save !== null || now || force))) {
    reply.error(errors.SYNTAX);
    return;
  }
  if (abort) {
    if (ctx.server.abortShutdown()) reply.ok();
    else reply.error("ERR No shutdown in progress.");
    return;
  }
  const error = ctx.server.shutdown({ save, now, force }, ctx.client);
  if (error !== null) reply.error(error);
}
