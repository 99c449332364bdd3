import { describe, expect, test } from "bun:test";
import { hashBytes } from "../../../src/base/hash.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/hash.test.ts";
const seed = seedOfRun();

/** HalfSipHash-c-d with 32 bits of output as its paper has it: plainly, on bigints. */
function halfSipHash(c: number, d: number, text: Uint8Array, key0: number, key1: number): number {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & mask;
  const k0 = BigInt(key0 >>> 0);
  const k1 = BigInt(key1 >>> 0);
  const v = [k0, k1, 0x6c796765n ^ k0, 0x74656462n ^ k1];
  const mix = (a: number, b: number, by: bigint): void => {
    v[a] = (v[a] + v[b]) & mask;
    v[b] = rotate(v[b], by) ^ v[a];
  };
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      mix(0, 1, 5n);
      v[0] = rotate(v[0], 16n);
      mix(2, 3, 8n);
      mix(0, 3, 7n);
      mix(2, 1, 13n);
      v[2] = rotate(v[2], 16n);
    }
  };
  // The text is padded with zeros to one byte short of whole words; that byte is its length.
  const padded = new Uint8Array((text.length >> 2) * 4 + 4);
  padded.set(text);
  padded[padded.length - 1] = text.length & 0xff;
  for (let at = 0; at < padded.length; at += 4) {
    let word = 0n;
    for (let i = 3; i >= 0; i--) word = (word << 8n) | BigInt(padded[at + i]);
    v[3] ^= word;
    rounds(c);
    v[0] ^= word;
  }
  v[2] ^= 0xffn;
  rounds(d);
  return Number(v[1] ^ v[3]);
}

function hash(bytes: Uint8Array, key0: number, key1: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return hashBytes(view, 0, bytes.length, key0, key1) >>> 0;
}

/** The bytes 0, 1, 2, ... that published vectors are made of, under the key 0, 1, ..., 7. */
function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i);
}
const KEY0 = 0x03020100;
const KEY1 = 0x07060504;

describe("HalfSipHash", () => {
  test("the test's own 2-4 gives the authors' vectors", () => {
    // Lengths 0, 1, 3, 4, 7 and 63 of vectors_hsip32, read as little-endian words.
    const expected = { 0: 0x5b9f35a9, 1: 0xb85a4727, 3: 0x04e7fe8a, 4: 0x89466e2a, 7: 0xc563cf8b };
    for (const [length, value] of Object.entries({ ...expected, 63: 0x744aea59 })) {
      expect(halfSipHash(2, 4, counting(Number(length)), KEY0, KEY1)).toBe(value);
    }
  });

  test("1-3 gives the vectors of Linux's self-test", () => {
    const expected = { 0: 0x5814c896, 1: 0xe7e864ca, 3: 0x01539939, 4: 0x7e059ea6, 7: 0x9d38d9d6 };
    for (const [length, value] of Object.entries({ ...expected, 62: 0x74c1ebf8, 63: 0x87178304 })) {
      expect(hash(counting(Number(length)), KEY0, KEY1)).toBe(value);
    }
  });

  test("agrees with the plain one on random texts, keys and offsets", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 2000; round++) {
        const length = random.below(round < 1000 ? 20 : 600);
        const text = random.bytes(length);
        const key0 = random.next();
        const key1 = random.next() | 0;
        const margin = random.below(9);
        const buffer = random.bytes(length + 20);
        buffer.set(text, margin + 3);
        const view = new DataView(buffer.buffer, 3);
        const got = hashBytes(view, margin, margin + length, key0, key1);
        expect(got | 0).toBe(got);
        expect(got >>> 0).toBe(halfSipHash(1, 3, text, key0, key1));
      }
    }));

  test("takes keys as signed or unsigned words alike", () => {
    const text = counting(11);
    expect(hash(text, 0xfedcba98, 0x87654321)).toBe(hash(text, 0xfedcba98 | 0, 0x87654321 | 0));
  });
});

describe("distribution", () => {
  /** Chi-square over 256 cells, whose mean is 255 and standard deviation 22.6. */
  function chiSquare(cells: Float64Array, total: number): number {
    const mean = total / cells.length;
    return cells.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  }

  test("of counted keys is even in every byte of the hash", () => {
    const total = 100_000;
    const cells = [0, 8, 16, 24].map(() => new Float64Array(256));
    for (let i = 0; i < total; i++) {
      const value = hash(Buffer.from(`key:${i}`), 0x12345678, 0x9abcdef0);
      cells.forEach((cell, byte) => cell[(value >>> (byte * 8)) & 0xff]++);
    }
    for (const cell of cells) expect(chiSquare(cell, total)).toBeLessThan(255 + 6 * 22.6);
  });

  test("a changed bit of text or key changes half of the hash's bits", () => {
    const text = Buffer.from("a key of no great length");
    const before = hash(text, 1, 2);
    let changed = 0;
    let trials = 0;
    const compare = (after: number): void => {
      changed += bitCount(before ^ after);
      trials++;
    };
    for (let bit = 0; bit < text.length * 8; bit++) {
      text[bit >> 3] ^= 1 << (bit & 7);
      compare(hash(text, 1, 2));
      text[bit >> 3] ^= 1 << (bit & 7);
    }
    for (let bit = 0; bit < 32; bit++) {
      compare(hash(text, 1 ^ (1 << bit), 2));
      compare(hash(text, 1, 2 ^ (1 << bit)));
    }
    expect(changed / trials).toBeGreaterThan(15);
    expect(changed / trials).toBeLessThan(17);
  });

  test("keys that differ in trailing zeros differ", () => {
    const hashes = Array.from({ length: 64 }, (_, length) => hash(new Uint8Array(length), 5, 6));
    expect(new Set(hashes).size).toBe(64);
  });
});

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
