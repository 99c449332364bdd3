/**
 * DUMP and RESTORE, against the reference server: each restores what the other has dumped, and then
 * both hold the same.
 */
import { expect, test } from "bun:test";
import { useDifferential } from "../support/differential.ts";
import { compareKeyspaces } from "../support/keyspace-state.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";
import { type ServerProcess, useServer } from "../support/server-process.ts";

const TEXTS: readonly string[] = [
  "",
  "a",
  "0",
  "-1",
  "127",
  "128",
  "-128",
  "-129",
  "32767",
  "32768",
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "9223372036854775807",
  "0123",
  "-0",
  "x".repeat(20),
  "x".repeat(21),
  "x".repeat(63),
  "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ!?",
  "abc".repeat(10000),
  Array.from({ length: 20000 }, (_, i) => String.fromCharCode(32 + ((i * i * 7) % 90))).join(""),
];

/** Commands that make values in all their encodings; `needs` is a command of the group. */
const VALUES: readonly {
  title: string;
  needs: string;
  commands: readonly (readonly Argument[])[];
}[] = [
  {
    title: "strings",
    needs: "set",
    commands: TEXTS.map((text, i) => ["SET", `string:${i}`, text]),
  },
  {
    title: "sorted sets",
    needs: "zadd",
    commands: [
      ["ZADD", "zset", 1, "a", 2, "b", "-inf", "c", "inf", "d", 1.5, "5", 1e300, "123456789012345"],
      ["ZADD", "zset:long", 1, "x".repeat(100), 2, "b"],
      ["ZADD", "zset:many", ...Array.from({ length: 300 }, (_, i) => [i / 7, `m${i}`]).flat()],
      ["ZADD", "zset:full", ...Array.from({ length: 128 }, (_, i) => [i % 5, i]).flat()],
    ],
  },
  {
    title: "lists",
    needs: "rpush",
    commands: [
      ["RPUSH", "list", ...TEXTS.slice(0, 20)],
      ["RPUSH", "list:one", "1"],
      ["RPUSH", "list:many", ...Array.from({ length: 5000 }, (_, i) => `element ${i}`)],
      ["RPUSH", "list:large", "a", "x".repeat(100_000), "b", "y".repeat(9000)],
    ],
  },
  {
    title: "sets",
    needs: "sadd",
    commands: [
      ["SADD", "set:int16", 1, 2, 3, -5],
      ["SADD", "set:int32", 1, 70000],
      ["SADD", "set:int64", 1, "9223372036854775807", "-9223372036854775808"],
      ["SADD", "set:listpack", "a", "1", "c", "9223372036854775807", ""],
      ["SADD", "set:many", ...Array.from({ length: 1000 }, (_, i) => `m${i}`)],
      ["SADD", "set:integers", ...Array.from({ length: 1000 }, (_, i) => i * i)],
      ["SADD", "set:long", "x".repeat(100)],
    ],
  },
  {
    title: "hashes",
    needs: "hset",
    commands: [
      ["HSET", "hash", "a", "1", "b", "text", "5", "9223372036854775807", "", ""],
      ["HSET", "hash:many", ...Array.from({ length: 600 }, (_, i) => [`f${i}`, i]).flat()],
      ["HSET", "hash:long", "f", "x".repeat(100), "x".repeat(100), "v"],
    ],
  },
  {
    title: "streams",
    needs: "xreadgroup",
    commands: [
      ["XADD", "stream", "1-1", "a", "1", "b", "2"],
      ["XADD", "stream", "1-2", "a", "3", "b", "4"],
      ["XADD", "stream", "5-0", "other", "x".repeat(50)],
      ["XDEL", "stream", "1-2"],
      ["XGROUP", "CREATE", "stream", "group", "0"],
      ["XGROUP", "CREATE", "stream", "other", "$"],
      ["XREADGROUP", "GROUP", "group", "alice", "COUNT", 1, "STREAMS", "stream", ">"],
      ["XREADGROUP", "GROUP", "group", "bob", "COUNT", 1, "STREAMS", "stream", ">"],
      ["XGROUP", "CREATECONSUMER", "stream", "group", "idle"],
      ...Array.from({ length: 250 }, (_, i) => ["XADD", "stream:many", `${i + 1}-0`, "f", i]),
      ["XADD", "stream:empty", "1-1", "a", "b"],
      ["XDEL", "stream:empty", "1-1"],
    ],
  },
];

describeWithPeers("DUMP and RESTORE", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("arguments", (c) => {
    c.do("DUMP", "none");
    c.do("SET", "k", "123");
    c.do("DUMP", "k");
    c.do("SET", "k", "text");
    c.do("DUMP", "k");
    c.fail("RESTORE", "k", 0, "x");
    c.fail("RESTORE", "none", 0, "x");
    c.fail("RESTORE", "none", "x", "x");
    c.fail("RESTORE", "none", "-1", "x");
    c.fail("RESTORE", "none", "9223372036854775808", "x");
    c.fail("RESTORE", "none", 0, "x", "REPLACE", "NONE");
    c.fail("RESTORE", "none", 0, "x", "IDLETIME");
    c.fail("RESTORE", "none", 0, "x", "IDLETIME", "-1");
    c.fail("RESTORE", "none", 0, "x", "IDLETIME", "x");
    c.fail("RESTORE", "none", 0, "x", "FREQ", "256");
    c.fail("RESTORE", "none", 0, "x", "FREQ", "-1");
    c.fail("RESTORE", "none", 0, "x", "FREQ", "1", "IDLETIME", "1");
    c.fail("RESTORE", "none", 0, "x", "IDLETIME", "1", "FREQ", "1");
    c.fail("RESTORE", "none", 0, "");
    c.fail("RESTORE", "none", 0);
    c.fail("DUMP");
    c.fail("DUMP", "k", "k");
  });

  const BAR = Buffer.from("00036261720b008f61f41313f9149e", "hex");

  suite.test("payloads that are no values", (c) => {
    c.do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1);
    for (const version of [9, 10, 11]) {
      c.do(
        "RESTORE",
        `v${version}`,
        0,
        Uint8Array.of(0, 1, 65, version, 0, 1, 2, 3, 4, 5, 6, 7, 8),
      );
    }
    for (const version of [13, 79, 81, 222]) {
      c.fail("RESTORE", "k", 0, Uint8Array.of(0, 1, 65, version, 0, 1, 2, 3, 4, 5, 6, 7, 8));
    }
    const footer = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    c.do("RESTORE", "lzf", 0, Uint8Array.from([0, 0xc3, 2, 1, 0, 65, ...footer]));
    c.do("RESTORE", "spare", 0, Uint8Array.from([0, 1, 65, 66, 67, ...footer]));
    c.do("RESTORE", "int8", 0, Uint8Array.from([0, 0xc0, 0xff, ...footer]));
    c.do("RESTORE", "int16", 0, Uint8Array.from([0, 0xc1, 0xff, 0x7f, ...footer]));
    c.do("RESTORE", "int32", 0, Uint8Array.from([0, 0xc2, 0, 0, 0, 0x80, ...footer]));
    c.do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0);
    c.fail("RESTORE", "k", 0, Uint8Array.from([0, 1, 65, ...footer]));
  });

  suite.testOurs("payloads that end early or are of no known type", (c) => {
    // Valkey goes on reading into the footer, and may take it for the rest of the value.
    c.do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1);
    const footer = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const values = [
      [],
      [0],
      [0, 1],
      [0, 0x80, 0, 0, 0, 1],
      [0, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      [0, 0xc4],
      [0, 0xc3, 2, 5, 0, 65],
      [0, 0xc0],
      [0, 0xc1, 1],
      [0, 0xc2, 1, 2, 3],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 0],
      [5, 0],
      [6, 1, 1],
      [7, 1, 1],
      [8],
      [22],
      [99],
      [255],
    ];
    for (const value of values) {
      c.ours("-ERR Bad data format", "RESTORE", "k", 0, Uint8Array.from([...value, ...footer]));
    }
    c.do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0);
  });

  suite.test("times, replacing, access clocks", (c) => {
    c.do("SET", "k", "bar");
    c.do("DUMP", "k");
    c.do("RESTORE", "a", 100_000, BAR);
    c.within(1000, "PTTL", "a");
    c.do("RESTORE", "a", 0, BAR, "replace");
    c.do("PTTL", "a");
    c.do("RESTORE", "b", "2569591501000", BAR, "ABSTTL", "REPLACE");
    c.within(1000, "PTTL", "b");
    c.do("RESTORE", "b", 1, BAR, "ABSTTL", "REPLACE");
    c.do("EXISTS", "b");
    c.do("RESTORE", "none", 1, BAR, "ABSTTL");
    c.do("EXISTS", "none");
    c.do("RESTORE", "idle", 0, BAR, "IDLETIME", 1000);
    c.within(5, "OBJECT", "IDLETIME", "idle");
    c.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu");
    c.do("RESTORE", "often", 0, BAR, "FREQ", 200);
    c.do("OBJECT", "FREQ", "often");
    c.do("CONFIG", "SET", "maxmemory-policy", "noeviction");
    c.do("RESTORE-ASKING", "asking", 0, BAR);
  });

  for (const { title, needs, commands } of VALUES) {
    test(`${title} in both directions`, async () => {
      await withClients(suite.ours(), suite.reference(), async (ours, reference) => {
        const [row] = [await ours.must("COMMAND", "INFO", needs)];
        if (formatReply(row).includes("null")) {
          console.warn(`left out, ours has no ${needs}`);
          return;
        }
        for (const [from, to] of [
          [ours, reference],
          [reference, ours],
        ]) {
          await Promise.all([from.must("FLUSHALL"), to.must("FLUSHALL")]);
          for (const command of commands) await from.must(...command);
          await carry(from, to);
          expect(await compareKeyspaces(ours, reference)).toBeNull();
          if (needs === "xreadgroup") expect(await streams(ours)).toBe(await streams(reference));
        }
      });
    });
  }
});

describeWithPeers("RESTORE of what Redis 7 dumps", ["redis-server", "valkey-server"], () => {
  const suite = useDifferential();
  const redis = useServer({ program: "redis-server" });

  for (const { title, needs, commands } of VALUES) {
    test(title, async () => {
      await withClients(suite.ours(), suite.reference(), async (ours, reference) => {
        if (formatReply(await ours.must("COMMAND", "INFO", needs)).includes("null")) {
          console.warn(`left out, ours has no ${needs}`);
          return;
        }
        await withClients(redis(), redis(), async (source) => {
          await Promise.all([ours, reference, source].map((client) => client.must("FLUSHALL")));
          for (const command of commands) await source.must(...command);
          await carry(source, ours);
          await carry(source, reference);
        });
        expect(await compareKeyspaces(ours, reference)).toBeNull();
        if (needs === "xreadgroup") expect(await streams(ours)).toBe(await streams(reference));
      });
    });
  }
});

/** Restores on `to` all keys of `from`. */
async function carry(from: RespClient, to: RespClient): Promise<void> {
  const keys = await from.must("KEYS", "*");
  if (!("items" in keys)) throw new Error("KEYS did not answer with an array");
  expect(keys.items.length).toBeGreaterThan(0);
  for (const key of keys.items) {
    if (key.type !== "bulk") throw new Error("a key is no bulk string");
    const payload = await from.must("DUMP", key.bytes);
    if (payload.type !== "bulk") throw new Error("DUMP did not answer with a bulk string");
    await to.must("RESTORE", key.bytes, 0, payload.bytes);
  }
}

/** All of a server's streams, without what depends on the time. */
async function streams(client: RespClient): Promise<string> {
  const texts: string[] = [];
  for (const key of ["stream", "stream:many", "stream:empty"]) {
    texts.push(formatReply(await client.must("XINFO", "STREAM", key, "FULL")));
  }
  return texts.join("\n").replace(/("(?:seen|active)-time"\s+):-?\d+/g, "$1");
}

async function withClients(
  ours: ServerProcess,
  reference: ServerProcess,
  body: (ours: RespClient, reference: RespClient) => Promise<void>,
): Promise<void> {
  const clients = await Promise.all([ours.connect(), reference.connect()]);
  try {
    await body(clients[0], clients[1]);
  } finally {
    for (const client of clients) client.close();
  }
}
