/** maxmemory-clients: who is disconnected when clients together hold too much. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { formatReply, textOf } from "../support/reply.ts";
import { concatBytes, encodeCommand, type RespClient } from "../support/resp-client.ts";
import { useServer } from "../support/server-process.ts";
import { connectUnread } from "../support/unread-client.ts";

setDefaultTimeout(60_000);

const LIMIT = 3_000_000;
const server = useServer({ program: "ours", directives: { "maxmemory-clients": String(LIMIT) } });

/** A number of the line that CLIENT LIST has for the client "victim"; -1 = there is none. */
async function victim(control: RespClient, field: string): Promise<number> {
  const list = textOf(await control.must("CLIENT", "LIST"));
  const line = list.split("\n").find((each) => each.includes(" name=victim ")) ?? "";
  return Number(new RegExp(` ${field}=(\\d+)`).exec(line)?.[1] ?? -1);
}

async function evictedCount(client: RespClient): Promise<number> {
  const stats = textOf(await client.must("INFO", "stats"));
  return Number(/^evicted_clients:(\d+)\r$/m.exec(stats)?.[1]);
}

/** A protected connection that looks, and one that is looked at. */
async function pair(): Promise<{ control: RespClient; client: RespClient }> {
  const control = await server().connect();
  await control.must("CLIENT", "NO-EVICT", "ON");
  await control.must("CONFIG", "RESETSTAT");
  const client = await server().connect();
  await client.must("CLIENT", "SETNAME", "victim");
  return { control, client };
}

describe("a client is evicted for", () => {
  test("a request that is not complete", async () => {
    const { control, client } = await pair();
    client.sendRaw(`*2\r\n$3\r\nGET\r\n$${LIMIT}\r\n${"x".repeat(LIMIT)}`);
    expect(await client.readUntilClosed()).toEqual(new Uint8Array(0));
    expect(await evictedCount(control)).toBe(1);
    expect(server().stdout()).toContain("Evicting client: id=");
    control.close();
  });

  test("replies that it does not read, before more of its requests run", async () => {
    const { control, client } = await pair();
    client.close();
    await control.must("SET", "big", "x".repeat(1_000_000));
    const get = encodeCommand(["GET", "big"]);
    const commands = Array.from({ length: 900 }, () => get);
    const unread = await connectUnread(
      server().port,
      concatBytes([...commands, encodeCommand(["SET", "ran", "1"])]),
    );
    while ((await evictedCount(control)) === 0) continue;
    expect(formatReply(await control.command("EXISTS", "ran"))).toBe(":0");
    unread.end();
    control.close();
  });

  test("invalidations and messages that others cause and it does not read", async () => {
    const { control, client } = await pair();
    await control.must("CONFIG", "RESETSTAT");
    const key = "k".repeat(200_000);
    const unread = await connectUnread(
      server().port,
      concatBytes([
        encodeCommand(["CLIENT", "SETNAME", "unread"]),
        encodeCommand(["SUBSCRIBE", "__redis__:invalidate", "channel"]),
      ]),
    );
    let id: string | undefined;
    while (id === undefined) {
      const list = textOf(await control.must("CLIENT", "LIST", "TYPE", "pubsub"));
      id = /^id=(\d+) .* name=unread .* cmd=subscribe /m.exec(list)?.[1];
    }
    await client.must("CLIENT", "TRACKING", "ON", "REDIRECT", id, "BCAST");
    while ((await evictedCount(control)) === 0) await control.must("INCR", key);
    const again = await connectUnread(server().port, encodeCommand(["SUBSCRIBE", "channel"]));
    while ((await evictedCount(control)) === 1) await control.must("PUBLISH", "channel", key);
    expect(formatReply(await client.command("PING"))).toBe("+PONG");
    await control.must("DEL", key);
    for (const socket of [unread, again]) socket.end();
    client.close();
    control.close();
  });

  test("the queue of a transaction", async () => {
    const { control, client } = await pair();
    await client.must("MULTI");
    for (let i = 0; i < 3; i++) {
      expect(formatReply(await client.command("SET", "key", "x".repeat(600_000)))).toBe("+QUEUED");
    }
    expect(await evictedCount(control)).toBe(0);
    client.send("SET", "key", "x".repeat(600_000));
    await client.readUntilClosed();
    expect(await evictedCount(control)).toBe(1);
    control.close();
  });

  test("watched keys, subscriptions and prefixes", async () => {
    const { control, client: unused } = await pair();
    unused.close();
    await control.must("CONFIG", "SET", "maxmemory-clients", "200000");
    const names = Array.from({ length: 2000 }, (_, i) => `name:${String(i).padStart(6, "0")}`);
    const prefixes = names.flatMap((name) => ["PREFIX", name]);
    const requests = [
      ["WATCH", ...names],
      ["SUBSCRIBE", ...names],
      ["PSUBSCRIBE", ...names],
      ["SSUBSCRIBE", ...names],
      ["CLIENT", "TRACKING", "ON", "BCAST", ...prefixes],
    ];
    for (const request of requests) {
      await control.must("CONFIG", "RESETSTAT");
      const client = await server().connect();
      if (request[0] === "CLIENT") await client.must("HELLO", "3");
      client.send(...request);
      await client.readUntilClosed();
      expect(await evictedCount(control)).toBe(1);
    }
    await control.must("CONFIG", "SET", "maxmemory-clients", String(LIMIT));
    control.close();
  });
});

test("what a client gives back no longer counts", async () => {
  const { control, client } = await pair();
  const before = await victim(control, "tot-mem");
  await client.must("MULTI");
  await client.must("SET", "key", "x".repeat(1_000_000));
  expect(await victim(control, "tot-mem")).toBeGreaterThan(before + 1_000_000);
  await client.must("DISCARD");
  await client.must("WATCH", "some", "keys");
  expect(await victim(control, "tot-mem")).toBeGreaterThan(before);
  await client.must("UNWATCH");
  const id = formatReply(await control.must("CLIENT", "ID")).slice(1);
  await client.must(
    "CLIENT",
    "TRACKING",
    "ON",
    "BCAST",
    "PREFIX",
    "a",
    "PREFIX",
    "b",
    "REDIRECT",
    id,
  );
  await client.must("CLIENT", "TRACKING", "OFF");
  await client.pipeline([["SUBSCRIBE", "a"], ["UNSUBSCRIBE"]]);
  // The query buffer is kept for a while.
  const buffer = (await victim(control, "qbuf")) + (await victim(control, "qbuf-free"));
  expect((await victim(control, "tot-mem")) - buffer).toBe(before);
  client.close();
  control.close();
});

test("a percentage follows maxmemory", async () => {
  const { control, client } = await pair();
  await control.must("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-clients", "1%");
  client.sendRaw(`*2\r\n$3\r\nGET\r\n$900000\r\n${"x".repeat(1000)}`);
  while ((await victim(control, "tot-mem")) < 900_000) continue;
  expect(await evictedCount(control)).toBe(0);
  await control.must("CONFIG", "SET", "maxmemory", "50mb");
  await client.readUntilClosed();
  expect(await evictedCount(control)).toBe(1);
  await control.must("CONFIG", "SET", "maxmemory", "0", "maxmemory-clients", String(LIMIT));
  control.close();
});

test("DEBUG shows in which buckets clients stand", async () => {
  const { control, client } = await pair();
  await client.must("MULTI");
  await client.must("SET", "key", "x".repeat(40_000));
  const lines = textOf(await control.must("DEBUG", "CLIENT-EVICTION"))
    .trimEnd()
    .split("\n");
  expect(lines.length).toBe(19);
  expect(lines[0]).toMatch(/^bucket {10}0 - {6}32767: tot-mem: +\d+, clients: \d+$/);
  const line = lines.find((each) => each.endsWith("clients: 1")) ?? "";
  expect(line).toMatch(
    /^bucket {6}(32768 - {6}65535|65536 - {5}131071): tot-mem: {5,6}\d+, clients: 1$/,
  );
  expect(lines[18]).toMatch(/^bucket 4294967296\+ {12}: tot-mem: {10}0, clients: 0$/);
  await control.must("CONFIG", "SET", "maxmemory-clients", "0");
  expect(formatReply(await control.command("DEBUG", "CLIENT-EVICTION"))).toBe(
    "-ERR maxmemory-clients is disabled.",
  );
  await control.must("CONFIG", "SET", "maxmemory-clients", String(LIMIT));
  client.close();
  control.close();
});
