// HOT PATH: rules in src/README.md
/**
 * Input of one connection that could not be used up in the chunk that brought it: the start of a
 * cut request, requests behind a blocked one, the rest of an endless pipeline.
 *
 *     | used up | request being read ... | free |
 *     0         from                     length  capacity
 *
 * Most connections never own one: whole requests are parsed in the socket's own chunk. When the
 * size of a request becomes known the buffer grows to it in one step, so a large value is copied
 * once, in place, and never again.
 */

/** What a connection's first buffer holds, as Redis's PROTO_IOBUF_LEN. */
const CAPACITY_MIN = 16 * 1024;
/** Above this a growing buffer no longer doubles but grows by this much more than needed. */
const GROWTH_MAX = 1024 * 1024;

export class QueryBuffer {
  bytes: Uint8Array;
  view: DataView;
  from = 0;
  length = 0;
  /** Largest `length` since the cron looked last. */
  peak = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(Math.max(CAPACITY_MIN, capacity));
    this.view = new DataView(this.bytes.buffer);
  }

  get capacity(): number {
    return this.bytes.length;
  }

  get pending(): number {
    return this.length - this.from;
  }

  /** Appends bytes from..to of a chunk. Moves what is pending to the front when that makes room. */
  append(chunk: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (this.length + count > this.bytes.length) {
      const needed = this.pending + count;
      if (needed <= this.bytes.length) this.compact();
      else this.resize(needed < GROWTH_MAX ? needed * 2 : needed + GROWTH_MAX);
    }
    this.bytes.set(
      from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to),
      this.length,
    );
    this.length += count;
    if (this.length > this.peak) this.peak = this.length;
  }

  /** Makes room for a request of `total` bytes from its first byte. */
  expect(total: number): void {
    if (this.from + total > this.bytes.length) this.resize(total);
  }

  /** Moves what is pending to the front. */
  compact(): void {
    if (this.from === 0) return;
    this.bytes.copyWithin(0, this.from, this.length);
    this.length -= this.from;
    this.from = 0;
  }

  /** Gives the buffer `capacity` bytes, or as many as are pending, and compacts it. */
  resize(capacity: number): void {
    const bytes = new Uint8Array(Math.max(capacity, this.pending, CAPACITY_MIN));
    bytes.set(this.bytes.subarray(this.from, this.length));
    this.length -= this.from;
    this.from = 0;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
