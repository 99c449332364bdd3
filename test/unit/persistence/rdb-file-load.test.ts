/** RDB files item by item: every opcode and form, and what is said about those that are wrong. */
import { describe, expect, test } from "bun:test";
import type { Database } from "../../../src/keyspace/database.ts";
import { encodingOf, metaOf, rootOf, viewOf } from "../../../src/keyspace/record.ts";
import { DumpPayloads } from "../../../src/persistence/dump-payload.ts";
import { RdbLoader, type RdbLoadOptions } from "../../../src/persistence/rdb-file-load.ts";
import { MemorySource } from "../../../src/persistence/rdb-file-source.ts";
import {
  int64,
  type Loaded,
  loadFile,
  rdbAux,
  rdbFile,
  rdbKey,
  rdbKeyOf,
  SlowSource,
} from "../../support/rdb-file.ts";
import { concat, listpack, type Part, rdbLength, rdbString } from "../../support/rdb-payload.ts";
import {
  bytesOf,
  isStored,
  keysOf,
  peek,
  testKeyspace,
  valueOf,
  verify,
} from "../../support/test-keyspace.ts";
import { olderPayloads, ownPayloads } from "../../support/value-payloads.ts";

/** Where the clock of a test keyspace stands. */
const NOW_MS = 1_700_000_000_000;
const STRING = 0;

/** A key with a string, neither an integer nor compressed. */
function text(key: string, value: string): Uint8Array {
  return rdbKey(key, STRING, rdbString(value));
}

function stringOf(loaded: Loaded, key: string, database = 0): string | null {
  const db = loaded.keyspace.databases[database];
  const record = peek(db, key);
  return record === 0 ? null : valueOf(db, record);
}

/** Loads a file that is to load, and tells its digest. */
function loadGood(...items: readonly Part[]): Loaded {
  const loaded = loadFile(rdbFile(12, ...items));
  expect(loaded.result.failure).toBeNull();
  for (const db of loaded.keyspace.databases) verify(db);
  return loaded;
}

const QUIET: RdbLoadOptions = {
  log: { debug() {}, notice() {}, warning() {} },
  checksChecksum: true,
  takesNewerVersions: false,
  dropsExpired: true,
  replacesKeys: false,
  functions: [],
};

/** Attaches the keyspace's hashes to the value of a key. */
function attachHash(db: Database, key: string): void {
  const { arena, hashes } = db.keyspace;
  const record = peek(db, key);
  const meta = metaOf(arena, record);
  hashes.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
}

/** When a field of the attached hash expires. */
function timeOf(loaded: Loaded, field: string): number {
  return loaded.keyspace.hashes.expireAtMs(bytesOf(field), 0, field.length);
}

function bigEndian(value: bigint): Uint8Array {
  return int64(value).reverse();
}

function failureOf(file: Uint8Array): string | null {
  return loadFile(file).result.failure;
}

describe("the first bytes", () => {
  test("of every version that was written are taken", () => {
    for (let version = 1; version <= 12; version++) {
      expect(failureOf(rdbFile(version, text("a", "b")))).toBeNull();
    }
    expect(failureOf(rdbFile("VALKEY080", text("a", "b")))).toBeNull();
    expect(failureOf(rdbFile("VALKEY011", text("a", "b")))).toBeNull();
  });

  test("of other versions are refused", () => {
    for (const magic of ["REDIS0000", "REDIS0013", "REDIS0080", "REDIS0xyz", "VALKEY081"]) {
      const digits = /^\d+$/.test(magic.slice(6)) ? Number(magic.slice(6)) : 0;
      const loaded = loadFile(rdbFile(magic));
      expect(loaded.lines).toEqual([`W Can't handle RDB format version ${digits}`]);
      expect(loaded.loader.isForeign).toBeTrue();
    }
    for (const magic of ["REDIS1000", "redis0009", "APPENDONL"]) {
      expect(loadFile(rdbFile(magic)).lines).toEqual([
        "W Wrong signature trying to load DB from file",
      ]);
    }
  });

  test("of newer versions are taken on demand", () => {
    const bytes = rdbFile("VALKEY987", text("a", "b"));
    expect(loadFile(bytes, { takesNewerVersions: true }).result.failure).toBeNull();
  });
});

describe("items", () => {
  test("expiries in seconds and milliseconds, and keys whose time has passed", () => {
    const future = NOW_MS + 5000;
    const items = concat(
      [253],
      [...new Uint8Array(new Int32Array([future / 1000]).buffer)],
      text("seconds", "1"),
      [252],
      int64(future + 1),
      text("ms", "2"),
      [252],
      int64(NOW_MS - 1),
      text("past", "3"),
      [252],
      int64(NOW_MS),
      text("now", "4"),
      [252],
      int64(-1),
      text("never", "5"),
      [252],
      int64(2n ** 62n),
      text("far", "6"),
      [252],
      int64(-5),
      rdbKey("list", 1, [1], rdbString("element")),
      text("without", "7"),
    );
    const loaded = loadGood(items);
    const [db] = loaded.keyspace.databases;
    const expireAt = (key: string): number => db.expireAtMs(peek(db, key));
    expect(expireAt("seconds")).toBe(Math.floor(future / 1000) * 1000);
    expect(expireAt("ms")).toBe(future + 1);
    expect(expireAt("now")).toBe(NOW_MS);
    expect(expireAt("never")).toBe(-1);
    expect(expireAt("far")).toBe(2 ** 62);
    expect(expireAt("without")).toBe(-1);
    expect(isStored(db, "past")).toBeFalse();
    expect(loaded.result).toMatchObject({ keysLoaded: 6, keysExpired: 2 });
    expect(loaded.lines.at(-1)).toBe("Done loading RDB, keys loaded: 6, keys expired: 2.");
    // The base of an append-only file is taken as it is.
    const base = loadFile(rdbFile(11, items), { dropsExpired: false });
    expect(base.result).toMatchObject({ keysLoaded: 8, keysExpired: 0 });
    expect(isStored(base.keyspace.databases[0], "past")).toBeTrue();
    expect(isStored(base.keyspace.databases[0], "list")).toBeTrue();
  });

  test("databases, announced sizes, slots, functions, and fields about the file", () => {
    const loaded = loadGood(
      rdbAux("redis-ver", "7.4.0"),
      rdbAux("valkey-ver", "9.0.0"),
      rdbAux("CTIME", String(NOW_MS / 1000 - 60)),
      rdbAux("used-mem", "3145728"),
      rdbAux("aof-base", "1"),
      rdbAux("repl-id", "0123456789012345678901234567890123456789"),
      rdbAux("repl-offset", "123"),
      rdbAux("repl-stream-db", "1"),
      rdbAux("%answer", "42"),
      rdbAux("unheard-of", "?"),
      rdbAux("slot-info", "1,2,3"),
      [245],
      rdbString("#!lua name=lib"),
      [254, 1, 251, 2, 0],
      [244, 5, 2, 0],
      text("a", "1"),
      [254, 0],
      text("a", "2"),
    );
    expect(stringOf(loaded, "a", 0)).toBe("2");
    expect(stringOf(loaded, "a", 1)).toBe("1");
    expect(loaded.functions).toEqual(["#!lua name=lib"]);
    expect(loaded.loader.usedMemoryBytes).toBe(3145728);
    expect(loaded.loader.replication).toEqual({
      id: "0123456789012345678901234567890123456789",
      offset: 123,
      database: 1,
    });
    expect(loaded.lines).toEqual([
      "Loading RDB produced by Redis version 7.4.0",
      "Loading RDB produced by Valkey version 9.0.0",
      "RDB age 60 seconds",
      "RDB memory usage when created 3.00 Mb",
      "RDB is base AOF",
      "RDB '%answer': 42",
      "Done loading RDB, keys loaded: 2, keys expired: 0.",
    ]);
  });

  test("slots that are being imported are Valkey's alone", () => {
    const slots = concat([243], rdbString("n".repeat(40)), [1, 0, 5], text("a", "b"));
    expect(failureOf(rdbFile("VALKEY080", slots))).toBeNull();
    expect(failureOf(rdbFile(12, slots))).toContain("Unknown RDB encoding type 243");
  });

  test("access clocks", () => {
    const loaded = loadGood([248], rdbLength(1000), text("idle", "x"), text("fresh", "y"));
    const [db] = loaded.keyspace.databases;
    expect(loaded.keyspace.idleSeconds(peek(db, "idle"))).toBe(1000);
    expect(loaded.keyspace.idleSeconds(peek(db, "fresh"))).toBe(0);
    const { keyspace } = testKeyspace();
    keyspace.setLfu({ logFactor: 10, decayMinutes: 1 });
    loadFile(rdbFile(9, [249, 77], text("hot", "x")), { keyspace });
    expect(keyspace.frequency(peek(keyspace.databases[0], "hot"))).toBe(77);
  });

  test("what nobody can load is named", () => {
    const id = new Uint8Array(8);
    new DataView(id.buffer).setBigUint64(0, (0x123456789abcdn << 10n) | 1n);
    const module = /no matching module( type)? '[A-Za-z0-9_-]{9}'$/;
    expect(failureOf(rdbFile(9, rdbKey("k", 7, [0x81], id)))).toMatch(module);
    expect(failureOf(rdbFile(9, [247, 0x81], id, [2, 2]))).toMatch(module);
    expect(failureOf(rdbFile(9, rdbKey("k", 6)))).toContain("Pre-release module format");
    expect(failureOf(rdbFile(9, [246]))).toContain("Pre-release function format not supported.");
    expect(failureOf(rdbFile(9, [254, 2], text("a", "b")))).toBe(
      "FATAL: Data file was created with a Bunsen server configured to handle more than 2 " +
        "databases. Exiting",
    );
  });
});

describe("values", () => {
  test("of every type, written by this server and by older ones, are those of the payloads", () => {
    const source = testKeyspace();
    const payloads = new DumpPayloads(source.keyspace);
    const all = [...ownPayloads(payloads, source.keyspace.databases[0]), ...olderPayloads()];
    const loaded = loadGood(...all.map((payload, i) => rdbKeyOf(`key${i}`, payload)));
    expect(loaded.result.keysLoaded).toBe(all.length);
    // In pieces of any size the same comes out.
    const file = rdbFile(12, ...all.map((payload, i) => rdbKeyOf(`key${i}`, payload)));
    for (const pieceBytes of [1, 2, 7, 100]) {
      const slow = loadFile(new SlowSource(file, pieceBytes));
      expect(slow.result.failure).toBeNull();
      expect(slow.digest()).toBe(loaded.digest());
    }
  });

  test("hashes with fields that expire, in Redis 7.4's forms and in Valkey 9's", () => {
    const soon = NOW_MS + 1000;
    const late = NOW_MS + 90_000;
    const field = (name: string): Uint8Array => concat(rdbString(name), rdbString(`v${name}`));
    const relative = concat([0x81], bigEndian(1n));
    const absolute = (ms: number): Uint8Array => concat([0x81], bigEndian(BigInt(ms)));
    const entries = ["a", "va", soon, "b", "vb", late, "c", "vc", 0];
    const forms: readonly (readonly [number | string, number, ...Part[]])[] = [
      [12, 22, [3], absolute(soon), field("a"), absolute(late), field("b"), [0], field("c")],
      [12, 23, rdbString(listpack(entries))],
      [
        12,
        24,
        int64(soon),
        [3],
        relative,
        field("a"),
        concat([0x81], bigEndian(BigInt(late - soon + 1))),
        field("b"),
        [0],
        field("c"),
      ],
      [12, 25, int64(soon), rdbString(listpack(entries))],
      [
        "VALKEY080",
        22,
        [3],
        field("a"),
        int64(soon),
        field("b"),
        int64(late),
        field("c"),
        int64(-1),
      ],
    ];
    for (const [version, type, ...parts] of forms) {
      const loaded = loadFile(rdbFile(version, rdbKey("h", type, ...parts), text("t", "u")));
      expect(loaded.result.failure).toBeNull();
      const { hashes, databases } = loaded.keyspace;
      attachHash(databases[0], "h");
      expect(hashes.length).toBe(3);
      expect(timeOf(loaded, "a")).toBe(soon);
      expect(timeOf(loaded, "b")).toBe(late);
      expect(timeOf(loaded, "c")).toBe(-1);
      expect(databases[0].expiringFields.size).toBe(1);
      verify(databases[0]);
    }
  });

  test("fields whose time has passed are left out, and a hash of nothing else is a key that has expired", () => {
    const past = concat([0x81], bigEndian(BigInt(NOW_MS - 1)));
    const field = (name: string): Uint8Array => concat(rdbString(name), rdbString("v"));
    const items = concat(
      rdbKey("some", 22, [2], past, field("a"), [0], field("b")),
      rdbKey("none", 22, [1], past, field("a")),
    );
    const loaded = loadGood(items);
    expect(loaded.result).toMatchObject({ keysLoaded: 1, keysExpired: 1 });
    attachHash(loaded.keyspace.databases[0], "some");
    expect(loaded.keyspace.hashes.length).toBe(1);
    expect(loaded.keyspace.databases[0].expiringFields.size).toBe(0);
    const base = loadFile(rdbFile(12, items), { dropsExpired: false });
    expect(base.result).toMatchObject({ keysLoaded: 2, keysExpired: 0 });
  });

  test("times of fields that are out of range, and fields that come twice, are refused", () => {
    const field = concat(rdbString("a"), rdbString("v"));
    const far = concat([0x81], bigEndian(2n ** 48n));
    expect(failureOf(rdbFile(12, rdbKey("h", 22, [1], far, field)))).toContain("invalid expireAt");
    expect(failureOf(rdbFile(12, rdbKey("h", 22, [2, 0], field, [0], field)))).toContain(
      "Duplicate hash fields detected",
    );
    expect(failureOf(rdbFile(12, rdbKey("h", 23, rdbString(listpack(["a", "v", "x"])))))).toContain(
      "invalid expireAt",
    );
    expect(failureOf(rdbFile("VALKEY080", rdbKey("h", 22, [1], field, int64(-2))))).toContain(
      "invalid expireAt",
    );
  });

  test("without elements are skipped and named, ten of them", () => {
    const empty = [
      rdbKey("e", 1, [0]),
      rdbKey("e", 2, [0]),
      rdbKey("e", 4, [0]),
      rdbKey("e", 5, [0]),
      rdbKey("e", 18, [0]),
      ...Array.from({ length: 7 }, () => rdbKey("e", 16, rdbString(listpack([])))),
    ];
    const loaded = loadGood(...empty, text("a", "b"));
    expect(keysOf(loaded.keyspace.databases[0])).toEqual(["a"]);
    expect(
      loaded.lines.filter((line) => line === "rdbLoadObject skipping empty key: e"),
    ).toHaveLength(10);
    expect(loaded.lines.at(-1)).toBe(
      "Done loading RDB, keys loaded: 1, keys expired: 0, empty keys skipped: 12.",
    );
  });

  test("strings as integers and compressed, of keys too", () => {
    // Two literal bytes, then 38 bytes copied from two back.
    const compressed = concat([0xc3, 6, 40], [1, 0x61, 0x62, 0xe0, 29, 1]);
    const items = concat(
      [STRING],
      compressed,
      compressed,
      [STRING, 0xc0, 0x85, 0xc1, 0x00, 0x80],
      [STRING, 0xc2, 1, 2, 3, 4, 0xc0, 0],
      text("x".repeat(100), "y".repeat(20_000)),
      text("tail", "t"),
    );
    const loaded = loadGood(items);
    expect(stringOf(loaded, "ab".repeat(20))).toBe("ab".repeat(20));
    expect(stringOf(loaded, "-123")).toBe("-32768");
    expect(stringOf(loaded, "67305985")).toBe("0");
    expect(stringOf(loaded, "x".repeat(100))).toBe("y".repeat(20_000));
  });
});

describe("runs of strings", () => {
  test("come out as one by one, expired ones left out, at any size of a step", () => {
    const items: Uint8Array[] = [];
    for (let i = 0; i < 1000; i++) {
      if (i % 7 === 0) items.push(concat([252], int64(NOW_MS + (i % 2 === 0 ? 9999 : -1))));
      items.push(i % 5 === 0 ? rdbKey(`k${i}`, STRING, [0xc0, i & 0x7f]) : text(`k${i}`, `v${i}`));
      if (i % 100 === 99) items.push(rdbKey(`s${i}`, 2, [1], rdbString("m")));
    }
    const file = rdbFile(11, [251], rdbLength(1000), [0], ...items);
    const whole = loadFile(file);
    expect(whole.result).toMatchObject({ failure: null, keysLoaded: 939, keysExpired: 71 });
    verify(whole.keyspace.databases[0]);
    const slow = loadFile(new SlowSource(file, 3));
    expect(slow.digest()).toBe(whole.digest());
    expect(slow.result).toMatchObject({ keysLoaded: 939, keysExpired: 71 });
  });

  test("a key that comes twice ends the loading, or replaces the first", () => {
    const items = concat(text("a", "1"), text("b", "2"), text("a", "3"), text("c", "4"));
    const tail = new Uint8Array(64);
    const loaded = loadFile(rdbFile(3, items, text("padding", "x".repeat(64)), tail));
    expect(loaded.result.failure).toBe("RDB has duplicated key 'a' in DB 0");
    const merged = loadFile(rdbFile(11, items, text("padding", "x".repeat(64))), {
      replacesKeys: true,
    });
    expect(merged.result).toMatchObject({ failure: null, keysLoaded: 5 });
    expect(stringOf(merged, "a")).toBe("3");
    verify(merged.keyspace.databases[0]);
  });

  test("steps end at their bounds", () => {
    const items = Array.from({ length: 100 }, (_, i) => text(`k${i}`, "v".repeat(40)));
    const source = new MemorySource(rdbFile(11, ...items));
    const stepped = new RdbLoader(source, testKeyspace().keyspace, QUIET);
    while (!stepped.step(Infinity, Infinity, 10)) {
      expect(stepped.keysRead % 10 === 0 || stepped.keysRead === 100).toBeTrue();
      expect(stepped.loadedBytes).toBeLessThanOrEqual(stepped.totalBytes);
    }
    expect(stepped.keysLoaded).toBe(100);
    expect(stepped.loadedBytes).toBe(stepped.totalBytes);
  });
});
