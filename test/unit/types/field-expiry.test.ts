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
  hashHasExpiries,
  hashMemoryBytes,
} from "../../../src/types/hash.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";
import { bytesOf } from "../../support/test-keyspace.ts";

const FILE = "test/unit/types/field-expiry.test.ts";
const seed = seedOfRun();

function textOf(entry: ListpackEntry): string {
  const bytes = Buffer.alloc(entry.textLength());
  entry.writeText(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0);
  return bytes.toString("latin1");
}

interface Field {
  value: string;
  /** -1 = never. */
  atMs: number;
}

/** A hash, and the Map it should be equal to; expired fields stay in both until they are removed. */
class Model {
  readonly arena = new Arena();
  readonly prng = seededPrng(1);
  readonly hashes: Hashes;
  readonly fields = new Map<string, Field>();

  constructor(random: Random) {
    const limits = new HashLimits();
    limits.entriesMax = 20;
    this.hashes = new Hashes(this.arena, limits, random.next() | 0, random.next() | 0);
    this.hashes.create();
  }

  visible(name: string): Field | undefined {
    const field = this.fields.get(name);
    if (field === undefined || (field.atMs >= 0 && field.atMs < this.hashes.nowMs))
      return undefined;
    return field;
  }

  set(name: string, value: string): void {
    const before = this.visible(name);
    const isNew = this.hashes.set(bytesOf(name), 0, name.length, bytesOf(value), 0, value.length);
    expect(isNew).toBe(before === undefined);
    this.fields.set(name, { value, atMs: before?.atMs ?? -1 });
  }

  remove(name: string): void {
    const isVisible = this.visible(name) !== undefined;
    expect(this.hashes.remove(bytesOf(name), 0, name.length)).toBe(isVisible);
    if (isVisible) this.fields.delete(name);
  }

  expire(name: string, atMs: number): void {
    const field = this.visible(name);
    if (field === undefined) return;
    this.hashes.setExpireAt(bytesOf(name), 0, name.length, atMs);
    field.atMs = atMs;
  }

  persist(name: string): void {
    const field = this.visible(name);
    if (field === undefined) return;
    expect(this.hashes.persist(bytesOf(name), 0, name.length)).toBe(field.atMs >= 0);
    field.atMs = -1;
  }

  removeExpired(count: number): void {
    if (!this.hashes.hasExpiries) return;
    const before = this.hashes.length;
    let told = 0;
    const removed = this.hashes.removeExpired(count, () => told++);
    expect(told).toBe(removed);
    expect(before - this.hashes.length).toBe(removed);
    for (const [name] of this.fields) {
      if (this.visible(name) === undefined && !this.isStored(name)) this.fields.delete(name);
    }
  }

  check(): void {
    const { hashes, arena } = this;
    hashes.verify();
    const seen: Record<string, string> = {};
    hashes.startWalk();
    while (hashes.next()) seen[textOf(hashes.field)] = textOf(hashes.value);
    const wanted: Record<string, string> = {};
    let expiring = 0;
    for (const [name, field] of this.fields) {
      if (field.atMs >= 0) expiring++;
      if (this.visible(name) !== undefined) wanted[name] = field.value;
      const isFound = hashes.find(bytesOf(name), 0, name.length);
      expect(isFound).toBe(this.visible(name) !== undefined);
      expect(hashes.expireAtMs(bytesOf(name), 0, name.length)).toBe(field.atMs);
    }
    expect(seen).toEqual(wanted);
    expect(hashes.length).toBe(this.fields.size);
    expect(hashes.visibleLength()).toBe(Object.keys(wanted).length);
    expect(hashes.expiringCount).toBe(expiring);
    const isAny = Object.keys(wanted).length > 0;
    expect(hashes.hasVisible(this.prng)).toBe(isAny);
    if (isAny && hashes.isIndexed) {
      hashes.pickRandom(this.prng);
      expect(wanted[textOf(hashes.field)]).toBe(textOf(hashes.value));
    }
    expect(hashes.hasExpiries).toBe(expiring > 0);
    expect(hashHasExpiries(arena, hashes.root, hashes.encoding)).toBe(expiring > 0);
    expect(hashMemoryBytes(arena, hashes.root, hashes.encoding)).toBe(arena.liveBytes);
  }

  /** Whether an expired field still is in the hash: it has an expiry then. */
  private isStored(name: string): boolean {
    return this.hashes.expireAtMs(bytesOf(name), 0, name.length) >= 0;
  }
}

function run(model: Model, random: Random, steps: number, space: number): void {
  for (let step = 0; step < steps; step++) {
    const name = `field:${random.below(space)}`;
    switch (random.below(8)) {
      case 0:
        model.remove(name);
        break;
      case 1:
        model.persist(name);
        break;
      case 2:
      case 3:
        model.expire(name, model.hashes.nowMs + random.below(100));
        break;
      case 4:
        if (random.oneIn(4)) model.hashes.nowMs += random.below(10);
        if (random.oneIn(8)) model.removeExpired(1 + random.below(30));
        break;
      default:
        model.set(name, `${random.below(1e6)}`);
    }
  }
}

describe("fields that expire, against a Map", () => {
  for (const space of [3, 30, 1000]) {
    test(`out of ${space}`, () =>
      withSeed(FILE, seed + space, (random) => {
        const model = new Model(random);
        model.hashes.nowMs = 1000;
        for (let round = 0; round < 20; round++) {
          run(model, random, Math.max(50, space), space);
          model.check();
        }
        model.hashes.nowMs += 1000;
        for (let i = 0; i < 2 && model.hashes.hasExpiries; i++) model.removeExpired(1e6);
        model.check();
        expect(model.hashes.hasExpiries).toBe(false);
        freeHash(model.arena, model.hashes.root, model.hashes.encoding);
        expect(model.arena.liveBytes).toBe(0);
        model.arena.verify();
      }));
  }
});

describe("values with fields that expire", () => {
  test("a listpack becomes a table", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model(random);
      model.set("f", "1");
      expect(model.hashes.encoding).toBe(HashEncoding.LISTPACK);
      model.expire("f", 100);
      expect(model.hashes.encoding).toBe(HashEncoding.TABLE);
      model.check();
    }));

  for (const how of ["copied", "compacted"]) {
    test(`stay what they are when ${how}, and are freed in steps`, () =>
      withSeed(FILE, seed, (random) => {
        const model = new Model(random);
        const { arena, hashes } = model;
        run(model, random, 8000, 3000);
        const { root, encoding } = hashes;
        if (how === "copied") {
          const copy = duplicateHash(arena, root, encoding);
          freeHash(arena, root, encoding);
          hashes.attach(copy, encoding);
        } else {
          const copies = Array.from({ length: 8 }, () => duplicateHash(arena, root, encoding));
          for (const copy of [root, ...copies.slice(1)]) freeHash(arena, copy, encoding);
          arena.planDraining();
          hashes.attach(compactHash(arena, copies[0], encoding), encoding);
        }
        arena.verify();
        model.check();
        let cursor = 0;
        do cursor = freeHashStep(arena, hashes.root, encoding, cursor);
        while (cursor !== 0);
        expect(arena.liveBytes).toBe(0);
        arena.verify();
      }));
  }
});
