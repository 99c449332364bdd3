/**
 * Many connections: thousands that do nothing, and waves of them that come and go while others
 * work. docs/benchmarks.md is where speed is measured; here nobody looks at the time.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { formatReply, textOf } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { useServer } from "../support/server-process.ts";

setDefaultTimeout(120_000);

const IDLE = 3000;
const IDLE_BYTES_MAX = 8 * 1024;
const WAVES = 10;
const WAVE = 300;
const WORKERS = 20;

const server = useServer({ program: "ours" });

async function info(client: RespClient, name: string): Promise<number> {
  const text = textOf(await client.must("INFO", "everything"));
  return Number(new RegExp(`^${name}:(\\d+)\r$`, "m").exec(text)?.[1]);
}

/** So many connections, each of which was answered once. */
async function connectMany(count: number): Promise<RespClient[]> {
  const clients: RespClient[] = [];
  while (clients.length < count) {
    const some = Array.from({ length: Math.min(200, count - clients.length) }, async () => {
      const client = await server().connect();
      await client.must("PING");
      return client;
    });
    clients.push(...(await Promise.all(some)));
  }
  return clients;
}

/** Waits until the server has noticed that clients left. */
async function waitForClients(control: RespClient, count: number): Promise<void> {
  while ((await info(control, "connected_clients")) !== count) continue;
}

test("idle connections take a few kilobytes each", async () => {
  const control = await server().connect();
  // What the first connections bring with them is not theirs.
  for (const client of await connectMany(500)) client.close();
  await waitForClients(control, 1);
  const before = await info(control, "used_memory_rss");
  const idle = await connectMany(IDLE);
  expect(await info(control, "connected_clients")).toBe(IDLE + 1);
  const bytes = (await info(control, "used_memory_rss")) - before;
  expect(bytes / IDLE).toBeLessThan(IDLE_BYTES_MAX);
  const [first, last] = [idle[0], idle[IDLE - 1]];
  expect(formatReply(await first.command("SET", "key", "value"))).toBe("+OK");
  expect(textOf(await last.must("GET", "key"))).toBe("value");
  const list = textOf(await control.must("CLIENT", "LIST"));
  expect(list.trimEnd().split("\n").length).toBe(IDLE + 1);
  for (const client of idle) client.close();
  await waitForClients(control, 1);
  control.close();
});

test("storms of connections do not disturb those who work", async () => {
  const control = await server().connect();
  await control.must("CONFIG", "RESETSTAT");
  await control.must("DEL", "counter");
  let isOver = false;
  const work = Array.from({ length: WORKERS }, async (_, i) => {
    const client = await server().connect();
    let rounds = 0;
    while (!isOver || rounds === 0) {
      const value = `${i}:${rounds}`;
      const replies = await client.pipeline([
        ["SET", `worker:${i}`, value],
        ["GET", `worker:${i}`],
        ["INCR", "counter"],
      ]);
      expect(formatReply(replies[1].reply)).toBe(`"${value}"`);
      rounds++;
    }
    client.close();
    return rounds;
  });
  for (let wave = 0; wave < WAVES; wave++) {
    const comers = Array.from({ length: WAVE }, async (_, i) => {
      const client = await server().connect();
      // Some ask something, some leave without a word, some in the middle of a request.
      if (i % 3 === 0) expect(formatReply(await client.command("PING"))).toBe("+PONG");
      else if (i % 3 === 1) client.sendRaw("*2\r\n$3\r\nGET\r\n$10\r\nabc");
      client.close();
    });
    await Promise.all(comers);
  }
  isOver = true;
  const rounds = (await Promise.all(work)).reduce((sum, each) => sum + each, 0);
  expect(textOf(await control.must("GET", "counter"))).toBe(String(rounds));
  // Who leaves at once may still be waiting to be accepted.
  const received = WAVES * WAVE + WORKERS;
  while ((await info(control, "total_connections_received")) < received) continue;
  await waitForClients(control, 1);
  expect(await info(control, "total_connections_received")).toBe(received);
  expect(await info(control, "rejected_connections")).toBe(0);
  expect(await info(control, "mem_clients_normal")).toBeLessThan(100_000);
  control.close();
});
