import { describe, expect, test } from "bun:test";
import { LatencyHistogram } from "../../../src/runtime/latency-histogram.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/runtime/latency-histogram.test.ts";
const seed = seedOfRun();
const NS_MAX = 1_000_000_000;

/** The greatest value that counts like `ns`: 128 values to each power of two. */
function greatestLike(ns: number): number {
  let width = 1;
  while (ns / width >= 256) width *= 2;
  return Math.floor(ns / width) * width + width - 1;
}

function clamp(ns: number): number {
  return Math.max(1, Math.min(NS_MAX, Math.floor(ns)));
}

/** Durations of all magnitudes. */
function duration(random: Random): number {
  const magnitude = 2 ** random.below(32);
  return magnitude + random.below(magnitude);
}

/** What the histogram must say of these durations, straight from their sorted list. */
function percentileOf(sorted: readonly number[], percentile: number): number {
  const wanted = Math.max(1, Math.floor((percentile / 100) * sorted.length + 0.5));
  return greatestLike(sorted[wanted - 1]);
}

describe("a histogram", () => {
  test("agrees with the sorted list of what it counted", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 30; round++) {
        const histogram = new LatencyHistogram();
        const values: number[] = [];
        for (let i = random.below(300) + 1; i > 0; i--) {
          const ns = duration(random);
          const count = random.oneIn(4) ? 16 : 1;
          histogram.record(ns, count);
          for (let j = 0; j < count; j++) values.push(clamp(ns));
        }
        values.sort((a, b) => a - b);
        expect(histogram.total).toBe(values.length);
        for (const percentile of [0.1, 10, 50, 90, 99, 99.9, 100]) {
          expect(histogram.valueAt(percentile)).toBe(percentileOf(values, percentile));
        }
        expectCumulative(histogram, values);
      }
    }));

  test("gives the least value for percentile 0", () => {
    const histogram = new LatencyHistogram();
    expect(histogram.valueAt(50)).toBe(0);
    histogram.record(1000, 1);
    expect(histogram.valueAt(0)).toBe(1000);
    expect(histogram.valueAt(100)).toBe(1003);
  });

  test("keeps what is beyond its ends", () => {
    const histogram = new LatencyHistogram();
    histogram.record(0, 1);
    histogram.record(1e12, 1);
    expect(histogram.valueAt(50)).toBe(1);
    expect(histogram.valueAt(100)).toBe(greatestLike(NS_MAX));
    expect(histogram.cumulative()).toEqual([
      { us: 1, count: 1 },
      { us: 1073741, count: 2 },
    ]);
  });

  test("has Valkey's bounds", () => {
    const histogram = new LatencyHistogram();
    for (let us = 1; us <= 1 << 20; us *= 2) histogram.record(us * 1000, 1);
    expect(histogram.cumulative().map(({ us }) => us)).toEqual([
      1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16908, 33816, 67633, 135266,
      270532, 541065, 1073741,
    ]);
  });
});

function expectCumulative(histogram: LatencyHistogram, values: readonly number[]): void {
  const expected: { us: number; count: number }[] = [];
  let last = 0;
  for (let bits = 10; bits <= 30; bits++) {
    const bound = bits === 30 ? 2 ** 30 - 1 : greatestLike(2 ** bits);
    const count = values.filter((ns) => ns <= bound).length;
    if (count > last) expected.push({ us: Math.floor(bound / 1000), count });
    last = count;
  }
  expect(histogram.cumulative()).toEqual(expected);
}
