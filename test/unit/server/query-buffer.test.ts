import { describe, expect, test } from "bun:test";
import { QueryBuffer } from "../../../src/server/query-buffer.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/server/query-buffer.test.ts";
const seed = seedOfRun();

function pendingBytes(buffer: QueryBuffer): Uint8Array {
  return buffer.bytes.subarray(buffer.from, buffer.length);
}

describe("a query buffer", () => {
  test("holds what was appended and not used up", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 30; round++) {
        const buffer = new QueryBuffer(random.below(40_000));
        let model = new Uint8Array(0);
        for (let step = 0; step < 80; step++) {
          const what = random.below(10);
          if (what < 5) {
            const chunk = random.bytes(random.below(random.oneIn(5) ? 70_000 : 3000));
            const from = random.below(chunk.length + 1);
            const to = from + random.below(chunk.length - from + 1);
            buffer.append(chunk, from, to);
            model = Uint8Array.from([...model, ...chunk.subarray(from, to)]);
          } else if (what < 7) {
            const used = random.below(buffer.pending + 1);
            buffer.from += used;
            model = model.slice(used);
          } else if (what === 7) {
            buffer.compact();
            expect(buffer.from).toBe(0);
          } else if (what === 8) {
            const total = random.below(100_000);
            buffer.expect(total);
            expect(buffer.from + total).toBeLessThanOrEqual(buffer.capacity);
          } else {
            buffer.resize(random.below(50_000));
            expect(buffer.from).toBe(0);
          }
          expect(buffer.pending).toBe(model.length);
          expect(Buffer.compare(pendingBytes(buffer), model)).toBe(0);
          expect(buffer.view.buffer).toBe(buffer.bytes.buffer);
          expect(buffer.peak).toBeLessThanOrEqual(2 ** 23);
        }
      }
    }));

  test("takes an expected request in place", () => {
    const buffer = new QueryBuffer(0);
    buffer.append(new Uint8Array(100), 0, 100);
    buffer.expect(1_000_000);
    const { bytes } = buffer;
    for (let i = 0; i < 9; i++) buffer.append(new Uint8Array(100_000), 0, 100_000);
    buffer.append(new Uint8Array(99_900), 0, 99_900);
    expect(buffer.bytes).toBe(bytes);
    expect(buffer.capacity).toBe(1_000_000);
    expect(buffer.peak).toBe(1_000_000);
  });

  test("moves what is pending to the front rather than growing", () => {
    const buffer = new QueryBuffer(0);
    const { bytes, capacity } = buffer;
    buffer.append(new Uint8Array(capacity), 0, capacity);
    buffer.from = capacity - 10;
    buffer.append(new Uint8Array(100).fill(7), 0, 100);
    expect(buffer.bytes).toBe(bytes);
    expect([buffer.from, buffer.length]).toEqual([0, 110]);
  });

  test("doubles while it is small, and then grows by a mebibyte", () => {
    const buffer = new QueryBuffer(0);
    buffer.append(new Uint8Array(100_000), 0, 100_000);
    expect(buffer.capacity).toBe(200_000);
    buffer.append(new Uint8Array(3_000_000), 0, 3_000_000);
    expect(buffer.capacity).toBe(3_100_000 + 1024 * 1024);
  });
});
