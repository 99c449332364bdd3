/** Client libraries that people use, against our server: ioredis, node-redis and Bun's own. */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { RedisClient } from "bun";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { useServer } from "../support/server-process.ts";

describe("JavaScript clients", () => {
  setDefaultTimeout(20_000);
  const server = useServer({ program: "ours" });
  let closers: (() => unknown)[] = [];

  afterEach(async () => {
    for (const close of closers) await close();
    closers = [];
  });

  test("ioredis", async () => {
    const client = new Redis({ host: "127.0.0.1", port: server().port, lazyConnect: true });
    closers.push(() => client.disconnect());
    await client.connect();
    expect(await client.set("ioredis:k", "v", "EX", 100)).toBe("OK");
    expect(await client.get("ioredis:k")).toBe("v");
    expect(await client.getBuffer("ioredis:k")).toEqual(Buffer.from("v"));
    expect(await client.incrby("ioredis:n", 41)).toBe(41);
    expect(await client.mget("ioredis:k", "ioredis:none")).toEqual(["v", null]);
    expect(await client.ttl("ioredis:k")).toBeGreaterThan(0);
    const replies = await client
      .pipeline()
      .set("ioredis:a", "1")
      .incr("ioredis:a")
      .get("ioredis:a")
      .exec();
    expect(replies).toEqual([
      [null, "OK"],
      [null, 2],
      [null, "2"],
    ]);
    expect(await refusalOf(client.call("NOSUCH"))).toContain("unknown command");
    expect(await refusalOf(client.incr("ioredis:k"))).toContain("not an integer");
    expect(await client.del("ioredis:k", "ioredis:n", "ioredis:a")).toBe(3);
    expect(await client.quit()).toBe("OK");
  });

  test("ioredis runs a transaction", async () => {
    const client = new Redis({ host: "127.0.0.1", port: server().port });
    closers.push(() => client.disconnect());
    const replies = await client.multi().set("ioredis:m", "1").incr("ioredis:m").exec();
    expect(replies).toEqual([
      [null, "OK"],
      [null, 2],
    ]);
    await client.del("ioredis:m");
  });

  for (const protocol of [2, 3] as const) {
    test(`node-redis, RESP${protocol}`, async () => {
      const client = createClient({
        socket: { host: "127.0.0.1", port: server().port },
        RESP: protocol,
      });
      closers.push(() => (client.isOpen ? client.destroy() : undefined));
      await client.connect();
      expect(await client.set("node:k", "v", { expiration: { type: "EX", value: 100 } })).toBe(
        "OK",
      );
      expect(await client.get("node:k")).toBe("v");
      expect(await client.set("node:k", "w", { condition: "NX" })).toBeNull();
      expect(await client.incr("node:n")).toBe(1);
      expect(await client.mGet(["node:k", "node:none"])).toEqual(["v", null]);
      expect(await client.exists(["node:k", "node:n"])).toBe(2);
      const found: string[] = [];
      for await (const keys of client.scanIterator({ MATCH: "node:*" })) found.push(...keys);
      expect(found.sort()).toEqual(["node:k", "node:n"]);
      const together = await Promise.all([
        client.incr("node:n"),
        client.incr("node:n"),
        client.get("node:n"),
      ]);
      expect(together).toEqual([2, 3, "3"]);
      expect(await refusalOf(client.sendCommand(["NOSUCH"]))).toContain("unknown command");
      expect(await client.configGet("maxmemory")).toEqual({ maxmemory: "0" });
      expect(await client.del(["node:k", "node:n"])).toBe(2);
      await client.close();
    });
  }

  test("Bun's RedisClient", async () => {
    const client = new RedisClient(`redis://127.0.0.1:${server().port}`);
    closers.push(() => client.close());
    await client.connect();
    expect(await client.set("bun:k", "v")).toBe("OK");
    expect(await client.get("bun:k")).toBe("v");
    expect(await client.get("bun:none")).toBeNull();
    expect(await client.incr("bun:n")).toBe(1);
    expect(await client.expire("bun:k", 100)).toBe(1);
    expect(await client.ttl("bun:k")).toBeGreaterThan(0);
    expect(await client.exists("bun:k")).toBe(true);
    expect(await client.mget("bun:k", "bun:none")).toEqual(["v", null]);
    const pipelined = await Promise.all(Array.from({ length: 200 }, () => client.incr("bun:n")));
    expect(pipelined[199]).toBe(201);
    expect(await refusalOf(client.send("NOSUCH", []))).toContain("unknown command");
    expect(await client.del("bun:k", "bun:n")).toBe(2);
  });

  test("ioredis subscribes", async () => {
    const client = new Redis({ host: "127.0.0.1", port: server().port });
    const subscriber = client.duplicate();
    closers.push(
      () => client.disconnect(),
      () => subscriber.disconnect(),
    );
    const messages = collector();
    subscriber.on("message", (channel, message) => messages.add(`${channel} ${message}`));
    subscriber.on("pmessage", (...parts) => messages.add(parts.join(" ")));
    expect(await subscriber.subscribe("ioredis:a", "ioredis:b")).toBe(2);
    expect(await subscriber.psubscribe("ioredis:?")).toBe(3);
    expect(await client.publish("ioredis:b", "hello")).toBe(2);
    expect(await messages.take(2)).toEqual(["ioredis:b hello", "ioredis:? ioredis:b hello"]);
    expect(await subscriber.ping()).toBe("PONG");
    expect(await subscriber.unsubscribe("ioredis:a", "ioredis:b")).toBe(1);
    expect(await subscriber.punsubscribe("ioredis:?")).toBe(0);
    expect(await subscriber.get("ioredis:none")).toBeNull();
  });

  for (const protocol of [2, 3] as const) {
    test(`node-redis subscribes, RESP${protocol}`, async () => {
      const client = createClient({
        socket: { host: "127.0.0.1", port: server().port },
        RESP: protocol,
      });
      const subscriber = client.duplicate();
      closers.push(
        () => client.destroy(),
        () => subscriber.destroy(),
      );
      await Promise.all([client.connect(), subscriber.connect()]);
      const messages = collector();
      const note = (message: string, channel: string): void =>
        messages.add(`${channel} ${message}`);
      await subscriber.subscribe(["node:a", "node:b"], note);
      await subscriber.pSubscribe("node:?", note);
      await subscriber.sSubscribe("node:s", note);
      expect(await client.publish("node:a", "hello")).toBe(2);
      expect(await client.sPublish("node:s", "shard")).toBe(1);
      expect(await messages.take(3)).toEqual(["node:a hello", "node:a hello", "node:s shard"]);
      await subscriber.unsubscribe();
      await subscriber.pUnsubscribe();
      await subscriber.sUnsubscribe();
      expect(await subscriber.get("node:none")).toBeNull();
      expect(await client.pubSubNumPat()).toBe(0);
    });
  }

  test("Bun's RedisClient subscribes", async () => {
    const client = new RedisClient(`redis://127.0.0.1:${server().port}`);
    const subscriber = new RedisClient(`redis://127.0.0.1:${server().port}`);
    closers.push(
      () => client.close(),
      () => subscriber.close(),
    );
    await Promise.all([client.connect(), subscriber.connect()]);
    const messages = collector();
    await subscriber.subscribe("bun:a", (message, channel) =>
      messages.add(`${channel} ${message}`),
    );
    expect(await client.publish("bun:a", "hello")).toBe(1);
    expect(await messages.take(1)).toEqual(["bun:a hello"]);
    await subscriber.unsubscribe("bun:a");
    expect(await client.publish("bun:a", "nobody")).toBe(0);
  });

  test("a password is asked for", async () => {
    const admin = new Redis({ host: "127.0.0.1", port: server().port });
    closers.push(() => admin.disconnect());
    await admin.config("SET", "requirepass", "secret");
    try {
      const client = createClient({ url: `redis://:secret@127.0.0.1:${server().port}` });
      closers.push(() => (client.isOpen ? client.destroy() : undefined));
      await client.connect();
      expect(await client.ping()).toBe("PONG");
      await client.close();
      const other = new RedisClient(`redis://:secret@127.0.0.1:${server().port}`);
      closers.push(() => other.close());
      expect(await other.send("PING", [])).toBe("PONG");
    } finally {
      await admin.config("SET", "requirepass", "");
    }
  });
});

/** Texts that arrive when they like. */
function collector(): { add(text: string): void; take(count: number): Promise<string[]> } {
  const texts: string[] = [];
  let wake: (() => void) | null = null;
  return {
    add(text) {
      texts.push(text);
      wake?.();
    },
    async take(count) {
      while (texts.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return texts.splice(0, count);
    },
  };
}

/** The message of the error that the promise is rejected with. */
async function refusalOf(reply: Promise<unknown>): Promise<string> {
  try {
    await reply;
  } catch (error) {
    return String(error);
  }
  return "no error";
}
