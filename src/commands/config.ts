/** CONFIG: reads and changes the configuration while the server runs. */
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { containerRow, replyHelp } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { isLocalClient } from "./protected-action.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const ADMIN_FLAGS = Flag.ADMIN | Flag.NOSCRIPT | Flag.LOADING | Flag.STALE;
const ON_ALL_NODES = ["request_policy:all_nodes", "response_policy:all_succeeded"];

export const configCommands: readonly CommandSpec[] = [
  containerRow("config"),
  {
    name: "get",
    parent: "config",
    arity: -3,
    flags: ADMIN_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: configGetCommand,
  },
  {
    name: "set",
    parent: "config",
    arity: -4,
    flags: ADMIN_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: ON_ALL_NODES,
    secrets: configSetSecrets,
    run: configSetCommand,
  },
  {
    name: "resetstat",
    parent: "config",
    arity: 2,
    flags: ADMIN_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: ON_ALL_NODES,
    run: configResetStatCommand,
  },
  {
    name: "rewrite",
    parent: "config",
    arity: 2,
    flags: ADMIN_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: ON_ALL_NODES,
    run: configRewriteCommand,
  },
  {
    name: "help",
    parent: "config",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, "CONFIG", HELP),
  },
];

const HELP = [
  "GET <pattern>",
  "    Return parameters matching the glob-like <pattern> and their values.",
  "SET <directive> <value>",
  "    Set the configuration <directive> to <value>.",
  "RESETSTAT",
  "    Reset statistics reported by the INFO command.",
  "REWRITE",
  "    Rewrite the configuration file.",
];

/** CONFIG GET pattern [pattern ...] */
function configGetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const found = ctx.config.get(textsFrom(args, 2));
  reply.map(found.length / 2);
  for (const text of found) reply.bulkText(text);
}

/** CONFIG SET directive value [directive value ...] */
function configSetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const error = ctx.config.set(textsFrom(args, 2), {
    isLocalClient: isLocalClient(ctx.client),
    loadingError: ctx.server.loadingReport() === null ? null : errors.LOADING,
  });
  if (error === null) reply.ok();
  else reply.error(error);
}

/** Values of passwords and their like. */
function configSetSecrets(ctx: CommandContext, args: Args): number[] {
  const secrets: number[] = [];
  for (let i = 2; i + 1 < args.count; i += 2) {
    if (ctx.config.isSensitive(args.text(i))) secrets.push(i + 1);
  }
  return secrets;
}

/** CONFIG RESETSTAT */
function configResetStatCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { keyspace, stats } = ctx;
  stats.reset();
  keyspace.resetStats();
  reply.ok();
}

/** CONFIG REWRITE */
function configRewriteCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const error = ctx.server.rewriteConfig(false);
  if (error === null) reply.ok();
  else reply.error(error);
}

function textsFrom(args: Args, first: number): string[] {
  const texts: string[] = [];
  for (let i = first; i < args.count; i++) texts.push(args.text(i));
  return texts;
}
