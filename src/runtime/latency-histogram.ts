// HOT PATH: rules in src/README.md
/**
 * A log-linear histogram of durations in nanoseconds, 1 ns to 1 s, with two significant digits.
 *
 * Layout: that of Gil Tene's HdrHistogram with 128 slots for each power of two, so that percentiles
 * and bucket bounds are the very numbers that Valkey reports.
 *
 *     octave 0      values 0..127            slot = value
 *     octave 1      values 128..255          slot = value - 128
 *     octave o > 1  2^(o+6) .. 2^(o+7) - 1   slot = (value >> (o - 1)) - 128, each 2^(o-1) wide
 *
 * Invariants: 1. `total` is the sum of all slots. 2. An octave is null until it counts something:
 * a command's durations fall into about six of the 24, 6 KB where a plain array takes 24 KB.
 *
 * `record` is O(1); `valueAt` and `cumulative` are O(slots). Counts are doubles, since 32 bits
 * overflow after half a day of a busy server.
 *
 * Why not a sorted sample or a t-digest: neither can be added to without branching and moving, and
 * their bounds change with what was seen, where scrapers want the same buckets each time.
 */

const SLOTS = 128;
const SLOT_BITS = 7;
const OCTAVES = 24;
/** Longer durations count as this one. */
const NS_MAX = 1_000_000_000;
/** The first bound of `cumulative` is 2^10 ns. */
const LEVEL_BITS_MIN = 10;
const LEVEL_BITS_MAX = 30;

/** Calls that took at most `us` microseconds, rounded down. */
export interface CumulativeCount {
  readonly us: number;
  readonly count: number;
}

export class LatencyHistogram {
  total = 0;
  private readonly octaves: (Float64Array | null)[] = Array.from({ length: OCTAVES }, () => null);

  /** Counts `count` calls of `ns` nanoseconds. */
  record(ns: number, count: number): void {
    const value = ns < 1 ? 1 : ns > NS_MAX ? NS_MAX : ns | 0;
    const shift = value < 256 ? 0 : 24 - Math.clz32(value);
    const at = (shift << SLOT_BITS) + (value >> shift);
    const octave = at >> SLOT_BITS;
    const slots = this.octaves[octave] ?? this.addOctave(octave);
    slots[at & (SLOTS - 1)] += count;
    this.total += count;
  }

  /**
   * The nanoseconds that `percentile` percent of the calls did not exceed: the greatest value that
   * counts like it, for 0 the least. 0 if nothing was counted.
   */
  valueAt(percentile: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(percentile, 100) / 100) * this.total + 0.5));
    let seen = 0;
    for (let octave = 0; octave < OCTAVES; octave++) {
      const slots = this.octaves[octave];
      if (slots === null) continue;
      for (let slot = 0; slot < SLOTS; slot++) {
        seen += slots[slot];
        if (seen < wanted) continue;
        return percentile === 0 ? lowest(octave, slot) : lowest(octave, slot + 1) - 1;
      }
    }
    return 0;
  }

  /**
   * How many calls took up to 1 µs, 2 µs, 4 µs and so on; bounds that add no call are left out.
   * COLD: for LATENCY HISTOGRAM.
   */
  cumulative(): CumulativeCount[] {
    const counts: CumulativeCount[] = [];
    let below = 0;
    let last = 0;
    let octave = 0;
    for (let bits = LEVEL_BITS_MIN; bits <= LEVEL_BITS_MAX; bits++) {
      // The bound's own slot, the first of its octave, belongs to it.
      for (; octave < bits - SLOT_BITS + 1 && octave < OCTAVES; octave++) {
        below += sumOf(this.octaves[octave]);
      }
      const first = bits - SLOT_BITS + 1;
      const slot = bits === LEVEL_BITS_MAX ? 0 : (this.octaves[first]?.[0] ?? 0);
      const bound = bits === LEVEL_BITS_MAX ? lowest(OCTAVES, 0) : lowest(first, 1);
      const count = below + slot;
      if (count > last) counts.push({ us: Math.floor((bound - 1) / 1000), count });
      last = count;
    }
    return counts;
  }

  /** COLD: once per octave. */
  private addOctave(octave: number): Float64Array {
    const slots = new Float64Array(SLOTS);
    this.octaves[octave] = slots;
    return slots;
  }
}

/** The least value of a slot. */
function lowest(octave: number, slot: number): number {
  return octave === 0 ? slot : (slot + SLOTS) * 2 ** (octave - 1);
}

function sumOf(slots: Float64Array | null): number {
  let sum = 0;
  if (slots !== null) for (let slot = 0; slot < SLOTS; slot++) sum += slots[slot];
  return sum;
}
