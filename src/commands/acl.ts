/**
 * ACL, as far as one user goes: who one is, and which commands are in which category. Documentation:
 * "ACL" in Redis's documentation.
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { containerRow, replyHelp, replyUnknownSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import {
  ACL_NAMES,
  Acl,
  type CommandSpec,
  Flag,
  NO_KEYS,
  aclCategories,
  fullName,
} from "./spec.ts";

const QUOTED_CATEGORY_MAX = 128;

export const aclCommands: readonly CommandSpec[] = [
  containerRow("acl"),
  {
    name: "cat",
    parent: "acl",
    arity: -2,
    flags: Flag.NOSCRIPT | Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: aclCatCommand,
  },
  {
    name: "help",
    parent: "acl",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: aclHelpCommand,
  },
  {
    name: "whoami",
    parent: "acl",
    arity: 2,
    flags: Flag.NOSCRIPT | Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: aclWhoamiCommand,
  },
];

const ACL_HELP: readonly string[] = [
  "CAT [<category>]",
  "    List all commands that belong to <category>, or all command categories",
  "    when no category is specified.",
  "DELUSER <username> [<username> ...]",
  "    Delete a list of users.",
  "DRYRUN <username> <command> [<arg> ...]",
  "    Returns whether the user can execute the given command without executing the command.",
  "GETUSER <username>",
  "    Get the user's details.",
  "GENPASS [<bits>]",
  "    Generate a secure 256-bit user password. The optional `bits` argument can",
  "    be used to specify a different size.",
  "LIST",
  "    Show users details in config file format.",
  "LOAD",
  "    Reload users from the ACL file.",
  "LOG [<count> | RESET]",
  "    Show the ACL log entries.",
  "SAVE",
  "    Save the current config to the ACL file.",
  "SETUSER <username> <attribute> [<attribute> ...]",
  "    Create or modify a user with the specified attributes.",
  "USERS",
  "    List all the registered usernames.",
  "WHOAMI",
  "    Return the current connection username.",
];

/** ACL CAT [category] */
function aclCatCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 3) {
    replyUnknownSubcommand(reply, "ACL", args);
    return;
  }
  if (args.count === 2) {
    replyNames(reply, ACL_NAMES);
    return;
  }
  const name = beforeNul(args.text(2));
  const bit = ACL_NAMES.indexOf(name.toLowerCase());
  if (bit < 0) {
    reply.error(`ERR Unknown category '${name.slice(0, QUOTED_CATEGORY_MAX)}'`);
    return;
  }
  const members = ctx.server.commands.filter((spec) => (aclCategories(spec) & (1 << bit)) !== 0);
  replyNames(reply, members.map(fullName));
}

/** ACL HELP */
function aclHelpCommand(_ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  replyHelp(reply, "ACL", ACL_HELP);
}

/** ACL WHOAMI */
function aclWhoamiCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.bulkText(ctx.client.user);
}

function replyNames(reply: ReplyWriter, names: readonly string[]): void {
  reply.array(names.length);
  for (const name of names) reply.bulkText(name);
}
