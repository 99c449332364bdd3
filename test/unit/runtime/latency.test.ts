import { describe, expect, test } from "bun:test";
import { LatencyMonitor } from "../../../src/runtime/latency.ts";

describe("the latency monitor", () => {
  test("notes what reaches the threshold, one sample a second", () => {
    const monitor = new LatencyMonitor();
    monitor.note("command", 1e9, 1000);
    expect(monitor.count).toBe(0);
    monitor.configure(10);
    for (const [us, ms] of [
      [9_999, 1000],
      [10_999, 1000],
      [30_000, 1900],
      [20_000, 1999],
      [15_000, 2000],
    ]) {
      monitor.note("command", us, ms);
    }
    expect(monitor.find("command")).toEqual({
      event: "command",
      samples: [
        { time: 1, ms: 30 },
        { time: 2, ms: 15 },
      ],
      maxMs: 30,
      sumMs: 75,
      count: 4,
    });
    monitor.configure(0);
    monitor.note("command", 1e9, 9000);
    expect(monitor.find("command")?.count).toBe(4);
  });

  test("keeps the last 160 samples of an event", () => {
    const monitor = new LatencyMonitor();
    monitor.configure(1);
    for (let second = 1; second <= 200; second++) monitor.note("command", 5000, second * 1000);
    const series = monitor.find("command");
    expect(series?.samples).toHaveLength(160);
    expect(series?.samples[0].time).toBe(41);
    expect(series?.count).toBe(200);
  });

  test("forgets by name in any case, or everything", () => {
    const monitor = new LatencyMonitor();
    monitor.configure(1);
    for (const event of ["command", "fast-command", "expire-cycle"]) monitor.note(event, 5000, 1);
    expect(monitor.reset("COMMAND")).toBe(1);
    expect(monitor.reset("command")).toBe(0);
    expect(monitor.resetAll()).toBe(2);
    expect(monitor.resetAll()).toBe(0);
  });
});
