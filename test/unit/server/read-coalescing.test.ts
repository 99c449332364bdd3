import { expect, test } from "bun:test";
import { ManualClock } from "../../../src/base/clock.ts";
import { ReadCoalescing } from "../../../src/server/read-coalescing.ts";

interface Load {
  readonly connections: number;
  /** Between two requests of all connections together, while the server is awake. */
  readonly intervalUs: number;
  /** How long the system sleeps when asked for less. */
  readonly sleepUs?: number;
  /** Requests that arrive during a sleep ÷ those that arrive in the same time otherwise. */
  readonly flow?: number;
  /** Whether replies can be sent at a turn's end. */
  readonly canSend?: boolean;
}

/** A server's turns under a load, by the clock: one request each, or what a sleep gathered. */
class Simulation {
  readonly clock = new ManualClock();
  sleeps = 0;
  private readonly lastMs: number[];
  private next = 0;
  private gathered = 0;
  private atEnd: (() => void)[] = [];
  private readonly coalescing: ReadCoalescing;

  constructor(private readonly load: Load) {
    this.lastMs = Array.from({ length: load.connections }, () => 0);
    this.coalescing = new ReadCoalescing({
      clock: this.clock,
      sleepMs: () => this.sleep(),
      later: (run) => this.atEnd.push(run),
      sendReplies: () => load.canSend ?? true,
    });
  }

  /** Sleeps in so many milliseconds. */
  run(ms: number): number {
    const before = this.sleeps;
    const endMs = this.clock.nowMs() + ms;
    while (this.clock.nowMs() < endMs) this.turn();
    return this.sleeps - before;
  }

  private turn(): void {
    const count = Math.max(1, Math.round(this.gathered));
    if (this.gathered < 1) this.clock.advanceUs(this.load.intervalUs);
    this.gathered = 0;
    for (let i = 0; i < count; i++) {
      const { lastMs } = this;
      const nowMs = this.clock.nowMs();
      this.next = (this.next + 1) % lastMs.length;
      this.coalescing.count(lastMs[this.next], nowMs);
      lastMs[this.next] = nowMs;
    }
    const ending = this.atEnd;
    this.atEnd = [];
    for (const run of ending) run();
  }

  private sleep(): void {
    const us = this.load.sleepUs ?? 80;
    this.sleeps++;
    this.clock.advanceUs(us);
    this.gathered += (us / this.load.intervalUs) * (this.load.flow ?? 1);
  }
}

test("many busy connections: small turns end with a sleep", () => {
  const simulation = new Simulation({ connections: 50, intervalUs: 10 });
  expect(simulation.run(1000)).toBeGreaterThan(4000);
});

test("few connections, or few requests: no sleep but those that measure it", () => {
  expect(new Simulation({ connections: 20, intervalUs: 10 }).run(1000)).toBe(0);
  expect(new Simulation({ connections: 1000, intervalUs: 1000 }).run(10_000)).toBe(0);
  expect(new Simulation({ connections: 50, intervalUs: 50 }).run(1000)).toBe(5);
});

test("a sleep that would gather the requests of most connections is left out", () => {
  expect(new Simulation({ connections: 40, intervalUs: 5 }).run(1000)).toBe(5);
});

test("a system that wakes sleepers late is asked five times, then never again", () => {
  expect(new Simulation({ connections: 50, intervalUs: 10, sleepUs: 15_000 }).run(10_000)).toBe(5);
});

test("where fewer requests arrive, it is left alone, each time for longer", () => {
  const simulation = new Simulation({ connections: 50, intervalUs: 10, flow: 0.8 });
  const first = simulation.run(1000);
  expect(first).toBeGreaterThan(100);
  const asOften = simulation.run(1000);
  const later = simulation.run(60_000) / 60;
  expect(asOften).toBeLessThan(first);
  expect(later).toBeLessThan(first / 4);
});

test("where as many arrive, it goes on for ever", () => {
  const simulation = new Simulation({ connections: 50, intervalUs: 10 });
  const first = simulation.run(1000);
  simulation.run(20_000);
  expect(simulation.run(1000)).toBeGreaterThan(first * 0.9);
});

test("while replies wait for the disk, nobody sleeps", () => {
  expect(new Simulation({ connections: 50, intervalUs: 10, canSend: false }).run(1000)).toBe(5);
});

test("it goes on after the clock was set back", () => {
  const simulation = new Simulation({ connections: 50, intervalUs: 10 });
  simulation.run(100);
  simulation.clock.setMs(simulation.clock.nowMs() - 3_600_000);
  expect(simulation.run(1000)).toBeGreaterThan(4000);
});
