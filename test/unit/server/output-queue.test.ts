import { describe, expect, test } from "bun:test";
import { OutputQueue } from "../../../src/server/output-queue.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/server/output-queue.test.ts";
const seed = seedOfRun();

describe("an output queue", () => {
  test("gives every byte once and in order, to peers of any appetite", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 100; round++) {
        const queue = new OutputQueue();
        const sent: number[] = [];
        const taken: number[] = [];
        for (let step = 0; step < 60; step++) {
          if (random.oneIn(2)) {
            const bytes = random.bytes(random.below(random.oneIn(8) ? 40_000 : 40));
            const from = random.below(bytes.length + 1);
            queue.push(bytes, from, bytes.length);
            sent.push(...bytes.subarray(from));
            // The queue holds a copy.
            bytes.fill(0);
          } else {
            let appetite = random.below(random.oneIn(8) ? 60_000 : 60) - 5;
            const isEmpty = queue.drain((bytes, from, count) => {
              expect(from + count).toBeLessThanOrEqual(bytes.length);
              if (appetite < 0) return -1;
              const now = Math.min(appetite, count);
              appetite -= now;
              taken.push(...bytes.subarray(from, from + now));
              return now;
            });
            expect(isEmpty).toBe(queue.length === 0);
            expect(queue.buffers === 0).toBe(isEmpty);
          }
          expect(queue.length).toBe(sent.length - taken.length);
        }
        queue.drain((bytes, from, count) => {
          taken.push(...bytes.subarray(from, from + count));
          return count;
        });
        expect(taken).toEqual(sent);
      }
    }));

  test("forgets everything when it is cleared", () => {
    const queue = new OutputQueue();
    queue.push(new Uint8Array(10), 0, 10);
    queue.drain(() => 4);
    expect([queue.length, queue.buffers]).toEqual([6, 1]);
    queue.clear();
    expect([queue.length, queue.buffers]).toEqual([0, 0]);
    queue.push(new Uint8Array([1, 2, 3]), 0, 3);
    const seen: number[] = [];
    queue.drain((bytes, from, count) => seen.push(...bytes.subarray(from, from + count)));
    expect(seen).toEqual([1, 2, 3]);
  });
});
