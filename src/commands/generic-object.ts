/** OBJECT: how a key is stored and used, for people who look into the server. */
import { VALUE_TYPES } from "../keyspace/value-types.ts";
import { metaOf, typeOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { containerRow, replyHelp } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const SWITCHING =
  "Please note that when switching between policies at runtime LRU and LFU data will take some " +
  "time to adjust.";
const IDLE_TIME_NOT_TRACKED = `ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`;
const FREQUENCY_NOT_TRACKED = `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`;

const HELP = [
  "ENCODING <key>",
  "    Return the kind of internal representation used in order to store the value",
  "    associated with a <key>.",
  "FREQ <key>",
  "    Return the access frequency index of the <key>. The returned integer is",
  "    proportional to the logarithm of the recent access frequency of the key.",
  "IDLETIME <key>",
  "    Return the idle time of the <key>, that is the approximated number of",
  "    seconds elapsed since the last access to the key.",
  "REFCOUNT <key>",
  "    Return the number of references of the value associated with the specified",
  "    <key>.",
];

export const genericObjectCommands: readonly CommandSpec[] = [
  containerRow("object"),
  objectRow("encoding", (ctx, record, reply) => {
    const { arena } = ctx.keyspace;
    reply.bulkText(VALUE_TYPES[typeOf(metaOf(arena, record))].encodingName(arena, record));
  }),
  objectRow("freq", (ctx, record, reply) => {
    if (ctx.keyspace.usesLfu) reply.integer(ctx.keyspace.frequency(record));
    else reply.error(FREQUENCY_NOT_TRACKED);
  }),
  {
    name: "help",
    parent: "object",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.KEYSPACE,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, "OBJECT", HELP),
  },
  objectRow("idletime", (ctx, record, reply) => {
    if (ctx.keyspace.usesLfu) reply.error(IDLE_TIME_NOT_TRACKED);
    else reply.integer(ctx.keyspace.idleSeconds(record));
  }),
  // Values are never shared.
  objectRow("refcount", (_ctx, _record, reply) => reply.integer(1)),
];

/** A subcommand that looks at one key, without touching it. Null for a missing key. */
function objectRow(
  name: string,
  show: (ctx: CommandContext, record: number, reply: ReplyWriter) => void,
): CommandSpec {
  return {
    name,
    parent: "object",
    arity: 3,
    flags: Flag.READONLY,
    acl: Acl.KEYSPACE,
    keys: [{ flags: "RO", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } }],
    tips: ["nondeterministic_output"],
    run: (ctx: CommandContext, args: Args, reply: ReplyWriter) => {
      const record = ctx.db.peek(args.view, args.start[2], args.end[2]);
      if (record === 0) reply.nil();
      else show(ctx, record, reply);
    },
  };
}
