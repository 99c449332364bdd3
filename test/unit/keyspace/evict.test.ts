/** Eviction: which keys each policy takes, and what it does when there is none. */
import { describe, expect, test } from "bun:test";
import { ExpiryHold } from "../../../src/keyspace/keyspace.ts";
import type { Database } from "../../../src/keyspace/database.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";
import {
  type TestKeyspace,
  bytesOf,
  isStored,
  keysOf,
  passMs,
  peek,
  put,
  putUntil,
  testKeyspace,
  verify,
} from "../../support/test-keyspace.ts";

const FILE = "test/unit/keyspace/evict.test.ts";
const seed = seedOfRun();
const SAMPLES = 10;
const NO_TIME_LIMIT = 100;
const LFU = { logFactor: 10, decayMinutes: 1 };

/** Evicts until `count` keys are gone; false if that was impossible. */
function evict(t: TestKeyspace, count: number): boolean {
  const used = (): number => t.keyspace.keyCount();
  return t.keyspace.evictor.evictUntilFits(used, used() - count);
}

function countKeys(database: Database, prefix: string): number {
  return keysOf(database).filter((key) => key.startsWith(prefix)).length;
}

describe("eviction", () => {
  test("does nothing while memory fits, and refuses under noeviction", () => {
    const t = testKeyspace();
    put(t.keyspace.databases[0], "k", "v");
    t.keyspace.evictor.configure("noeviction", SAMPLES, NO_TIME_LIMIT);
    expect(evict(t, 0)).toBe(true);
    expect(evict(t, 1)).toBe(false);
    t.clock.advanceMs(7);
    expect(t.keyspace.evictor.currentExceededUs()).toBe(7000);
    expect(evict(t, 0)).toBe(true);
    expect(t.keyspace.evictor.currentExceededUs()).toBe(0);
    expect(t.keyspace.evictor.totalExceededUs()).toBe(7000);
    expect(t.keyspace.keyCount()).toBe(1);
  });

  test("takes keys that expire only, under the volatile policies", () => {
    for (const policy of ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"]) {
      const t = testKeyspace();
      if (policy.endsWith("lfu")) t.keyspace.setLfu(LFU);
      t.keyspace.evictor.configure(policy, SAMPLES, NO_TIME_LIMIT);
      for (const database of t.keyspace.databases) {
        for (let i = 0; i < 200; i++) {
          put(database, `stays:${i}`, "v");
          putUntil(database, `goes:${i}`, "v", t.keyspace.nowMs + 1000 + i);
        }
      }
      expect(evict(t, 400)).toBe(true);
      expect(evict(t, 1)).toBe(false);
      expect(t.keyspace.evictedKeys).toBe(400);
      for (const database of t.keyspace.databases) {
        expect(database.index.size).toBe(200);
        expect(countKeys(database, "stays:")).toBe(200);
        verify(database);
      }
    }
  });

  test("takes all keys of all databases, under the others", () => {
    for (const policy of ["allkeys-lru", "allkeys-lfu", "allkeys-random"]) {
      const t = testKeyspace();
      if (policy.endsWith("lfu")) t.keyspace.setLfu(LFU);
      t.keyspace.evictor.configure(policy, SAMPLES, NO_TIME_LIMIT);
      for (const database of t.keyspace.databases) {
        for (let i = 0; i < 300; i++) put(database, `key:${i}`, "v");
      }
      expect(evict(t, 600)).toBe(true);
      expect(evict(t, 1)).toBe(false);
      expect(t.keyspace.arena.liveBytes).toBe(0);
    }
  });

  test(`prefers idle, rare and short-lived keys (seed ${seed})`, () =>
    withSeed(FILE, seed, (random) => {
      for (const policy of ["allkeys-lru", "allkeys-lfu", "volatile-ttl"]) {
        const t = testKeyspace(random.next());
        const [db] = t.keyspace.databases;
        if (policy === "allkeys-lfu") t.keyspace.setLfu(LFU);
        t.keyspace.evictor.configure(policy, SAMPLES, NO_TIME_LIMIT);
        const total = 2000;
        for (let i = 0; i < total / 2; i++) {
          putUntil(db, `bad:${i}`, "v", t.keyspace.nowMs + 1e6 + i);
          putUntil(db, `good:${i}`, "v", t.keyspace.nowMs + 1e9 + i);
        }
        passMs(t, 60_000);
        for (let round = 0; round < 5; round++) {
          for (let i = 0; i < total / 2; i++)
            db.lookupRead(bytesOf(`good:${i}`), 0, `good:${i}`.length);
        }
        expect(evict(t, total / 4)).toBe(true);
        expect(countKeys(db, "bad:")).toBeLessThan(total / 4 + 15);
        expect(countKeys(db, "good:")).toBeGreaterThan(total / 2 - 15);
        verify(db);
      }
    }));

  test("skips candidates that vanished, moved, or no longer expire", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    t.keyspace.evictor.configure("volatile-ttl", SAMPLES, NO_TIME_LIMIT);
    const long = "k".repeat(5000);
    for (let i = 0; i < 12; i++) putUntil(db, `${long}${i}`, "v", t.keyspace.nowMs + 1000 + i);
    expect(evict(t, 1)).toBe(true);
    const left = keysOf(db);
    // All of these stand in the pool now.
    db.clearExpiry(peek(db, left[0]));
    peek(db, left[1]);
    db.removeFound(peek(db, left[1]));
    put(db, left[2], "v".repeat(900), true);
    expect(evict(t, 9)).toBe(true);
    expect(keysOf(db)).toEqual([left[0]]);
    expect(evict(t, 1)).toBe(false);
    verify(db);
  });

  test("tells of a deletion, then of the event", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    t.keyspace.evictor.configure("allkeys-random", SAMPLES, NO_TIME_LIMIT);
    t.keyspace.watchesKeys = true;
    put(db, "k", "v");
    t.events.length = 0;
    evict(t, 1);
    expect(t.events).toEqual(["0 (evicted) k", "0 (modified) k", "0 evicted k"]);
  });

  test("ends when the time is up that the tenacity grants, and says that it is behind", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    const { evictor } = t.keyspace;
    for (let i = 0; i < 1000; i++) put(db, `key:${i}`, "v");
    const slowly = (): number => {
      t.clock.advanceUs(100);
      return t.keyspace.keyCount();
    };
    for (const [tenacity, evictedMax] of [
      [0, 16],
      [10, 16],
      [30, 96],
    ]) {
      const before = t.keyspace.keyCount();
      evictor.configure("allkeys-random", SAMPLES, tenacity);
      expect(evictor.evictUntilFits(slowly, 0)).toBe(true);
      expect(evictor.isBehind).toBe(true);
      expect(before - t.keyspace.keyCount()).toBe(evictedMax);
    }
    evictor.configure("allkeys-random", SAMPLES, NO_TIME_LIMIT);
    expect(evictor.evictUntilFits(slowly, 0)).toBe(true);
    expect(evictor.isBehind).toBe(false);
    expect(t.keyspace.keyCount()).toBe(0);
  });

  test("leaves data alone that may not vanish by themselves", () => {
    const t = testKeyspace();
    put(t.keyspace.databases[0], "k", "v");
    t.keyspace.evictor.configure("allkeys-lru", SAMPLES, NO_TIME_LIMIT);
    t.keyspace.holdExpiry(ExpiryHold.PAUSE, true);
    expect(evict(t, 1)).toBe(true);
    expect(isStored(t.keyspace.databases[0], "k")).toBe(true);
  });
});
