/**
 * The keyspace events, modifications and changes that string and bitmap commands report, in their
 * order. Expected are those that Valkey 8.1 fires (t_string.c, bitops.c).
 */
import { describe, expect, test } from "bun:test";
import { bitfieldCommands } from "../../../src/commands/bitfield.ts";
import { bitmapCommands } from "../../../src/commands/bitmap.ts";
import { bitopCommands } from "../../../src/commands/bitop.ts";
import type { CommandContext } from "../../../src/commands/context.ts";
import type { CommandSpec } from "../../../src/commands/spec.ts";
import { stringDigestCommands } from "../../../src/commands/string-digest.ts";
import { stringIncrementFloatCommands } from "../../../src/commands/string-increment-float.ts";
import { stringIncrementCommands } from "../../../src/commands/string-increment.ts";
import { stringMultipleCommands } from "../../../src/commands/string-multiple.ts";
import { stringRangeCommands } from "../../../src/commands/string-range.ts";
import { stringCommands } from "../../../src/commands/string.ts";
import { Meta, ValueType, expireAtExact, viewOf } from "../../../src/keyspace/record.ts";
import { Args } from "../../../src/protocol/args.ts";
import { ReplyWriter } from "../../../src/protocol/reply-writer.ts";
import { bytesOf, peek, testKeyspace, verify } from "../../support/test-keyspace.ts";

const ROWS = new Map<string, CommandSpec>(
  [
    ...stringCommands,
    ...stringRangeCommands,
    ...stringMultipleCommands,
    ...stringIncrementCommands,
    ...stringIncrementFloatCommands,
    ...stringDigestCommands,
    ...bitmapCommands,
    ...bitopCommands,
    ...bitfieldCommands,
  ].map((row) => [row.name, row]),
);

/** An engine of handlers alone: no dispatcher, no client. */
function engine() {
  const parts = testKeyspace();
  const { keyspace, events } = parts;
  keyspace.watchesKeys = true;
  const bytes = new Uint8Array(8192);
  const ctx = {
    keyspace,
    db: keyspace.databases[0],
    effects: { isOn: false },
    scratch: { bytes, view: new DataView(bytes.buffer) },
  } as unknown as CommandContext;
  const args = new Args();
  const reply = new ReplyWriter();
  /** Runs a command; returns its reply as text. Words are separated by spaces. */
  const run = (line: string): string => {
    const words = line.split(" ");
    args.assign(words.map((word) => Buffer.from(word, "latin1")));
    reply.clear();
    ROWS.get(words[0].toLowerCase())!.run(ctx, args, reply);
    return Buffer.from(reply.bytes.subarray(0, reply.length)).toString("latin1");
  };
  /** The events of a command, without the database, and how many changes it counts as. */
  const eventsOf = (line: string): string => {
    events.length = 0;
    const before = keyspace.dirty;
    run(line);
    return `${events.map((event) => event.slice(2)).join(", ")} +${keyspace.dirty - before}`;
  };
  return { ...parts, run, eventsOf };
}

describe("events", () => {
  /** Commands on one keyspace, one after the other, with what they report. */
  const transcript: readonly (readonly [string, string])[] = [
    ["SET k v", "new k, (modified) k, set k +1"],
    ["SET k v", "(modified) k, set k +1"],
    ["SET k v EX 10", "(modified) k, set k, expire k +1"],
    ["SET k v NX", " +0"],
    ["SET k w KEEPTTL GET", "(modified) k, set k +1"],
    ["SET missing v XX GET", "keymiss missing +0"],
    ["SET k v IFEQ x", " +0"],
    ["SET k 10 PXAT 1", "(modified) k, expired k +1"],
    ["SET k 10 PXAT 1", " +0"],
    ["SET k 10 PX 0", " +0"],
    ["SETEX k 10 5", "new k, (modified) k, set k, expire k +1"],
    ["PSETEX k 10000 5", "(modified) k, set k, expire k +1"],
    ["SETNX k 5", " +0"],
    ["SETNX n 5", "new n, (modified) n, set n +1"],
    ["GETSET n 7", "(modified) n, set n +1"],
    ["GETEX n", " +0"],
    ["GETEX n EX 5", "(modified) n, expire n +1"],
    ["GETEX n PERSIST", "(modified) n, persist n +1"],
    ["GETEX n PERSIST", " +0"],
    ["GETEX n PXAT 1", "(modified) n, expired n +1"],
    ["GETDEL k", "(modified) k, del k +1"],
    ["GETDEL k", "keymiss k +0"],
    ["GET k", "keymiss k +0"],
    ["MSET a 1 b 2", "new a, (modified) a, set a, new b, (modified) b, set b +2"],
    ["MSETNX a 1 c 2", " +0"],
    ["MSETEX 2 a 1 b 2 EX 9", "(modified) a, set a, expire a, (modified) b, set b, expire b +2"],
    ["MSETEX 2 b 1 z 2 PXAT 9", "(modified) b, expired b +1"],
    ["MGET a b", "keymiss b +0"],
    ["INCR a", "(modified) a, incrby a +1"],
    ["DECRBY a 9223372036854775807", "(modified) a, incrby a +1"],
    ["DECRBY a 9223372036854775807", " +0"],
    ["INCRBYFLOAT f 1.5", "new f, (modified) f, incrbyfloat f +1"],
    ["INCRBYFLOAT f x", " +0"],
    ["APPEND f 1", "(modified) f, append f +1"],
    ["APPEND g 1", "new g, (modified) g, append g +1"],
    ["SETRANGE g 5 x", "(modified) g, setrange g +1"],
    ["SETRANGE h 5 ", " +0"],
    ["SETBIT h 5 0", "new h, (modified) h, setbit h +1"],
    ["SETBIT h 5 0", " +0"],
    ["SETBIT h 5 1", "(modified) h, setbit h +1"],
    ["BITFIELD h SET u8 0 9 SET u8 8 9 GET u8 0", "(modified) h, setbit h +2"],
    ["BITFIELD h SET u8 0 9", " +0"],
    ["BITOP AND d h h", "new d, (modified) d, set d +1"],
    ["BITOP AND d x y", "keymiss x, keymiss y, (modified) d, del d +1"],
    ["DELIFEQ g x", " +0"],
    ["DELIFEQ f 1.51", "(modified) f, del f +1"],
    ["DELEX g", "(modified) g, del g +1"],
  ];

  test("come in Valkey's order", () => {
    const { eventsOf, keyspace } = engine();
    for (const [line, expected] of transcript) {
      expect(`${line}: ${eventsOf(line)}`).toBe(`${line}: ${expected}`);
    }
    verify(keyspace.databases[0]);
  });
});

describe("another type", () => {
  const lines = [
    "GET k",
    "GETSET k v",
    "GETDEL k",
    "GETEX k EX 0",
    "SET k v GET",
    "SET k v XX GET",
    "SET k v IFEQ v",
    "APPEND k v",
    "STRLEN k",
    "SETRANGE k 0 v",
    "SETRANGE k 0 ",
    "GETRANGE k 0 1",
    "INCR k",
    "DECRBY k 1",
    "INCRBY k 9223372036854775807",
    "INCRBYFLOAT k 1",
    "DIGEST k",
    "DELIFEQ k v",
    "SETBIT k 0 1",
    "GETBIT k 0",
    "BITCOUNT k",
    "BITPOS k 1",
    "BITOP NOT d k",
    "BITFIELD k GET u8 0",
    "BITFIELD k SET u8 0 1",
  ];

  test("is refused and left alone", () => {
    const { run, eventsOf, keyspace } = engine();
    const database = keyspace.databases[0];
    const key = bytesOf("k");
    expect(peek(database, "k")).toBe(0);
    database.insertRecord(key, 0, 1, ValueType.LIST << Meta.TYPE_SHIFT, 1);
    const record = peek(database, "k");
    for (const line of lines) {
      expect(`${line}: ${run(line).slice(0, 11)}`).toBe(`${line}: -WRONGTYPE `);
      expect(`${line}: ${eventsOf(line)}`).toBe(`${line}:  +0`);
      expect(peek(database, "k")).toBe(record);
    }
    expect(run("MGET k")).toBe("*1\r\n$-1\r\n");
    expect(run("SETNX k v")).toBe(":0\r\n");
  });
});

describe("expiries beyond 2^53 ms", () => {
  test("stay exact through SET KEEPTTL and INCR", () => {
    const { run, keyspace } = engine();
    run("SET k 5 PXAT 9223372036854775807");
    run(`SET k ${"x".repeat(500)} KEEPTTL`);
    run("SET k 9007199254740992 KEEPTTL");
    expect(run("INCR k")).toBe(":9007199254740993\r\n");
    const database = keyspace.databases[0];
    const record = peek(database, "k");
    expect(expireAtExact(viewOf(keyspace.arena, record), record)).toBe(9223372036854775807n);
    verify(database);
  });
});
