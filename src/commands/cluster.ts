/** Commands of cluster clients: this server is never part of a cluster. */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

export const clusterCommands: readonly CommandSpec[] = [
  {
    name: "asking",
    arity: 1,
    flags: Flag.FAST,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: askingCommand,
  },
  {
    name: "readonly",
    arity: 1,
    flags: Flag.LOADING | Flag.STALE | Flag.FAST,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: replyOk,
  },
  {
    name: "readwrite",
    arity: 1,
    flags: Flag.LOADING | Flag.STALE | Flag.FAST,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: replyOk,
  },
];

/** ASKING */
function askingCommand(_ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.error("ERR This instance has cluster support disabled");
}

/** READONLY and READWRITE: what they switch concerns a cluster's replicas only. */
function replyOk(_ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.ok();
}
