import { describe, expect, test } from "bun:test";
import {
  prefixBytes,
  storedBytes,
  storedLength,
  writePrefix,
} from "../../../src/memory/stored-bytes.ts";

const CASES = [
  { length: 0, prefix: [0] },
  { length: 1, prefix: [1] },
  { length: 253, prefix: [253] },
  { length: 254, prefix: [254, 254, 0] },
  { length: 255, prefix: [254, 255, 0] },
  { length: 65535, prefix: [254, 255, 255] },
  { length: 65536, prefix: [255, 0, 0, 1, 0] },
  { length: 512 * 1024 * 1024, prefix: [255, 0, 0, 0, 32] },
  { length: 2 ** 32 - 1, prefix: [255, 255, 255, 255, 255] },
];

describe("length prefixes", () => {
  for (const { length, prefix } of CASES) {
    test(`of ${length}`, () => {
      const bytes = new Uint8Array(16).fill(0xee);
      const view = new DataView(bytes.buffer, 2);
      expect(writePrefix(view, 3, length)).toBe(3 + prefix.length);
      expect([...bytes]).toEqual([
        ...new Uint8Array(5).fill(0xee),
        ...prefix,
        ...new Uint8Array(11 - prefix.length).fill(0xee),
      ]);
      expect(storedLength(view, 3)).toBe(length);
      expect(prefixBytes(length)).toBe(prefix.length);
      expect(storedBytes(length)).toBe(length + prefix.length);
    });
  }
});
