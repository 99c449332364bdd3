import { describe, expect, test } from "bun:test";
import { Arena } from "../../../src/memory/arena.ts";
import { RANKED_TREE_STATE_BYTES, RankedTree } from "../../../src/structures/ranked-tree.ts";
import {
  allocateScoredMember,
  freeScoredMember,
  memberLength,
  memberStart,
  memberView,
  scoreOf,
  scoredMemberBytes,
  setScore,
} from "../../../src/structures/scored-member.ts";
import { Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/ranked-tree.test.ts";
const seed = seedOfRun();
/** Where the tree's state begins in its block: what stands before it is not the tree's. */
const STATE_OFFSET = 40;
const ROOT_BYTES = STATE_OFFSET + RANKED_TREE_STATE_BYTES;

interface Item {
  readonly member: Buffer;
  score: number;
  entry: number;
}

function compareItems(a: Item, b: Item): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return Buffer.compare(a.member, b.member);
}

/** A tree, and the sorted array that it should be. */
class Model {
  readonly arena = new Arena();
  readonly tree = new RankedTree(this.arena);
  readonly root = this.arena.allocate(ROOT_BYTES);
  items: Item[] = [];
  private readonly members = new Set<string>();

  constructor() {
    this.tree.attachNew(this.root, STATE_OFFSET);
  }

  insert(member: Buffer, score: number): void {
    if (this.members.has(member.toString("latin1"))) return;
    this.members.add(member.toString("latin1"));
    const view = new DataView(member.buffer, member.byteOffset, member.length);
    const entry = allocateScoredMember(this.arena, score, view, 0, member.length);
    const item = { member, score, entry };
    this.items.splice(this.bound(item), 0, item);
    this.tree.insert(entry);
  }

  remove(index: number): void {
    const { entry } = this.items[index];
    this.tree.remove(entry);
    this.forget(index);
  }

  removeAt(index: number): void {
    expect(this.tree.removeAt(index)).toBe(this.items[index].entry);
    this.forget(index);
  }

  removeSought(index: number): void {
    expect(this.tree.seek(index)).toBe(this.items[index].entry);
    this.tree.removeSought();
    this.forget(index);
  }

  changeScore(index: number, score: number): void {
    const [item] = this.items.splice(index, 1);
    item.score = score;
    this.items.splice(this.bound(item), 0, item);
    this.tree.changeScore(item.entry, score);
  }

  /** Reads all entries from `index` on, up and down, in runs of random length. */
  private checkRuns(index: number, forward: readonly number[], random: Random): void {
    const { tree } = this;
    const run = new Int32Array(200);
    for (const isReverse of [false, true]) {
      const expected = isReverse ? forward.slice(0, index + 1).toReversed() : forward.slice(index);
      const read: number[] = [];
      tree.seek(index);
      while (read.length < expected.length) {
        const count = Math.min(random.below(run.length + 1), expected.length - read.length);
        if (isReverse) tree.readDown(run, count);
        else tree.readUp(run, count);
        read.push(...run.subarray(0, count));
      }
      expect(read).toEqual(expected);
    }
  }

  /** Every invariant, and every answer against the array's. */
  check(random: Random): void {
    const { tree, items, arena } = this;
    tree.verify();
    expect(tree.size).toBe(items.length);
    expect(tree.first()).toBe(items.at(0)?.entry ?? 0);
    expect(tree.last()).toBe(items.at(-1)?.entry ?? 0);
    if (items.length === 0) return;
    const forward: number[] = [];
    for (let entry = tree.seek(0); entry !== 0; entry = tree.next()) forward.push(entry);
    expect(forward).toEqual(items.map((item) => item.entry));
    const backward: number[] = [];
    for (let entry = tree.seek(items.length - 1); entry !== 0; entry = tree.previous())
      backward.push(entry);
    expect(backward).toEqual(forward.toReversed());
    for (let i = 0; i < 20; i++) {
      const index = random.below(items.length);
      const { entry, score, member } = items[index];
      expect(tree.rankOf(entry)).toBe(index);
      expect(tree.seek(index)).toBe(entry);
      this.checkRuns(index, forward, random);
      expect(scoreOf(arena, entry)).toBe(score);
      const start = memberStart(arena, entry);
      const view = memberView(arena, entry);
      expect(memberLength(arena, entry)).toBe(member.length);
      expect(Buffer.from(view.buffer, start, member.length).equals(member)).toBe(true);
      for (const probe of [score, score - 0.5, score + 0.5]) this.checkCount(probe);
    }
    this.checkCount(Infinity);
    this.checkCount(-Infinity);
  }

  private checkCount(score: number): void {
    const { tree, items } = this;
    expect(tree.countBelow(score, false)).toBe(items.filter((item) => item.score < score).length);
    expect(tree.countBelow(score, true)).toBe(items.filter((item) => item.score <= score).length);
  }

  private bound(item: Item): number {
    let low = 0;
    for (let high = this.items.length; low < high;) {
      const middle = (low + high) >>> 1;
      if (compareItems(this.items[middle], item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private forget(index: number): void {
    const [item] = this.items.splice(index, 1);
    this.members.delete(item.member.toString("latin1"));
    freeScoredMember(this.arena, item.entry);
  }
}

/** Members of all lengths, with many common beginnings; some longer than a length prefix of 1. */
function anyMember(random: Random): Buffer {
  if (random.oneIn(50)) return Buffer.from(random.bytes(random.below(600)));
  return Buffer.from(`member:${random.below(1_000_000)}`);
}

function anyScore(random: Random, kinds: number): number {
  if (kinds === 1) return 0;
  if (random.oneIn(100)) return random.pick([Infinity, -Infinity, 0, -0, 5e-324, -1.5e300]);
  return random.below(kinds) / 4 - kinds / 8;
}

describe("a ranked tree", () => {
  test("is a sorted array to whoever uses it", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 6; round++) {
        const model = new Model();
        const kinds = random.pick([1, 3, 50, 100_000]);
        for (let phase = 0; phase < 6; phase++) {
          const growth = random.below(100);
          for (let step = 0; step < 1500; step++) {
            const choice = random.below(100);
            const count = model.items.length;
            if (count === 0 || choice < growth) {
              model.insert(anyMember(random), anyScore(random, kinds));
            } else if (choice % 4 === 0) {
              model.changeScore(random.below(count), anyScore(random, kinds));
            } else if (choice % 4 === 1) model.removeSought(random.oneIn(2) ? 0 : count - 1);
            else if (choice % 4 === 2) model.removeAt(random.below(count));
            else model.remove(random.below(count));
          }
          model.check(random);
        }
        while (model.items.length > 0) model.remove(random.below(model.items.length));
        model.check(random);
        model.arena.free(model.root, ROOT_BYTES);
        expect(model.arena.liveBytes).toBe(0);
      }
    }));

  test("grows several levels deep, and shrinks again from either end and from the middle", () =>
    withSeed(FILE, seed, (random) => {
      for (const from of ["start", "end", "middle"]) {
        const model = new Model();
        for (let i = 0; i < 9000; i++) {
          const score = from === "start" ? i : from === "end" ? -i : random.below(9000);
          model.insert(Buffer.from(`m${i}`), score);
        }
        model.check(random);
        while (model.items.length > 0) {
          const count = model.items.length;
          model.removeAt(from === "start" ? 0 : from === "end" ? count - 1 : random.below(count));
          if (count % 1500 === 0) model.check(random);
        }
        model.check(random);
      }
    }));

  test("fills its leaves when entries come in order", () => {
    const model = new Model();
    const count = 62 * 63;
    for (let i = 0; i < count; i++) model.insert(Buffer.from(`m${i}`), i);
    model.tree.verify();
    expect(model.tree.memoryBytes()).toBe(63 * 768 + 1280);
    expect(model.tree.seek(count - 1)).toBe(model.items[count - 1].entry);
  });

  test("counts members where all scores are equal", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      for (let i = 0; i < 6000; i++) model.insert(anyMember(random), 1);
      for (let i = 0; i < 300; i++) {
        const probe = random.oneIn(2) ? anyMember(random) : random.pick(model.items).member;
        const view = new DataView(probe.buffer, probe.byteOffset, probe.length);
        const below = model.items.filter((item) => Buffer.compare(item.member, probe) < 0).length;
        const isThere = model.items.some((item) => item.member.equals(probe));
        expect(model.tree.countBelowMember(view, 0, probe.length, false)).toBe(below);
        expect(model.tree.countBelowMember(view, 0, probe.length, true)).toBe(
          below + Number(isThere),
        );
      }
    }));

  test("follows its entries and gives up its sparse nodes when it is compacted", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      for (let i = 0; i < 20_000; i++) model.insert(anyMember(random), anyScore(random, 500));
      while (model.items.length > 2_000) model.removeAt(random.below(model.items.length));
      const { arena, tree } = model;
      const heldBefore = arena.spanBytes;
      arena.planDraining();
      tree.compact();
      for (const item of model.items) {
        const { entry, member, score } = item;
        if (!arena.isSparse(entry, scoredMemberBytes(member.length))) continue;
        const view = memberView(arena, entry);
        const start = memberStart(arena, entry);
        item.entry = allocateScoredMember(arena, score, view, start, member.length);
        tree.replaceEntry(entry, item.entry);
        freeScoredMember(arena, entry);
      }
      arena.trim();
      expect(arena.spanBytes).toBeLessThan(heldBefore * 0.75);
      model.check(random);
      arena.verify();
    }));

  test("names another entry for the same member when it is told to", () => {
    const model = new Model();
    for (let i = 0; i < 500; i++) model.insert(Buffer.from(`m${i}`), i % 7);
    for (const item of model.items) {
      const view = memberView(model.arena, item.entry);
      const start = memberStart(model.arena, item.entry);
      const { length } = item.member;
      const moved = allocateScoredMember(model.arena, item.score, view, start, length);
      model.tree.replaceEntry(item.entry, moved);
      freeScoredMember(model.arena, item.entry);
      item.entry = moved;
    }
    model.check(new Random(1));
  });

  test("stays as it was when memory ends in the middle of an insertion", () => {
    const model = new Model();
    for (let i = 0; i < 62 * 62; i++) model.insert(Buffer.from(`m${i}`), i);
    const { arena, tree } = model;
    const { liveBytes } = arena;
    const member = new DataView(new ArrayBuffer(1));
    // The last leaf, and its parent, which is the root, are full: this takes three nodes.
    for (let i = 62 * 62; i < 62 * 63; i++) model.insert(Buffer.from(`m${i}`), i);
    const full = arena.liveBytes;
    expect(full).toBeGreaterThan(liveBytes);
    const entry = allocateScoredMember(arena, 1e9, member, 0, 1);
    for (const nodes of [0, 1, 2]) {
      let left = nodes;
      const allocate = arena.allocate.bind(arena);
      arena.allocate = (size) => {
        if (left-- === 0) throw new RangeError("no memory");
        return allocate(size);
      };
      expect(() => tree.insert(entry)).toThrow("no memory");
      arena.allocate = allocate;
      model.check(new Random(1));
    }
    freeScoredMember(arena, entry);
    expect(arena.liveBytes).toBe(full);
  });

  test("frees its nodes and leaves the entries", () => {
    const model = new Model();
    for (let i = 0; i < 5000; i++) model.insert(Buffer.from(`m${i}`), i);
    model.tree.clear();
    model.tree.verify();
    expect(model.tree.size).toBe(0);
    for (const { entry } of model.items) freeScoredMember(model.arena, entry);
    model.arena.free(model.root, ROOT_BYTES);
    expect(model.arena.liveBytes).toBe(0);
  });

  test("notices what is wrong", () => {
    const model = new Model();
    for (let i = 0; i < 200; i++) model.insert(Buffer.from(`m${i}`), i);
    setScore(model.arena, model.items[100].entry, 5);
    expect(() => model.tree.verify()).toThrow("wrong score");
  });
});
