import { describe, expect, test } from "bun:test";
import { seededPrng } from "../../../src/base/prng.ts";
import { Arena } from "../../../src/memory/arena.ts";
import type { ListpackEntry } from "../../../src/structures/listpack-entry.ts";
import {
  HashEncoding,
  HashLimits,
  Hashes,
  compactHash,
  duplicateHash,
  freeHash,
  freeHashStep,
  hashBlocks,
  hashMemoryBytes,
} from "../../../src/types/hash.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";
import { bytesOf } from "../../support/test-keyspace.ts";

const FILE = "test/unit/types/hash.test.ts";
const seed = seedOfRun();

function textOf(entry: ListpackEntry): string {
  const bytes = Buffer.alloc(entry.textLength());
  entry.writeText(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0);
  return bytes.toString("latin1");
}

function newHashes(random: Random, arena: Arena, limits = new HashLimits()): Hashes {
  return new Hashes(arena, limits, random.next() | 0, random.next() | 0);
}

function set(hashes: Hashes, field: string, value: string): boolean {
  return hashes.set(bytesOf(field), 0, field.length, bytesOf(value), 0, value.length);
}

function contentOf(hashes: Hashes): Record<string, string> {
  const content: Record<string, string> = {};
  hashes.startWalk();
  while (hashes.next()) content[textOf(hashes.field)] = textOf(hashes.value);
  return content;
}

function anyText(random: Random, space: number): string {
  const number = random.below(space);
  if (random.oneIn(3)) return `${number}`;
  if (random.oneIn(20)) return `${9223372036854775807n - BigInt(number)}`;
  return "x".repeat(random.oneIn(30) ? 60 + random.below(400) : random.below(9)) + number;
}

describe("against a Map", () => {
  for (const space of [4, 40, 400, 4000]) {
    test(`fields out of ${space}`, () =>
      withSeed(FILE, seed + space, (random) => {
        const arena = new Arena();
        const limits = new HashLimits();
        const hashes = newHashes(random, arena, limits);
        for (let round = 0; round < 12; round++) {
          limits.entriesMax = random.below(Math.min(space, 200));
          limits.bytesMax = random.below(100);
          const model = new Map<string, string>();
          hashes.create();
          for (let step = 0; step < Math.min(space * 2, 1500); step++) {
            const field = anyText(random, space);
            const view = bytesOf(field);
            switch (random.below(8)) {
              case 0:
              case 1:
                expect(hashes.remove(view, 0, field.length)).toBe(model.delete(field));
                break;
              case 2: {
                const isFound = hashes.find(view, 0, field.length);
                expect(isFound ? textOf(hashes.value) : undefined).toBe(model.get(field));
                break;
              }
              default: {
                const value = anyText(random, 1e6);
                expect(set(hashes, field, value)).toBe(!model.has(field));
                model.set(field, value);
              }
            }
            expect(hashes.length).toBe(model.size);
          }
          hashes.verify();
          expect(contentOf(hashes)).toEqual(Object.fromEntries(model));
          expect(hashMemoryBytes(arena, hashes.root, hashes.encoding)).toBe(arena.liveBytes);
          freeHash(arena, hashes.root, hashes.encoding);
          expect(arena.liveBytes).toBe(0);
        }
        arena.verify();
      }));
  }
});

describe("encodings", () => {
  test("a field or a value longer than allowed, or one field too many, makes a table", () =>
    withSeed(FILE, seed, (random) => {
      const limits = new HashLimits();
      const hashes = newHashes(random, new Arena(), limits);
      for (const [field, value, encoding] of [
        ["f".repeat(64), "v".repeat(64), HashEncoding.LISTPACK],
        ["f".repeat(65), "v", HashEncoding.TABLE],
        ["f", "v".repeat(65), HashEncoding.TABLE],
      ] as const) {
        hashes.create();
        set(hashes, "12", "34");
        set(hashes, field, value);
        expect(hashes.encoding).toBe(encoding);
        expect(contentOf(hashes)).toEqual({ "12": "34", [field]: value });
      }
      hashes.create();
      for (let i = 0; i < 512; i++) set(hashes, `${i}`, "v");
      expect(hashes.encoding).toBe(HashEncoding.LISTPACK);
      set(hashes, "511", "w");
      expect(hashes.encoding).toBe(HashEncoding.LISTPACK);
      set(hashes, "512", "v");
      expect(hashes.encoding).toBe(HashEncoding.TABLE);
    }));

  test("what a large hash occupies is estimated from some of it", () =>
    withSeed(FILE, seed, (random) => {
      const arena = new Arena();
      const hashes = newHashes(random, arena, new HashLimits());
      hashes.create();
      for (let i = 0; i < 20_000; i++) set(hashes, `field:${i}`, "v".repeat(random.below(64)));
      const estimate = hashMemoryBytes(arena, hashes.root, hashes.encoding, 32);
      expect(Math.abs(estimate / arena.liveBytes - 1)).toBeLessThan(0.4);
      const exact = hashMemoryBytes(arena, hashes.root, hashes.encoding, 20_000);
      expect(exact).toBe(arena.liveBytes);
    }));

  test("fields announced convert ahead", () =>
    withSeed(FILE, seed, (random) => {
      const hashes = newHashes(random, new Arena());
      for (const [fields, longest, total, encoding] of [
        [512, 64, 1000, HashEncoding.LISTPACK],
        [513, 1, 1000, HashEncoding.TABLE],
        [1, 65, 1000, HashEncoding.TABLE],
        [1, 1, 2 ** 30, HashEncoding.TABLE],
      ] as const) {
        hashes.create();
        hashes.convertFor(fields, longest, total);
        expect(hashes.encoding).toBe(encoding);
      }
    }));
});

/** How many fields hashes of each encoding get. */
const KINDS = { listpack: 100, hashtable: 5000 };

describe("whole values", () => {
  for (const [kind, count] of Object.entries(KINDS)) {
    const content: Record<string, string> = {};
    for (let i = 0; i < count; i++) content[`field:${i}`] = i % 2 === 0 ? `${i}` : `value ${i}`;
    const make = (random: Random): { arena: Arena; hashes: Hashes } => {
      const arena = new Arena();
      const hashes = newHashes(random, arena);
      hashes.create();
      for (const [field, value] of Object.entries(content)) set(hashes, field, value);
      return { arena, hashes };
    };

    test(`a copy of a ${kind} is independent, and is freed in steps`, () =>
      withSeed(FILE, seed, (random) => {
        const { arena, hashes } = make(random);
        const { root, encoding } = hashes;
        const copy = duplicateHash(arena, root, encoding);
        freeHash(arena, root, encoding);
        hashes.attach(copy, encoding);
        hashes.verify();
        expect(contentOf(hashes)).toEqual(content);
        expect(hashBlocks(arena, copy, encoding)).toBe(kind === "hashtable" ? count : 1);
        let cursor = 0;
        let steps = 0;
        do {
          cursor = freeHashStep(arena, copy, encoding, cursor);
          steps++;
        } while (cursor !== 0);
        expect(steps > 1).toBe(kind === "hashtable");
        expect(arena.liveBytes).toBe(0);
        arena.verify();
      }));

    test(`compaction of a ${kind} changes nothing`, () =>
      withSeed(FILE, seed, (random) => {
        const { arena, hashes } = make(random);
        const { root, encoding } = hashes;
        const copies = Array.from({ length: 8 }, () => duplicateHash(arena, root, encoding));
        const kept = copies.splice(4, 1)[0];
        for (const copy of [root, ...copies]) freeHash(arena, copy, encoding);
        const live = arena.liveBytes;
        arena.planDraining();
        const moved = compactHash(arena, kept, encoding);
        arena.trim();
        arena.verify();
        hashes.attach(moved, encoding);
        hashes.verify();
        expect(arena.liveBytes).toBe(live);
        expect(contentOf(hashes)).toEqual(content);
      }));

    test(`random fields of a ${kind} come with their values`, () =>
      withSeed(FILE, seed, (random) => {
        const { hashes } = make(random);
        const prng = seededPrng(random.next());
        for (let i = 0; i < 1000; i++) {
          hashes.pickRandom(prng);
          expect(textOf(hashes.value)).toBe(content[textOf(hashes.field)]);
        }
      }));
  }
});
