import { expect, test } from "bun:test";
import { ManualClock, systemClock } from "../../../src/base/clock.ts";

test("the system's clock counts the same time in both units", () => {
  const clock = systemClock();
  for (let round = 0; round < 1000; round++) {
    const before = clock.nowMs();
    const us = clock.nowUs();
    const after = clock.nowMs();
    expect(Number.isSafeInteger(us)).toBe(true);
    expect(Number.isSafeInteger(before)).toBe(true);
    // The two sources may be off by the tolerance, never by a unit.
    expect(us / 1000).toBeGreaterThan(before - 5);
    expect(us / 1000).toBeLessThan(after + 5);
  }
});

test("the monotonic clock does not step back", () => {
  const clock = systemClock();
  let last = clock.monotonicUs();
  for (let round = 0; round < 1000; round++) {
    const now = clock.monotonicUs();
    expect(now >= last).toBe(true);
    last = now;
  }
});

test("a manual clock stands still until it is moved", () => {
  const clock = new ManualClock(1_000);
  expect([clock.nowMs(), clock.nowUs(), clock.monotonicUs()]).toEqual([1_000, 1_000_000, 0]);
  clock.advanceMs(5);
  clock.advanceUs(999);
  expect([clock.nowMs(), clock.nowUs(), clock.monotonicUs()]).toEqual([1_005, 1_005_999, 5_999]);
  clock.setMs(10);
  expect([clock.nowMs(), clock.nowUs(), clock.monotonicUs()]).toEqual([10, 10_000, 5_999]);
  expect(() => clock.advanceMs(-1)).toThrow(RangeError);
});
