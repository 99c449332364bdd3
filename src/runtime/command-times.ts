// HOT PATH: rules in src/README.md
/**
 * How long each command takes: the sums of INFO commandstats and the histograms of INFO
 * latencystats.
 *
 * Reading the clock twice costs 60 ns, a tenth of a pipelined GET. So a cheap command, once it has
 * been called 16 times, is timed only every 16th time, and that duration counts for all calls since
 * the one timed before; `untimed` says how many more calls are to pass without. A report `settle`s
 * first: the latest calls count like the last one timed, so that sums and totals never lack a call.
 *
 * Slow commands are timed on every call, and all are in exact mode: when the slow log or the
 * latency monitor wants to see single calls.
 */
import { LatencyHistogram } from "./latency-histogram.ts";

/** Calls without the clock between two that are timed. */
const UNTIMED_CALLS = 15;
/** The first calls are all timed. */
const TIMED_AT_FIRST = 16;

export class CommandTimes {
  /** By command number: calls that need not be timed before the next one that must be. */
  readonly untimed: Uint8Array;
  /** latency-tracking: whether histograms are kept. */
  tracking = true;

  /** `untimed` after a call that was timed. */
  private readonly interval: Uint8Array;
  /** Calls that are in the sums. */
  private readonly counted: Float64Array;
  private readonly lastUs: Float64Array;
  private readonly histograms: (LatencyHistogram | null)[];
  private readonly cheap: Uint8Array;

  constructor(
    /** Calls by command number; counted by the dispatcher. */
    private readonly calls: Float64Array,
    /** Sums by command number; counted here. */
    private readonly microseconds: Float64Array,
  ) {
    const count = calls.length;
    this.untimed = new Uint8Array(count);
    this.interval = new Uint8Array(count);
    this.counted = new Float64Array(count);
    this.lastUs = new Float64Array(count);
    this.histograms = Array.from({ length: count }, () => null);
    this.cheap = new Uint8Array(count);
  }

  /** Calls of this command are timed by samples, from now on. */
  setCheap(number: number): void {
    this.cheap[number] = 1;
    this.interval[number] = UNTIMED_CALLS;
  }

  /** Times every call, or cheap commands by samples. */
  setExact(on: boolean): void {
    this.untimed.fill(0);
    for (let number = 0; number < this.cheap.length; number++) {
      this.interval[number] = on || this.cheap[number] === 0 ? 0 : UNTIMED_CALLS;
    }
  }

  /** A call was timed, and `calls` has counted it. */
  record(number: number, us: number): void {
    const calls = this.calls[number];
    this.lastUs[number] = us;
    this.count(number, us, calls - this.counted[number]);
    this.counted[number] = calls;
    this.untimed[number] = calls < TIMED_AT_FIRST ? 0 : this.interval[number];
  }

  /** Counts the calls since the last one that was timed. */
  settle(number: number): void {
    const pending = this.calls[number] - this.counted[number];
    if (pending <= 0) return;
    this.count(number, this.lastUs[number], pending);
    this.counted[number] = this.calls[number];
  }

  /** The histogram of a command, settled; null if no call was tracked. */
  histogram(number: number): LatencyHistogram | null {
    this.settle(number);
    return this.histograms[number];
  }

  /** CONFIG RESETSTAT, after `calls` and `microseconds` were reset. */
  reset(): void {
    this.untimed.fill(0);
    this.counted.fill(0);
    this.lastUs.fill(0);
    this.histograms.fill(null);
  }

  private count(number: number, us: number, calls: number): void {
    this.microseconds[number] += us * calls;
    if (!this.tracking) return;
    const histogram = this.histograms[number] ?? this.addHistogram(number);
    histogram.record(us * 1000, calls);
  }

  /** COLD: once per command. */
  private addHistogram(number: number): LatencyHistogram {
    const histogram = new LatencyHistogram();
    this.histograms[number] = histogram;
    return histogram;
  }
}
