import { describe, expect, test } from "bun:test";
import { CommandTimes } from "../../../src/runtime/command-times.ts";

/** Command 0 is cheap, command 1 is not. */
function setUp() {
  const calls = new Float64Array(2);
  const microseconds = new Float64Array(2);
  const times = new CommandTimes(calls, microseconds);
  times.setCheap(0);
  /** Calls a command as the dispatcher does; whether it was timed. */
  const call = (number: number, us: number): boolean => {
    calls[number]++;
    if (times.untimed[number] === 0) {
      times.record(number, us);
      return true;
    }
    times.untimed[number]--;
    return false;
  };
  const timedOf = (number: number, count: number, us = 10): number => {
    let timed = 0;
    for (let i = 0; i < count; i++) if (call(number, us)) timed++;
    return timed;
  };
  return { calls, microseconds, times, timedOf };
}

describe("times of commands", () => {
  test("are taken at first, then every sixteenth time; of slow commands always", () => {
    const { timedOf } = setUp();
    expect(timedOf(0, 16)).toBe(16);
    expect(timedOf(0, 160)).toBe(10);
    expect(timedOf(1, 100)).toBe(100);
  });

  test("count for the calls between two that are timed", () => {
    const { microseconds, times, timedOf } = setUp();
    timedOf(0, 16 + 16 + 5);
    expect(microseconds[0]).toBe(320);
    expect(times.histogram(0)?.total).toBe(37);
    expect(microseconds[0]).toBe(370);
    // What was settled counts once.
    times.settle(0);
    timedOf(0, 11);
    expect(microseconds[0]).toBe(480);
    expect(times.histogram(0)?.total).toBe(48);
  });

  test("are exact when asked for", () => {
    const { times, timedOf } = setUp();
    timedOf(0, 20);
    times.setExact(true);
    expect(timedOf(0, 50)).toBe(50);
    times.setExact(false);
    expect(timedOf(0, 33)).toBe(3);
    expect(timedOf(1, 3)).toBe(3);
  });

  test("without tracking are sums only", () => {
    const { microseconds, times, timedOf } = setUp();
    times.tracking = false;
    timedOf(0, 40);
    expect(times.histogram(0)).toBeNull();
    expect(microseconds[0]).toBe(400);
    times.tracking = true;
    timedOf(0, 16);
    expect(times.histogram(0)?.total).toBe(16);
  });

  test("begin anew after a reset", () => {
    const { calls, microseconds, times, timedOf } = setUp();
    timedOf(0, 40);
    calls.fill(0);
    microseconds.fill(0);
    times.reset();
    expect(times.histogram(0)).toBeNull();
    expect(timedOf(0, 2, 7)).toBe(2);
    expect(times.histogram(0)?.total).toBe(2);
    expect(microseconds[0]).toBe(14);
  });
});
