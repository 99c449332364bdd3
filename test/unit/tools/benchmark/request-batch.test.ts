import { describe, expect, test } from "bun:test";
import { seededPrng } from "../../../../src/base/prng.ts";
import { RequestBatch } from "../../../../src/tools/benchmark/request-batch.ts";

const COMMAND = Buffer.from("SET key:__rand_int__ __rand_int__\r\n");

function textOf(batch: RequestBatch): string {
  return Buffer.from(batch.bytes).toString("latin1");
}

describe("RequestBatch", () => {
  test("repeats the command, placeholders and all, when nothing is random", () => {
    const batch = new RequestBatch(COMMAND, 3, null, seededPrng(1));
    batch.randomize();
    expect(textOf(batch)).toBe(COMMAND.toString().repeat(3));
  });

  test("a keyspace of 0 or 1 has only zero", () => {
    for (const keyspace of [0, 1]) {
      const batch = new RequestBatch(COMMAND, 2, keyspace, seededPrng(1));
      batch.randomize();
      expect(textOf(batch)).toBe("SET key:000000000000 000000000000\r\n".repeat(2));
    }
  });

  test("draws every number of the keyspace, anew for every place", () => {
    const batch = new RequestBatch(COMMAND, 4, 12, seededPrng(7));
    const seen = new Set<number>();
    for (let round = 0; round < 100; round++) {
      batch.randomize();
      const numbers = [...textOf(batch).matchAll(/\d{12}/g)].map(([digits]) => Number(digits));
      expect(numbers).toHaveLength(8);
      for (const number of numbers) seen.add(number);
    }
    expect([...seen].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test("has digits enough for the greatest keyspace", () => {
    const batch = new RequestBatch(COMMAND, 50, 2 ** 31 - 1, seededPrng(3));
    batch.randomize();
    const numbers = [...textOf(batch).matchAll(/\d{12}/g)].map(([digits]) => Number(digits));
    expect(Math.max(...numbers)).toBeGreaterThan(2 ** 30);
    expect(Math.max(...numbers)).toBeLessThan(2 ** 31 - 1);
  });

  test("repeats a seed's numbers", () => {
    const [one, other] = [1, 1].map((seed) => new RequestBatch(COMMAND, 5, 1000, seededPrng(seed)));
    one.randomize();
    other.randomize();
    expect(textOf(one)).toBe(textOf(other));
    other.randomize();
    expect(textOf(one)).not.toBe(textOf(other));
  });
});
