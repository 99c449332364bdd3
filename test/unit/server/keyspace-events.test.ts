import { expect, test } from "bun:test";
import { NotifyClass } from "../../../src/keyspace/notify.ts";
import { KEYSPACE_EVENT_BITS } from "../../../src/runtime/config/special.ts";
import { KeyspaceEvents, notifiedClasses } from "../../../src/server/keyspace-events.ts";
import { PubSub, SubscriptionKind } from "../../../src/session/pubsub.ts";
import { Pushes } from "../../../src/session/push-log.ts";
import { listeningClient } from "../../support/listening-client.ts";

test("the letters of the directive are the classes of the keyspace", () => {
  expect(KEYSPACE_EVENT_BITS).toEqual({
    K: NotifyClass.KEYSPACE,
    E: NotifyClass.KEYEVENT,
    g: NotifyClass.GENERIC,
    $: NotifyClass.STRING,
    l: NotifyClass.LIST,
    s: NotifyClass.SET,
    h: NotifyClass.HASH,
    z: NotifyClass.ZSET,
    x: NotifyClass.EXPIRED,
    e: NotifyClass.EVICTED,
    t: NotifyClass.STREAM,
    m: NotifyClass.KEY_MISS,
    d: NotifyClass.MODULE,
    n: NotifyClass.NEW,
  });
});

test("without a kind of channel no class is worth an event", () => {
  const { K, E, g, x } = KEYSPACE_EVENT_BITS;
  expect(notifiedClasses(g | x)).toBe(0);
  expect(notifiedClasses(K | g | x)).toBe(g | x);
  expect(notifiedClasses(E | K)).toBe(0);
});

test("an event of a long key goes out on both channels", () => {
  const pubsub = new PubSub(
    new Pushes(
      (run) => run(),
      () => null,
    ),
  );
  const events = new KeyspaceEvents(pubsub);
  const { client, writes } = listeningClient(1, 3);
  pubsub.subscribe(client, SubscriptionKind.PATTERN, Buffer.from("*"));
  const key = new Uint8Array(5000).fill(107);
  const publish = (): void => events.publish("set", 15, new DataView(key.buffer), 1, 5000);
  publish();
  expect(writes).toEqual([]);
  events.kinds = NotifyClass.KEYSPACE | NotifyClass.KEYEVENT;
  publish();
  const name = "k".repeat(4999);
  expect(writes.join("")).toBe(
    `>4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$5015\r\n__keyspace@15__:${name}\r\n$3\r\nset\r\n` +
      `>4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$19\r\n__keyevent@15__:set\r\n$4999\r\n${name}\r\n`,
  );
});
