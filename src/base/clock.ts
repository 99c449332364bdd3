/**
 * Time, injected.
 *
 * The engine never asks the system for the time: it reads the Clock that its owner passes in, so
 * that a test moves time by hand and expiry, blocking and timeouts replay exactly. One reading
 * costs about 40 ns on Linux under Bun 1.4 whichever source is asked (Date.now, performance.now and
 * Bun.nanoseconds measured alike), which is a tenth of a pipelined GET; so whoever serves requests
 * reads the clock once per batch and passes the number on.
 */

export interface Clock {
  /** Unix time in whole milliseconds. It follows the system's clock, and so may step back. */
  nowMs(): number;
  /** Unix time in whole microseconds, a safe integer until the year 2255. It may step back. */
  nowUs(): number;
  /**
   * Microseconds since an arbitrary moment, with a fraction. It never steps back; for durations.
   */
  monotonicUs(): number;
}

/**
 * How far the extrapolated microseconds may be from the system's clock before they are anchored
 * anew: after a manual change or a suspended machine. The millisecond clock itself explains up to
 * one millisecond of difference.
 */
const DRIFT_MS_MAX = 2;

class SystemClock implements Clock {
  /** Unix time minus monotonic time, in milliseconds. */
  #anchorMs = performance.timeOrigin;

  nowMs(): number {
    return Date.now();
  }

  nowUs(): number {
    const wallMs = Date.now();
    const monotonicMs = performance.now();
    const drift = wallMs - this.#anchorMs - monotonicMs;
    if (drift > DRIFT_MS_MAX || drift < -DRIFT_MS_MAX) this.#anchorMs = wallMs - monotonicMs;
    return Math.floor((this.#anchorMs + monotonicMs) * 1000);
  }

  monotonicUs(): number {
    return performance.now() * 1000;
  }
}

export function systemClock(): Clock {
  return new SystemClock();
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #unixUs: number;
  #monotonicUs = 0;

  constructor(unixMs = 1_700_000_000_000) {
    this.#unixUs = unixMs * 1000;
  }

  nowMs(): number {
    return Math.floor(this.#unixUs / 1000);
  }

  nowUs(): number {
    return this.#unixUs;
  }

  monotonicUs(): number {
    return this.#monotonicUs;
  }

  /** Lets time pass: both clocks move on. Requires: not negative. */
  advanceMs(durationMs: number): void {
    this.advanceUs(durationMs * 1000);
  }

  advanceUs(durationUs: number): void {
    if (durationUs < 0) throw new RangeError("A clock does not run backwards; use setMs");
    this.#unixUs += durationUs;
    this.#monotonicUs += durationUs;
  }

  /** Sets the system's time, forwards or backwards, as an administrator would: no time passes. */
  setMs(unixMs: number): void {
    this.#unixUs = unixMs * 1000;
  }
}
