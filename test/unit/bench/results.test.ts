// The benchmark's arithmetic and its reading of redis-benchmark's report; nothing is measured here.

import { describe, expect, test } from "bun:test";
import type { Sample } from "../../../bench/figure.ts";
import { FIGURES } from "../../../bench/figures.ts";
import { parseReport } from "../../../bench/redis-benchmark.ts";
import { median, medianOf, medianSample, ratioTo } from "../../../bench/results.ts";
import type { FigureResult } from "../../../bench/results.ts";
import type { ServerId } from "../../../bench/servers.ts";

const REPORT = `SET: rps=0.0 (overall: -nan) avg_msec=-nan (overall: -nan)\r====== SET ======
  1000000 requests completed in 1.22 seconds
  50 parallel clients

Latency by percentile distribution:
0.000% <= 0.247 milliseconds (cumulative count 16)
50.000% <= 0.855 milliseconds (cumulative count 513328)
99.805% <= 2.247 milliseconds (cumulative count 998064)
99.902% <= 2.503 milliseconds (cumulative count 999024)
100.000% <= 4.343 milliseconds (cumulative count 1000000)

Cumulative distribution of latencies:
99.920% <= 3.103 milliseconds (cumulative count 999200)
100.000% <= 5.103 milliseconds (cumulative count 1000000)

Summary:
  throughput summary: 816993.50 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.879     0.240     0.855     1.223     1.703     4.343
`;

describe("parseReport", () => {
  test("reads throughput and the percentiles up to 99.9", () => {
    expect(parseReport(REPORT)).toEqual({
      requestsPerSecond: 816_993.5,
      p50Ms: 0.855,
      p99Ms: 1.703,
      p999Ms: 2.503,
    });
  });

  test("refuses what is not a report", () => {
    expect(() => parseReport("Could not connect to Redis")).toThrow("not a report");
  });
});

describe("medians and ratios", () => {
  const result: FigureResult = {
    figure: FIGURES[0],
    samples: new Map<ServerId, Sample[]>([
      ["bunsen", [{ cpu: 1 }, { cpu: 4 }, { cpu: 2 }]],
      ["redis", [{ cpu: 2 }, { cpu: 2 }, { cpu: 8 }]],
    ]),
    errors: new Map(),
  };

  test("the median of an even count lies between the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test("a ratio is that of the medians, its spread that of the rounds", () => {
    expect(medianOf(result, "bunsen", "cpu")).toBe(2);
    expect(ratioTo(result, "redis", "cpu")).toEqual({ value: 1, lowest: 0.25, highest: 2 });
  });

  test("a server that was not measured has neither", () => {
    expect(medianOf(result, "valkey", "cpu")).toBeUndefined();
    expect(ratioTo(result, "valkey", "cpu")).toBeUndefined();
  });

  test("samples are joined metric by metric", () => {
    expect(medianSample([{ startup: 9, idleRss: 1 }, { startup: 5 }, { startup: 6 }])).toEqual({
      startup: 6,
      idleRss: 1,
    });
  });
});
