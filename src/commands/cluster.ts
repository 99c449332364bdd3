/** Commands of cluster clients: this server is never part of a cluster, and says so. */
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
    run: clusterDisabled,
  },
  {
    name: "readonly",
    arity: 1,
    flags: Flag.LOADING | Flag.STALE | Flag.FAST,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: clusterDisabled,
  },
  {
    name: "readwrite",
    arity: 1,
    flags: Flag.LOADING | Flag.STALE | Flag.FAST,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: clusterDisabled,
  },
];

/** ASKING, READONLY and READWRITE */
function clusterDisabled(_ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.error("ERR This instance has cluster support disabled");
}
