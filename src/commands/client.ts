/**
 * CLIENT and its subcommands: what a connection says about itself and how it wants to be treated,
 * and pausing all of them. Lists of clients are in client-list.ts. Documentation: the "Connection"
 * group of Redis's command reference.
 */
import { parseInt64 } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { Gate, ReplyMode } from "../session/client.ts";
import { INVALID_CLIENT_NAME, isClientAttribute } from "./client-attribute.ts";
import { CLIENT_HELP } from "./client-help.ts";
import { clientInfoCommand, clientKillCommand, clientListCommand } from "./client-list.ts";
import {
  clientCachingCommand,
  clientGetredirCommand,
  clientTrackingCommand,
  clientTrackinginfoCommand,
} from "./client-tracking.ts";
import { containerRow, replyHelp } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandHandler, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const INT64_MAX = 2n ** 63n - 1n;
const TIPS_ALL_NODES = ["request_policy:all_nodes", "response_policy:all_succeeded"];

export const clientCommands: readonly CommandSpec[] = [
  containerRow("client"),
  row("capa", -3, clientCapaCommand),
  row("getname", 2, clientGetnameCommand),
  row("caching", 3, clientCachingCommand),
  row("getredir", 2, clientGetredirCommand),
  { ...row("help", 2, clientHelpCommand), flags: Flag.LOADING | Flag.STALE },
  row("id", 2, clientIdCommand),
  row("import-source", 3, clientImportSourceCommand),
  { ...row("info", 2, clientInfoCommand), tips: ["nondeterministic_output"] },
  adminRow("kill", -3, clientKillCommand),
  { ...adminRow("list", -2, clientListCommand), tips: ["nondeterministic_output"] },
  adminRow("no-evict", 3, clientNoEvictCommand),
  row("no-touch", 3, clientNoTouchCommand),
  adminRow("pause", -3, clientPauseCommand),
  row("reply", 3, clientReplyCommand),
  { ...row("setinfo", 4, clientSetinfoCommand), tips: TIPS_ALL_NODES },
  { ...row("setname", 3, clientSetnameCommand), tips: TIPS_ALL_NODES },
  row("tracking", -3, clientTrackingCommand),
  row("trackinginfo", 2, clientTrackinginfoCommand),
  adminRow("unblock", -3, clientUnblockCommand),
  adminRow("unpause", 2, clientUnpauseCommand),
];

/** All subcommands have these flags, but for HELP. */
function row(name: string, arity: number, run: CommandHandler): CommandSpec {
  const flags = Flag.NOSCRIPT | Flag.LOADING | Flag.STALE;
  return { name, parent: "client", arity, flags, acl: Acl.CONNECTION, keys: NO_KEYS, run };
}

function adminRow(name: string, arity: number, run: CommandHandler): CommandSpec {
  const spec = row(name, arity, run);
  return { ...spec, flags: spec.flags | Flag.ADMIN };
}

/** CLIENT CAPA capability [capability ...]. Unknown ones are ignored. */
function clientCapaCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { capabilities } = ctx.client;
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "REDIRECT") && !capabilities.includes("redirect")) {
      capabilities.push("redirect");
    }
  }
  reply.ok();
}

/** CLIENT GETNAME */
function clientGetnameCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  if (ctx.client.name === "") reply.nil();
  else reply.bulkText(ctx.client.name);
}

/** CLIENT HELP */
function clientHelpCommand(_ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  replyHelp(reply, "CLIENT", CLIENT_HELP);
}

/** CLIENT ID */
function clientIdCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(ctx.client.id);
}

/** CLIENT IMPORT-SOURCE ON | OFF */
function clientImportSourceCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (!ctx.config.bool("import-mode") && !args.is(2, "OFF")) {
    reply.error("ERR Server is not in import mode");
    return;
  }
  const isOn = switchArgument(args, reply);
  if (isOn === null) return;
  ctx.client.setGate(Gate.IMPORT_SOURCE, isOn);
  reply.ok();
}

/** CLIENT NO-EVICT ON | OFF */
function clientNoEvictCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const isOn = switchArgument(args, reply);
  if (isOn === null) return;
  ctx.client.noEvict = isOn;
  reply.ok();
}

/** CLIENT NO-TOUCH ON | OFF */
function clientNoTouchCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const isOn = switchArgument(args, reply);
  if (isOn === null) return;
  ctx.client.setGate(Gate.NO_TOUCH, isOn);
  reply.ok();
}

/** CLIENT PAUSE timeout [WRITE | ALL] */
function clientPauseCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const writesOnly = args.count === 4 && args.is(3, "WRITE");
  if (args.count === 4 && !writesOnly && !args.is(3, "ALL")) {
    reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    return;
  }
  const timeout = parseInt64(args.bytes, args.start[2], args.end[2]);
  const { nowMs } = ctx.keyspace;
  if (timeout === null) reply.error("ERR timeout is not an integer or out of range");
  else if (timeout < 0n) reply.error("ERR timeout is negative");
  else if (timeout > INT64_MAX - BigInt(nowMs)) reply.error("ERR timeout is out of range");
  else {
    ctx.server.pauseClients(nowMs + Number(timeout), writesOnly);
    reply.ok();
  }
}

/**
 * CLIENT REPLY ON | OFF | SKIP. OFF and SKIP are not answered. A SKIP that is itself skipped skips
 * the request after it, too.
 */
function clientReplyCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { client } = ctx;
  if (args.is(2, "ON")) {
    client.replyMode = ReplyMode.ON;
    client.setGate(Gate.REPLY_MUTED, false);
    reply.ok();
  } else if (args.is(2, "OFF")) {
    client.replyMode = ReplyMode.OFF;
    client.setGate(Gate.REPLY_MUTED, true);
  } else if (!args.is(2, "SKIP")) reply.error(errors.SYNTAX);
  else if (client.replyMode !== ReplyMode.OFF) {
    const isSkipped = client.replyMode === ReplyMode.SKIP;
    client.replyMode = isSkipped ? ReplyMode.SKIP_NEXT : ReplyMode.SKIP;
    client.setGate(Gate.REPLY_MUTED, true);
  }
}

/** CLIENT SETINFO LIB-NAME name | LIB-VER version */
function clientSetinfoCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const isName = args.is(2, "LIB-NAME");
  if (!isName && !args.is(2, "LIB-VER")) {
    reply.error(`ERR Unrecognized option '${beforeNul(args.text(2))}'`);
    return;
  }
  const value = args.text(3);
  if (!isClientAttribute(value)) {
    reply.error(
      `ERR ${beforeNul(args.text(2))} cannot contain spaces, newlines or special characters.`,
    );
    return;
  }
  if (isName) ctx.client.libraryName = value;
  else ctx.client.libraryVersion = value;
  reply.ok();
}

/** CLIENT SETNAME name */
function clientSetnameCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const name = args.text(2);
  if (!isClientAttribute(name)) {
    reply.error(INVALID_CLIENT_NAME);
    return;
  }
  ctx.client.name = name;
  reply.ok();
}

/** CLIENT UNBLOCK client-id [TIMEOUT | ERROR] */
function clientUnblockCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const byError = args.count === 4 && args.is(3, "ERROR");
  if (args.count === 4 && !byError && !args.is(3, "TIMEOUT")) {
    reply.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    return;
  }
  const id = parseInt64(args.bytes, args.start[2], args.end[2]);
  if (id === null) {
    reply.error(errors.NOT_AN_INTEGER);
    return;
  }
  const wait = ctx.clients.find(Number(id))?.wait ?? null;
  if (wait !== null) {
    ctx.server.unblock(wait, byError ? "UNBLOCKED client unblocked via CLIENT UNBLOCK" : null);
  }
  reply.integer(wait === null ? 0 : 1);
}

/** CLIENT UNPAUSE */
function clientUnpauseCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  ctx.server.unpauseClients();
  reply.ok();
}

/** ON or OFF at argument 2; null after an error reply. */
function switchArgument(args: Args, reply: ReplyWriter): boolean | null {
  if (args.is(2, "ON")) return true;
  if (args.is(2, "OFF")) return false;
  reply.error(errors.SYNTAX);
  return null;
}
