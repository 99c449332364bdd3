/**
 * Kills a server again and again while clients write, and looks at what it has after each start:
 * what was confirmed is there, and no transaction is half there. CRASH_ROUNDS sets how often.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { useProcesses } from "../support/our-process.ts";
import { textOf } from "../support/reply.ts";
import { RespClient } from "../support/resp-client.ts";
import { type Random, seedOfRun, withSeed } from "../support/seed.ts";
import { freePort } from "../support/server-process.ts";

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 20);
const WRITERS = 8;
const TURNS_MAX = 400;
/** What appendfsync everysec may lose. */
const LOSS_MS = 2000;

setDefaultTimeout(30_000 + ROUNDS * 5_000);
const { start } = useProcesses();

/** One client and the numbers that it has written. */
class Writer {
  /** Numbers that were confirmed, and when. */
  readonly confirmed: { n: number; atMs: number }[] = [];
  sent = 0;

  constructor(readonly name: string) {}

  /** Writes until the server is gone. */
  async run(port: number, onTurn: () => void): Promise<void> {
    const client = await RespClient.connect(port);
    try {
      for (;;) {
        const n = ++this.sent;
        const replies = await client.pipeline([
          ["MULTI"],
          ["SET", `a:${this.name}`, n],
          ["RPUSH", `list:${this.name}`, n],
          ["SET", `b:${this.name}`, n],
          ["EXEC"],
          ["SET", `c:${this.name}`, n],
        ]);
        if (replies.length < 6) return;
        this.confirmed.push({ n, atMs: performance.now() });
        onTurn();
      }
    } catch {
      // The server was killed.
    } finally {
      client.close();
    }
  }

  /** The last number that was confirmed before a moment. */
  confirmedBefore(atMs: number): number {
    return this.confirmed.findLast((each) => each.atMs < atMs)?.n ?? 0;
  }
}

async function numberAt(client: RespClient, ...command: string[]): Promise<number> {
  const reply = await client.must(...command);
  return reply.type === "integer"
    ? Number(reply.value)
    : reply.type === "null"
      ? 0
      : Number(textOf(reply));
}

/** What the server has of a writer is whole, and not less than was confirmed until `untilMs`. */
async function check(client: RespClient, writer: Writer, untilMs: number): Promise<void> {
  const { name } = writer;
  const a = await numberAt(client, "GET", `a:${name}`);
  const b = await numberAt(client, "GET", `b:${name}`);
  const c = await numberAt(client, "GET", `c:${name}`);
  const last = await numberAt(client, "LINDEX", `list:${name}`, "-1");
  const before = await numberAt(client, "LINDEX", `list:${name}`, "-2");
  // A transaction is whole or missing; what follows it is never there without it.
  expect([b, last]).toEqual([a, a]);
  expect([a, before]).toContain(c);
  expect(c).toBeGreaterThanOrEqual(writer.confirmedBefore(untilMs));
  expect(a).toBeLessThanOrEqual(writer.sent);
  await client.must("SET", `c:${name}`, a);
}

async function kill(random: Random, policy: string, lossMs: number): Promise<void> {
  const writers = Array.from({ length: WRITERS }, (_, i) => new Writer(String(i)));
  let killedMs = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const port = freePort();
    const common = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
    const server = start([...common, "--appendonly", "yes", "--appendfsync", policy]);
    await server.logged("Ready to accept connections");
    const client = await RespClient.connect(port);
    for (const writer of writers) await check(client, writer, killedMs - lossMs);
    if (random.oneIn(2)) await client.must("BGREWRITEAOF");
    const enough = Promise.withResolvers<void>();
    let turnsLeft = 1 + random.below(TURNS_MAX);
    const runs = writers.map((writer) =>
      writer.run(port, () => {
        if (--turnsLeft === 0) enough.resolve();
      }),
    );
    await enough.promise;
    await server.stop();
    killedMs = performance.now();
    await Promise.all(runs);
    client.close();
  }
}

test.each([
  ["always", 0],
  ["everysec", LOSS_MS],
])("appendfsync %s survives kills", async (policy, lossMs) => {
  await withSeed("test/server/append-only-crash.test.ts", seedOfRun(), (random) =>
    kill(random, policy, lossMs),
  );
});
