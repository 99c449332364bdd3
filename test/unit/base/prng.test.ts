import { describe, expect, test } from "bun:test";
import { fillRandom, randomHex, seededPrng, systemPrng } from "../../../src/base/prng.ts";

describe("seeded generator", () => {
  test("follows the published xoshiro128** step", () => {
    // The same recurrence, written a second time with bigint.
    const seeds = [0, 1, -1, 12345, 0x7fffffff];
    for (const seed of seeds) {
      const prng = seededPrng(seed);
      const model = modelXoshiro(seed);
      for (let round = 0; round < 1000; round++) expect(prng.nextUint32()).toBe(model());
    }
  });

  test("the same seed gives the same sequence, another one another", () => {
    const sequence = (seed: number) => {
      const prng = seededPrng(seed);
      return [prng.nextUint32(), prng.nextUint32(), prng.nextUint32(), prng.nextUint32()];
    };
    expect(sequence(7)).toEqual(sequence(7));
    expect(sequence(7)).not.toEqual(sequence(8));
    expect(sequence(0)).not.toEqual(sequence(1));
  });

  test("floats and small integers fill their ranges evenly", () => {
    const prng = seededPrng(42);
    const counts = Array.from({ length: 10 }, () => 0);
    let sum = 0;
    for (let round = 0; round < 20_000; round++) {
      counts[prng.nextBelow(10)]++;
      const float = prng.nextFloat();
      expect(float >= 0 && float < 1).toBe(true);
      sum += float;
    }
    expect(counts.length).toBe(10);
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(250);
    expect(Math.abs(sum / 20_000 - 0.5)).toBeLessThan(0.02);
    expect(prng.nextBelow(1)).toBe(0);
    for (let round = 0; round < 1000; round++) {
      const large = prng.nextBelow(2 ** 53);
      expect(Number.isSafeInteger(large) && large >= 0).toBe(true);
    }
  });

  test("the largest float stays below every bound", () => {
    const largest = 1 - 2 ** -53;
    for (let exponent = 1; exponent <= 53; exponent++) {
      for (const bound of [2 ** exponent, 2 ** exponent - 1, 2 ** exponent * 0.75]) {
        expect(Math.floor(largest * Math.ceil(bound))).toBeLessThan(Math.ceil(bound));
      }
    }
  });

  test("bytes and hexadecimal digits", () => {
    const bytes = new Uint8Array(1003);
    fillRandom(seededPrng(1), bytes);
    expect(new Set(bytes).size).toBeGreaterThan(240);
    expect(randomHex(seededPrng(1), 40)).toMatch(/^[0-9a-f]{40}$/);
    expect(randomHex(seededPrng(1), 3)).toBe(randomHex(seededPrng(1), 40).slice(0, 3));
  });
});

test("the system's generators differ from each other", () => {
  expect(randomHex(systemPrng(), 40)).not.toBe(randomHex(systemPrng(), 40));
});

function modelXoshiro(seed: number): () => number {
  const mask = 0xffffffffn;
  const rotate = (value: bigint, count: bigint) =>
    ((value << count) | (value >> (32n - count))) & mask;
  let counter = BigInt(seed) & mask;
  const state = [0, 0, 0, 0].map(() => {
    counter = (counter + 0x9e3779b9n) & mask;
    let word = counter;
    word = ((word ^ (word >> 16n)) * 0x85ebca6bn) & mask;
    word = ((word ^ (word >> 13n)) * 0xc2b2ae35n) & mask;
    return word ^ (word >> 16n);
  });
  return () => {
    const result = (rotate((state[1] * 5n) & mask, 7n) * 9n) & mask;
    const shifted = (state[1] << 9n) & mask;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 11n);
    return Number(result);
  };
}
