/**
 * Publish and subscribe. Documentation: the "Pub/Sub" group of Redis's command reference.
 *
 * Confirmations of subscriptions are pushes: one for each channel, which CLIENT REPLY does not mute.
 * They replace the command's reply, so a client counts them as replies in RESP2.
 */
import { latin1FromBytes } from "../base/ascii.ts";
import { globMatch } from "../base/glob.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { type Client, ReplyMode } from "../session/client.ts";
import { SubscriptionKind } from "../session/pubsub.ts";
import { containerRow, replyHelp, replyUnknownSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS, keyRange, oneKey } from "./spec.ts";

const SUBSCRIBE_FLAGS = Flag.PUBSUB | Flag.NOSCRIPT | Flag.LOADING | Flag.STALE;
const PUBLISH_FLAGS = Flag.PUBSUB | Flag.LOADING | Flag.STALE | Flag.FAST | Flag.MAY_REPLICATE;
const PUBSUB_FLAGS = Flag.PUBSUB | Flag.LOADING | Flag.STALE;

export const pubsubCommands: readonly CommandSpec[] = [
  {
    name: "psubscribe",
    arity: -2,
    flags: SUBSCRIBE_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: psubscribeCommand,
  },
  {
    name: "publish",
    arity: 3,
    flags: PUBLISH_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: publishCommand,
  },
  containerRow("pubsub"),
  {
    name: "channels",
    parent: "pubsub",
    arity: -2,
    flags: PUBSUB_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: pubsubChannelsCommand,
  },
  {
    name: "help",
    parent: "pubsub",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: pubsubHelpCommand,
  },
  {
    name: "numpat",
    parent: "pubsub",
    arity: 2,
    flags: PUBSUB_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: pubsubNumpatCommand,
  },
  {
    name: "numsub",
    parent: "pubsub",
    arity: -2,
    flags: PUBSUB_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: pubsubNumsubCommand,
  },
  {
    name: "shardchannels",
    parent: "pubsub",
    arity: -2,
    flags: PUBSUB_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: pubsubShardchannelsCommand,
  },
  {
    name: "shardnumsub",
    parent: "pubsub",
    arity: -2,
    flags: PUBSUB_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: pubsubShardnumsubCommand,
  },
  {
    name: "punsubscribe",
    arity: -1,
    flags: SUBSCRIBE_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: punsubscribeCommand,
  },
  {
    name: "spublish",
    arity: 3,
    flags: PUBLISH_FLAGS,
    acl: Acl.NONE,
    keys: oneKey("not_key"),
    run: spublishCommand,
  },
  {
    name: "ssubscribe",
    arity: -2,
    flags: SUBSCRIBE_FLAGS,
    acl: Acl.NONE,
    keys: keyRange("not_key"),
    run: ssubscribeCommand,
  },
  {
    name: "subscribe",
    arity: -2,
    flags: SUBSCRIBE_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: subscribeCommand,
  },
  {
    name: "sunsubscribe",
    arity: -1,
    flags: SUBSCRIBE_FLAGS,
    acl: Acl.NONE,
    keys: keyRange("not_key"),
    run: sunsubscribeCommand,
  },
  {
    name: "unsubscribe",
    arity: -1,
    flags: SUBSCRIBE_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: unsubscribeCommand,
  },
];

/** SUBSCRIBE channel [channel ...] */
function subscribeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  subscribe(ctx, args, reply, SubscriptionKind.CHANNEL, "subscribe");
}

/** PSUBSCRIBE pattern [pattern ...] */
function psubscribeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  subscribe(ctx, args, reply, SubscriptionKind.PATTERN, "psubscribe");
}

/** SSUBSCRIBE shardchannel [shardchannel ...]; unlike the others, not in a transaction. */
function ssubscribeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (!ctx.client.mayBlock) {
    reply.error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    return;
  }
  subscribe(ctx, args, reply, SubscriptionKind.SHARD_CHANNEL, "ssubscribe");
}

/** UNSUBSCRIBE [channel [channel ...]] */
function unsubscribeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  unsubscribe(ctx, args, reply, SubscriptionKind.CHANNEL, "unsubscribe");
}

/** PUNSUBSCRIBE [pattern [pattern ...]] */
function punsubscribeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  unsubscribe(ctx, args, reply, SubscriptionKind.PATTERN, "punsubscribe");
}

/** SUNSUBSCRIBE [shardchannel [shardchannel ...]] */
function sunsubscribeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  unsubscribe(ctx, args, reply, SubscriptionKind.SHARD_CHANNEL, "sunsubscribe");
}

function subscribe(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  kind: SubscriptionKind,
  word: string,
): void {
  const { client, clients } = ctx;
  confirm(ctx, reply, (writer) => {
    for (let i = 1; i < args.count; i++) {
      const name = args.copy(i);
      clients.pubsub.subscribe(client, kind, name);
      writeConfirmation(writer, word, name, subscriptionCount(client, kind));
    }
  });
}

/** Without arguments, all subscriptions of the kind end; if there are none, that is confirmed. */
function unsubscribe(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  kind: SubscriptionKind,
  word: string,
): void {
  const { client, clients } = ctx;
  const names: Uint8Array[] = [];
  for (let i = 1; i < args.count; i++) names.push(args.copy(i));
  if (args.count === 1) {
    for (const name of client.subscriptions?.[kind] ?? []) names.push(Buffer.from(name, "latin1"));
  }
  confirm(ctx, reply, (writer) => {
    for (const name of names) {
      clients.pubsub.unsubscribe(client, kind, latin1FromBytes(name, 0, name.length));
      writeConfirmation(writer, word, name, subscriptionCount(client, kind));
    }
    if (names.length === 0) writeConfirmation(writer, word, null, subscriptionCount(client, kind));
  });
}

/** Writes confirmations: into the reply or, if that is muted, as pushes that follow it. */
function confirm(
  ctx: CommandContext,
  reply: ReplyWriter,
  write: (writer: ReplyWriter) => void,
): void {
  const { client, clients } = ctx;
  if (client.replyMode === ReplyMode.ON) {
    write(reply);
    return;
  }
  const log = clients.pushes.logOf(client);
  const from = log.writer.length;
  write(log.writer);
  clients.pushes.send(client, log, from, log.writer.length);
}

function writeConfirmation(
  writer: ReplyWriter,
  word: string,
  name: Uint8Array | null,
  count: number,
): void {
  writer.push(3);
  writer.bulkText(word);
  if (name === null) writer.nil();
  else writer.bulkBytes(name);
  writer.integer(count);
}

/** Shard channels are counted for themselves, channels and patterns together. */
function subscriptionCount(client: Client, kind: SubscriptionKind): number {
  const { subscriptions } = client;
  if (subscriptions === null) return 0;
  if (kind === SubscriptionKind.SHARD_CHANNEL) return subscriptions[kind].size;
  return (
    subscriptions[SubscriptionKind.CHANNEL].size + subscriptions[SubscriptionKind.PATTERN].size
  );
}

/** PUBLISH channel message */
function publishCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  publish(ctx, args, reply, SubscriptionKind.CHANNEL);
}

/** SPUBLISH shardchannel message */
function spublishCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  publish(ctx, args, reply, SubscriptionKind.SHARD_CHANNEL);
}

/**
 * Messages concern replicas, to whom a request would propagate although it changes nothing; the
 * append-only file, which is the only listener of the log now, must not hold them.
 */
function publish(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  kind: SubscriptionKind.CHANNEL | SubscriptionKind.SHARD_CHANNEL,
): void {
  const { bytes, view, start, end } = args;
  const { pubsub } = ctx.clients;
  reply.integer(pubsub.publish(kind, bytes, view, start[1], end[1], view, start[2], end[2]));
}

/** PUBSUB CHANNELS [pattern] */
function pubsubChannelsCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  replyChannels(ctx, args, reply, SubscriptionKind.CHANNEL);
}

/** PUBSUB SHARDCHANNELS [pattern] */
function pubsubShardchannelsCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  replyChannels(ctx, args, reply, SubscriptionKind.SHARD_CHANNEL);
}

function replyChannels(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  kind: SubscriptionKind,
): void {
  if (args.count > 3) {
    replyUnknownSubcommand(reply, "PUBSUB", args);
    return;
  }
  const names = [...ctx.clients.pubsub.names(kind)].filter(
    (name) =>
      args.count === 2 ||
      globMatch(args.bytes, args.start[2], args.end[2], name, 0, name.length, false),
  );
  reply.array(names.length);
  for (const name of names) reply.bulkBytes(name);
}

/** PUBSUB NUMSUB [channel [channel ...]] */
function pubsubNumsubCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  replySubscribers(ctx, args, reply, SubscriptionKind.CHANNEL);
}

/** PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]] */
function pubsubShardnumsubCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  replySubscribers(ctx, args, reply, SubscriptionKind.SHARD_CHANNEL);
}

function replySubscribers(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  kind: SubscriptionKind,
): void {
  reply.array((args.count - 2) * 2);
  for (let i = 2; i < args.count; i++) {
    reply.bulk(args.view, args.start[i], args.lengthOf(i));
    reply.integer(ctx.clients.pubsub.subscriberCount(kind, args.text(i)));
  }
}

/** PUBSUB NUMPAT */
function pubsubNumpatCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(ctx.clients.pubsub.count(SubscriptionKind.PATTERN));
}

/** PUBSUB HELP */
function pubsubHelpCommand(_ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  replyHelp(reply, "PUBSUB", [
    "CHANNELS [<pattern>]",
    "    Return the currently active channels matching a <pattern> (default: '*').",
    "NUMPAT",
    "    Return number of subscriptions to patterns.",
    "NUMSUB [<channel> ...]",
    "    Return the number of subscribers for the specified channels, excluding",
    "    pattern subscriptions(default: no channels).",
    "SHARDCHANNELS [<pattern>]",
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Return the number of subscribers for the specified shard level channel(s)",
  ]);
}
