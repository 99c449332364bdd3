import { describe, expect, test } from "bun:test";
import { Rate, Stats } from "../../../src/runtime/stats.ts";

describe("a rate", () => {
  test("is the mean of the last 16 samples per second", () => {
    const rate = new Rate();
    rate.sample(1000, 5000);
    expect(rate.perSecond()).toBe(0);
    // 100 in a tenth of a second.
    for (let i = 1; i <= 8; i++) rate.sample(1000 + 100 * i, 5000 + 100 * i);
    expect(rate.perSecond()).toBe(500);
    for (let i = 9; i <= 40; i++) rate.sample(1000 + 100 * i, 5000 + 100 * i);
    expect(rate.perSecond()).toBe(1000);
    rate.reset();
    expect(rate.perSecond()).toBe(0);
    rate.sample(0, 20_000);
    expect(rate.perSecond()).toBe(0);
  });

  test("is not disturbed by a clock that stands still or steps back", () => {
    const rate = new Rate();
    for (const ms of [1000, 1000, 900, 1000]) rate.sample(ms, ms);
    expect(Number.isFinite(rate.perSecond())).toBe(true);
    expect(rate.perSecond()).toBeGreaterThanOrEqual(0);
  });
});

describe("statistics", () => {
  test("count errors by code, and further codes together", () => {
    const stats = new Stats(1);
    stats.countError("ERR");
    for (let i = 0; i < 200; i++) stats.countError(`CODE${i}`);
    stats.countError("ERR");
    stats.countError("CODE126");
    expect(stats.errorReplies).toBe(203);
    expect(stats.errors.get("ERR")).toBe(2);
    expect(stats.errors.get("CODE126")).toBe(2);
    expect(stats.errors.has("CODE127")).toBe(false);
    expect(stats.errors.get("ERRORSTATS_OVERFLOW")).toBe(73);
    expect(stats.errors.size).toBe(129);
  });

  test("are reset but for what describes the process", () => {
    const stats = new Stats(3);
    const numbers = Object.entries(stats).filter(([, value]) => typeof value === "number");
    expect(numbers.length).toBeGreaterThan(20);
    for (const [name] of numbers) Object.assign(stats, { [name]: 7 });
    const tables = [stats.calls, stats.microseconds, stats.rejectedCalls, stats.failedCalls];
    for (const table of tables) table.fill(7);
    stats.countError("ERR");
    stats.sampleRates(1000);
    stats.commandsProcessed = 1007;
    stats.sampleRates(2000);
    expect(stats.commandRate.perSecond()).toBeGreaterThan(0);
    stats.reset();
    const left = Object.entries(stats).filter(
      ([, value]) => typeof value === "number" && value > 0,
    );
    expect(left.map(([name]) => name).sort()).toEqual([
      "internalErrors",
      "peakMemoryBytes",
      "rdbKeysExpired",
      "rdbKeysLoaded",
    ]);
    for (const table of tables) expect([...table]).toEqual([0, 0, 0]);
    expect(stats.errors.size).toBe(0);
    expect(stats.commandRate.perSecond()).toBe(0);
  });
});
