import { describe, expect, test } from "bun:test";
import {
  distributionBytes,
  LatencyDistribution,
} from "../../../../src/tools/benchmark/latency-distribution.ts";
import { seedOfRun, withSeed } from "../../../support/seed.ts";

const FILE = "test/unit/tools/benchmark/latency-distribution.test.ts";
const SEED = seedOfRun();

function distributionOf(values: readonly number[], digits = 3): LatencyDistribution {
  const distribution = new LatencyDistribution(digits);
  for (const us of values) distribution.record(us, 1);
  return distribution;
}

/** 1 to `count` milliseconds. */
function milliseconds(count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index + 1) * 1000);
}

describe("LatencyDistribution", () => {
  // What redis-benchmark prints has these bounds.
  test("rounds to slots of 8 µs, wider ones from 16 ms on", () => {
    const bounds = [0, 7, 8, 143, 144, 16_383, 16_384, 3_000_000].map((us) => {
      const distribution = distributionOf([us]);
      return [distribution.minUs, distribution.maxUs];
    });
    expect(bounds).toEqual([
      [0, 0],
      [0, 7],
      [8, 15],
      [136, 143],
      [144, 151],
      [16_376, 16_383],
      [16_384, 16_399],
      [2_998_272, 3_000_319],
    ]);
  });

  test("counts what is longer than 3 s as 3 s", () => {
    expect(distributionOf([5_000_000]).maxUs).toBe(distributionOf([3_000_000]).maxUs);
  });

  test("is empty at first and after a reset", () => {
    const distribution = distributionOf([1000, 2000]);
    distribution.reset();
    const { count, sumUs, minUs, maxUs, meanUs } = distribution;
    expect([count, sumUs, minUs, maxUs, meanUs, distribution.percentileUs(50)]).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    expect(distribution.percentileRows()).toEqual([{ percentile: 100, us: 0, count: 0 }]);
    expect(distribution.linearRows()).toEqual([]);
  });

  test("keeps every value within the precision of its digits", () =>
    withSeed(FILE, SEED, (random) => {
      for (let digits = 1; digits <= 4; digits++) {
        for (let round = 0; round < 300; round++) {
          const us = random.below(10 ** (1 + random.below(6)));
          const distribution = distributionOf([us], digits);
          expect(distribution.minUs).toBeLessThanOrEqual(us);
          if (us > 0) expect(distribution.maxUs).toBeGreaterThanOrEqual(us);
          const width = distribution.percentileUs(50) + 1 - distribution.minUs;
          expect(width).toBeLessThanOrEqual(Math.max(8, us / 10 ** digits));
        }
      }
    }));

  test("finds percentiles as a sorted list does", () =>
    withSeed(FILE, SEED, (random) => {
      const values = Array.from({ length: 2000 }, () => random.below(1 + random.below(500_000)));
      const distribution = distributionOf(values, 4);
      const sorted = values.toSorted((a, b) => a - b);
      for (const percentile of [1, 10, 50, 90, 95, 99, 99.9, 100]) {
        const wanted = sorted[Math.max(1, Math.floor((percentile / 100) * 2000 + 0.5)) - 1];
        expect(distribution.percentileUs(percentile)).toBe(
          distributionOf([wanted], 4).percentileUs(50),
        );
      }
      const mean = values.reduce((sum, us) => sum + us, 0) / values.length;
      expect(Math.abs(distribution.meanUs - mean)).toBeLessThan(8 + mean / 1000);
      expect(distribution.sumUs).toBe(values.reduce((sum, us) => sum + us, 0));
    }));

  test("halves the distance to 100 % from row to row", () => {
    const rows = distributionOf(milliseconds(100)).percentileRows();
    expect(rows.map(({ percentile, count }) => [percentile, count])).toEqual([
      [0, 1],
      [50, 50],
      [75, 75],
      [87.5, 88],
      [93.75, 94],
      [96.875, 97],
      [98.4375, 99],
      [99.21875, 100],
      [100, 100],
    ]);
    expect(rows[1].us).toBe(50_015);
  });

  test("has rows every 0.1 ms, and every 1 ms from 2 ms on", () => {
    const rows = distributionOf([50, 250, 250, 2500, 5500, 5500]).linearRows();
    expect(rows.map(({ us, count }) => [us, count])).toEqual([
      [103, 1],
      [303, 3],
      [3103, 4],
      [6103, 6],
    ]);
    expect(rows.at(-1)?.percentile).toBe(100);
  });

  test("counts up to a bound", () => {
    const distribution = distributionOf([50, 250, 250, 2500]);
    expect([0, 40, 100, 300, 10_000_000].map((us) => distribution.countUpTo(us))).toEqual([
      0, 0, 1, 3, 4,
    ]);
  });

  test("adds up what threads have counted in shared memory", () => {
    const memory = new SharedArrayBuffer(distributionBytes(2));
    const writer = new LatencyDistribution(2, memory);
    writer.record(100, 16);
    const reader = new LatencyDistribution(2, memory);
    const sum = new LatencyDistribution(2);
    sum.add(new LatencyDistribution(2));
    sum.add(reader);
    sum.add(distributionOf([50, 5000], 2));
    expect([sum.count, sum.sumUs, sum.minUs]).toEqual([18, 6650, 48]);
    expect(sum.percentileUs(50)).toBe(distributionOf([100], 2).maxUs);
  });
});
