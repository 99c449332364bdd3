import { describe, expect, test } from "bun:test";
import { Arena, Ref, blockBytes } from "../../../src/memory/arena.ts";
import { storedBytes, writePrefix } from "../../../src/memory/stored-bytes.ts";
import { HashIndex, INDEX_STATE_BYTES } from "../../../src/structures/hash-index.ts";
import { Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/hash-index.test.ts";
const seed = seedOfRun();

/** Bytes in an entry before its key, as the owner of an index may want. */
const KEY_AT = 5;

/** An index, and the Map it should be equal to. Keys are Latin-1. */
class Model {
  readonly arena = new Arena();
  readonly index: HashIndex;
  readonly entries = new Map<string, number>();
  private readonly key = Buffer.alloc(1000);
  private readonly keyView = new DataView(this.key.buffer, this.key.byteOffset);

  constructor(key0: number, key1: number) {
    this.index = new HashIndex(this.arena, KEY_AT, key0, key1);
  }

  hash(key: string): number {
    const length = this.write(key);
    return this.index.hash(this.keyView, 3, 3 + length);
  }

  find(key: string): number {
    const hash = this.hash(key);
    const found = this.index.find(this.keyView, 3, 3 + key.length, hash);
    if (found !== (this.entries.get(key) ?? 0)) throw new Error(`found ${found} for ${key}`);
    return found;
  }

  insert(key: string): void {
    if (this.find(key) !== 0) return;
    const entry = this.newEntry(key);
    this.index.insert(entry, this.hash(key));
    this.entries.set(key, entry);
  }

  replace(key: string): void {
    const entry = this.find(key);
    if (entry === 0) return;
    const moved = this.newEntry(key);
    this.index.replaceFound(moved);
    this.freeEntry(entry, key);
    this.entries.set(key, moved);
  }

  remove(key: string): void {
    const entry = this.find(key);
    if (entry === 0) return;
    // Either way takes turns.
    if ((this.entries.size & 1) === 0) this.index.removeFound(this.hash(key));
    else this.index.removeEntry(entry, this.hash(key));
    this.freeEntry(entry, key);
    this.entries.delete(key);
  }

  clear(): void {
    this.index.clear();
    for (const [key, entry] of this.entries) this.freeEntry(entry, key);
    this.entries.clear();
  }

  keyOf(entry: number): string {
    const bytes = this.arena.bytes[entry >>> Ref.SEGMENT_SHIFT];
    const at = ((entry & Ref.GRANULE_MASK) << 3) + KEY_AT;
    const prefix = bytes[at] < 254 ? 1 : 3;
    const length = prefix === 1 ? bytes[at] : bytes[at + 1] | (bytes[at + 2] << 8);
    return Buffer.from(bytes.subarray(at + prefix, at + prefix + length)).toString("latin1");
  }

  /** The invariants; that the index holds the Map's entries; and that nothing leaks. */
  check(): void {
    this.index.verify();
    expect(this.index.size).toBe(this.entries.size);
    for (const key of this.entries.keys()) this.find(key);
    let bytes = this.index.memoryBytes();
    for (const key of this.entries.keys()) bytes += blockBytes(KEY_AT + storedBytes(key.length));
    expect(this.arena.liveBytes).toBe(bytes);
  }

  private write(key: string): number {
    return this.key.write(key, 3, "latin1");
  }

  private newEntry(key: string): number {
    const entry = this.arena.allocate(KEY_AT + storedBytes(key.length));
    const segment = entry >>> Ref.SEGMENT_SHIFT;
    const at = ((entry & Ref.GRANULE_MASK) << 3) + KEY_AT;
    const keyAt = writePrefix(this.arena.views[segment], at, key.length);
    Buffer.from(this.arena.bytes[segment].buffer, keyAt).write(key, "latin1");
    return entry;
  }

  private freeEntry(entry: number, key: string): void {
    this.arena.free(entry, KEY_AT + storedBytes(key.length));
  }
}

function newModel(random: Random): Model {
  return new Model(random.next() | 0, random.next() | 0);
}

/** Keys whose hashes begin with `bits` zeros and whose low byte is among `tags`, if given. */
function alikeKeys(model: Model, count: number, bits: number, tags?: readonly number[]): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    const key = i.toString(36);
    const hash = model.hash(key);
    if (hash >>> (32 - bits) !== 0) continue;
    if (tags === undefined || tags.includes(hash & 0xff)) keys.push(key);
  }
  return keys;
}

describe("an index against a Map", () => {
  for (const space of [3, 40, 400, 6000]) {
    test(`random changes to ${space} keys`, () =>
      withSeed(FILE, seed + space, (random) => {
        const model = newModel(random);
        const keys = Array.from({ length: space }, (_, i) => {
          const isLong = random.oneIn(20);
          return `${i}:${"k".repeat(isLong ? 240 + random.below(40) : random.below(12))}`;
        });
        for (let round = 0; round < 25; round++) {
          const growth = random.below(101);
          for (let step = Math.max(20, space / 2); step > 0; step--) {
            const key = random.pick(keys);
            const what = random.below(100);
            if (what < 10) model.find(key);
            else if (what < 20) model.replace(key);
            else if (random.below(100) < growth) model.insert(key);
            else model.remove(key);
          }
          if (random.oneIn(10)) model.clear();
          model.check();
        }
        for (const key of keys) model.remove(key);
        model.check();
        expect(model.arena.liveBytes).toBe(0);
      }));
  }

  test("checked after every step", () =>
    withSeed(FILE, seed, (random) => {
      const model = newModel(random);
      for (let i = 0; i < 700; i++) {
        model.insert(`${i}`);
        model.index.verify();
      }
      for (let i = 0; i < 700; i++) {
        model.remove(`${i}`);
        model.index.verify();
      }
      expect(model.arena.liveBytes).toBe(0);
    }));

  test("keys of every length, the empty one too", () =>
    withSeed(FILE, seed, (random) => {
      const model = newModel(random);
      for (let length = 0; length < 600; length++) model.insert("x".repeat(length));
      model.check();
      for (let length = 0; length < 600; length += 2) model.remove("x".repeat(length));
      model.check();
    }));

  test("an empty index owns no memory", () => {
    const model = new Model(1, 2);
    model.find("a");
    expect(model.arena.liveBytes).toBe(0);
    model.insert("a");
    expect(model.index.memoryBytes()).toBe(16 + 256);
    model.remove("a");
    expect(model.arena.liveBytes).toBe(0);
    model.insert("a");
    model.check();
  });
});

describe("growth", () => {
  test("goes from 3 to 127 buckets, then in splits; and back the same way", () => {
    const model = new Model(7, 8);
    const seen = new Set<number>();
    let count = 0;
    for (; model.index.segmentCount < 2; count++) {
      model.insert(`${count}`);
      if (model.index.segmentCount === 1) seen.add(model.index.bucketCount());
      const load = model.index.size / (model.index.bucketCount() * 12);
      expect(load).toBeLessThan(0.92);
      if (count > 40) expect(load).toBeGreaterThan(0.38);
    }
    expect([...seen]).toEqual([3, 7, 15, 31, 63, 95, 127]);
    expect(count - 1).toBe(1382);
    expect(model.index.bucketCount()).toBe(2 * 95);
    while (model.index.segmentCount < 40) model.insert(`${count++}`);
    model.check();
    const large = model.index.memoryBytes();
    for (let i = 0; i < count - 5; i++) model.remove(`${i}`);
    model.check();
    expect(model.index.segmentCount).toBe(1);
    expect(model.index.bucketCount()).toBe(3);
    expect(model.index.memoryBytes()).toBeLessThan(large / 100);
    // The directory is back at two pairs.
    expect(model.index.memoryBytes()).toBe(16 + 256);
  });

  test("copes with hashes that split to one side only", () => {
    const model = new Model(3, 4);
    const keys = alikeKeys(model, 3000, 8);
    for (const key of keys) model.insert(key);
    model.check();
    // Eight splits put nothing into one half; the directory is as deep as the entries' segments.
    expect(model.index.segmentCount).toBeGreaterThan(8);
    for (let i = 0; i < 2000; i++) model.insert(`other ${i}`);
    model.check();
    for (const key of keys) model.remove(key);
    model.check();
    for (let i = 0; i < 2000; i++) model.remove(`other ${i}`);
    expect(model.arena.liveBytes).toBe(0);
  });

  test("copes with one home bucket and one tag for all", () => {
    const model = new Model(5, 6);
    // 0 is stored as 1, so the tags of these are equal.
    const keys = alikeKeys(model, 300, 6, [0, 1]);
    for (const key of keys) model.insert(key);
    model.check();
    for (const key of keys) model.find(key);
    // More entries passed the home bucket than its overflow counter counts.
    for (const key of keys.slice(0, 150)) model.remove(key);
    model.check();
    for (const key of keys.slice(150, 290)) model.remove(key);
    model.check();
    for (const key of keys) model.insert(key);
    model.check();
  });
});

describe("entries that are expected", () => {
  test.each([500, 1001, 5000, 100_000])("%d: have room, if about as many come", async (count) => {
    await withSeed(FILE, seed, (random) => {
      const model = newModel(random);
      model.index.expect(count);
      expect(model.arena.liveBytes).toBe(0);
      model.insert("first");
      const { segmentCount } = model.index;
      for (let i = 1; i < count; i++) model.insert(`key:${i}`);
      model.check();
      if (count > 1000) expect(model.index.segmentCount).toBe(segmentCount);
      // Whatever was expected: it grows further, shrinks, and ends without memory.
      for (let i = 0; i < count; i++) model.insert(`more:${i}`);
      model.check();
      for (let i = 1; i < count; i++) model.remove(`key:${i}`);
      for (let i = 0; i < count; i++) model.remove(`more:${i}`);
      model.check();
      model.remove("first");
      expect(model.arena.liveBytes).toBe(0);
    });
  });

  test("are forgotten when the object serves another index, and not expected beside others", () => {
    const model = newModel(new Random(seed));
    const root = model.arena.allocate(INDEX_STATE_BYTES);
    const before = model.arena.liveBytes;
    model.index.expect(50_000);
    model.index.attachNew(root);
    model.insert("a");
    model.index.expect(50_000);
    model.insert("b");
    model.index.verify();
    expect(model.arena.liveBytes - before).toBeLessThan(2000);
  });
});

describe("scan", () => {
  /** One whole scan, `between` called after every step; the keys it visited, with counts. */
  function scanAll(model: Model, between: () => void): Map<string, number> {
    const visited = new Map<string, number>();
    let cursor = 0;
    let last = -1;
    do {
      expect(cursor).toBeGreaterThan(last);
      last = cursor;
      cursor = model.index.scan(cursor, (entry) => {
        const key = model.keyOf(entry);
        expect(model.entries.get(key)).toBe(entry);
        visited.set(key, (visited.get(key) ?? 0) + 1);
      });
      expect(cursor).toBeLessThan(2 ** 32);
      between();
    } while (cursor !== 0);
    return visited;
  }

  for (const count of [0, 1, 30, 500, 5000]) {
    test(`visits each of ${count} entries once when nothing changes`, () =>
      withSeed(FILE, seed + count, (random) => {
        const model = newModel(random);
        for (let i = 0; i < count; i++) model.insert(`${i}`);
        const visited = scanAll(model, () => {});
        expect(visited.size).toBe(count);
        expect([...visited.values()].every((times) => times === 1)).toBe(true);
      }));
  }

  test("visits what stays, whatever comes and goes", () =>
    withSeed(FILE, seed, (random) => {
      let largest = 0;
      let smallest = Infinity;
      for (let round = 0; round < 12; round++) {
        const model = newModel(random);
        const staying = Array.from({ length: 1 + random.below(300) }, (_, i) => `stays ${i}`);
        const passing = Array.from({ length: 8000 }, (_, i) => `passes ${i}`);
        for (const key of staying) model.insert(key);
        for (const key of passing) if (random.oneIn(3)) model.insert(key);
        let growing = random.oneIn(2);
        const visited = scanAll(model, () => {
          if (random.oneIn(12)) growing = !growing;
          for (let step = random.below(400); step > 0; step--) {
            if (growing) model.insert(random.pick(passing));
            else model.remove(random.pick(passing));
          }
          if (random.oneIn(6)) model.replace(random.pick(staying));
          largest = Math.max(largest, model.index.segmentCount);
          smallest = Math.min(smallest, model.index.segmentCount);
        });
        model.check();
        for (const key of staying) expect(visited.has(key)).toBe(true);
      }
      expect(largest).toBeGreaterThan(smallest);
    }));

  test("visits what stays while all else goes, and comes", () => {
    const model = new Model(9, 10);
    const passing = Array.from({ length: 20_000 }, (_, i) => `passes ${i}`);
    for (let i = 0; i < 20; i++) model.insert(`stays ${i}`);
    for (const key of passing) model.insert(key);
    let step = 0;
    const visited = scanAll(model, () => {
      step++;
      if (step === 3 || step === 20) for (const key of passing) model.remove(key);
      if (step === 10 || step === 30) for (const key of passing) model.insert(key);
    });
    for (let i = 0; i < 20; i++) expect(visited.has(`stays ${i}`)).toBe(true);
  });

  test("takes any cursor", () =>
    withSeed(FILE, seed, (random) => {
      const model = newModel(random);
      for (let i = 0; i < 3000; i++) model.insert(`${i}`);
      for (const cursor of [1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, random.next()]) {
        const next = model.index.scan(cursor, (entry) => {
          expect(model.hash(model.keyOf(entry)) >>> 0).toBeGreaterThanOrEqual(cursor);
        });
        expect(next === 0 || next > cursor).toBe(true);
      }
    }));
});

describe("random entries", () => {
  /** Draws 200 times the entries' number, and compares with evenness: 6 standard deviations. */
  function checkEven(model: Model): void {
    const random = new Random(11);
    const hits = new Map<number, number>();
    const draws = model.index.size * 200;
    let tries = 0;
    for (let drawn = 0; drawn < draws; tries++) {
      const entry = model.index.entryAtRandom(random.next() | 0, random.next() | 0);
      if (entry === 0) continue;
      hits.set(entry, (hits.get(entry) ?? 0) + 1);
      drawn++;
    }
    expect(new Set(hits.keys())).toEqual(new Set(model.entries.values()));
    const freedom = model.index.size - 1;
    let chiSquare = 0;
    for (const count of hits.values()) chiSquare += (count - 200) ** 2 / 200;
    expect(chiSquare).toBeLessThan(freedom + 6 * Math.sqrt(2 * freedom));
    expect(chiSquare).toBeGreaterThan(freedom - 6 * Math.sqrt(2 * freedom));
    // A hit takes few tries, also after the index was larger.
    expect(tries / draws).toBeLessThan(100);
  }

  test("are even in one segment, and in many of different depth and size", () => {
    const model = new Model(21, 22);
    for (let i = 0; i < 20; i++) model.insert(`${i}`);
    checkEven(model);
    for (let i = 0; i < 1600; i++) model.insert(`${i}`);
    checkEven(model);
    // One segment of 127 buckets, one of 95.
    for (const key of alikeKeys(model, 2000, 1)) {
      if (model.index.bucketCount() < 127 + 95) model.insert(key);
    }
    expect(model.index.bucketCount()).toBe(127 + 95);
    checkEven(model);
    for (const key of alikeKeys(model, 1500, 3)) model.insert(key);
    checkEven(model);
    for (let i = 0; i < 1600; i++) if (i % 40 !== 0) model.remove(`${i}`);
    checkEven(model);
  });

  test("of an index that was large come soon", () => {
    const model = new Model(23, 24);
    for (let i = 0; i < 6000; i++) model.insert(`${i}`);
    for (let i = 0; i < 5995; i++) model.remove(`${i}`);
    checkEven(model);
  });

  test("of an empty index are none", () => {
    expect(new Model(1, 1).index.entryAtRandom(5, 6)).toBe(0);
  });
});

describe("one index object for many roots", () => {
  /** Entries of KEY_AT 0, whose keys are Latin-1 and short. */
  const newEntry = (arena: Arena, key: string): number => {
    const entry = arena.allocate(storedBytes(key.length));
    const segment = entry >>> Ref.SEGMENT_SHIFT;
    const at = writePrefix(arena.views[segment], (entry & Ref.GRANULE_MASK) << 3, key.length);
    for (let i = 0; i < key.length; i++) arena.bytes[segment][at + i] = key.charCodeAt(i);
    return entry;
  };
  const keyOf = (arena: Arena, entry: number): string => {
    const bytes = arena.bytes[entry >>> Ref.SEGMENT_SHIFT];
    const at = (entry & Ref.GRANULE_MASK) << 3;
    return Buffer.from(bytes.subarray(at + 1, at + 1 + bytes[at])).toString("latin1");
  };
  const freeEntry = (arena: Arena, entry: number): void =>
    arena.free(entry, storedBytes(keyOf(arena, entry).length));
  const viewOf = (key: string): DataView => {
    const bytes = Buffer.from(key, "latin1");
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  };
  const find = (index: HashIndex, key: string): number =>
    index.find(viewOf(key), 0, key.length, index.hash(viewOf(key), 0, key.length));
  const walk = (arena: Arena, index: HashIndex): string[] => {
    const keys: string[] = [];
    index.startWalk();
    for (let entry = index.nextEntry(); entry !== 0; entry = index.nextEntry()) {
      keys.push(keyOf(arena, entry));
    }
    return keys.sort();
  };

  test("a large one is walked while its entries are freed", () => {
    const arena = new Arena();
    const index = new HashIndex(arena, 0, 1, 2);
    index.attachNew(arena.allocate(INDEX_STATE_BYTES));
    const keys = Array.from({ length: 30_000 }, (_, i) => `member:${i}`);
    for (const key of keys) {
      const hash = index.hash(viewOf(key), 0, key.length);
      index.insert(newEntry(arena, key), hash);
    }
    const walked: string[] = [];
    index.startWalk();
    for (let entry = index.nextEntry(); entry !== 0; entry = index.nextEntry()) {
      walked.push(keyOf(arena, entry));
      freeEntry(arena, entry);
    }
    expect(walked.toSorted()).toEqual(keys.toSorted());
  });

  test("against as many Sets", () =>
    withSeed(FILE, seed, (random) => {
      const arena = new Arena();
      const index = new HashIndex(arena, 0, random.next() | 0, random.next() | 0);
      const values = Array.from({ length: 6 }, () => {
        const root = arena.allocate(INDEX_STATE_BYTES);
        index.attachNew(root);
        return { root, keys: new Set<string>() };
      });
      for (let step = 0; step < 20_000; step++) {
        const which = random.below(values.length);
        const { root, keys } = values[which];
        const key = String(random.below(8 ** (which + 1)));
        index.attach(root);
        const entry = find(index, key);
        expect(entry !== 0).toBe(keys.has(key));
        if (entry !== 0) {
          index.removeFound(index.hash(viewOf(key), 0, key.length));
          freeEntry(arena, entry);
          keys.delete(key);
        } else {
          index.insert(newEntry(arena, key), index.hash(viewOf(key), 0, key.length));
          keys.add(key);
        }
        index.store(root);
        expect(index.size).toBe(keys.size);
      }
      for (const { root, keys } of values) {
        index.attach(root);
        index.verify();
        expect(walk(arena, index)).toEqual([...keys].sort());
        for (let at = index.freeSegment(0, (entry) => freeEntry(arena, entry)); at !== 0;) {
          at = index.freeSegment(at, (entry) => freeEntry(arena, entry));
        }
        expect(index.size).toBe(0);
        arena.free(root, INDEX_STATE_BYTES);
      }
      expect(arena.liveBytes).toBe(0);
      arena.verify();
    }));

  for (const count of [0, 1, 33, 5000, 40_000]) {
    test(`a copy of ${count} entries is independent`, () =>
      withSeed(FILE, seed + count, (random) => {
        const arena = new Arena();
        const index = new HashIndex(arena, 0, random.next() | 0, random.next() | 0);
        const root = arena.allocate(INDEX_STATE_BYTES);
        index.attachNew(root);
        for (let i = 0; i < count; i++) {
          const key = `key:${i}`;
          index.insert(newEntry(arena, key), index.hash(viewOf(key), 0, key.length));
        }
        index.store(root);
        const bytes = index.memoryBytes();
        const copy = arena.allocate(INDEX_STATE_BYTES);
        index.detachCopy();
        index.mapEntries((entry) => newEntry(arena, keyOf(arena, entry)));
        index.store(copy);
        expect(index.memoryBytes()).toBe(bytes);
        index.verify();
        index.attach(root);
        index.eachEntry((entry) => freeEntry(arena, entry));
        index.clear();
        arena.free(root, INDEX_STATE_BYTES);
        index.attach(copy);
        index.verify();
        expect(walk(arena, index).length).toBe(count);
        for (let i = 0; i < count; i++) if (find(index, `key:${i}`) === 0) throw new Error("lost");
      }));
  }

  test("compaction moves directory, segments and entries, and changes nothing else", () =>
    withSeed(FILE, seed, (random) => {
      const arena = new Arena();
      const index = new HashIndex(arena, 0, random.next() | 0, random.next() | 0);
      const root = arena.allocate(INDEX_STATE_BYTES);
      index.attachNew(root);
      const count = 30_000;
      const ballast: number[] = [];
      for (let i = 0; i < count; i++) {
        const key = `key:${i}`;
        index.insert(newEntry(arena, key), index.hash(viewOf(key), 0, key.length));
        for (let j = 0; j < 4; j++) ballast.push(newEntry(arena, key));
      }
      for (const entry of ballast) freeEntry(arena, entry);
      const heldBefore = arena.spanBytes;
      arena.planDraining();
      index.compact();
      index.mapEntries((entry) => {
        if (!arena.isSparse(entry, storedBytes(keyOf(arena, entry).length))) return entry;
        const moved = newEntry(arena, keyOf(arena, entry));
        freeEntry(arena, entry);
        return moved;
      });
      arena.trim();
      index.verify();
      arena.verify();
      expect(arena.spanBytes).toBeLessThan(heldBefore);
      for (let i = 0; i < count; i++) if (find(index, `key:${i}`) === 0) throw new Error("lost");
    }));
});
