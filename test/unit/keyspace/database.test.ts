/** Databases: contracts one by one, then random operations against a Map. */
import { describe, expect, test } from "bun:test";
import { ExpiryHold } from "../../../src/keyspace/keyspace.ts";
import type { Database } from "../../../src/keyspace/database.ts";
import {
  Meta,
  StringEncoding,
  expireAtExact,
  keyLength,
  metaOf,
  valueAt,
  viewOf,
} from "../../../src/keyspace/record.ts";
import { writePrefix } from "../../../src/memory/stored-bytes.ts";
import { type Random, fuzzBudgetMs, seedOfRun, withSeed } from "../../support/seed.ts";
import {
  type TestKeyspace,
  bytesOf,
  isStored,
  keyOf,
  keysOf,
  passMs,
  peek,
  put,
  putUntil,
  testKeyspace,
  valueOf,
  verify,
} from "../../support/test-keyspace.ts";

const FILE = "test/unit/keyspace/database.test.ts";

describe("a database", () => {
  test("keeps a key alive in its last millisecond", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    putUntil(db, "k", "v", t.keyspace.nowMs + 10);
    passMs(t, 10);
    expect(peek(db, "k")).not.toBe(0);
    passMs(t, 1);
    expect(peek(db, "k")).toBe(0);
    expect(isStored(db, "k")).toBe(false);
    expect(t.keyspace.expiredKeys).toBe(1);
  });

  test("tells of an expired key before a lookup misses it", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    t.keyspace.watchesKeys = true;
    putUntil(db, "k", "v", t.keyspace.nowMs);
    passMs(t, 1);
    t.events.length = 0;
    expect(db.lookupRead(bytesOf("k"), 0, 1)).toBe(0);
    expect(t.events).toEqual(["0 (expired) k", "0 expired k", "0 (modified) k", "0 keymiss k"]);
    expect([t.keyspace.hits, t.keyspace.misses]).toEqual([0, 1]);
  });

  test("keeps an exact moment through every change of the record", () => {
    const t = testKeyspace();
    const [db, other] = t.keyspace.databases;
    const moment = 9007199254740993n;
    putUntil(db, "k", "v", moment);
    const exact = (database: Database, key: string): bigint =>
      expireAtExact(viewOf(t.keyspace.arena, peek(database, key)), peek(database, key));
    expect(exact(db, "k")).toBe(moment);
    put(db, "k", "x".repeat(1000), true);
    expect(exact(db, "k")).toBe(moment);
    db.resizeString(peek(db, "k"), 3);
    expect(exact(db, "k")).toBe(moment);
    const source = peek(db, "k");
    other.peek(bytesOf("k"), 0, 1);
    other.insertLike(source, bytesOf("k"), 0, 1);
    expect(exact(other, "k")).toBe(moment);
    put(db, "k", "y".repeat(10));
    expect(db.expireAtMs(peek(db, "k"))).toBe(-1);
    verify(db);
    verify(other);
  });

  test("shows hidden keys to nobody, but lets writes replace them", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    putUntil(db, "k", "old", t.keyspace.nowMs);
    t.keyspace.holdExpiry(ExpiryHold.PAUSE, true);
    passMs(t, 1);
    expect(peek(db, "k")).toBe(0);
    expect(isStored(db, "k")).toBe(true);
    put(db, "k", "new");
    expect(keysOf(db)).toEqual(["k"]);
    expect(valueOf(db, peek(db, "k"))).toBe("new");
    t.keyspace.hidesExpired = false;
    putUntil(db, "k", "old", t.keyspace.nowMs);
    passMs(t, 1);
    expect(valueOf(db, peek(db, "k"))).toBe("old");
    verify(db);
  });

  test("counts a read that does not touch, and no touch happens", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    put(db, "k", "v");
    passMs(t, 5000);
    expect(db.lookupReadUntouched(bytesOf("k"), 0, 1)).not.toBe(0);
    expect(t.keyspace.idleSeconds(peek(db, "k"))).toBe(5);
    expect(db.lookupReadUntouched(bytesOf("none"), 0, 4)).toBe(0);
    expect([t.keyspace.hits, t.keyspace.misses]).toEqual([1, 1]);
    db.lookupRead(bytesOf("k"), 0, 1);
    expect(t.keyspace.idleSeconds(peek(db, "k"))).toBe(0);
  });

  test("gives all memory back when it is cleared, large values too", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    t.keyspace.watchesKeys = true;
    put(db, "huge", "x".repeat(40 * 1024 * 1024));
    for (let i = 0; i < 3000; i++) putUntil(db, `key:${i}`, "v".repeat(i % 300), 1e15);
    t.events.length = 0;
    expect(t.keyspace.clearDatabase(db, false)).toBe(3001);
    expect(t.events).toEqual(["0 (replaced by -1)"]);
    expect(t.keyspace.arena.liveBytes).toBe(0);
    expect(db.index.size + db.volatile.size).toBe(0);
    t.keyspace.arena.verify();
    put(db, "k", "v");
    expect(keysOf(db)).toEqual(["k"]);
  });

  test("exchanges its contents with another one", () => {
    const t = testKeyspace();
    put(t.keyspace.databases[0], "a", "1");
    t.keyspace.swap(0, 1);
    expect(keysOf(t.keyspace.databases[0])).toEqual([]);
    expect(keysOf(t.keyspace.databases[1])).toEqual(["a"]);
    expect(t.keyspace.databases.map((database) => database.id)).toEqual([0, 1]);
  });
});

interface ModelEntry {
  value: string;
  /** null = never. */
  atMs: number | bigint | null;
}

/** One database and what it should hold. */
interface Pair {
  readonly database: Database;
  readonly model: Map<string, ModelEntry>;
}

const OPERATIONS_PER_CHECK = 2000;

describe("random operations", () => {
  const seed = seedOfRun();

  test(`agree with a Map (seed ${seed})`, () =>
    withSeed(FILE, seed, (random) => {
      const t = testKeyspace(random.next());
      const pairs = t.keyspace.databases.map((database) => ({ database, model: new Map() }));
      const deadline = performance.now() + fuzzBudgetMs(400);
      // Few keys make collisions of purpose, many make the indexes split and merge.
      const keyCount = random.pick([5, 200, 5000]);
      for (let i = 1; performance.now() < deadline; i++) {
        const pair = random.oneIn(4) ? pairs[1] : pairs[0];
        operate(t, random, pairs, pair, keyCount);
        if (i % OPERATIONS_PER_CHECK === 0) for (const each of pairs) compare(each);
      }
      for (const each of pairs) compare(each);
      for (const { database } of pairs) t.keyspace.clearDatabase(database, false);
      expect(t.keyspace.arena.liveBytes).toBe(0);
      t.keyspace.arena.verify();
    }));
});

function operate(
  t: TestKeyspace,
  random: Random,
  pairs: readonly Pair[],
  pair: Pair,
  keyCount: number,
): void {
  const { database, model } = pair;
  const key = randomKey(random, keyCount);
  const entry = present(t, pair, key);
  const record = peek(database, key);
  expect(record !== 0).toBe(entry !== undefined);
  if (entry !== undefined) expect(valueOf(database, record)).toBe(entry.value);
  const kind = random.below(entry === undefined ? 4 : 16);
  if (kind < 3) {
    const value = randomValue(random);
    const keepExpiry = random.oneIn(2);
    put(database, key, value, keepExpiry);
    model.set(key, { value, atMs: keepExpiry ? (entry?.atMs ?? null) : null });
  } else if (entry === undefined || kind === 3) passMs(t, random.below(20));
  else if (kind < 7) {
    const atMs = randomMoment(t, random);
    database.setExpireAt(record, atMs);
    entry.atMs = atMs;
  } else if (kind === 7) {
    database.clearExpiry(record);
    entry.atMs = null;
  } else if (kind < 10) resize(pair, record, entry, randomValue(random));
  else if (kind === 10) {
    database.compactFound(record);
  } else if (kind === 11) transfer(t, pair, random.pick(pairs), key, randomKey(random, keyCount));
  else if (kind === 12 && random.oneIn(500)) {
    t.keyspace.clearDatabase(database, false);
    model.clear();
  } else {
    database.removeFound(record);
    model.delete(key);
  }
}

/** Renames, moves or copies a key: `insertLike`, as RENAME, MOVE and COPY use it. */
function transfer(t: TestKeyspace, from: Pair, to: Pair, key: string, newKey: string): void {
  if (from === to && key === newKey) return;
  const source = peek(from.database, key);
  const overwritten = present(t, to, newKey);
  const target = to.database.lookupWrite(bytesOf(newKey), 0, newKey.length);
  expect(target !== 0).toBe(overwritten !== undefined);
  if (target !== 0) to.database.removeFound(target);
  to.database.insertLike(source, bytesOf(newKey), 0, newKey.length);
  to.model.set(newKey, { ...(from.model.get(key) as ModelEntry) });
  from.database.findRecord(source);
  from.database.detachFound(source);
  t.keyspace.freeRecordBlock(source);
  from.model.delete(key);
}

/** Gives a value another length, and new bytes where it grew. */
function resize({ database }: Pair, record: number, entry: ModelEntry, wanted: string): void {
  const { arena } = database.keyspace;
  const kept = Math.min(wanted.length, entry.value.length);
  const moved = database.resizeString(record, wanted.length);
  const view = viewOf(arena, moved);
  const start = writePrefix(view, valueAt(view, moved, metaOf(arena, moved)), wanted.length);
  for (let i = kept; i < wanted.length; i++) view.setUint8(start + i, wanted.charCodeAt(i));
  entry.value = entry.value.slice(0, kept) + wanted.slice(kept);
}

/** What the model holds for a key; it forgets the key if its time has passed, as a lookup does. */
function present(t: TestKeyspace, { model }: Pair, key: string): ModelEntry | undefined {
  const entry = model.get(key);
  if (entry === undefined || entry.atMs === null || entry.atMs >= t.keyspace.nowMs) return entry;
  model.delete(key);
  return undefined;
}

/** Everything, both ways. */
function compare({ database, model }: Pair): void {
  verify(database);
  expect(keysOf(database)).toEqual([...model.keys()].sort());
  const { arena } = database.keyspace;
  let volatile = 0;
  database.index.eachEntry((record) => {
    const entry = model.get(keyOf(database, record)) as ModelEntry;
    expect(valueOf(database, record)).toBe(entry.value);
    const expires = (metaOf(arena, record) & Meta.EXPIRY) !== 0;
    expect(expires).toBe(entry.atMs !== null);
    if (entry.atMs === null) return;
    volatile++;
    const view = viewOf(arena, record);
    expect(expireAtExact(view, record)).toBe(BigInt(entry.atMs));
    // The volatile index names the same record.
    const key = bytesOf(keyOf(database, record));
    const hash = database.volatile.hash(key, 0, keyLength(view, record));
    expect(database.volatile.find(key, 0, key.byteLength, hash)).toBe(record);
  });
  expect(database.volatile.size).toBe(volatile);
}

function randomKey(random: Random, keyCount: number): string {
  const number = random.below(keyCount);
  return number % 50 === 0 ? `${number}:${"long ".repeat(60)}` : `key:${number}`;
}

function randomValue(random: Random): string {
  const length = random.oneIn(200) ? random.below(70_000) : random.below(random.pick([4, 60, 600]));
  return String.fromCharCode(97 + random.below(26)).repeat(length);
}

function randomMoment(t: TestKeyspace, random: Random): number | bigint {
  if (random.oneIn(8)) return 2n ** 53n + BigInt(random.next());
  return t.keyspace.nowMs + random.below(random.oneIn(2) ? 50 : 100_000);
}

test("RAW and AUTO strings are told apart by their record", () => {
  const t = testKeyspace();
  const [db] = t.keyspace.databases;
  const record = put(db, "k", "12");
  peek(db, "k");
  db.replaceWithString(record, bytesOf("13"), 0, 2, StringEncoding.RAW, true);
  const meta = metaOf(t.keyspace.arena, peek(db, "k"));
  expect((meta >>> Meta.ENCODING_SHIFT) & Meta.ENCODING_MASK).toBe(StringEncoding.RAW);
});
