/** SAVE, BGSAVE and LASTSAVE. */
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

export const saveCommands: readonly CommandSpec[] = [
  {
    name: "save",
    arity: 1,
    flags: Flag.ADMIN | Flag.NOSCRIPT | Flag.NO_ASYNC_LOADING | Flag.NO_MULTI,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: saveCommand,
  },
  {
    name: "bgsave",
    arity: -1,
    flags: Flag.ADMIN | Flag.NOSCRIPT | Flag.NO_ASYNC_LOADING,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: bgsaveCommand,
  },
  {
    name: "lastsave",
    arity: 1,
    flags: Flag.LOADING | Flag.STALE | Flag.FAST,
    acl: Acl.ADMIN | Acl.DANGEROUS,
    keys: NO_KEYS,
    tips: ["nondeterministic_output"],
    run: lastsaveCommand,
  },
];

/** SAVE */
function saveCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { saving } = ctx.server;
  if (saving.report().isSaving) reply.error("ERR Background save already in progress");
  else if (saving.save()) reply.ok();
  else reply.error("ERR");
}

/** BGSAVE [SCHEDULE | CANCEL] */
function bgsaveCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { saving } = ctx.server;
  const isScheduled = args.count === 2 && args.is(1, "SCHEDULE");
  const isCancelled = args.count === 2 && args.is(1, "CANCEL");
  if (args.count > 1 && !isScheduled && !isCancelled) {
    reply.error(errors.SYNTAX);
    return;
  }
  const text = isCancelled ? saving.cancel() : saving.saveInBackground(isScheduled);
  if (text.startsWith("ERR ")) reply.error(text);
  else reply.simple(text);
}

/** LASTSAVE: before the first save, the time of the start. */
function lastsaveCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(ctx.server.saving.report().lastSaveSeconds);
}
