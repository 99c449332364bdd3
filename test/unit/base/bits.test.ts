/** Bit strings against a model: an array of zeros and ones. */
import { describe, expect, test } from "bun:test";
import { countBits, findBit, readBits, writeBits } from "../../../src/base/bits.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/bits.test.ts";
const seed = seedOfRun();
const ROUNDS = 3_000;
/** Bytes in front of the string, so that a wrong origin shows. */
const AT = 3;
const BYTES_MAX = 140;

function bitsOf(view: DataView, length: number): number[] {
  const bits: number[] = [];
  for (let i = 0; i < length * 8; i++) {
    bits.push((view.getUint8(AT + (i >> 3)) >> (7 - (i & 7))) & 1);
  }
  return bits;
}

function valueOf(bits: readonly number[]): number {
  return bits.reduce((value, bit) => value * 2 + bit, 0);
}

/** Mostly long runs of equal bytes: what the word-wise loops skip. */
function randomView(random: Random, length: number): DataView {
  const bytes = new Uint8Array(AT + length + 8).fill(0xa5);
  const background = random.pick([0, 0xff]);
  const isSparse = random.oneIn(2);
  for (let i = 0; i < length; i++) {
    bytes[AT + i] = isSparse && !random.oneIn(length) ? background : random.below(256);
  }
  return new DataView(bytes.buffer);
}

function randomRange(random: Random, bitCount: number): [first: number, last: number] {
  const a = random.below(bitCount);
  const b = random.below(bitCount);
  return a < b ? [a, b] : [b, a];
}

describe("ranges", () => {
  test("countBits and findBit agree with the model", async () => {
    await withSeed(FILE, seed, (random) => {
      for (let round = 0; round < ROUNDS; round++) {
        const length = 1 + random.below(BYTES_MAX);
        const view = randomView(random, length);
        const bits = bitsOf(view, length);
        const [first, last] = randomRange(random, length * 8);
        const range = bits.slice(first, last + 1);
        expect(countBits(view, AT, first, last)).toBe(range.filter((bit) => bit === 1).length);
        for (const bit of [0, 1]) {
          const at = range.indexOf(bit);
          expect(findBit(view, AT, first, last, bit)).toBe(at < 0 ? -1 : first + at);
        }
      }
    });
  });
});

describe("fields", () => {
  test("readBits and writeBits agree with the model", async () => {
    await withSeed(FILE, seed, (random) => {
      for (let round = 0; round < ROUNDS; round++) {
        const length = 8 + random.below(BYTES_MAX);
        const view = randomView(random, length);
        const count = 1 + random.below(52);
        const offset = random.below(length * 8 - count + 1);
        const before = bitsOf(view, length);
        const old = before.slice(offset, offset + count);
        expect(readBits(view, AT, length, offset, count)).toBe(valueOf(old));

        const field = Array.from({ length: count }, () => random.below(2));
        writeBits(view, AT, offset, count, valueOf(field));
        const after = [...before.slice(0, offset), ...field, ...before.slice(offset + count)];
        expect(bitsOf(view, length)).toEqual(after);
        expect(view.getUint8(AT - 1)).toBe(0xa5);
        expect(view.getUint8(AT + length)).toBe(0xa5);
      }
    });
  });

  test("bits behind the string are zeros", () => {
    const view = new DataView(new Uint8Array(16).fill(0xff).buffer);
    expect(readBits(view, AT, 2, 12, 8)).toBe(0xf0);
    expect(readBits(view, AT, 2, 16, 52)).toBe(0);
    expect(readBits(view, AT, 0, 0, 1)).toBe(0);
  });
});
