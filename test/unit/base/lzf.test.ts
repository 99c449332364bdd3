import { describe, expect, test } from "bun:test";
import { LzfCompressor, lzfDecompress } from "../../../src/base/lzf.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/lzf.test.ts";
const seed = seedOfRun();

/** Text of a few kinds: noise, runs, repeated phrases, and mixtures. */
function anyText(random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let count = random.below(12); count > 0; count--) {
    const kind = random.below(4);
    if (kind === 0) parts.push(random.bytes(random.below(300)));
    if (kind === 1) parts.push(new Uint8Array(random.below(1000)).fill(random.below(256)));
    if (kind === 2) parts.push(random.bytes(random.below(9000)).map((byte) => byte % 3));
    if (kind === 3 && parts.length > 0) parts.push(random.pick(parts));
  }
  return Uint8Array.from(Buffer.concat(parts));
}

function roundTrip(compressor: LzfCompressor, text: Uint8Array, margin: number): number {
  const input = new Uint8Array(text.length + 2 * margin).fill(1);
  input.set(text, margin);
  const room = text.length + Math.ceil(text.length / 32) + 1;
  const packed = new Uint8Array(room + 2 * margin).fill(0xee);
  const end = margin + text.length;
  const size = compressor.compress(input, margin, end, packed, margin, margin + room);
  expect(packed.subarray(margin + size).every((byte) => byte === 0xee)).toBe(true);
  if (text.length > 0) expect(size).toBeGreaterThan(0);
  const output = new Uint8Array(text.length + 2 * margin).fill(0xdd);
  const written = lzfDecompress(packed, margin, margin + size, output, margin, end);
  expect(written).toBe(text.length);
  expect(Buffer.compare(output.subarray(margin, end), text)).toBe(0);
  expect(output.subarray(end).every((byte) => byte === 0xdd)).toBe(true);
  return size;
}

describe("round trip", () => {
  test("texts of every kind, with one compressor", () =>
    withSeed(FILE, seed, (random) => {
      const compressor = new LzfCompressor();
      for (let round = 0; round < 200; round++) roundTrip(compressor, anyText(random), 8);
    }));

  test("short lengths", () => {
    const compressor = new LzfCompressor();
    for (let size = 0; size < 600; size++) {
      roundTrip(compressor, new Uint8Array(size).fill(0x61), 0);
      roundTrip(
        compressor,
        Uint8Array.from({ length: size }, (_, index) => index % 7),
        0,
      );
    }
  });

  test("repetition is compressed, and the earlier text of a compressor is not referred to", () => {
    const compressor = new LzfCompressor();
    const runs = new Uint8Array(10_000).fill(0x61);
    expect(roundTrip(compressor, runs, 0)).toBeLessThan(150);
    const random = new Uint8Array(64).map((_, index) => (index * 97) % 251);
    expect(roundTrip(compressor, random, 0)).toBeGreaterThan(64);
    expect(roundTrip(compressor, random, 0)).toBeGreaterThan(64);
  });

  test("a distance of exactly 8192 is used, and a longer one is not", () =>
    withSeed(FILE, seed, (random) => {
      const phrase = random.bytes(200);
      for (const gap of [7992, 7993, 8192]) {
        const text = Uint8Array.from(Buffer.concat([phrase, random.bytes(gap), phrase]));
        roundTrip(new LzfCompressor(), text, 0);
      }
    }));

  test("too little room is reported with 0, whatever the room", () => {
    const compressor = new LzfCompressor();
    const text = Uint8Array.from(Buffer.from("the cat and the hat and the cat and the hat"));
    const packed = new Uint8Array(100);
    const size = compressor.compress(text, 0, text.length, packed, 0, 100);
    for (let room = 0; room < size; room++) {
      expect(compressor.compress(text, 0, text.length, packed, 0, room)).toBe(0);
    }
    expect(compressor.compress(text, 0, text.length, packed, 0, size)).toBe(size);
  });
});

describe("decompression", () => {
  const decode = (packed: number[], room: number) => {
    const output = new Uint8Array(room);
    const size = lzfDecompress(Uint8Array.from(packed), 0, packed.length, output, 0, room);
    return size < 0 ? null : Buffer.from(output.subarray(0, size)).toString("latin1");
  };

  test("literals, short and long references, overlap", () => {
    expect(decode([2, 0x61, 0x62, 0x63], 3)).toBe("abc");
    expect(decode([2, 0x61, 0x62, 0x63, 0x20, 2], 6)).toBe("abcabc");
    expect(decode([0, 0x61, 0xe0, 3, 0], 13)).toBe("a".repeat(13));
    expect(decode([], 0)).toBe("");
  });

  test("corrupt input is refused", () => {
    expect(decode([2, 0x61, 0x62], 3)).toBeNull();
    expect(decode([2, 0x61, 0x62, 0x63], 2)).toBeNull();
    expect(decode([0x20, 0], 10)).toBeNull();
    expect(decode([0, 0x61, 0x20, 1], 10)).toBeNull();
    expect(decode([0, 0x61, 0x20], 10)).toBeNull();
    expect(decode([0, 0x61, 0xe0], 20)).toBeNull();
    expect(decode([0, 0x61, 0xe0, 3], 20)).toBeNull();
    expect(decode([0, 0x61, 0x20, 0], 3)).toBeNull();
  });

  test("damaged input never reads or writes outside its ranges", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 5000; round++) {
        const packed = random.bytes(random.below(60));
        if (random.oneIn(2) && packed.length > 0) packed[0] &= 31;
        const output = new Uint8Array(300).fill(0xdd);
        const size = lzfDecompress(packed, 0, packed.length, output, 20, 280);
        expect(size >= -1 && size <= 260).toBe(true);
        expect(output.subarray(0, 20).every((byte) => byte === 0xdd)).toBe(true);
        expect(output.subarray(280).every((byte) => byte === 0xdd)).toBe(true);
      }
    }));
});
