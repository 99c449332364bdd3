/** Publish and subscribe over several connections, and keyspace notifications. */
import { expect } from "bun:test";
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, itemsOf, textOf } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";

type Request = readonly Argument[];

describeWithPeers("pub/sub", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("subscribing and publishing", (c) => {
    listen(c, "one", ["SUBSCRIBE", "a", "b"], 2);
    listen(c, "two", ["SUBSCRIBE", "a"], 1);
    c.do("PUBLISH", "a", "hello");
    c.do("PUBLISH", "b", "");
    c.do("PUBLISH", "none", "x");
    read(c, "one", 2);
    read(c, "two", 1);
    listen(c, "one", ["UNSUBSCRIBE", "a", "nosuch"], 2);
    c.do("PUBLISH", "a", "again");
    read(c, "two", 1);
    listen(c, "one", ["UNSUBSCRIBE"], 1);
    c.do("PUBLISH", "b", "nobody");
  });

  // Valkey 8.0 refuses this, later and earlier ones do not.
  suite.testOurs("unsubscribing from nothing", (c) => {
    c.probe("is confirmed", async (client) => {
      for (const word of ["unsubscribe", "punsubscribe", "sunsubscribe"]) {
        for (const name of [null, "a"]) {
          const reply = await client.must(...(name === null ? [word] : [word, name]));
          expect(itemsOf(reply).map((item) => formatReply(item).replace(" bulk", ""))).toEqual([
            `"${word}"`,
            name === null ? "null" : `"${name}"`,
            ":0",
          ]);
        }
      }
      return "";
    });
  });

  suite.test("patterns", (c) => {
    listen(c, "one", ["PSUBSCRIBE", "n.*", "n.?x", "[ab]"], 3);
    listen(c, "one", ["SUBSCRIBE", "n.1"], 1);
    c.do("PUBLISH", "n.1", "x");
    read(c, "one", 2);
    c.do("PUBLISH", "a", "y");
    read(c, "one", 1);
    c.do("PUBLISH", "c", "z");
    c.do("PUBSUB", "NUMPAT");
    listen(c, "one", ["PUNSUBSCRIBE", "n.*"], 1);
    c.do("PUBLISH", "n.1", "x");
    read(c, "one", 1);
  });

  suite.test("shard channels", (c) => {
    listen(c, "one", ["SSUBSCRIBE", "a", "a", "b"], 3);
    listen(c, "one", ["SUBSCRIBE", "a"], 1);
    c.do("SPUBLISH", "a", "s");
    c.do("PUBLISH", "a", "p");
    read(c, "one", 2);
    c.do("PUBSUB", "SHARDNUMSUB", "a", "b", "c");
    c.do("PUBSUB", "NUMSUB", "a", "b", "c");
    c.sorted("PUBSUB", "SHARDCHANNELS");
    c.do("PUBSUB", "SHARDCHANNELS", "a*");
    c.do("PUBSUB", "CHANNELS");
    listen(c, "one", ["SUNSUBSCRIBE", "a"], 1);
    c.do("SPUBLISH", "a", "s");
  });

  suite.test("PUBSUB and its errors", (c) => {
    listen(c, "one", ["SUBSCRIBE", "abc", "abd", "x"], 3);
    c.do("PUBSUB", "NUMSUB");
    c.do("PUBSUB", "NUMSUB", "abc", "none");
    c.sorted("PUBSUB", "CHANNELS", "ab?");
    c.sorted("PUBSUB", "CHANNELS");
    c.do("PUBSUB", "CHANNELS", "q*");
    c.do("PUBSUB", "NUMPAT");
    c.do("PUBSUB", "HELP");
    c.fail("PUBSUB", "CHANNELS", "a", "b");
    c.fail("PUBSUB", "SHARDCHANNELS", "a", "b");
    c.fail("PUBSUB", "NUMPAT", "a");
    c.fail("PUBSUB", "NOSUCH");
    c.fail("PUBSUB");
    c.fail("PUBLISH", "a");
    c.fail("PUBLISH", "a", "b", "c");
    c.fail("SPUBLISH", "a");
    c.fail("SUBSCRIBE");
    c.fail("PSUBSCRIBE");
    c.fail("SSUBSCRIBE");
  });

  suite.test("what a subscriber may do", (c) => {
    transcript(c, [
      [["PING"], 1],
      [["SUBSCRIBE", "a"], 1],
      [["PING"], 1],
      [["PING", "text"], 1],
      [["PING", "a", "b"], 1],
      [["GET", "k"], 1],
      [["NOSUCH"], 1],
      [["GET"], 1],
      [["PUBSUB", "CHANNELS"], 1],
      [["CLIENT", "ID", "x"], 1],
      [["CONFIG", "GET", "maxmemory"], 1],
      [["PSUBSCRIBE", "p*"], 1],
      [["SSUBSCRIBE", "s"], 1],
      [["UNSUBSCRIBE"], 1],
      [["ECHO", "x"], 1],
      [["PUNSUBSCRIBE"], 1],
      [["ECHO", "x"], 1],
      [["SUNSUBSCRIBE"], 1],
      [["ECHO", "x"], 1],
    ]);
  });

  suite.test("RESET and QUIT end subscriptions", (c) => {
    transcript(c, [
      [["SUBSCRIBE", "a", "b"], 2],
      [["PSUBSCRIBE", "p*"], 1],
      [["SSUBSCRIBE", "s"], 1],
      [["RESET"], 1],
      [["PING"], 1],
      [["PUBLISH", "a", "x"], 1],
      [["PUBSUB", "NUMPAT"], 1],
      [["SPUBLISH", "s", "x"], 1],
      [["SUBSCRIBE", "a"], 1],
      [["QUIT"], 1],
    ]);
    c.until(":0", "PUBLISH", "a", "x");
  });

  suite.test("a client that leaves is not counted", (c) => {
    c.probe("its subscriptions end", async (client) => {
      const other = await client.sibling();
      await other.must("SUBSCRIBE", "a");
      await other.must("PSUBSCRIBE", "a*");
      const before = formatReply(await client.must("PUBLISH", "a", "x"));
      other.close();
      while (formatReply(await client.must("PUBLISH", "a", "x")) === before);
      while (formatReply(await client.must("PUBSUB", "NUMPAT")) !== ":0");
      return `${before} ${formatReply(await client.must("PUBSUB", "CHANNELS"))}`;
    });
  });

  suite.test("messages to oneself follow the reply", (c) => {
    c.probe("in a pipeline and in a transaction", async (client) => {
      const self = await client.sibling();
      await self.must("HELLO", "3");
      return bytesOf(self, [
        ["SUBSCRIBE", "a", "b"],
        ["PUBLISH", "a", "1"],
        ["PSUBSCRIBE", "*"],
        ["PING"],
        ["PUBLISH", "a", "2"],
        ["MULTI"],
        ["PING", "x"],
        ["PUBLISH", "a", "3"],
        ["UNSUBSCRIBE", "b"],
        ["PUBLISH", "b", "4"],
        ["PING", "y"],
        ["EXEC"],
        ["SET", "k", "v"],
      ]);
    });
    c.probe("subscribed in the transaction, under RESP2 too", async (client) =>
      bytesOf(await client.sibling(), [
        ["MULTI"],
        ["SUBSCRIBE", "a"],
        ["PUBLISH", "a", "1"],
        ["ECHO", "x"],
        ["PUBLISH", "a", "2"],
        ["SSUBSCRIBE", "s"],
        ["EXEC"],
      ]),
    );
  });

  suite.test("CLIENT REPLY does not mute what is pushed", (c) => {
    c.probe("off and skip", async (client) => {
      const muted = await client.sibling();
      await muted.must("HELLO", "3");
      return bytesOf(muted, [
        ["CLIENT", "REPLY", "OFF"],
        ["SUBSCRIBE", "a"],
        ["PUBLISH", "a", "1"],
        ["PING"],
        ["UNSUBSCRIBE", "a"],
        ["CLIENT", "REPLY", "ON"],
        ["CLIENT", "REPLY", "SKIP"],
        ["PSUBSCRIBE", "a"],
        ["PUBLISH", "a", "1"],
      ]);
    });
  });

  suite.test("protocols side by side", (c) => {
    c.probe("each subscriber gets its own", async (client) => {
      const two = await client.sibling();
      const three = await client.sibling();
      await three.must("HELLO", "3");
      for (const subscriber of [two, three]) {
        await subscriber.must("SUBSCRIBE", "a");
        await subscriber.must("PSUBSCRIBE", "a*");
      }
      await client.must("PUBLISH", "a", new Uint8Array([0, 13, 10, 255]));
      await client.must("PUBLISH", "ab", "x".repeat(100_000));
      let seen = "";
      for (const subscriber of [two, three]) {
        for (let i = 0; i < 3; i++) seen += text((await subscriber.readReply()).raw);
        subscriber.close();
      }
      return seen;
    });
  });

  suite.test("long pipelines of messages arrive complete and in order", (c) => {
    c.probe("to several subscribers of several channels", async (client) => {
      const one = await client.sibling();
      const both = await client.sibling();
      await one.must("SUBSCRIBE", "a");
      await both.must("SUBSCRIBE", "a");
      await both.must("SUBSCRIBE", "b");
      const requests: Request[] = [];
      for (let i = 0; i < 3000; i++) {
        requests.push(["PUBLISH", i % 3 === 0 ? "b" : "a", `${i}${"y".repeat(i % 700)}`]);
      }
      await client.pipeline(requests);
      const hash = new Bun.CryptoHasher("sha256");
      for (let i = 0; i < 2000; i++) hash.update((await one.readReply()).raw);
      for (let i = 0; i < 3000; i++) hash.update((await both.readReply()).raw);
      one.close();
      both.close();
      return hash.digest("hex");
    });
  });

  suite.test("CLIENT LIST and INFO count subscriptions", (c) => {
    c.probe("fields of the line", async (client) => {
      const other = await client.sibling();
      const id = textOf(await other.must("CLIENT", "ID"));
      for (const request of [
        ["SUBSCRIBE", "a"],
        ["PSUBSCRIBE", "p"],
        ["SSUBSCRIBE", "s"],
      ]) {
        await other.must(...request);
      }
      const line = textOf(await client.must("CLIENT", "LIST", "ID", id));
      const fields = line.match(/\b(?:flags|sub|psub|ssub|cmd)=\S*/g)?.join(" ");
      const listed = textOf(await client.must("CLIENT", "LIST", "TYPE", "pubsub"));
      const info = textOf(await client.must("INFO"));
      const counts = info
        .match(/^pubsub\w*:\d+/gm)
        ?.sort()
        .join(" ");
      other.close();
      return `${fields} ${listed.split("\n").length} ${counts}`;
    });
    c.until(":0", "PUBSUB", "NUMPAT");
  });

  suite.test("keyspace notifications", (c) => {
    c.do("CONFIG", "SET", "notify-keyspace-events", "KEAmn");
    listen(c, "one", ["PSUBSCRIBE", "__key*"], 1);
    c.do("SET", "k", "v");
    read(c, "one", 4);
    c.do("APPEND", "k", "w");
    c.do("EXPIRE", "k", "100");
    c.do("RENAME", "k", "other");
    read(c, "one", 8);
    c.do("DEL", "other", "none");
    c.do("GET", "none");
    read(c, "one", 4);
    c.do("SELECT", "3");
    c.do("SET", "k", "v", "PX", "1");
    read(c, "one", 6);
    c.until(":0", "EXISTS", "k");
    c.probe("expired", (client) => eventsUntil(client, "__keyevent@3__:expired", "k"));
    c.do("CONFIG", "SET", "notify-keyspace-events", "");
  });

  suite.test("classes of events, and none of the two kinds of channels", (c) => {
    listen(c, "one", ["PSUBSCRIBE", "*"], 1);
    for (const flags of ["K$", "Eg", "A", "Kx", "E", ""]) {
      c.do("CONFIG", "SET", "notify-keyspace-events", flags);
      c.do("SET", "k", "v");
      c.do("DEL", "k");
      c.do("PUBLISH", "end", flags);
      c.on("one").probe(`what comes with ${flags}`, async (client) => {
        let seen = "";
        for (;;) {
          const { reply, raw } = await client.readReply();
          seen += text(raw);
          if (formatReply(reply).includes('"end"')) return seen;
        }
      });
    }
  });

  suite.test("a slow subscriber is cut off by its own limit", (c) => {
    c.do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
    c.probe("it ends, others do not", async (client) => {
      const slow = await client.sibling();
      await slow.must("SUBSCRIBE", "a");
      const message = "x".repeat(2_000_000);
      while (formatReply(await client.must("PUBLISH", "a", message)) !== ":0");
      slow.close();
      return formatReply(await client.must("PING"));
    });
    c.do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60");
  });
});

/** Sends a request on a connection and compares the `count` replies that it brings. */
function listen(c: Script, connection: string, request: Request, count: number): void {
  c.on(connection).probe(`${connection}: ${request.join(" ")}`, async (client) => {
    client.send(...request);
    return replies(client, count);
  });
}

/** Compares the next `count` pushes of a connection. */
function read(c: Script, connection: string, count: number): void {
  c.on(connection).probe(`${connection} reads ${count}`, (client) => replies(client, count));
}

/** Requests of a connection of its own, each with the number of replies that it brings. */
function transcript(c: Script, requests: readonly (readonly [Request, number])[]): void {
  for (const [request, count] of requests) listen(c, "subscriber", request, count);
}

type Script = Parameters<Parameters<ReturnType<typeof useDifferential>["test"]>[1]>[0];

async function replies(client: RespClient, count: number): Promise<string> {
  let seen = "";
  for (let i = 0; i < count; i++) seen += text((await client.readReply()).raw);
  return seen;
}

/** All bytes that a pipeline brings; the connection ends with it. */
async function bytesOf(client: RespClient, requests: readonly Request[]): Promise<string> {
  client.sendCommands([...requests, ["CLIENT", "REPLY", "ON"], ["QUIT"]]);
  return text(await client.readUntilClosed());
}

/** Subscribes anew, makes a key expire, and waits for the event about it. */
async function eventsUntil(client: RespClient, channel: string, key: string): Promise<string> {
  const listener = await client.sibling();
  await listener.must("SUBSCRIBE", channel);
  await client.must("SET", key, "v", "PX", "1");
  const seen = text((await listener.readReply()).raw);
  listener.close();
  return seen;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
