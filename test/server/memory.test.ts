/** What used memory counts, and what happens when there is too much of it. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { formatReply, textOf } from "../support/reply.ts";
import { encodeCommand, type RespClient } from "../support/resp-client.ts";
import { useServer } from "../support/server-process.ts";
import { connectUnread } from "../support/unread-client.ts";

setDefaultTimeout(60_000);

async function infoFields(client: RespClient): Promise<ReadonlyMap<string, string>> {
  const lines = textOf(await client.must("INFO", "everything")).split("\r\n");
  return new Map(
    lines.map((line) => {
      const [name, value] = line.split(":");
      return [name, value];
    }),
  );
}

async function infoNumber(client: RespClient, name: string): Promise<number> {
  return Number((await infoFields(client)).get(name));
}

describe("used memory", () => {
  const server = useServer({ program: "ours" });

  test("begins with what the empty server takes", async () => {
    const client = await server().connect();
    const fields = await infoFields(client);
    const number = (name: string) => Number(fields.get(name));
    expect(number("used_memory_startup")).toBeGreaterThan(100_000);
    expect(number("used_memory_startup")).toBeLessThan(16_000_000);
    expect(number("used_memory")).toBeGreaterThanOrEqual(number("used_memory_startup"));
    expect(number("used_memory_overhead")).toBe(number("used_memory"));
    expect(number("used_memory_dataset")).toBe(0);
    client.close();
  });

  test("is overhead and data", async () => {
    const client = await server().connect();
    const before = await infoNumber(client, "used_memory");
    await client.must("SETRANGE", "key", "999999", "x");
    const fields = await infoFields(client);
    const number = (name: string) => Number(fields.get(name));
    expect(number("used_memory") - before).toBeGreaterThan(1_000_000);
    expect(number("used_memory_dataset")).toBe(
      number("used_memory") - number("used_memory_overhead"),
    );
    expect(number("used_memory_dataset")).toBeGreaterThan(1_000_000);
    expect(parseFloat(fields.get("used_memory_dataset_perc") ?? "")).toBeGreaterThan(99);
    client.close();
  });

  test("counts a request that is not complete, until it is gone", async () => {
    const client = await server().connect();
    await client.must("FLUSHALL");
    const before = await infoNumber(client, "used_memory");
    const other = await server().connect();
    other.sendRaw(`*2\r\n$4\r\nECHO\r\n$2000000\r\n${"x".repeat(1_000_000)}`);
    while ((await infoNumber(client, "used_memory")) < before + 1_000_000) continue;
    other.close();
    while ((await infoNumber(client, "used_memory")) !== before) continue;
    client.close();
  });

  test("knows large buffers without being reminded by the cron", async () => {
    const client = await server().connect();
    await client.must("DEBUG", "PAUSE-CRON", "1");
    const before = await infoNumber(client, "used_memory");
    const other = await server().connect();
    other.sendRaw(`*2\r\n$4\r\nECHO\r\n$2000000\r\n${"x".repeat(1_000_000)}`);
    while ((await infoNumber(client, "used_memory")) < before + 1_000_000) continue;
    other.close();
    while ((await infoNumber(client, "used_memory")) >= before + 1_000_000) continue;
    await client.must("DEBUG", "PAUSE-CRON", "0");
    client.close();
  });
});

describe("maxmemory and maxmemory-clients", () => {
  const server = useServer({ program: "ours" });

  test("evict clients that do not read, not keys in their place", async () => {
    const client = await server().connect();
    await client.must("CLIENT", "NO-EVICT", "ON");
    for (let i = 0; i < 30; i++) await client.must("SETRANGE", `key:${i}`, "99999", "x");
    const limit = (await infoNumber(client, "used_memory")) + 2_000_000;
    await client.must("CONFIG", "SET", "maxmemory-clients", "1mb");
    await client.must("CONFIG", "SET", "maxmemory", `${limit}`, "maxmemory-policy", "allkeys-lru");
    const unread = await Promise.all(
      Array.from({ length: 10 }, () =>
        connectUnread(server().port, encodeCommand(["SUBSCRIBE", "channel"])),
      ),
    );
    const message = "x".repeat(200_000);
    while ((await infoNumber(client, "evicted_clients")) === 0) {
      await client.must("PUBLISH", "channel", message);
    }
    expect(await infoNumber(client, "evicted_keys")).toBe(0);
    expect(formatReply(await client.command("DBSIZE"))).toBe(":30");
    for (const socket of unread) socket.end();
    client.close();
  });
});

describe("import-mode", () => {
  const server = useServer({ program: "ours" });

  test("keeps expired keys for the import source, and hides them from others", async () => {
    const client = await server().connect();
    const source = await server().connect();
    expect(formatReply(await source.command("CLIENT", "IMPORT-SOURCE", "ON"))).toContain(
      "Server is not in import mode",
    );
    await client.must("CONFIG", "SET", "import-mode", "yes");
    await source.must("CLIENT", "IMPORT-SOURCE", "ON");
    await source.must("SET", "key", "1", "PX", "1");
    while (formatReply(await client.command("GET", "key")) !== "null bulk") continue;
    expect(formatReply(await client.command("KEYS", "*"))).toBe("array (empty)");
    expect(formatReply(await client.command("DBSIZE"))).toBe(":1");
    expect(formatReply(await source.command("GET", "key"))).toBe('"1"');
    expect(formatReply(await source.command("INCR", "key"))).toBe(":2");
    expect(textOf(await source.must("RANDOMKEY"))).toBe("key");
    await client.must("CONFIG", "SET", "import-mode", "no");
    while (formatReply(await client.command("DBSIZE")) !== ":0") continue;
    source.close();
    client.close();
  });
});
