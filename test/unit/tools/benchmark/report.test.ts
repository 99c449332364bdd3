import { describe, expect, test } from "bun:test";
import { LatencyDistribution } from "../../../../src/tools/benchmark/latency-distribution.ts";
import { latencyChart } from "../../../../src/tools/benchmark/latency-chart.ts";
import type { Measurement } from "../../../../src/tools/benchmark/measurement.ts";
import { parseOptions } from "../../../../src/tools/benchmark/options.ts";
import {
  csvLine,
  longReport,
  progressLine,
  quietLine,
} from "../../../../src/tools/benchmark/report.ts";

function measurementOf(values: readonly number[], totalMs: number): Measurement {
  const latencies = new LatencyDistribution(3);
  for (const us of values) latencies.record(us, 1);
  return { finished: values.length, totalMs, latencies };
}

const MEASUREMENT = measurementOf([100, 200, 200, 300], 2);

describe("report", () => {
  test("one line", () => {
    expect(quietLine("SET", MEASUREMENT)).toBe(
      "SET: 2000.00 requests per second, p50=0.207 msec\n",
    );
  });

  test("CSV", () => {
    expect(csvLine("MSET (10 keys)", MEASUREMENT)).toBe(
      '"MSET (10 keys)","2000.00","0.202","0.096","0.207","0.303","0.303","0.303"\n',
    );
  });

  test("the long form", () => {
    const parsed = parseOptions(["-c", "5", "--threads", "2"], "bunsen benchmark");
    if (!("options" in parsed)) throw new Error("no run");
    const server = { save: "3600 1", appendonly: "no" };
    expect(longReport("GET", MEASUREMENT, parsed.options, 3, server)).toBe(`====== GET ======
  4 requests completed in 0.00 seconds
  5 parallel clients
  3 bytes payload
  keep alive: 1
  host configuration "save": 3600 1
  host configuration "appendonly": no
  multi-thread: yes
  threads: 2

Latency by percentile distribution:
0.000% <= 0.103 milliseconds (cumulative count 1)
50.000% <= 0.207 milliseconds (cumulative count 3)
87.500% <= 0.303 milliseconds (cumulative count 4)
100.000% <= 0.303 milliseconds (cumulative count 4)

Cumulative distribution of latencies:
25.000% <= 0.103 milliseconds (cumulative count 1)
75.000% <= 0.207 milliseconds (cumulative count 3)
100.000% <= 0.303 milliseconds (cumulative count 4)

Summary:
  throughput summary: 2000.00 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.202     0.096     0.207     0.303     0.303     0.303
`);
    expect(longReport("GET", MEASUREMENT, parsed.options, 3, null)).not.toContain("host config");
  });

  test("progress, since the last time and overall", () => {
    const first = {
      elapsedMs: 250,
      finished: 1000,
      live: 5,
      measured: 1000,
      latencySumUs: 200_000,
    };
    const second = {
      ...first,
      elapsedMs: 500,
      finished: 3000,
      measured: 3000,
      latencySumUs: 300_000,
    };
    expect(progressLine("SET", first, null)).toBe(
      "SET: rps=4000.0 (overall: 4000.0) avg_msec=0.200 (overall: 0.200)",
    );
    expect(progressLine("SET", second, first)).toBe(
      "SET: rps=8000.0 (overall: 6000.0) avg_msec=0.050 (overall: 0.100)",
    );
    expect(progressLine("SET", second, second)).toContain(
      "rps=0.0 (overall: 6000.0) avg_msec=0.000",
    );
  });

  test("nothing measured", () => {
    const nothing = measurementOf([], 0);
    expect(quietLine("SET", nothing)).toBe("SET: 0.00 requests per second, p50=0.000 msec\n");
    expect(latencyChart(nothing.latencies)).toBe("");
  });
});

describe("chart", () => {
  test("the longest bar is the fullest row, and the rows have everybody", () => {
    const values = Array.from({ length: 1000 }, (_, index) => 100 + index);
    const chart = latencyChart(measurementOf([...values, 500_000], 1).latencies);
    const rows = chart.trim().split("\n").slice(1);
    const shares = rows.map((row) => Number(/([\d.]+)%$/.exec(row)?.[1]));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 0);
    const bars = rows.map((row) => row.match(/█/g)?.length ?? 0);
    expect(Math.max(...bars)).toBe(40);
    expect(bars.indexOf(40)).toBe(shares.indexOf(Math.max(...shares)));
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.length).toBeLessThanOrEqual(17);
    expect(rows.at(-1)).toContain("600.00 ms");
  });

  test("one latency, none of any length", () => {
    for (const us of [0, 3, 10, 95, 1000, 3_000_000]) {
      const chart = latencyChart(measurementOf([us], 1).latencies);
      expect(chart).toContain("100.00%");
    }
  });
});
