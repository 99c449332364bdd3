import { expect, test } from "bun:test";
import { latin1FromBytes } from "../../../src/base/ascii.ts";
import { Gate } from "../../../src/session/client.ts";
import { PubSub, SubscriptionKind } from "../../../src/session/pubsub.ts";
import { Pushes } from "../../../src/session/push-log.ts";
import { listeningClient } from "../../support/listening-client.ts";

const KINDS = [
  SubscriptionKind.CHANNEL,
  SubscriptionKind.PATTERN,
  SubscriptionKind.SHARD_CHANNEL,
] as const;

function makePubSub(): PubSub {
  return new PubSub(
    new Pushes(
      (run) => run(),
      () => null,
    ),
  );
}

function publish(
  pubsub: PubSub,
  kind: SubscriptionKind.CHANNEL | SubscriptionKind.SHARD_CHANNEL,
  channel: string,
  message: string,
): number {
  const bytes = new Uint8Array(Buffer.from(channel + message, "latin1"));
  const view = new DataView(bytes.buffer);
  const at = channel.length;
  return pubsub.publish(kind, bytes, view, 0, at, view, at, bytes.length);
}

test("a message reaches a client once per subscription that fits, channels first", () => {
  const pubsub = makePubSub();
  const { client, writes } = listeningClient(1, 3);
  pubsub.subscribe(client, SubscriptionKind.PATTERN, Buffer.from("a*"));
  pubsub.subscribe(client, SubscriptionKind.PATTERN, Buffer.from("b*"));
  pubsub.subscribe(client, SubscriptionKind.CHANNEL, Buffer.from("ab"));
  pubsub.subscribe(client, SubscriptionKind.CHANNEL, Buffer.from("ab"));
  expect(publish(pubsub, SubscriptionKind.CHANNEL, "ab", "\xff\0")).toBe(2);
  expect(writes.join("")).toBe(
    ">3\r\n$7\r\nmessage\r\n$2\r\nab\r\n$2\r\n\xff\0\r\n" +
      ">4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$2\r\n\xff\0\r\n",
  );
});

test("shard channels are apart from channels and patterns", () => {
  const pubsub = makePubSub();
  const { client, writes } = listeningClient(1, 2);
  pubsub.subscribe(client, SubscriptionKind.SHARD_CHANNEL, Buffer.from("s"));
  pubsub.subscribe(client, SubscriptionKind.PATTERN, Buffer.from("*"));
  expect(publish(pubsub, SubscriptionKind.SHARD_CHANNEL, "s", "m")).toBe(1);
  expect(writes).toEqual(["*3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$1\r\nm\r\n"]);
});

test("nothing is left of a client that is forgotten", () => {
  const pubsub = makePubSub();
  const first = listeningClient(1, 2);
  const second = listeningClient(2, 2);
  for (const kind of KINDS) {
    for (const name of ["a", "b\xff"]) {
      pubsub.subscribe(first.client, kind, Buffer.from(name, "latin1"));
    }
    pubsub.subscribe(second.client, kind, Buffer.from("a"));
  }
  expect([pubsub.clientCount, first.client.gate & Gate.SUBSCRIBED]).toEqual([2, Gate.SUBSCRIBED]);
  pubsub.forget(first.client);
  expect([pubsub.clientCount, first.client.gate]).toEqual([1, Gate.NONE]);
  for (const kind of KINDS) {
    expect([...pubsub.names(kind)].map((name) => latin1FromBytes(name, 0, name.length))).toEqual([
      "a",
    ]);
    expect([pubsub.subscriberCount(kind, "a"), pubsub.count(kind)]).toEqual([1, 1]);
  }
  pubsub.forget(second.client);
  expect([pubsub.clientCount, pubsub.hasListeners]).toEqual([0, false]);
});

test("the gate opens with the last subscription of any kind", () => {
  const pubsub = makePubSub();
  const { client } = listeningClient(1, 2);
  for (const kind of KINDS) pubsub.subscribe(client, kind, Buffer.from("a"));
  for (const kind of KINDS) {
    expect(client.gate).toBe(Gate.SUBSCRIBED);
    pubsub.unsubscribe(client, kind, "a");
    pubsub.unsubscribe(client, kind, "a");
  }
  expect([client.gate, pubsub.clientCount]).toEqual([Gate.NONE, 0]);
});
