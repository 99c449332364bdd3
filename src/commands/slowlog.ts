/**
 * SLOWLOG and COMMANDLOG: the requests that took long, were large, or had a large reply. SLOWLOG is
 * the older name for the first of the three logs.
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { LogKind } from "../runtime/command-log.ts";
import { int64Argument } from "./arguments.ts";
import { containerRow, replyHelp, replyUnknownSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const ADMIN_FLAGS = Flag.ADMIN | Flag.LOADING | Flag.STALE;
const ON_ALL_NODES = "request_policy:all_nodes";
const GET_TIPS = [ON_ALL_NODES, "nondeterministic_output"];
const LEN_TIPS = [ON_ALL_NODES, "response_policy:agg_sum", "nondeterministic_output"];
const RESET_TIPS = [ON_ALL_NODES, "response_policy:all_succeeded"];
/** Entries that SLOWLOG GET returns if nobody says how many. */
const COUNT_DEFAULT = 10;
const INVALID_COUNT = "ERR count should be greater than or equal to -1";

export const slowlogCommands: readonly CommandSpec[] = [
  containerRow("slowlog"),
  logRow("slowlog", "get", -2, GET_TIPS, slowlogGetCommand),
  helpRow("slowlog", [
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
  ]),
  logRow("slowlog", "len", 2, LEN_TIPS, slowlogLenCommand),
  logRow("slowlog", "reset", 2, RESET_TIPS, slowlogResetCommand),
  containerRow("commandlog"),
  logRow("commandlog", "get", 4, GET_TIPS, commandlogGetCommand),
  helpRow("commandlog", [
    "GET <count> <type>",
    "    Return top <count> entries of the specified <type> from the commandlog (-1 mean all).",
    "    Entries are made of:",
    "    id, timestamp,",
    "        time in microseconds for type of slow,",
    "        or size in bytes for type of large-request,",
    "        or size in bytes for type of large-reply",
    "    arguments array, client IP and port,",
    "    client name",
    "LEN <type>",
    "    Return the length of the specified type of commandlog.",
    "RESET <type>",
    "    Reset the specified type of commandlog.",
  ]),
  logRow("commandlog", "len", 3, LEN_TIPS, commandlogLenCommand),
  logRow("commandlog", "reset", 3, RESET_TIPS, commandlogResetCommand),
];

function logRow(
  parent: string,
  name: string,
  arity: number,
  tips: readonly string[],
  run: CommandSpec["run"],
): CommandSpec {
  return { name, parent, arity, flags: ADMIN_FLAGS, acl: Acl.NONE, keys: NO_KEYS, tips, run };
}

function helpRow(parent: string, lines: readonly string[]): CommandSpec {
  return {
    name: "help",
    parent,
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, parent.toUpperCase(), lines),
  };
}

/** SLOWLOG GET [count] */
function slowlogGetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 3) {
    replyUnknownSubcommand(reply, "SLOWLOG", args);
    return;
  }
  const count = args.count === 3 ? countArgument(args, 2, reply) : COUNT_DEFAULT;
  if (count !== null) replyEntries(ctx, LogKind.SLOW, count, reply);
}

/** SLOWLOG LEN */
function slowlogLenCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(ctx.observers.commandLog.length(LogKind.SLOW));
}

/** SLOWLOG RESET */
function slowlogResetCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  ctx.observers.commandLog.reset(LogKind.SLOW);
  reply.ok();
}

/** COMMANDLOG GET count type */
function commandlogGetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const count = countArgument(args, 2, reply);
  if (count === null) return;
  const kind = kindArgument(args, 3, reply);
  if (kind !== null) replyEntries(ctx, kind, count, reply);
}

/** COMMANDLOG LEN type */
function commandlogLenCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const kind = kindArgument(args, 2, reply);
  if (kind !== null) reply.integer(ctx.observers.commandLog.length(kind));
}

/** COMMANDLOG RESET type */
function commandlogResetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const kind = kindArgument(args, 2, reply);
  if (kind === null) return;
  ctx.observers.commandLog.reset(kind);
  reply.ok();
}

/** How many entries: -1 = all. Null after an error reply. */
function countArgument(args: Args, index: number, reply: ReplyWriter): number | null {
  const count = int64Argument(args, index, reply, INVALID_COUNT);
  if (count === null) return null;
  if (count < -1n) {
    reply.error(INVALID_COUNT);
    return null;
  }
  return count === -1n ? Infinity : Number(count);
}

function kindArgument(args: Args, index: number, reply: ReplyWriter): LogKind | null {
  if (args.is(index, "SLOW")) return LogKind.SLOW;
  if (args.is(index, "LARGE-REQUEST")) return LogKind.LARGE_REQUEST;
  if (args.is(index, "LARGE-REPLY")) return LogKind.LARGE_REPLY;
  reply.error("ERR type should be one of the following: slow, large-request, large-reply");
  return null;
}

function replyEntries(ctx: CommandContext, kind: LogKind, count: number, reply: ReplyWriter): void {
  const entries = ctx.observers.commandLog.latest(kind, count);
  reply.array(entries.length);
  for (const entry of entries) {
    reply.array(6);
    reply.integer(entry.id);
    reply.integer(entry.time);
    reply.integer(entry.value);
    reply.array(entry.args.length);
    for (const arg of entry.args) reply.bulkBytes(arg);
    reply.bulkText(entry.address);
    reply.bulkText(entry.name);
  }
}
