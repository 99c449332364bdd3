import { describe, expect, test } from "bun:test";
import { Arena } from "../../../src/memory/arena.ts";
import { SortedSets, ZsetEncoding, ZsetLimits } from "../../../src/types/zset.ts";
import {
  compactZset,
  duplicateZset,
  freeZset,
  freeZsetStep,
  zsetBlocks,
  zsetMemoryBytes,
} from "../../../src/types/zset-blocks.ts";
import { RangeBy, ZsetRange } from "../../../src/types/zset-range.ts";
import { Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/types/zset.test.ts";
const seed = seedOfRun();
const ENTRIES_MAX = 30;

/** A sorted set, and the Map that it should be. */
class Model {
  readonly arena: Arena;
  readonly zset: SortedSets;
  readonly scores = new Map<string, number>();

  constructor(entriesMax = ENTRIES_MAX, arena = new Arena()) {
    this.arena = arena;
    const limits = new ZsetLimits();
    limits.entriesMax = entriesMax;
    this.zset = new SortedSets(arena, limits, 1, 2);
    this.zset.create(0, 0);
  }

  set(member: string, score: number): void {
    const view = viewOf(member);
    if (this.zset.find(view, 0, member.length)) {
      if (this.zset.score !== score) this.zset.changeScore(view, 0, member.length, score);
    } else this.zset.addMissing(view, 0, member.length, score);
    this.scores.set(member, score);
  }

  remove(member: string): void {
    const isThere = this.zset.remove(viewOf(member), 0, member.length);
    expect(isThere).toBe(this.scores.delete(member));
  }

  sorted(): [string, number][] {
    return [...this.scores].sort(
      ([a, aScore], [b, bScore]) =>
        (aScore < bScore ? -1 : aScore > bScore ? 1 : 0) ||
        Buffer.compare(Buffer.from(a, "latin1"), Buffer.from(b, "latin1")),
    );
  }

  check(random: Random): void {
    const { zset } = this;
    zset.verify();
    expect(zset.length).toBe(this.scores.size);
    const expected = this.sorted();
    expect(walk(zset, false)).toEqual(expected);
    expect(walk(zset, true)).toEqual(expected.toReversed());
    for (let i = 0; i < 10 && expected.length > 0; i++) {
      const rank = random.below(expected.length);
      const [member, score] = expected[rank];
      zset.seek(rank);
      expect([memberText(zset), zset.score]).toEqual([member, score]);
      expect(zset.find(viewOf(member), 0, member.length)).toBe(true);
      expect([zset.score, zset.rankAtCursor()]).toEqual([score, rank]);
      expect(zset.countBelow(score, false)).toBe(expected.filter(([, s]) => s < score).length);
      expect(zset.countBelow(score, true)).toBe(expected.filter(([, s]) => s <= score).length);
    }
    expect(zset.find(viewOf("no such member"), 0, 14)).toBe(false);
  }
}

function viewOf(text: string): DataView {
  const bytes = Buffer.from(text, "latin1");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function memberText(zset: SortedSets): string {
  const bytes = Buffer.alloc(zset.member.textLength());
  zset.member.writeText(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0);
  return bytes.toString("latin1");
}

function walk(zset: SortedSets, isReverse: boolean): [string, number][] {
  const found: [string, number][] = [];
  if (zset.length === 0) return found;
  zset.seek(isReverse ? zset.length - 1 : 0);
  do found.push([memberText(zset), zset.score]);
  while (isReverse ? zset.previous() : zset.next());
  return found;
}

function anyMember(random: Random, kinds: number): string {
  const number = random.below(kinds);
  return random.oneIn(2) ? String(number * 7 - kinds) : `member:${number}`;
}

/** Zeros are positive: a listpack keeps no sign of zero. */
function anyScore(random: Random): number {
  if (random.oneIn(20)) return random.pick([Infinity, -Infinity, 0, 2 ** 60, 2 ** 70, -1e-300]);
  return (random.below(40) - 20) / 4 + 0;
}

describe("a sorted set", () => {
  for (const entriesMax of [0, ENTRIES_MAX, 10_000]) {
    test(`is a Map in order, with up to ${entriesMax} members in a listpack`, () =>
      withSeed(FILE, seed, (random) => {
        const model = new Model(entriesMax);
        for (let round = 0; round < 12; round++) {
          const kinds = random.pick([5, 40, 300]);
          for (let step = 0; step < 150; step++) {
            const member = anyMember(random, kinds);
            if (random.below(3) < 2) model.set(member, anyScore(random));
            else model.remove(member);
          }
          if (random.oneIn(3) && model.scores.size > 4) {
            const first = random.below(model.scores.size - 3);
            model
              .sorted()
              .slice(first, first + 3)
              .forEach(([member]) => model.scores.delete(member));
            model.zset.removeRange(first, 3);
          }
          if (random.oneIn(3) && model.scores.size > 1) {
            const rank = random.pick([0, model.scores.size - 1]);
            model.scores.delete(model.sorted()[rank][0]);
            model.zset.seek(rank);
            model.zset.removeSought();
          }
          model.check(random);
        }
        model.zset.free();
        expect(model.arena.liveBytes).toBe(0);
      }));
  }

  test("becomes a tree beyond its limits, and keeps its members", () => {
    const model = new Model();
    for (let i = 0; i < ENTRIES_MAX; i++) model.set(String(i), i % 4);
    expect(model.zset.encoding).toBe(ZsetEncoding.LISTPACK);
    model.set(String(ENTRIES_MAX), 2);
    expect(model.zset.encoding).toBe(ZsetEncoding.TREE);
    model.check(new Random(1));
    const long = new Model();
    long.set("x".repeat(64), 1);
    expect(long.zset.encoding).toBe(ZsetEncoding.LISTPACK);
    long.set("x".repeat(65), 1);
    expect(long.zset.encoding).toBe(ZsetEncoding.TREE);
    long.check(new Random(1));
  });

  test("takes integer members from another set's cursor while it becomes a tree", () => {
    const arena = new Arena();
    const source = new Model(10_000, arena);
    const target = new Model(ENTRIES_MAX, arena);
    for (let i = 0; i < 100; i++) source.set(String(i), i);
    source.zset.startWalk();
    while (source.zset.next()) target.zset.addEntry(source.zset.member, source.zset.score);
    expect(walk(target.zset, false)).toEqual(source.sorted());
    expect(target.zset.encoding).toBe(ZsetEncoding.TREE);
  });

  test("shrinks to a listpack when it fits one", () => {
    const model = new Model();
    model.zset.free();
    model.zset.createTree();
    for (let i = 0; i < ENTRIES_MAX; i++) model.set(`m${i}`, i % 5);
    model.zset.shrink(65, 100);
    expect(model.zset.encoding).toBe(ZsetEncoding.TREE);
    model.zset.shrink(3, 100);
    expect(model.zset.encoding).toBe(ZsetEncoding.LISTPACK);
    model.check(new Random(1));
    model.zset.free();
    expect(model.arena.liveBytes).toBe(0);
  });

  test("is copied, compacted, measured, and freed at once or in steps", () =>
    withSeed(FILE, seed, (random) => {
      for (const size of [20, 5000]) {
        const model = new Model();
        const { arena, zset } = model;
        for (let i = 0; i < size; i++) model.set(`m${i}`, anyScore(random));
        const before = arena.liveBytes;
        expect(zsetMemoryBytes(arena, zset.root, zset.encoding)).toBe(before);
        const estimate = zsetMemoryBytes(arena, zset.root, zset.encoding, 32);
        expect(Math.abs(estimate / before - 1)).toBeLessThan(0.25);
        const copy = duplicateZset(arena, zset.root, zset.encoding);
        const original = zset.root;
        zset.attach(copy, zset.encoding);
        model.check(random);
        expect(zsetBlocks(arena, copy, zset.encoding)).toBe(size > ENTRIES_MAX ? size : 1);
        let cursor = 0;
        do cursor = freeZsetStep(arena, copy, zset.encoding, cursor);
        while (cursor !== 0);
        expect(arena.liveBytes).toBe(before);
        zset.attach(original, zset.encoding);
        for (let i = 0; i < size; i++) if (i % 10 !== 0) model.remove(`m${i}`);
        arena.planDraining();
        zset.attach(compactZset(arena, zset.root, zset.encoding), zset.encoding);
        model.check(random);
        arena.verify();
        freeZset(arena, zset.root, zset.encoding);
        expect(arena.liveBytes).toBe(0);
      }
    }));
});

describe("ranges of sorted sets", () => {
  test("are the same in both encodings", () =>
    withSeed(FILE, seed, (random) => {
      const small = new Model(10_000);
      const large = new Model(0);
      for (let i = 0; i < 200; i++) {
        const member = anyMember(random, 300);
        small.set(member, 1);
        large.set(member, 1);
      }
      const range = new ZsetRange();
      const bounds = ["-", "+", "[", "("].concat(
        Array.from({ length: 20 }, () => random.pick(["[", "("]) + anyMember(random, 300)),
      );
      for (let i = 0; i < 300; i++) {
        range.by = random.oneIn(4) ? RangeBy.RANK : RangeBy.MEMBER;
        range.isReverse = random.oneIn(2);
        range.offset = random.below(30);
        range.limit = random.below(40) - 5;
        range.setRanks(random.below(500) - 250, random.below(500) - 250);
        const min = random.pick(bounds);
        const line = Buffer.from(min + random.pick(bounds), "latin1");
        const view = new DataView(line.buffer, line.byteOffset, line.length);
        expect(range.parseMembers(line, view, 0, min.length, min.length, line.length)).toBe(true);
        range.locate(small.zset);
        const { first, count } = range;
        range.locate(large.zset);
        expect(range.count).toBe(count);
        if (count > 0) expect(range.first).toBe(first);
      }
    }));

  test("refuse bounds that are none", () => {
    const range = new ZsetRange();
    for (const text of ["nan", "(nan", "a", "1 ", "((1", "  "]) {
      const bytes = Buffer.from(text);
      expect(range.parseScores(bytes, 0, bytes.length, 0, bytes.length)).toBe(false);
    }
    for (const text of ["", "a", "+a", "-1", "{a"]) {
      const bytes = Buffer.from(text);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      expect(range.parseMembers(bytes, view, 0, bytes.length, 0, bytes.length)).toBe(false);
    }
  });
});
