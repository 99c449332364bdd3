/**
 * COMMAND DOCS of Pub/Sub.
 */
import { many, optional, pattern, string } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const pubsubDocs = (): CommandDocTable => ({
  group: "pubsub",
  commands: {
    psubscribe: {
      summary: "Subscribes to all channels that match a pattern.",
      since: "2.0.0",
      complexity: "O(N) with N the number of patterns given.",
      args: [many(pattern("pattern"))],
    },
    publish: {
      summary: "Sends a message to a channel.",
      since: "2.0.0",
      complexity:
        "O(N+M) with N the number of subscribers of the channel and M the number of subscribed " +
        "patterns.",
      args: [string("channel"), string("message")],
    },
    pubsub: {
      summary: "Groups the commands that look at Pub/Sub.",
      since: "2.8.0",
      complexity: "That of the subcommand.",
    },
    "pubsub|channels": {
      summary: "Lists the channels that have subscribers.",
      since: "2.8.0",
      complexity: "O(N) with N the number of such channels, for short names and patterns.",
      args: [optional(pattern("pattern"))],
    },
    "pubsub|help": {
      summary: "Lists the PUBSUB subcommands.",
      since: "6.2.0",
      complexity: "O(1)",
    },
    "pubsub|numpat": {
      summary: "Returns the number of distinct subscribed patterns.",
      since: "2.8.0",
      complexity: "O(1)",
    },
    "pubsub|numsub": {
      summary: "Returns the number of subscribers of channels.",
      since: "2.8.0",
      complexity: "O(N) with N the number of channels given.",
      args: [optional(many(string("channel")))],
    },
    "pubsub|shardchannels": {
      summary: "Lists the shard channels that have subscribers.",
      since: "7.0.0",
      complexity: "O(N) with N the number of such channels, for short names and patterns.",
      args: [optional(pattern("pattern"))],
    },
    "pubsub|shardnumsub": {
      summary: "Returns the number of subscribers of shard channels.",
      since: "7.0.0",
      complexity: "O(N) with N the number of channels given.",
      args: [optional(many(string("shardchannel")))],
    },
    punsubscribe: {
      summary: "Ends subscriptions to patterns.",
      since: "2.0.0",
      complexity: "O(N) with N the number of patterns given.",
      args: [optional(many(pattern("pattern")))],
    },
    spublish: {
      summary: "Sends a message to a shard channel.",
      since: "7.0.0",
      complexity: "O(N) with N the number of subscribers of the channel.",
      args: [string("shardchannel"), string("message")],
    },
    ssubscribe: {
      summary: "Subscribes to shard channels.",
      since: "7.0.0",
      complexity: "O(N) with N the number of channels given.",
      args: [many(string("shardchannel"))],
    },
    subscribe: {
      summary: "Subscribes to channels.",
      since: "2.0.0",
      complexity: "O(N) with N the number of channels given.",
      args: [many(string("channel"))],
    },
    sunsubscribe: {
      summary: "Ends subscriptions to shard channels.",
      since: "7.0.0",
      complexity: "O(N) with N the number of channels given.",
      args: [optional(many(string("shardchannel")))],
    },
    unsubscribe: {
      summary: "Ends subscriptions to channels.",
      since: "2.0.0",
      complexity: "O(N) with N the number of channels given.",
      args: [optional(many(string("channel")))],
    },
  },
});
