import { describe, expect, test } from "bun:test";
import { bytesFromAscii } from "../../../src/base/ascii.ts";
import { crc16, keyHashSlot } from "../../../src/base/crc16.ts";
import { Crc64 } from "../../../src/base/crc64.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/crc.test.ts";
const seed = seedOfRun();
const CHECK = bytesFromAscii("123456789");

function slot(key: string): number {
  const bytes = bytesFromAscii(`{${key}}`);
  return keyHashSlot(bytes, 1, bytes.length - 1);
}

describe("crc64", () => {
  const digest = (bytes: Uint8Array, start: number, end: number) => {
    const checksum = new Crc64();
    checksum.update(bytes, start, end);
    return checksum.digest();
  };

  test("the published check values", () => {
    expect(digest(CHECK, 0, 9)).toBe(0xe9c6d914c4b8d9can);
    expect(digest(CHECK, 0, 0)).toBe(0n);
    const text =
      "This is a test of the emergency broadcast system. " +
      "This is only a test. If this had been a real emergency";
    expect(digest(bytesFromAscii(text), 0, text.length)).toBe(modelCrc64(bytesFromAscii(text)));
  });

  test("agrees with the bitwise definition, in any pieces", () =>
    withSeed(FILE, seed, (random: Random) => {
      for (let round = 0; round < 200; round++) {
        const bytes = random.bytes(random.below(100));
        const start = random.below(bytes.length + 1);
        const checksum = new Crc64();
        let at = start;
        while (at < bytes.length) {
          const end = Math.min(bytes.length, at + 1 + random.below(40));
          checksum.update(bytes, at, end);
          at = end;
        }
        const expected = modelCrc64(bytes.subarray(start));
        expect(checksum.digest()).toBe(expected);
        const stored = new Uint8Array(10);
        checksum.write(stored, 1);
        expect(new DataView(stored.buffer).getBigUint64(1, true)).toBe(expected);
        expect(checksum.matches(stored, 1)).toBe(true);
        stored[1 + random.below(8)] ^= 1 << random.below(8);
        expect(checksum.matches(stored, 1)).toBe(false);
        checksum.reset();
        expect(checksum.digest()).toBe(0n);
      }
    }));
});

describe("crc16", () => {
  test("the published check value", () => {
    expect(crc16(CHECK, 0, 9)).toBe(0x31c3);
    expect(crc16(CHECK, 3, 3)).toBe(0);
  });

  test("the slot of a key is that of its hash tag", () => {
    expect(slot("123456789")).toBe(0x31c3 & 16383);
    expect(slot("foo")).toBe(12182);
    expect(slot("bar")).toBe(5061);
    expect(slot("{foo}bar")).toBe(12182);
    expect(slot("x{foo}{bar}")).toBe(12182);
    expect(slot("{user1000}.following")).toBe(slot("user1000"));
    // No tag: nothing between the braces, or no closing brace.
    expect(slot("foo{}{bar}")).not.toBe(slot("bar"));
    expect(slot("foo{bar")).not.toBe(slot("bar"));
    expect(slot("foo{{bar}}zap")).toBe(slot("{bar"));
    expect(slot("")).toBe(0);
  });

  test("a brace outside the range is not a tag's", () => {
    const bytes = bytesFromAscii("a{foo}b");
    expect(keyHashSlot(bytes, 0, 5)).not.toBe(slot("foo"));
    expect(keyHashSlot(bytes, 0, 6)).toBe(slot("foo"));
    expect(keyHashSlot(bytes, 2, 5)).toBe(slot("foo"));
  });
});

/** CRC-64/Jones bit by bit. */
function modelCrc64(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
    }
  }
  return crc;
}
