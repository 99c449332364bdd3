// HOT PATH: rules in src/README.md
/**
 * What a search for places found: ranks, scores and distances of members, in columns, since an
 * object for each would be garbage soon; and the order in which they are wanted.
 *
 * A heap of indices selects the nearest, or furthest, members: O(n log k) for k of n. Of two that
 * are equally far, the one found first comes first.
 */

const CAPACITY_AT_FIRST = 256;
/** What one search may leave to the next. */
const CAPACITY_KEPT = 16384;

export class FoundMembers {
  length = 0;
  ranks = new Int32Array(CAPACITY_AT_FIRST);
  scores = new Float64Array(CAPACITY_AT_FIRST);
  distances = new Float64Array(CAPACITY_AT_FIRST);
  /** Indices of the others, as wanted; the first `length` of them count. */
  order = new Int32Array(CAPACITY_AT_FIRST);

  private sign = 1;

  /** Forgets everything. */
  clear(): void {
    this.length = 0;
    if (this.order.length > CAPACITY_KEPT) this.resize(CAPACITY_AT_FIRST);
  }

  push(rank: number, score: number, distance: number): void {
    const index = this.length++;
    if (index === this.order.length) this.resize(index * 2);
    this.ranks[index] = rank;
    this.scores[index] = score;
    this.distances[index] = distance;
    this.order[index] = index;
  }

  /** Keeps the first `count` members, in the order in which they were found. */
  truncate(count: number): void {
    if (count < this.length) this.length = count;
  }

  /** Keeps the nearest `count` members, or the furthest, in this order. */
  select(count: number, isDescending: boolean): void {
    const { order } = this;
    this.sign = isDescending ? -1 : 1;
    const kept = Math.min(count, this.length);
    if (kept === 0) {
      this.length = 0;
      return;
    }
    // The heap's root is the last of the best so far: whoever comes before it takes its place.
    for (let at = (kept >> 1) - 1; at >= 0; at--) this.sink(at, kept);
    for (let index = kept; index < this.length; index++) {
      if (!this.isBefore(index, order[0])) continue;
      order[0] = index;
      this.sink(0, kept);
    }
    for (let end = kept - 1; end > 0; end--) {
      const last = order[0];
      order[0] = order[end];
      order[end] = last;
      this.sink(0, end);
    }
    this.length = kept;
  }

  private isBefore(a: number, b: number): boolean {
    const difference = (this.distances[a] - this.distances[b]) * this.sign;
    return difference === 0 ? a < b : difference < 0;
  }

  /** Lets the index at `from` sink to its place in the heap order[0, end). */
  private sink(from: number, end: number): void {
    const { order } = this;
    const index = order[from];
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= end) break;
      if (child + 1 < end && this.isBefore(order[child], order[child + 1])) child++;
      if (!this.isBefore(index, order[child])) break;
      order[at] = order[child];
      at = child;
    }
    order[at] = index;
  }

  private resize(capacity: number): void {
    const { ranks, scores, distances, order } = this;
    const kept = Math.min(capacity, order.length);
    this.ranks = new Int32Array(capacity);
    this.scores = new Float64Array(capacity);
    this.distances = new Float64Array(capacity);
    this.order = new Int32Array(capacity);
    this.ranks.set(ranks.subarray(0, kept));
    this.scores.set(scores.subarray(0, kept));
    this.distances.set(distances.subarray(0, kept));
    this.order.set(order.subarray(0, kept));
  }
}
