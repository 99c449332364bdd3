/** Active expiry: how much a cycle removes, when it stops, and what it reports. */
import { describe, expect, test } from "bun:test";
import { ManualClock } from "../../../src/base/clock.ts";
import { seededPrng } from "../../../src/base/prng.ts";
import { ActiveExpiry, slowExpireBudgetUs } from "../../../src/keyspace/expire.ts";
import { ExpiryHold, Keyspace } from "../../../src/keyspace/keyspace.ts";
import { passMs, put, putUntil, testKeyspace, verify } from "../../support/test-keyspace.ts";

const NO_LIMIT_US = 1e9;

/** A clock on which each look at the time takes a while. */
class SlowClock extends ManualClock {
  stepUs = 0;

  override monotonicUs(): number {
    this.advanceUs(this.stepUs);
    return super.monotonicUs();
  }
}

function keyspaceWith(clock: SlowClock): Keyspace {
  const nothing = (): void => {};
  return new Keyspace(3, clock, seededPrng(3), {
    onEvent: nothing,
    onModified: nothing,
    onReplaced: nothing,
    onVanished: nothing,
    onFieldVanished: nothing,
  });
}

describe("active expiry", () => {
  test("the budget of a slow cycle is a quarter of the time at effort 1", () => {
    expect(slowExpireBudgetUs(1, 10)).toBe(25_000);
    expect(slowExpireBudgetUs(10, 10)).toBe(43_000);
    expect(slowExpireBudgetUs(1, 500)).toBe(500);
    expect(slowExpireBudgetUs(1, 1e9)).toBe(1);
  });

  test("removes what is stale, and nothing else", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    for (let i = 0; i < 5000; i++) {
      putUntil(db, `dead:${i}`, "v", t.keyspace.nowMs + 10);
      put(db, `forever:${i}`, "v");
    }
    putUntil(db, "alive", "v", t.keyspace.nowMs + 11);
    passMs(t, 11);
    expect(t.keyspace.expiry.runSlow(NO_LIMIT_US)).toBe(5000);
    expect(db.index.size).toBe(5001);
    expect(db.volatile.size).toBe(1);
    expect(t.keyspace.expiredKeys).toBe(5000);
    expect(t.events.filter((event) => event === "0 expired dead:7")).toHaveLength(1);
    expect(t.events.filter((event) => event === "0 (expired) dead:7")).toHaveLength(1);
    verify(db);
  });

  test("stops when a tenth or less of a slice is stale", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    for (let i = 0; i < 20_000; i++) {
      putUntil(db, `key:${i}`, "v", t.keyspace.nowMs + (i % 50 === 0 ? 1 : 100_000));
    }
    passMs(t, 2);
    const removed = t.keyspace.expiry.runSlow(NO_LIMIT_US);
    expect(removed).toBeLessThan(200);
    expect(t.keyspace.expiry.timeCapReached).toBe(0);
    expect(db.averageTtlMs).toBeGreaterThan(99_000);
    expect(db.averageTtlMs).toBeLessThanOrEqual(100_000);
    // Cycle after cycle goes on where the last one stopped, so that none is forgotten.
    for (let i = 0; i < 2000; i++) t.keyspace.expiry.runSlow(NO_LIMIT_US);
    expect(db.volatile.size).toBe(19_600);
  });

  test("stops when its time is over, and goes on with the next database", () => {
    const clock = new SlowClock();
    const keyspace = keyspaceWith(clock);
    const expiry = new ActiveExpiry(keyspace, clock);
    for (const database of keyspace.databases) {
      for (let i = 0; i < 1000; i++) putUntil(database, `key:${i}`, "v", keyspace.nowMs);
    }
    clock.advanceMs(1);
    keyspace.tick();
    clock.stepUs = 100;
    const sizes = (): number[] => keyspace.databases.map((database) => database.index.size);
    expiry.runSlow(150);
    expect(expiry.timeCapReached).toBe(1);
    expect(expiry.isBehind).toBe(true);
    expect(expiry.spentUs).toBeGreaterThan(150);
    const [first, ...others] = sizes();
    expect(first).toBeLessThan(1000);
    expect(others).toEqual([1000, 1000]);
    expiry.runSlow(150);
    expect(sizes()[0]).toBe(first);
    expect(sizes()[1]).toBeLessThan(1000);
    // A fast cycle helps out, but not twice within its own time.
    expect(expiry.runFast()).toBeGreaterThan(0);
    expect(expiry.runFast()).toBe(0);
    clock.advanceMs(10);
    expect(expiry.runFast()).toBeGreaterThan(0);
    clock.stepUs = 0;
    expiry.runSlow(NO_LIMIT_US);
    expect(sizes()).toEqual([0, 0, 0]);
    expect(expiry.staleShare).toBeGreaterThan(0.1);
    for (let i = 0; i < 100; i++) expiry.runSlow(NO_LIMIT_US);
    expect(expiry.isBehind).toBe(false);
    expect(expiry.runFast()).toBe(0);
    expiry.resetStats();
    expect([expiry.staleShare, expiry.timeCapReached, expiry.spentUs]).toEqual([0, 0, 0]);
  });

  test("a slow cycle in slices ends when it has no more work, or no more time", () => {
    const clock = new SlowClock();
    const keyspace = keyspaceWith(clock);
    const expiry = new ActiveExpiry(keyspace, clock);
    const [db] = keyspace.databases;
    for (let i = 0; i < 3000; i++) putUntil(db, `key:${i}`, "v", keyspace.nowMs);
    clock.advanceMs(1);
    keyspace.tick();
    clock.stepUs = 100;
    expiry.beginSlow(2500);
    let slices = 0;
    for (; expiry.isInSlowCycle; slices++) expiry.continueSlow(1000);
    expect(slices).toBe(3);
    expect(expiry.timeCapReached).toBe(1);
    const left = db.index.size;
    expect(left).toBeGreaterThan(0);
    clock.stepUs = 0;
    expiry.beginSlow(2500);
    // Databases come in turn: this one's slice takes what is left of it, within no time.
    expect(expiry.continueSlow(1000)).toBe(left);
    expect(expiry.isInSlowCycle).toBe(false);
    expect(expiry.timeCapReached).toBe(1);
  });

  test("rests while keys may not vanish by themselves", () => {
    const t = testKeyspace();
    const [db] = t.keyspace.databases;
    putUntil(db, "k", "v", t.keyspace.nowMs);
    passMs(t, 1);
    t.keyspace.holdExpiry(ExpiryHold.PAUSE, true);
    expect(t.keyspace.expiry.runSlow(NO_LIMIT_US)).toBe(0);
    t.keyspace.holdExpiry(ExpiryHold.PAUSE, false);
    expect(t.keyspace.expiry.runSlow(NO_LIMIT_US)).toBe(1);
  });
});
