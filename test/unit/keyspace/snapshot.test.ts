/**
 * Snapshots against a model: whatever commands run between the steps of a walk, the file holds what
 * was there when it began.
 */
import { describe, expect, test } from "bun:test";
import { Snapshot } from "../../../src/keyspace/snapshot.ts";
import { loadRdb } from "../../../src/persistence/rdb-file-load.ts";
import { MemorySource } from "../../../src/persistence/rdb-file-source.ts";
import {
  RdbSnapshotEncoder,
  type SnapshotFormat,
} from "../../../src/persistence/snapshot-encoder.ts";
import { Engine, type EngineClient } from "../../support/engine.ts";
import { SnapshotMemory } from "../../support/snapshot-memory.ts";
import type { Reply } from "../../support/reply.ts";
import { Random, fuzzBudgetMs, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/keyspace/snapshot.test.ts";
const NOW_MS = 1_700_000_000_000;
const DATABASES = 3;
const KEYS = 60;
const HUGE = 1500;
const seed = seedOfRun();

/** Compaction of everything, at any waste. */
const COMPACTION = {
  enabled: true,
  ignoreBytes: 1,
  thresholdLower: 0,
  thresholdUpper: 100,
  cycleMin: 5,
  cycleMax: 25,
  cycleUs: 500,
};

const FORMAT: SnapshotFormat = {
  version: 0,
  compresses: true,
  clock: "none",
  auxiliary: [["redis-ver", "7.2.4"]],
  functions: [],
};

interface Running {
  readonly engine: Engine;
  readonly client: EngineClient;
  readonly snapshot: Snapshot;
  readonly output: SnapshotMemory;
}

function digestOf(client: EngineClient): string {
  const reply = client.command("DEBUG", "DIGEST");
  return reply?.type === "simple" ? reply.text : "no digest";
}

function isHash(client: EngineClient, key: string): boolean {
  const reply = client.command("TYPE", key);
  return reply?.type === "simple" && reply.text === "hash";
}

function integerOf(reply: Reply | null): number {
  return reply?.type === "integer" ? Number(reply.value) : NaN;
}

function begin(engine: Engine, format: SnapshotFormat = FORMAT): Running {
  const { keyspace } = engine.server;
  const output = new SnapshotMemory();
  const encoder = new RdbSnapshotEncoder(keyspace, format, output);
  const snapshot = new Snapshot(keyspace, engine.clock, encoder, (self, database) =>
    self.drop(database),
  );
  snapshot.start();
  return { engine, client: engine.connect(), snapshot, output };
}

/** A server with what an RDB file holds, at the time of the snapshot. */
function loaded(bytes: Uint8Array, functions: string[] = []): EngineClient {
  const engine = new Engine(NOW_MS, 7);
  const result = loadRdb(new MemorySource(bytes), engine.server.keyspace, {
    log: { debug: () => {}, notice: () => {}, warning: () => {} },
    checksChecksum: true,
    takesNewerVersions: false,
    dropsExpired: false,
    replacesKeys: false,
    functions,
  });
  expect(result.failure).toBeNull();
  return engine.connect();
}

function populate(client: EngineClient, random: Random): void {
  for (let i = 0; i < 400; i++) randomCommand(client, random);
  for (let i = 0; i < HUGE; i++) {
    client.command("SELECT", String(i % DATABASES));
    client.command("SADD", "huge:set", `member:${i}`);
    client.command("HSET", "huge:hash", `field:${i}`, `value:${i}`);
    client.command("ZADD", "huge:zset", String(i / 4), `member:${i}`);
    client.command("RPUSH", "huge:list", "x".repeat(100) + i);
    client.command("XADD", "huge:stream", `${i + 1}-1`, "field", `value:${i}`);
  }
  for (let database = 0; database < DATABASES; database++) {
    client.command("SELECT", String(database));
    client.command("SET", "huge:string", "0123456789".repeat(100_000));
    client.command("SET", "huge:small", "12");
    client.command("HEXPIRE", "huge:hash", "100", "FIELDS", "1", "field:1");
  }
}

function pick(random: Random, choices: readonly string[]): string {
  return choices[random.below(choices.length)];
}

const HUGE_KEYS = ["huge:set", "huge:hash", "huge:zset", "huge:list", "huge:stream", "huge:string"];
const ALL_KEYS = [...Array.from({ length: KEYS }, (_, i) => `key:${i}`), ...HUGE_KEYS];

function keyOf(random: Random): string {
  return random.below(20) > 0 ? `key:${random.below(KEYS)}` : pick(random, HUGE_KEYS);
}

/** Any command that may change something, on any key, of the right type or not. */
function randomCommand(client: EngineClient, random: Random): void {
  const key = keyOf(random);
  const other = keyOf(random);
  const member = `m${random.below(40)}`;
  const number = String(random.below(1000));
  const seconds = String(1 + random.below(100));
  const database = String(random.below(DATABASES));
  const commands: readonly (readonly string[])[] = [
    ["SELECT", database],
    ["SET", key, `value ${number}`.repeat(1 + random.below(9))],
    ["SET", key, number, "EX", seconds],
    ["SETRANGE", key, String(random.below(30)), member],
    ["APPEND", key, member],
    ["INCR", key],
    ["INCRBYFLOAT", key, "1.5"],
    ["GETEX", key, "EX", seconds],
    ["GETEX", key, "PERSIST"],
    ["GETDEL", key],
    ["SETBIT", key, number, "1"],
    ["BITOP", "OR", key, other, key],
    ["PFADD", key, member, number],
    ["PFCOUNT", key],
    ["PFMERGE", key, other],
    ["DEL", key],
    ["UNLINK", key],
    ["RENAME", key, other],
    ["COPY", key, other, "REPLACE"],
    ["COPY", key, other, "DB", database, "REPLACE"],
    ["MOVE", key, database],
    ["SWAPDB", database, String(random.below(DATABASES))],
    ["EXPIRE", key, seconds],
    ["PERSIST", key],
    ["LPUSH", key, member, number],
    ["RPUSH", key, "long".repeat(50)],
    ["LPOP", key],
    ["RPOPLPUSH", key, other],
    ["LINSERT", key, "BEFORE", number, member],
    ["LSET", key, "0", member],
    ["LTRIM", key, "1", "-2"],
    ["LREM", key, "0", member],
    ["SORT", key, "ALPHA", "STORE", other],
    ["SADD", key, member, number],
    ["SREM", key, member],
    ["SPOP", key],
    ["SMOVE", key, other, member],
    ["SUNIONSTORE", key, other, key],
    ["HSET", key, member, number],
    ["HSET", key, `long field ${member}`.repeat(8), number],
    ["HDEL", key, member],
    ["HINCRBY", key, member, "3"],
    ["HEXPIRE", key, seconds, "FIELDS", "2", member, "m1"],
    ["HGETEX", key, "EX", seconds, "FIELDS", "1", member],
    ["HPERSIST", key, "FIELDS", "1", member],
    ["ZADD", key, number, member],
    ["ZINCRBY", key, "1.25", member],
    ["ZREM", key, member],
    ["ZPOPMIN", key],
    ["ZUNIONSTORE", key, "2", key, other],
    ["ZREMRANGEBYRANK", key, "0", "1"],
    ["GEOADD", key, "13.3", "38.1", member],
    ["XADD", key, "*", member, number],
    ["XADD", "huge:stream", "*", member, number],
    ["XTRIM", key, "MAXLEN", "5"],
    ["XGROUP", "CREATE", key, "group", "0"],
    ["XREADGROUP", "GROUP", "group", member, "COUNT", "2", "STREAMS", key, ">"],
    ["XAUTOCLAIM", key, "group", member, "0", "0"],
    ["XGROUP", "DELCONSUMER", key, "group", member],
    ["XSETID", key, `9${number}-1`],
    ["RESTORE", key, "0", "nonsense"],
  ];
  client.command(...commands[random.below(commands.length)]);
}

describe("a snapshot", () => {
  test(
    `holds what was there when it began (seed ${seed})`,
    () =>
      withSeed(FILE, seed, (random) => {
        const deadline = Bun.nanoseconds() + fuzzBudgetMs(200) * 1e6;
        do {
          const prng = random;
          const directives = `list-compress-depth ${prng.below(3)}\n`;
          const engine = new Engine(NOW_MS, prng.next(), directives);
          const client = engine.connect();
          populate(client, prng);
          const before = digestOf(client);
          const running = begin(engine);
          const { snapshot, output } = running;
          const isQuiet = prng.below(4) === 0;
          const { compactor, expiry } = engine.server.keyspace;
          compactor.configure(COMPACTION);
          while (!snapshot.run(0)) {
            for (let i = prng.below(isQuiet ? 2 : 30); i > 0; i--) randomCommand(client, prng);
            if (prng.below(100) > 0) continue;
            engine.clock.advanceMs(3000);
            engine.server.tick();
            expiry.runSlow(1000);
            compactor.pace();
            compactor.run();
          }
          expect(snapshot.failure).toBeNull();
          expect(snapshot.keysDone).toBe(snapshot.keysTotal);
          expect(engine.server.keyspace.snapshot).toBeNull();
          expect(digestOf(loaded(output.file()))).toBe(before);
          engine.stop();
        } while (Bun.nanoseconds() < deadline);
      }),
    60_000 + fuzzBudgetMs(0),
  );

  test("keeps when keys and fields expire", () => {
    const engine = new Engine(NOW_MS);
    const { client, snapshot, output } = (() => {
      const setUp = engine.connect();
      setUp.command("SET", "key", "value", "PXAT", "1800000000123");
      setUp.command("HSET", "hash", "a", "1", "b", "2", "c", "3");
      setUp.command("HPEXPIREAT", "hash", "1800000000456", "FIELDS", "1", "a");
      setUp.command("HPEXPIREAT", "hash", "1900000000789", "FIELDS", "1", "b");
      return begin(engine);
    })();
    client.command("PERSIST", "key");
    client.command("HPERSIST", "hash", "FIELDS", "2", "a", "b");
    while (!snapshot.run(Infinity));
    const copy = loaded(output.file());
    expect(integerOf(copy.command("PEXPIRETIME", "key"))).toBe(1_800_000_000_123);
    const times = copy.command("HPEXPIRETIME", "hash", "FIELDS", "3", "a", "b", "c");
    expect(times?.type === "array" ? times.items.map(integerOf) : null).toEqual([
      1_800_000_000_456, 1_900_000_000_789, -1,
    ]);
    engine.stop();
  });

  test("keeps the code of functions", () => {
    const engine = new Engine(NOW_MS);
    const code = `#!lua name=library\n${"-- long enough to be compressed ".repeat(20)}`;
    const { snapshot, output } = begin(engine, { ...FORMAT, functions: [code, "#!js name=b\n"] });
    while (!snapshot.run(Infinity));
    const functions: string[] = [];
    loaded(output.file(), functions);
    expect(functions).toEqual([code, "#!js name=b\n"]);
    engine.stop();
  });

  test("leaves out what is left of a database that is emptied", () => {
    const engine = new Engine(NOW_MS);
    const client = engine.connect();
    for (let i = 0; i < 500; i++) client.command("SET", `key:${i}`, "value");
    client.command("SELECT", "1");
    client.command("SET", "other", "value");
    const { snapshot, output } = begin(engine);
    for (let i = 0; i < 20; i++) snapshot.run(0);
    client.command("SELECT", "0");
    client.command("FLUSHDB");
    client.command("SET", "late", "value");
    while (!snapshot.run(Infinity));
    const copy = loaded(output.file());
    const left = integerOf(copy.command("DBSIZE"));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(500);
    expect(integerOf(copy.command("EXISTS", "late"))).toBe(0);
    copy.command("SELECT", "1");
    expect(integerOf(copy.command("DBSIZE"))).toBe(1);
    engine.stop();
  });

  test("stops where the version of the format cannot hold a key, and names it", () => {
    const engine = new Engine(NOW_MS);
    const setUp = engine.connect();
    setUp.command("HSET", "my hash", "a", "1");
    setUp.command("HEXPIRE", "my hash", "100", "FIELDS", "1", "a");
    const { snapshot } = begin(engine, { ...FORMAT, version: 11 });
    expect(snapshot.run(Infinity)).toBe(true);
    expect(snapshot.failure?.message).toContain("'my hash'");
    expect(engine.server.keyspace.snapshot).toBeNull();
    engine.stop();
  });

  test("can be written for older servers", () => {
    for (const version of [9, 10, 11, 12]) {
      const random = new Random(seed);
      const engine = new Engine(NOW_MS, random.next());
      const client = engine.connect();
      for (let i = 0; i < 2000; i++) randomCommand(client, random);
      for (let database = 0; database < DATABASES; database++) {
        client.command("SELECT", String(database));
        for (const key of ALL_KEYS) {
          client.command("HPERSIST", key, "FIELDS", "1", "m1");
          if (version < 12 && isHash(client, key)) client.command("DEL", key);
        }
      }
      const { snapshot, output } = begin(engine, { ...FORMAT, version });
      while (!snapshot.run(Infinity));
      expect(snapshot.failure).toBeNull();
      expect(digestOf(loaded(output.file()))).toBe(digestOf(client));
      engine.stop();
    }
  });
});
