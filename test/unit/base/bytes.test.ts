import { describe, expect, test } from "bun:test";
import { copyBytes, equalBytes, moveBytes } from "../../../src/base/bytes.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/bytes.test.ts";
const seed = seedOfRun();

/** A view that does not begin at its buffer's start, and the bytes it covers. */
function anyView(random: Random, length: number): { view: DataView; bytes: Uint8Array } {
  const before = random.below(9);
  const buffer = random.bytes(before + length + 8).buffer;
  return {
    view: new DataView(buffer, before, length),
    bytes: new Uint8Array(buffer, before, length),
  };
}

/** Lengths around what is copied word by word, and around words. */
function anyLength(random: Random): number {
  return random.oneIn(3) ? 180 + random.below(40) : random.below(random.pick([8, 40, 2000]));
}

describe("bytes", () => {
  test("are copied, and their neighbours left alone", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 2000; round++) {
        const length = anyLength(random);
        const source = anyView(random, length + 10);
        const target = anyView(random, length + 10);
        const from = random.below(10);
        const to = random.below(10);
        const expected = Uint8Array.from(target.bytes);
        expected.set(source.bytes.subarray(from, from + length), to);
        copyBytes(target.view, to, source.view, from, length);
        expect(Buffer.compare(target.bytes, expected)).toBe(0);
      }
    }));

  test("are moved within a view, overlapping or not", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 1000; round++) {
        const length = anyLength(random);
        const { view, bytes } = anyView(random, length + 50);
        const from = random.below(50);
        const to = random.below(50);
        const expected = Uint8Array.from(bytes).copyWithin(to, from, from + length);
        moveBytes(view, to, from, length);
        expect(Buffer.compare(bytes, expected)).toBe(0);
      }
    }));

  test("are equal only if all are", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 2000; round++) {
        const length = 1 + anyLength(random);
        const a = anyView(random, length + 10);
        const b = anyView(random, length + 10);
        const aAt = random.below(10);
        const bAt = random.below(10);
        b.bytes.set(a.bytes.subarray(aAt, aAt + length), bAt);
        expect(equalBytes(a.view, aAt, b.view, bAt, length)).toBe(true);
        b.bytes[bAt + random.below(length)] ^= 1 << random.below(8);
        expect(equalBytes(a.view, aAt, b.view, bAt, length)).toBe(false);
        expect(equalBytes(a.view, aAt, b.view, bAt, 0)).toBe(true);
      }
    }));
});
