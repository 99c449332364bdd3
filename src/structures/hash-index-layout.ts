// HOT PATH: rules in src/README.md
/** Words and sizes of a hash index's blocks (structures/hash-index.ts), and where hashes go in them. */

/** Slots of a bucket, and its words. */
export const enum Bucket {
  BYTES = 64,
  SLOTS = 12,
  OVERFLOW_WORD = 3,
  REFERENCE_WORD = 4,
}

/** A bucket's number, shifted so far to the left, is where its words begin. */
export const enum WordShift {
  BUCKET = 4,
}

/** What stands before a segment's buckets. */
export const enum Segment {
  HEADER_BYTES = 64,
  HEADER_WORDS = 16,
  COUNT_WORD = 0,
}

/** The bucket of a segment with directory entry `meta` that an entry with `hash` wants. */
export function homeBucket(hash: number, meta: number): number {
  return (((hash << (meta >>> 16)) >>> 16) * (meta & 0xffff)) >>> 16;
}

/** The least position in hash order above `cursor` that is not in bucket `home`; 0 at the end. */
export function nextPosition(cursor: number, home: number, meta: number): number {
  const localDepth = meta >>> 16;
  const range = 2 ** (32 - localDepth);
  const prefix = cursor - (cursor % range);
  // The least 16-bit fraction of the segment's range that scales to the next bucket or beyond.
  const fraction = Math.ceil(((home + 1) * 65536) / (meta & 0xffff));
  const next = Math.max(prefix + Math.ceil((fraction * range) / 65536), cursor + 1);
  return next >= 4294967296 ? 0 : next;
}

export function segmentBytes(buckets: number): number {
  return Segment.HEADER_BYTES + buckets * Bucket.BYTES;
}

export function directoryBytes(depth: number): number {
  return 8 << depth;
}
