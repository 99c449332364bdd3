import { describe, expect, test } from "bun:test";
import {
  bytesFromAscii,
  compareBytes,
  equalBytes,
  equalsIgnoreCase,
  isWord,
  latin1FromBytes,
  lowerInPlace,
  toLowerByte,
  writeAscii,
} from "../../../src/base/ascii.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/ascii.test.ts";
const seed = seedOfRun();

/** The model of case folding: only A-Z and a-z are letters. */
function foldedModel(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
}

describe("case", () => {
  test("every byte folds as an ASCII letter or not at all", () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(toLowerByte(byte)).toBe(foldedModel(byte));
      for (let other = 0; other < 256; other++) {
        const isEqual = equalsIgnoreCase(Uint8Array.of(byte), 0, 1, Uint8Array.of(other));
        expect(isEqual).toBe(foldedModel(byte) === foldedModel(other));
      }
    }
  });

  test("a word matches in any case, as a whole, and nothing else does", () => {
    for (const spelling of ["EX", "ex", "eX", "Ex"]) {
      const bytes = bytesFromAscii(`x${spelling}x`);
      expect(isWord(bytes, 1, 3, "EX")).toBe(true);
      expect(isWord(bytes, 0, 3, "EX")).toBe(false);
      expect(isWord(bytes, 1, 4, "EX")).toBe(false);
      expect(isWord(bytes, 1, 2, "EX")).toBe(false);
      expect(isWord(bytes, 1, 3, "PX")).toBe(false);
    }
    // The bytes that differ from a word's by the case bit alone, and are not its letters.
    for (let byte = 0; byte < 256; byte++) {
      for (const word of ["A", "Z", "-", "_", "0", "@"]) {
        const isEqual = foldedModel(byte) === foldedModel(word.charCodeAt(0));
        expect(isWord(Uint8Array.of(byte), 0, 1, word)).toBe(isEqual);
      }
    }
  });

  test("lowering touches the range only", () => {
    const bytes = bytesFromAscii("ABCDE");
    lowerInPlace(bytes, 1, 4);
    expect(latin1FromBytes(bytes, 0, 5)).toBe("AbcdE");
  });
});

describe("comparison", () => {
  test("agrees with Buffer.compare on ranges", () =>
    withSeed(FILE, seed, (random: Random) => {
      for (let round = 0; round < 5000; round++) {
        // Few distinct bytes, so that common prefixes are frequent.
        const [a, b] = [0, 0].map(() =>
          random.bytes(random.below(12)).map((byte) => (byte % 3) * 127),
        );
        const aStart = random.below(a.length + 1);
        const bStart = random.below(b.length + 1);
        const expected = Buffer.compare(a.subarray(aStart), b.subarray(bStart));
        const order = compareBytes(a, aStart, a.length, b, bStart, b.length);
        expect(Math.sign(order)).toBe(expected);
        expect(equalBytes(a, aStart, a.length, b, bStart, b.length)).toBe(expected === 0);
      }
    }));
});

describe("strings", () => {
  test("all 256 bytes survive the way to a string and back", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const text = latin1FromBytes(bytes, 0, 256);
    expect(text.length).toBe(256);
    expect(bytesFromAscii(text)).toEqual(bytes);
    expect(latin1FromBytes(bytes.subarray(16, 64), 1, 3)).toBe("\x11\x12");
  });

  test("writing returns the offset behind the text", () => {
    const bytes = new Uint8Array(8);
    expect(writeAscii(bytes, 2, "inf")).toBe(5);
    expect(latin1FromBytes(bytes, 0, 8)).toBe("\0\0inf\0\0\0");
  });
});
