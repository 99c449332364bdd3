/**
 * RDB files that end early, were damaged, or lie about what follows: each is refused with a message
 * that names an offset, or makes the same data; nothing throws, and nothing is left in the arena.
 * RDB_FLIPS sets how many places are damaged (10000 takes a minute).
 */
import { describe, expect, test } from "bun:test";
import type { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { DumpPayloads } from "../../../src/persistence/dump-payload.ts";
import {
  type Loaded,
  int64,
  loadFile,
  rdbAux,
  rdbFile,
  rdbKey,
  rdbKeyOf,
  SlowSource,
} from "../../support/rdb-file.ts";
import { concat, listpack, type Part, rdbString } from "../../support/rdb-payload.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";
import { peek, testKeyspace, valueOf, verify } from "../../support/test-keyspace.ts";
import { olderPayloads, ownPayloads } from "../../support/value-payloads.ts";

const FILE = "test/unit/persistence/rdb-file-damage.test.ts";
const FLIPS = Number(process.env.RDB_FLIPS) || 800;
const STRING = 0;
const CHECKSUM_BYTES = 8;
const REFUSED =
  /^Internal error in RDB reading offset \d+ -> .+|^Wrong signature|^Can't handle|can't load|duplicated key|^FATAL/;

/** A small file with everything that can stand in one. */
function everything(): Uint8Array {
  const { keyspace } = testKeyspace();
  const payloads = new DumpPayloads(keyspace);
  const values = [...ownPayloads(payloads, keyspace.databases[0], [1, 6]), ...olderPayloads()];
  const soon = 1_700_000_001_000;
  return rdbFile(
    12,
    rdbAux("redis-ver", "7.4.0"),
    [245],
    rdbString("#!lua name=lib"),
    [254, 0, 251, 9, 1],
    ...values.map((payload, i) => rdbKeyOf(`key${i}`, payload)),
    rdbKey(
      "fields",
      24,
      int64(soon),
      [2, 1],
      rdbString("a"),
      rdbString("b"),
      [0],
      rdbString("c"),
      [0xc0, 1],
    ),
    rdbKey("packed", 25, int64(soon), rdbString(listpack(["a", "b", soon, "c", "d", 0]))),
    [254, 1, 252],
    int64(soon),
    [248, 5],
    rdbKey("last", STRING, rdbString("value")),
  );
}

/** Empties the keyspace value by value, so that what was lost shows in the arena. */
function emptyOut(keyspace: Keyspace): void {
  for (const database of keyspace.databases) {
    verify(database);
    database.clear();
  }
  keyspace.lazyFree.run(Infinity);
  expect(keyspace.arena.liveBytes).toBe(0);
}

function checkRefusal(loaded: Loaded): void {
  const { failure, endOffset } = loaded.result;
  expect(failure).toMatch(REFUSED);
  expect(endOffset).toBeGreaterThanOrEqual(0);
  expect(loaded.lines.at(-1)).toBe(`W ${failure}`);
}

describe("damage", () => {
  test("a file that ends early is refused, wherever it ends", () => {
    const bytes = everything();
    const { keyspace } = testKeyspace();
    for (let end = 0; end < bytes.length; end++) {
      const whole = loadFile(bytes.subarray(0, end), { keyspace });
      checkRefusal(whole);
      expect(whole.result.failure).toContain("Unexpected EOF reading RDB file");
      expect(whole.result.endOffset).toBeLessThanOrEqual(end);
      emptyOut(keyspace);
      if (end % 16 !== 0) continue;
      // The same, if nobody knows how much is to come.
      checkRefusal(loadFile(new SlowSource(bytes.subarray(0, end), 64), { keyspace }));
      emptyOut(keyspace);
    }
  });

  test("a byte that has changed is noticed", async () => {
    const bytes = everything();
    const digest = loadFile(bytes).digest();
    const { keyspace } = testKeyspace();
    let refused = 0;
    await withSeed(FILE, seedOfRun(), (random) => {
      for (let i = 0; i < FLIPS; i++) {
        const at = random.below(bytes.length);
        const damaged = bytes.slice();
        damaged[at] ^= random.oneIn(4) ? 1 + random.below(255) : 1 << random.below(8);
        // Eight zeros mean that there is no checksum; else every change is found at last.
        const checked = loadFile(damaged, { keyspace });
        if (checked.result.failure === null) expect(checked.digest()).toBe(digest);
        else checkRefusal(checked);
        emptyOut(keyspace);
        // Without the checksum: anything but a crash, and what is loaded is sound.
        const unchecked = loadFile(damaged, { keyspace, checksChecksum: false });
        if (unchecked.result.failure !== null) {
          refused++;
          checkRefusal(unchecked);
        }
        emptyOut(keyspace);
      }
    });
    expect(refused).toBeGreaterThan(0);
  }, 300_000);
});

describe("what a file announces", () => {
  const HUGE: readonly (readonly [string, ...Part[]])[] = [
    ["a string of 2^40 bytes", [STRING], rdbString("k"), [0x81], int64(2n ** 40n).reverse()],
    ["a string of 2^63 bytes", [STRING], rdbString("k"), [0x81], int64(-(2n ** 63n)).reverse()],
    [
      "a compressed string of 2^31 bytes",
      [STRING],
      rdbString("k"),
      [0xc3, 4, 0x80, 0x80, 0, 0, 0],
      "abcd",
    ],
    ["a list of 2^32 elements", [1], rdbString("k"), [0x80, 255, 255, 255, 255]],
    ["a set of 2^32 elements", [2], rdbString("k"), [0x80, 255, 255, 255, 255]],
    ["a sorted set of 2^32 elements", [5], rdbString("k"), [0x80, 255, 255, 255, 255]],
    ["a hash of 2^40 fields", [4], rdbString("k"), [0x81], int64(2n ** 40n).reverse()],
    ["a stream of 2^40 nodes", [21], rdbString("k"), [0x81], int64(2n ** 40n).reverse()],
    [
      "a database of 2^40 keys",
      [251, 0x81],
      int64(2n ** 40n).reverse(),
      [0],
      [STRING],
      rdbString("k"),
    ],
  ];
  for (const [name, ...parts] of HUGE) {
    test(`${name} is not believed`, () => {
      const bytes = rdbFile(11, ...parts);
      for (const source of [bytes, new SlowSource(bytes, 1000)]) {
        const { keyspace } = testKeyspace();
        const { result } = loadFile(source, { keyspace });
        expect(result.failure).toMatch(REFUSED);
        expect(keyspace.arena.reservedBytes).toBeLessThanOrEqual(64 * 1024 * 1024);
      }
    });
  }
});

describe("the window", () => {
  test("moves over fields, values and strings of any size", () => {
    const long = "x".repeat(3_000_000);
    const fields: Uint8Array[] = [];
    for (let i = 0; i < 3000; i++) {
      fields.push(rdbString(`field${i}`), rdbString(`${i}`.repeat(200)));
    }
    const bytes = rdbFile(
      9,
      rdbKey("before", STRING, rdbString("b")),
      rdbKey("hash", 4, [0x80, 0, 0, 3000 >> 8, 3000 & 255], ...fields),
      rdbKey("long", STRING, rdbString(long)),
      rdbKey(long, 1, [2], rdbString(long), rdbString("element")),
      rdbKey("after", STRING, rdbString("a")),
    );
    const whole = loadFile(bytes);
    expect(whole.result).toMatchObject({ failure: null, keysLoaded: 5, endOffset: bytes.length });
    const [db] = whole.keyspace.databases;
    expect(valueOf(db, peek(db, "long"))).toBe(long);
    expect(valueOf(db, peek(db, "after"))).toBe("a");
    const slow = loadFile(new SlowSource(bytes, 700_001));
    expect(slow.result.failure).toBeNull();
    expect(slow.digest()).toBe(whole.digest());
  });

  test("leaves what follows the file to others", () => {
    const bytes = rdbFile(11, rdbKey("k", STRING, rdbString("v")));
    const { result } = loadFile(concat(bytes, "*1\r\n$4\r\nPING\r\n"));
    expect(result).toMatchObject({ failure: null, endOffset: bytes.length });
  });
});

describe("the checksum", () => {
  const good = rdbFile(11, rdbKey("k", STRING, rdbString("v")));
  const bad = Uint8Array.from(good);
  bad[bad.length - 1] ^= 1;

  test("is compared where it is wanted", () => {
    const loaded = loadFile(bad);
    expect(loaded.result.failure).toContain("-> RDB CRC error");
    expect(loaded.lines[0]).toMatch(
      /^W Wrong RDB checksum expected: \([0-9a-f]+\) but got \([0-9a-f]+\). Aborting now.$/,
    );
    expect(loadFile(bad, { checksChecksum: false }).result.failure).toBeNull();
  });

  test("may be missing: 0 in newer files, nothing at all in old ones", () => {
    const none = concat(good.subarray(0, good.length - CHECKSUM_BYTES), new Uint8Array(8));
    expect(loadFile(none).lines).toEqual([
      "RDB file was saved with checksum disabled: no check performed.",
      "Done loading RDB, keys loaded: 1, keys expired: 0.",
    ]);
    expect(loadFile(rdbFile(4, rdbKey("k", STRING, rdbString("v")))).result.failure).toBeNull();
  });
});
