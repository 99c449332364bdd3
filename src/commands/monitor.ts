/** MONITOR: shows a client every command that the server runs. See session/monitors.ts. */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { Gate } from "../session/client.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

export const monitorCommands: readonly CommandSpec[] = [
  {
    name: "monitor",
    arity: 1,
    flags: Flag.ADMIN | Flag.NOSCRIPT | Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: monitorCommand,
  },
];

/** MONITOR. One who monitors already gets no second answer. */
function monitorCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { client } = ctx;
  if (!client.mayBlock) {
    reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
    return;
  }
  if ((client.gate & Gate.MONITOR) !== 0) return;
  ctx.observers.monitors.add(client);
  reply.ok();
}
