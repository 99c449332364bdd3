/** Compaction: that it frees memory, changes no data, paces itself and ends. */
import { describe, expect, test } from "bun:test";
import { seedOfRun, withSeed } from "../../support/seed.ts";
import {
  type TestKeyspace,
  keysOf,
  passMs,
  peek,
  put,
  putUntil,
  testKeyspace,
  valueOf,
  verify,
} from "../../support/test-keyspace.ts";

const FILE = "test/unit/keyspace/compact.test.ts";
const seed = seedOfRun();

const SETTINGS = {
  enabled: true,
  ignoreBytes: 1,
  thresholdLower: 10,
  thresholdUpper: 100,
  cycleMin: 5,
  cycleMax: 25,
  cycleUs: 500,
};

/** Many keys, of which all but every tenth are then removed. */
function fragment(t: TestKeyspace, count: number, sizeOf: (i: number) => number): void {
  const [db] = t.keyspace.databases;
  for (let i = 0; i < count; i++) {
    const value = `${i}`.padEnd(sizeOf(i), "v");
    if (i % 3 === 0) putUntil(db, `key:${i}`, value, t.keyspace.nowMs + 1e6);
    else put(db, `key:${i}`, value);
  }
  for (let i = 0; i < count; i++) {
    if (i % 10 !== 0) db.removeFound(peek(db, `key:${i}`));
  }
}

function runPass(t: TestKeyspace): number {
  t.keyspace.compactor.pace();
  let runs = 0;
  while (t.keyspace.compactor.run()) runs++;
  return runs;
}

describe("compaction", () => {
  test(`frees most of the waste and changes no data (seed ${seed})`, () =>
    withSeed(FILE, seed, (random) => {
      const t = testKeyspace(random.next());
      const [db] = t.keyspace.databases;
      const { compactor } = t.keyspace;
      const count = 20_000;
      fragment(t, count, () => 20 + random.below(60));
      const keys = keysOf(db);
      const values = keys.map((key) => valueOf(db, peek(db, key)));
      const waste = compactor.wasteBytes();
      compactor.configure(SETTINGS);
      runPass(t);
      expect(compactor.wasteBytes()).toBeLessThan(waste / 2);
      expect(keysOf(db)).toEqual(keys);
      expect(keys.map((key) => valueOf(db, peek(db, key)))).toEqual(values);
      expect(compactor.keyHits).toBeGreaterThan(0);
      expect(compactor.keyHits + compactor.keyMisses).toBe(count / 10);
      expect(compactor.hits).toBeGreaterThanOrEqual(compactor.keyHits);
      expect(compactor.cpuPercent).toBe(0);
      verify(db);
      t.keyspace.clearDatabase(db, false);
      expect(t.keyspace.arena.liveBytes).toBe(0);
    }));

  test("is cut into runs, between which data may change", () => {
    const t = testKeyspace(seed);
    const [db] = t.keyspace.databases;
    const { compactor } = t.keyspace;
    fragment(t, 20_000, (i) => 20 + (i % 90));
    // Every run is out of time at once.
    compactor.configure({ ...SETTINGS, cycleUs: 0 });
    compactor.pace();
    let runs = 0;
    for (let next = 0; compactor.run(); runs++) {
      next = (next + 10) % 20_000;
      const record = peek(db, `key:${next}`);
      if (record !== 0) db.removeFound(record);
      put(db, `new:${runs}`, "v".repeat(runs % 100));
      if (runs % 20 === 0) verify(db);
    }
    expect(runs).toBeGreaterThan(20);
    verify(db);
  });

  test("begins above the thresholds, and takes more time the more there is to gain", () => {
    const t = testKeyspace();
    const { compactor } = t.keyspace;
    fragment(t, 5000, () => 40);
    const waste = compactor.wasteBytes();
    compactor.pace();
    expect(compactor.cpuPercent).toBe(0);
    compactor.configure({ ...SETTINGS, enabled: false });
    compactor.pace();
    expect(compactor.cpuPercent).toBe(0);
    compactor.configure({ ...SETTINGS, ignoreBytes: waste + 1 });
    compactor.pace();
    expect(compactor.cpuPercent).toBe(0);
    compactor.configure({ ...SETTINGS, thresholdLower: 1e6, thresholdUpper: 1e6 });
    compactor.pace();
    expect(compactor.cpuPercent).toBe(0);
    expect(compactor.run()).toBe(false);
    compactor.configure({ ...SETTINGS, thresholdUpper: 1e6 });
    compactor.pace();
    expect(compactor.cpuPercent).toBe(5);
    expect(compactor.pauseMs()).toBeCloseTo(9.5);
    compactor.configure(SETTINGS);
    compactor.pace();
    expect(compactor.cpuPercent).toBe(25);
    expect(compactor.pauseMs()).toBeCloseTo(1.5);
    // Less only if that is configured.
    compactor.configure({ ...SETTINGS, cycleMin: 2, cycleMax: 3 });
    compactor.pace();
    expect(compactor.cpuPercent).toBe(3);
    passMs(t, 3);
    expect(compactor.currentPassUs()).toBe(3000);
    compactor.configure({ ...SETTINGS, enabled: false });
    expect(compactor.cpuPercent).toBe(0);
    expect(compactor.totalPassUs()).toBe(3000);
    compactor.resetStats();
    expect(compactor.totalPassUs()).toBe(0);
  });

  test("does not repeat a pass that can gain nothing", () => {
    const t = testKeyspace();
    const { compactor } = t.keyspace;
    compactor.configure({ ...SETTINGS, thresholdLower: 0 });
    for (let i = 0; i < 100; i++) put(t.keyspace.databases[0], `key:${i}`, "v".repeat(i * 7));
    runPass(t);
    runPass(t);
    compactor.pace();
    expect(compactor.cpuPercent).toBe(0);
    fragment(t, 5000, () => 40);
    compactor.pace();
    expect(compactor.cpuPercent).toBeGreaterThan(0);
  });
});
