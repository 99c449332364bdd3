// HOT PATH: rules in src/README.md
/**
 * How latencies are distributed: a histogram of microseconds, 8 µs to 3 s, with one to four
 * significant digits, from which the report's percentiles and rows are read.
 *
 * Layout: that of Gil Tene's HdrHistogram with a least value of 10 µs, so that the rows are those
 * that redis-benchmark prints for the same latencies. One Float64Array, which may lie in shared
 * memory: one thread writes, others read.
 *
 *     0 count | 1 sum of values | 2 min | 3 max | 4.. slots
 *
 * With h = half of the slots of the first bucket (1024 for three digits):
 *
 *     bucket 0      2h slots, each 8 µs wide: 0 .. 16h - 1
 *     bucket b > 0  h slots, each 8 << b wide: 8h << b .. (16h << b) - 1
 *
 * Invariants: 1. `count` is the sum of all slots. 2. min and max are values as they were recorded,
 * both 0 while `count` is.
 *
 * `record` is O(1); what reads the distribution is O(slots).
 *
 * Why not runtime/latency-histogram.ts: it has nanoseconds, two digits, and the bounds that LATENCY
 * HISTOGRAM reports; here the precision is an option, and the bounds are the benchmark's.
 */

const UNIT_BITS = 3;
/** Longer latencies count as this one. */
const US_MAX = 3_000_000;
/** Slots of the first bucket, by significant digits: the least power of two from 2 * 10^digits. */
const FIRST_BUCKET_BITS = [0, 5, 8, 11, 15];

const enum Field {
  COUNT,
  SUM,
  MIN,
  MAX,
  SLOTS,
}

/** So many requests, `percentile` percent of all, took at most `us`. */
export interface DistributionRow {
  readonly percentile: number;
  readonly us: number;
  readonly count: number;
}

/** Bytes of a distribution with `digits` significant digits, 1 to 4. */
export function distributionBytes(digits: number): number {
  const halfBits = FIRST_BUCKET_BITS[digits] - 1;
  let buckets = 1;
  while (2 ** (UNIT_BITS + halfBits + buckets) <= US_MAX) buckets++;
  return (Field.SLOTS + ((buckets + 1) << halfBits)) * Float64Array.BYTES_PER_ELEMENT;
}

export class LatencyDistribution {
  private readonly numbers: Float64Array;
  private readonly halfBits: number;
  private readonly slotCount: number;

  /** Requires: `memory` has `distributionBytes(digits)` bytes. */
  constructor(
    digits: number,
    memory: ArrayBufferLike = new ArrayBuffer(distributionBytes(digits)),
  ) {
    this.numbers = new Float64Array(memory);
    this.halfBits = FIRST_BUCKET_BITS[digits] - 1;
    this.slotCount = this.numbers.length - Field.SLOTS;
  }

  get count(): number {
    return this.numbers[Field.COUNT];
  }

  /** Of the latencies as they were recorded. */
  get sumUs(): number {
    return this.numbers[Field.SUM];
  }

  /** Counts `count` requests of `us` microseconds, a whole number. */
  record(us: number, count: number): void {
    const numbers = this.numbers;
    const value = us < 0 ? 0 : us > US_MAX ? US_MAX : us | 0;
    if (numbers[Field.COUNT] === 0 || value < numbers[Field.MIN]) numbers[Field.MIN] = value;
    if (value > numbers[Field.MAX]) numbers[Field.MAX] = value;
    numbers[Field.SLOTS + this.slotOf(value)] += count;
    numbers[Field.COUNT] += count;
    numbers[Field.SUM] += value * count;
  }

  reset(): void {
    this.numbers.fill(0);
  }

  /** Adds what another one of the same precision has counted. */
  add(other: LatencyDistribution): void {
    if (other.count === 0) return;
    const { numbers } = this;
    const isFirst = this.count === 0;
    const min = other.numbers[Field.MIN];
    if (isFirst || min < numbers[Field.MIN]) numbers[Field.MIN] = min;
    numbers[Field.MAX] = Math.max(numbers[Field.MAX], other.numbers[Field.MAX]);
    numbers[Field.COUNT] += other.numbers[Field.COUNT];
    numbers[Field.SUM] += other.numbers[Field.SUM];
    for (let at = Field.SLOTS; at < numbers.length; at++) numbers[at] += other.numbers[at];
  }

  /** The least latency, rounded down to its slot. 0 if nothing was counted. */
  get minUs(): number {
    return this.lowestOf(this.slotOf(this.numbers[Field.MIN]));
  }

  /** The greatest latency, rounded up to its slot. 0 if nothing was counted. */
  get maxUs(): number {
    const max = this.numbers[Field.MAX];
    return max === 0 ? 0 : this.highestOf(this.slotOf(max));
  }

  /** The mean of the slots' middles. 0 if nothing was counted. */
  get meanUs(): number {
    if (this.count === 0) return 0;
    let sum = 0;
    for (let slot = 0; slot < this.slotCount; slot++) {
      const count = this.countOf(slot);
      if (count > 0) sum += count * (this.lowestOf(slot) + (this.widthOf(slot) >> 1));
    }
    return sum / this.count;
  }

  /** What `percentile` percent of the requests did not exceed. 0 if nothing was counted. */
  percentileUs(percentile: number): number {
    if (this.count === 0) return 0;
    const wanted = Math.max(1, Math.floor((percentile / 100) * this.count + 0.5));
    let seen = 0;
    for (let slot = 0; slot < this.slotCount; slot++) {
      seen += this.countOf(slot);
      if (seen >= wanted) return this.highestOf(slot);
    }
    return this.maxUs;
  }

  /** Requests in slots that begin at or below `us`. COLD: for the chart. */
  countUpTo(us: number): number {
    let count = 0;
    const last = Math.min(this.slotOf(us), this.slotCount - 1);
    for (let slot = 0; us > 0 && slot <= last; slot++) count += this.countOf(slot);
    return count;
  }

  /**
   * Rows whose distance to 100 % halves from one to the next: 0, 50, 75, 87.5 and so on, and 100.
   * Rows that add no request are left out. COLD: for the report.
   */
  percentileRows(): DistributionRow[] {
    const rows: DistributionRow[] = [];
    const total = this.count;
    let below = 0;
    let us = 0;
    let percentile = 0;
    for (let slot = 0; slot < this.slotCount && below < total; slot++) {
      const count = this.countOf(slot);
      if (count === 0) continue;
      below += count;
      us = this.highestOf(slot);
      const reached = (100 * below) / total;
      if (percentile > reached) continue;
      rows.push({ percentile, us, count: below });
      // The last slot has but one row before that of 100 %.
      do percentile = nextPercentile(percentile);
      while (below < total && percentile <= reached);
    }
    rows.push({ percentile: 100, us, count: below });
    return rows;
  }

  /**
   * Rows every 0.1 ms, from 2 ms on every 1 ms. Rows that add no request are left out. COLD: for
   * the report.
   */
  linearRows(): DistributionRow[] {
    const rows: DistributionRow[] = [];
    const total = this.count;
    let step = 100;
    let level = step;
    let last = -1;
    let below = 0;
    for (let slot = 0; total > 0 && slot < this.slotCount; slot++) {
      below += this.countOf(slot);
      let isRow = false;
      while (this.lowestOf(slot) >= this.lowestOf(this.slotOf(level))) {
        const us = this.highestOf(slot);
        if (below !== last || below === total) {
          rows.push({ percentile: (below / total) * 100, us, count: below });
        }
        last = below;
        isRow = true;
        level += step;
        if (us > 2000) step = 1000;
      }
      if (!isRow || below < total) continue;
      if (this.lowestOf(slot + 1) <= this.lowestOf(this.slotOf(level))) break;
    }
    return rows;
  }

  private countOf(slot: number): number {
    return this.numbers[Field.SLOTS + slot];
  }

  private slotOf(value: number): number {
    const { halfBits } = this;
    const firstBits = UNIT_BITS + halfBits + 1;
    const shift = value >> firstBits === 0 ? 0 : 32 - Math.clz32(value) - firstBits;
    return (shift << halfBits) + (value >> (UNIT_BITS + shift));
  }

  /** How far a slot's width exceeds the unit's, in bits. */
  private shiftOf(slot: number): number {
    const half = slot >> this.halfBits;
    return half < 2 ? 0 : half - 1;
  }

  private widthOf(slot: number): number {
    return 2 ** (UNIT_BITS + this.shiftOf(slot));
  }

  private lowestOf(slot: number): number {
    const shift = this.shiftOf(slot);
    return (slot - (shift << this.halfBits)) * 2 ** (UNIT_BITS + shift);
  }

  private highestOf(slot: number): number {
    return this.lowestOf(slot) + this.widthOf(slot) - 1;
  }
}

function nextPercentile(percentile: number): number {
  const halvings = Math.floor(Math.log(100 / (100 - percentile)) / Math.log(2)) + 1;
  return percentile + 100 / 2 ** halvings;
}
