import { describe, expect, test } from "bun:test";
import { seededPrng } from "../../../src/base/prng.ts";
import { Arena } from "../../../src/memory/arena.ts";
import type { ListpackEntry } from "../../../src/structures/listpack-entry.ts";
import {
  SetEncoding,
  SetLimits,
  Sets,
  compactSet,
  duplicateSet,
  freeSet,
  freeSetStep,
  setBlocks,
  setMemoryBytes,
} from "../../../src/types/set.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";
import { bytesOf } from "../../support/test-keyspace.ts";

const FILE = "test/unit/types/set.test.ts";
const seed = seedOfRun();

function textOf(entry: ListpackEntry): string {
  const bytes = Buffer.alloc(entry.textLength());
  entry.writeText(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0);
  return bytes.toString("latin1");
}

function newSets(random: Random, arena: Arena, limits = new SetLimits()): Sets {
  return new Sets(arena, limits, random.next() | 0, random.next() | 0);
}

function membersOf(sets: Sets): string[] {
  const members: string[] = [];
  sets.startWalk();
  while (sets.next()) members.push(textOf(sets.member));
  return members.sort();
}

function add(sets: Sets, member: string): boolean {
  return sets.add(bytesOf(member), 0, member.length);
}

function anyMember(random: Random, space: number): string {
  const number = random.below(space);
  switch (random.below(6)) {
    case 0:
      return `${number}`;
    case 1:
      return `${-number * 100_003}`;
    case 2:
      return `${9223372036854775807n - BigInt(number)}`;
    case 3:
      return "x".repeat(random.oneIn(30) ? 60 + random.below(300) : random.below(8)) + number;
    default:
      return `${number * 977}`;
  }
}

describe("against JavaScript's Set", () => {
  for (const space of [4, 40, 400, 4000]) {
    test(`members out of ${space}`, () =>
      withSeed(FILE, seed + space, (random) => {
        const arena = new Arena();
        const limits = new SetLimits();
        const sets = newSets(random, arena, limits);
        for (let round = 0; round < 12; round++) {
          limits.integersMax = random.below(space);
          limits.entriesMax = random.below(space);
          limits.bytesMax = random.below(70);
          const isInteger = random.oneIn(3);
          const model = new Set<string>();
          sets.create(random.below(3));
          if (sets.encoding === SetEncoding.INTSET) expect(sets.length).toBe(0);
          for (let step = 0; step < Math.min(space * 2, 1500); step++) {
            const member = isInteger ? `${random.below(space)}` : anyMember(random, space);
            const view = bytesOf(member);
            switch (random.below(8)) {
              case 0:
              case 1:
                expect(sets.remove(view, 0, member.length)).toBe(model.delete(member));
                break;
              case 2:
                expect(sets.has(view, 0, member.length)).toBe(model.has(member));
                break;
              default:
                expect(add(sets, member)).toBe(!model.has(member));
                model.add(member);
            }
            expect(sets.length).toBe(model.size);
          }
          sets.verify();
          expect(membersOf(sets)).toEqual([...model].sort());
          expect(setMemoryBytes(arena, sets.root, sets.encoding)).toBe(arena.liveBytes);
          sets.free();
          expect(arena.liveBytes).toBe(0);
        }
        arena.verify();
      }));
  }

  test("members of one set looked up in, added to and removed from another", () =>
    withSeed(FILE, seed, (random) => {
      const arena = new Arena();
      const limits = new SetLimits();
      limits.entriesMax = 20;
      limits.integersMax = 30;
      for (let round = 0; round < 40; round++) {
        const [a, b] = [newSets(random, arena, limits), newSets(random, arena, limits)];
        a.create(random.below(3));
        b.create(random.below(3));
        for (let i = 0; i < random.below(100); i++) add(a, anyMember(random, 50));
        for (let i = 0; i < random.below(100); i++) add(b, anyMember(random, 50));
        const [inA, inB] = [membersOf(a), membersOf(b)];
        a.startWalk();
        while (a.next()) expect(b.hasEntry(a.member)).toBe(inB.includes(textOf(a.member)));
        a.startWalk();
        while (a.next()) expect(b.addEntry(a.member)).toBe(!inB.includes(textOf(a.member)));
        b.verify();
        expect(membersOf(b)).toEqual([...new Set([...inA, ...inB])].sort());
        a.startWalk();
        while (a.next()) expect(b.removeEntry(a.member)).toBe(true);
        expect(membersOf(b)).toEqual(inB.filter((member) => !inA.includes(member)));
        a.free();
        b.free();
        expect(arena.liveBytes).toBe(0);
      }
    }));
});

/** Sets of each encoding. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  intset: Array.from({ length: 100 }, (_, i) => `${i * i}`),
  listpack: Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? `${i}` : `m${i}`)),
  hashtable: Array.from({ length: 5000 }, (_, i) => `member:${i}`),
};

describe("whole values", () => {
  for (const [kind, members] of Object.entries(KINDS)) {
    const make = (random: Random): { arena: Arena; sets: Sets } => {
      const arena = new Arena();
      const sets = newSets(random, arena);
      sets.createFor(bytesOf(members[0]), 0, members[0].length, members.length);
      for (const member of members) add(sets, member);
      return { arena, sets };
    };

    test(`a copy of a ${kind} is independent`, () =>
      withSeed(FILE, seed, (random) => {
        const { arena, sets } = make(random);
        const { root, encoding } = sets;
        const copy = duplicateSet(arena, root, encoding);
        freeSet(arena, root, encoding);
        sets.attach(copy, encoding);
        sets.verify();
        expect(membersOf(sets)).toEqual([...members].sort());
        expect(setBlocks(arena, copy, encoding)).toBe(kind === "hashtable" ? members.length : 1);
        let cursor = 0;
        let steps = 0;
        do {
          cursor = freeSetStep(arena, copy, encoding, cursor);
          steps++;
        } while (cursor !== 0);
        expect(steps > 1).toBe(kind === "hashtable");
        expect(arena.liveBytes).toBe(0);
        arena.verify();
      }));

    test(`compaction of a ${kind} changes nothing`, () =>
      withSeed(FILE, seed, (random) => {
        const { arena, sets } = make(random);
        const { root, encoding } = sets;
        const copies = Array.from({ length: 8 }, () => duplicateSet(arena, root, encoding));
        const kept = copies.splice(4, 1)[0];
        for (const copy of [root, ...copies]) freeSet(arena, copy, encoding);
        const live = arena.liveBytes;
        arena.planDraining();
        const moved = compactSet(arena, kept, encoding);
        arena.trim();
        arena.verify();
        sets.attach(moved, encoding);
        sets.verify();
        expect(arena.liveBytes).toBe(live);
        expect(membersOf(sets)).toEqual([...members].sort());
      }));

    test(`random members of a ${kind} are all members, and all turn up`, () =>
      withSeed(FILE, seed, (random) => {
        const { sets } = make(random);
        const prng = seededPrng(random.next());
        const wanted = new Set(members.slice(0, 100));
        const all = new Set(members);
        const counts = new Map<string, number>();
        const draws = members.length * 60;
        for (let i = 0; i < draws; i++) {
          sets.pickRandom(prng);
          const text = textOf(sets.member);
          if (!all.has(text)) throw new Error(`${text} is no member`);
          if (wanted.has(text)) counts.set(text, (counts.get(text) ?? 0) + 1);
        }
        expect(counts.size).toBe(100);
        // 60 expected with a deviation of 8: ten deviations do not happen.
        for (const count of counts.values()) expect(Math.abs(count - 60)).toBeLessThan(80);
      }));
  }

  test("what may be an intset becomes one when asked", () =>
    withSeed(FILE, seed, (random) => {
      const arena = new Arena();
      const sets = newSets(random, arena);
      for (const encoding of [SetEncoding.LISTPACK, SetEncoding.TABLE]) {
        sets.create(encoding);
        const members = ["5", "-3", "9223372036854775807", "-9223372036854775808", "70000"];
        for (const member of members) add(sets, member);
        sets.shrinkToIntset();
        expect(sets.encoding).toBe(SetEncoding.INTSET);
        expect(membersOf(sets)).toEqual(members.sort());
        sets.free();
      }
      expect(arena.liveBytes).toBe(0);
    }));
});
