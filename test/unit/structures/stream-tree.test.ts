import { describe, expect, test } from "bun:test";
import { Arena, blockBytes } from "../../../src/memory/arena.ts";
import { StreamId } from "../../../src/structures/stream-id.ts";
import { STREAM_TREE_STATE_BYTES, StreamTree } from "../../../src/structures/stream-tree.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/stream-tree.test.ts";
const seed = seedOfRun();

/** Where the state lies in the owner's block. */
const STATE_AT = 8;
const OWNER_BYTES = STATE_AT + STREAM_TREE_STATE_BYTES;

/** A tree, and the sorted array that it should be equal to. */
class Model {
  readonly arena = new Arena();
  readonly owner = this.arena.allocate(OWNER_BYTES);
  readonly tree = new StreamTree(this.arena);
  readonly ids: bigint[] = [];
  readonly values = new Map<bigint, number>();
  private nextValue = 1;

  constructor() {
    this.tree.attach(this.owner, STATE_AT);
    this.tree.initialize();
  }

  insert(id: bigint): void {
    if (this.values.has(id)) return;
    const value = this.nextValue++ * 7919;
    this.tree.insert(idOf(id), value | 0);
    this.values.set(id, value | 0);
    this.ids.splice(this.rank(id), 0, id);
  }

  remove(id: bigint): void {
    const expected = this.values.get(id) ?? 0;
    expect(this.tree.find(idOf(id))).toBe(expected);
    if (expected === 0) return;
    this.tree.remove();
    this.values.delete(id);
    this.ids.splice(this.rank(id), 1);
  }

  /** How many IDs are smaller. */
  rank(id: bigint): number {
    let low = 0;
    let high = this.ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  checkSeek(id: bigint): void {
    const rank = this.rank(id);
    const isThere = this.ids[rank] === id;
    const before = isThere ? rank : rank - 1;
    expect(this.tree.find(idOf(id))).toBe(isThere ? this.valueAt(rank) : 0);
    expect(this.tree.seekAtOrBefore(idOf(id))).toBe(this.valueAt(before));
    if (before >= 0) {
      expect(this.position()).toBe(this.ids[before]);
      expect(this.tree.next()).toBe(this.valueAt(before + 1));
    }
    expect(this.tree.seekAtOrAfter(idOf(id))).toBe(this.valueAt(rank));
    if (rank < this.ids.length) {
      expect(this.position()).toBe(this.ids[rank]);
      expect(this.tree.previous()).toBe(this.valueAt(rank - 1));
    }
  }

  check(): void {
    this.arena.verify();
    this.tree.verify();
    expect(this.tree.size).toBe(this.ids.length);
    const forwards: bigint[] = [];
    for (let value = this.tree.seekFirst(); value !== 0; value = this.tree.next()) {
      forwards.push(this.position());
      expect(value).toBe(this.values.get(this.position())!);
    }
    expect(forwards).toEqual(this.ids);
    const backwards: bigint[] = [];
    for (let value = this.tree.seekLast(); value !== 0; value = this.tree.previous()) {
      backwards.push(this.position());
    }
    expect(backwards.reverse()).toEqual(this.ids);
    const ownBytes = blockBytes(OWNER_BYTES) + this.tree.memoryBytes();
    expect(this.arena.liveBytes).toBe(ownBytes);
  }

  private valueAt(rank: number): number {
    return this.values.get(this.ids[rank] ?? -1n) ?? 0;
  }

  private position(): bigint {
    const id = new StreamId();
    this.tree.readId(id);
    return numberOf(id);
  }
}

function idOf(number: bigint): StreamId {
  const id = new StreamId();
  id.msHigh = Number(BigInt.asIntN(32, number >> 96n));
  id.msLow = Number(BigInt.asIntN(32, number >> 64n));
  id.seqHigh = Number(BigInt.asIntN(32, number >> 32n));
  id.seqLow = Number(BigInt.asIntN(32, number));
  return id;
}

function numberOf(id: StreamId): bigint {
  let number = 0n;
  for (const word of [id.msHigh, id.msLow, id.seqHigh, id.seqLow]) {
    number = (number << 32n) | BigInt(word >>> 0);
  }
  return number;
}

/** IDs that meet often, and differ in any of their words. */
function randomId(random: Random, range: number): bigint {
  return BigInt(random.below(range)) << BigInt(random.pick([0, 0, 0, 31, 32, 64, 96, 110]));
}

describe("StreamTree", () => {
  test("is a sorted map, whatever happens to it", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      for (let phase = 0; phase < 8; phase++) {
        const range = random.pick([20, 300, 5000]);
        const removes = random.pick([1, 4, 8]);
        for (let i = 0; i < 2000; i++) {
          const id = randomId(random, range);
          if (random.below(10) < removes) model.remove(id);
          else model.insert(id);
          if (random.oneIn(5)) model.checkSeek(randomId(random, range));
        }
        model.check();
      }
      while (model.ids.length > 0) model.remove(random.pick(model.ids));
      model.check();
    }));

  test("grows at its end and shrinks at its beginning", () => {
    const model = new Model();
    for (let i = 0; i < 6000; i++) model.insert(BigInt(i) << 60n);
    model.check();
    expect(model.tree.memoryBytes()).toBeLessThan(6000 * 22);
    for (let i = 0; i < 5990; i++) model.remove(model.ids[0]);
    model.check();
    model.tree.clear();
    model.ids.length = 0;
    model.values.clear();
    model.check();
  });

  test("shrinks from its end, and from its middle", () => {
    const model = new Model();
    for (let i = 6000; i > 0; i--) model.insert(BigInt(i));
    model.check();
    for (let i = 0; i < 2000; i++) model.remove(model.ids.at(-1)!);
    for (let i = 0; i < 3000; i++) model.remove(model.ids[model.ids.length >>> 1]);
    model.check();
  });

  test("moves out of sparse spans with all entries", () => {
    const model = new Model();
    const other = Array.from({ length: 20_000 }, () => model.arena.allocate(1268));
    for (let i = 0; i < 6000; i++) model.insert(BigInt(i));
    for (const block of other) model.arena.free(block, 1268);
    model.arena.planDraining();
    model.tree.compact();
    model.check();
  });
});
