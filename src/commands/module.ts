/**
 * MODULE: there are no modules, and none can be loaded. A Redis module is a shared library for the
 * C structures of Redis, which this server does not have.
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { containerRow, replyHelp } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { isProtectedActionAllowed } from "./protected-action.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const LOAD_FLAGS = Flag.ADMIN | Flag.NOSCRIPT | Flag.NO_ASYNC_LOADING | Flag.PROTECTED;

export const moduleCommands: readonly CommandSpec[] = [
  containerRow("module"),
  {
    name: "list",
    parent: "module",
    arity: 2,
    flags: Flag.ADMIN | Flag.NOSCRIPT,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: ["nondeterministic_output_order"],
    run: (_ctx, _args, reply) => reply.array(0),
  },
  {
    name: "load",
    parent: "module",
    arity: -3,
    flags: LOAD_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: moduleLoadCommand,
  },
  {
    name: "loadex",
    parent: "module",
    arity: -3,
    flags: LOAD_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: moduleLoadCommand,
  },
  {
    name: "unload",
    parent: "module",
    arity: 3,
    flags: LOAD_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: moduleUnloadCommand,
  },
  {
    name: "help",
    parent: "module",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, "MODULE", HELP),
  },
];

const HELP = [
  "LIST",
  "    Return a list of loaded modules.",
  "LOAD <path> [<arg> ...]",
  "    Load a module library from <path>, passing to it any optional arguments.",
  "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
  "    Load a module library from <path>, while passing it module configurations and optional arguments.",
  "UNLOAD <name>",
  "    Unload a module.",
];

/** MODULE LOAD path [arg ...] and MODULE LOADEX path [CONFIG name value ...] [ARGS arg ...] */
function moduleLoadCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (!isProtectedActionAllowed(ctx, reply, "MODULE", "enable-module-command")) return;
  ctx.log.warning(`Module ${args.text(2)} failed to load: modules are not supported`);
  reply.error("ERR Error loading the extension. Please check the server logs.");
}

/** MODULE UNLOAD name */
function moduleUnloadCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  if (!isProtectedActionAllowed(ctx, reply, "MODULE", "enable-module-command")) return;
  reply.error("ERR Error unloading module: no such module with that name");
}
