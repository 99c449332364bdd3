/**
 * CLIENT LIST, CLIENT INFO and CLIENT KILL: the line that describes a client, and the filters that
 * choose among clients.
 *
 * The line has Valkey 8.1's fields in its order. Some have no counterpart here and are shown as
 * what they mean to a reader: `rbs` and `rbp` are the nominal size and the recent peak of a reply
 * buffer that all connections share, `obl` is 0 because what a peer does not take waits in a list.
 */
import { parseInt64 } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { type Client, Gate } from "../session/client.ts";
import { memoryOf } from "../session/client-memory.ts";
import { SubscriptionKind } from "../session/pubsub.ts";
import { DEFAULT_USER } from "./authentication.ts";
import type { CommandContext } from "./context.ts";
import { fullName } from "./spec.ts";

/** CLIENT LIST [filters] */
export function clientListCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count === 3) {
    reply.error(errors.SYNTAX);
    return;
  }
  const filter = parseFilter(args, reply, false);
  if (filter === null) return;
  let text = "";
  for (const client of ctx.clients.all()) {
    if (matches(ctx, client, filter)) text += `${lineOf(ctx, client, args)}\n`;
  }
  reply.verbatim("txt", text);
}

/** CLIENT INFO */
export function clientInfoCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  reply.verbatim("txt", `${lineOf(ctx, ctx.client, args)}\n`);
}

/** CLIENT KILL address, or CLIENT KILL filters: the old form can kill its own client. */
export function clientKillCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const isOldForm = args.count === 3;
  const filter = isOldForm
    ? { ...emptyFilter(), address: beforeNul(args.text(2)) }
    : parseFilter(args, reply, true);
  if (filter === null) return;
  const victims = [...ctx.clients.all()].filter((client) => matches(ctx, client, filter));
  for (const client of victims) {
    if (client !== ctx.client) ctx.server.disconnect(client);
  }
  if (!isOldForm) reply.integer(victims.length);
  else if (victims.length === 0) reply.error("ERR No such client");
  else reply.ok();
  if (victims.includes(ctx.client)) ctx.client.closing = true;
}

interface ClientFilter {
  ids: Set<bigint> | null;
  address: string | null;
  localAddress: string | null;
  user: string | null;
  /** The class of clients, by its first name; null = all. */
  type: string | null;
  skipsMe: boolean;
  /** Seconds; 0 = any. */
  ageMin: bigint;
}

const CLIENT_TYPES: Readonly<Record<string, string>> = {
  normal: "normal",
  slave: "replica",
  replica: "replica",
  pubsub: "pubsub",
  master: "primary",
  primary: "primary",
};

function emptyFilter(): ClientFilter {
  return {
    ids: null,
    address: null,
    localAddress: null,
    user: null,
    type: null,
    skipsMe: false,
    ageMin: 0n,
  };
}

/** Reads filters from argument 2 on; null after an error reply. */
function parseFilter(args: Args, reply: ReplyWriter, skipsMe: boolean): ClientFilter | null {
  const filter = emptyFilter();
  filter.skipsMe = skipsMe;
  let i = 2;
  while (i < args.count) {
    if (args.is(i, "ID")) {
      i = parseIds(args, i + 1, filter, reply);
      if (i < 0) return null;
      continue;
    }
    const error = i + 1 < args.count ? parseOption(args, i, filter) : errors.SYNTAX;
    if (error !== null) {
      reply.error(error);
      return null;
    }
    i += 2;
  }
  return filter;
}

/** Reads ids up to the next word. The index of that, or -1 after an error reply. */
function parseIds(args: Args, from: number, filter: ClientFilter, reply: ReplyWriter): number {
  filter.ids ??= new Set();
  let i = from;
  for (; i < args.count; i++) {
    const id = parseInt64(args.bytes, args.start[i], args.end[i]);
    if (id === null) break;
    if (id < 1n) {
      reply.error("ERR client-id should be greater than 0");
      return -1;
    }
    filter.ids.add(id);
  }
  return i;
}

/** Takes a filter and its value; an error text or null. */
function parseOption(args: Args, i: number, filter: ClientFilter): string | null {
  const value = beforeNul(args.text(i + 1));
  if (args.is(i, "MAXAGE")) {
    const age = parseInt64(args.bytes, args.start[i + 1], args.end[i + 1]);
    if (age === null) return "ERR maxage is not an integer or out of range";
    if (age <= 0n) return "ERR maxage should be greater than 0";
    filter.ageMin = age;
  } else if (args.is(i, "TYPE")) {
    const type = CLIENT_TYPES[value.toLowerCase()];
    if (type === undefined) return `ERR Unknown client type '${value}'`;
    filter.type = type;
  } else if (args.is(i, "ADDR")) filter.address = value;
  else if (args.is(i, "LADDR")) filter.localAddress = value;
  else if (args.is(i, "USER")) {
    if (value !== DEFAULT_USER) return `ERR No such user '${value}'`;
    filter.user = value;
  } else if (args.is(i, "SKIPME")) {
    if (args.is(i + 1, "YES")) filter.skipsMe = true;
    else if (args.is(i + 1, "NO")) filter.skipsMe = false;
    else return errors.SYNTAX;
  } else return errors.SYNTAX;
  return null;
}

function matches(ctx: CommandContext, client: Client, filter: ClientFilter): boolean {
  if (filter.address !== null && client.address !== filter.address) return false;
  if (filter.localAddress !== null && client.localAddress !== filter.localAddress) return false;
  if (filter.type !== null && clientType(client) !== filter.type) return false;
  if (filter.ids !== null && !filter.ids.has(BigInt(client.id))) return false;
  if (filter.user !== null && client.user !== filter.user) return false;
  if (filter.skipsMe && client === ctx.client) return false;
  return filter.ageMin === 0n || BigInt(ageSeconds(ctx, client)) >= filter.ageMin;
}

function clientType(client: Client): string {
  return (client.gate & Gate.SUBSCRIBED) === 0 ? "normal" : "pubsub";
}

/** The line of a client, while the current one runs the request `args`. */
function lineOf(ctx: CommandContext, client: Client, args: Args): string {
  return describeClient(ctx, client, client === ctx.client ? bytesOfArguments(args) : 0, null);
}

/**
 * The line of a client, whose request at hand has arguments of so many bytes; `redacted`, unless
 * null, stands for what users chose.
 */
export function describeClient(
  ctx: CommandContext,
  client: Client,
  argumentBytes: number,
  redacted: string | null,
): string {
  const { transport } = client;
  const pending = transport.pendingBytes();
  const last = client.lastCommandNumber;
  const fields: readonly (readonly [string, string | number])[] = [
    ["id", client.id],
    ["addr", client.address],
    ["laddr", client.localAddress],
    ["fd", client.descriptor],
    ["name", redacted ?? client.name],
    ["age", ageSeconds(ctx, client)],
    ["idle", idleSeconds(ctx, client)],
    ["flags", flagLetters(client)],
    ["capa", client.capabilities.includes("redirect") ? "r" : ""],
    ["db", client.database],
    ["sub", client.subscriptions?.[SubscriptionKind.CHANNEL].size ?? 0],
    ["psub", client.subscriptions?.[SubscriptionKind.PATTERN].size ?? 0],
    ["ssub", client.subscriptions?.[SubscriptionKind.SHARD_CHANNEL].size ?? 0],
    ["multi", client.queue?.length ?? (client.watched.length > 0 ? 0 : -1)],
    ["watch", client.watched.length],
    ["qbuf", transport.queryBytes()],
    ["qbuf-free", transport.queryBytesFree()],
    ["argv-mem", argumentBytes],
    ["multi-mem", client.queue === null ? 0 : client.queueBytes],
    ["rbs", transport.replyBufferBytes()],
    ["rbp", transport.replyBufferPeak()],
    ["obl", 0],
    ["oll", transport.pendingBuffers()],
    ["omem", pending],
    ["tot-mem", memoryOf(client) + argumentBytes],
    ["events", pending > 0 ? "rw" : "r"],
    ["cmd", last < 0 ? "NULL" : fullName(ctx.server.commands[last])],
    ["user", redacted ?? client.user],
    ["redir", client.tracking?.options.redirect ?? -1],
    ["resp", client.resp],
    ["lib-name", client.libraryName],
    ["lib-ver", client.libraryVersion],
    ["tot-net-in", client.bytesIn],
    ["tot-net-out", client.bytesOut],
    ["tot-cmds", client.commandCount],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

function bytesOfArguments(args: Args): number {
  let bytes = 0;
  for (let i = 0; i < args.count; i++) bytes += args.lengthOf(i);
  return bytes;
}

function ageSeconds(ctx: CommandContext, client: Client): number {
  return secondsBetween(client.createdMs, ctx.keyspace.nowMs);
}

function idleSeconds(ctx: CommandContext, client: Client): number {
  return secondsBetween(client.lastInteractionMs, ctx.keyspace.nowMs);
}

/** Difference of the seconds that both moments are in, as Valkey counts. */
function secondsBetween(fromMs: number, toMs: number): number {
  return Math.floor(toMs / 1000) - Math.floor(fromMs / 1000);
}

function flagLetters(client: Client): string {
  let letters = "";
  if (client.gate & Gate.MONITOR) letters += "O";
  if (client.gate & Gate.SUBSCRIBED) letters += "P";
  if (client.gate & Gate.IN_MULTI) letters += "x";
  if (client.blocked) letters += "b";
  if (client.gate & Gate.TRACKING) letters += "t";
  if (client.tracking?.isBroken) letters += "R";
  if (client.tracking?.options.isBroadcast) letters += "B";
  if (client.watchBroken) letters += "d";
  if (client.closing) letters += "c";
  if (client.isUnix) letters += "U";
  if (client.noEvict) letters += "e";
  if (client.gate & Gate.NO_TOUCH) letters += "T";
  if ((client.gate & Gate.IMPORT_SOURCE) !== 0) letters += "I";
  return letters === "" ? "N" : letters;
}
