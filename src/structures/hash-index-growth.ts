// HOT PATH: rules in src/README.md
/**
 * How a hash index (structures/hash-index.ts) grows and shrinks: one segment at a time gets more or
 * fewer buckets, splits in two, or merges with its sibling; the directory is doubled or halved.
 *
 * One step is O(entries of a segment), some 50 µs at most, but for the directory, of which a step
 * copies 8 bytes per segment.
 */
import { Ref } from "../memory/arena.ts";
import type { HashIndex } from "./hash-index.ts";
import { Bucket, Segment, WordShift, directoryBytes, segmentBytes } from "./hash-index-layout.ts";

/** Buckets of the first segment. */
export const BUCKETS_MIN = 3;
/** Bucket counts a segment grows through before it splits into two of SPLIT_BUCKETS. */
const GROWTH = [BUCKETS_MIN, 7, 15, 31, 63, 95, 127];
const SPLIT_BUCKETS = 95;
const BUCKETS_MAX = 127;
/** Beyond this depth segments grow by GROW_BUCKETS instead of splitting. */
const DEPTH_MAX = 22;
const GROW_BUCKETS = 32;
/** A segment below a quarter of its slots shrinks to a bucket count that it fills to 5/8 at most. */
const SHRINK_LOAD = 0.625;
/** The load of segments that are made for announced entries: few of them grow then. */
const EXPECTED_LOAD = 0.75;

/** Gives an empty index segments that `count` entries fill to EXPECTED_LOAD. */
export function beginLarge(index: HashIndex, count: number): void {
  const slots = count / EXPECTED_LOAD;
  const depthWanted = Math.ceil(Math.log2(slots / (BUCKETS_MAX * Bucket.SLOTS)));
  const depth = Math.min(Math.max(depthWanted, 1), DEPTH_MAX);
  const segments = 1 << depth;
  const buckets = Math.min(Math.ceil(slots / Bucket.SLOTS / segments), BUCKETS_MAX);
  index.setDirectory(index.arena.allocate(directoryBytes(depth)), depth);
  for (let i = 0; i < segments; i++) {
    index.setPairs(i, 1, index.newSegment(buckets), (depth << 16) | buckets);
  }
  index.deepestCount = segments;
}

/** Makes room in the segment of `hash`: more buckets, or a split in two. Grows the arena. */
export function growSegment(index: HashIndex, hash: number): void {
  const meta = index.directoryWords[index.directoryAt + ((hash >>> (32 - index.depth)) << 1) + 1];
  const buckets = meta & 0xffff;
  const localDepth = meta >>> 16;
  if (buckets < BUCKETS_MAX || localDepth >= DEPTH_MAX) {
    rebuild(index, hash, nextBuckets(buckets), 0);
  } else {
    if (localDepth === index.depth) resizeDirectory(index, index.depth + 1);
    rebuild(index, hash, SPLIT_BUCKETS, 1);
  }
}

/**
 * Distributes the segment of `hash` anew: into one segment of `buckets` buckets, or, with
 * `deeper` 1, into two of that size, one level further down. O(entries of the segment).
 */
function rebuild(index: HashIndex, hash: number, buckets: number, deeper: number): void {
  const position = hash >>> (32 - index.depth);
  const old = index.directoryWords[index.directoryAt + (position << 1)];
  const oldMeta = index.directoryWords[index.directoryAt + (position << 1) + 1];
  const span = 1 << (index.depth - (oldMeta >>> 16));
  const first = position & ~(span - 1);
  const meta = (((oldMeta >>> 16) + deeper) << 16) | buckets;
  // Both before the directory changes: memory may end here.
  const lower = index.newSegment(buckets);
  const upper = deeper === 0 ? lower : index.newSegment(buckets);
  index.setPairs(first, span, lower, meta);
  if (deeper !== 0) {
    index.setPairs(first + (span >> 1), span >> 1, upper, meta);
    if (meta >>> 16 === index.depth) index.deepestCount += 2;
  }
  redistribute(index, old, oldMeta);
  if (index.segmentCount === 1) index.bucketsMax = buckets;
}

/**
 * Places every entry of a segment that the directory no longer names, and frees it. The split of
 * a segment whose hashes are alike by chance may leave one half more than it holds: that grows.
 */
function redistribute(index: HashIndex, old: number, oldMeta: number): void {
  const buckets = oldMeta & 0xffff;
  const words = index.arena.words[old >>> Ref.SEGMENT_SHIFT];
  const base = ((old & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS;
  index.touchEntries(words, base, buckets);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const line = base + (bucket << WordShift.BUCKET) + Bucket.REFERENCE_WORD;
    for (let slot = 0; slot < Bucket.SLOTS; slot++) {
      const entry = words[line + slot];
      if (entry === 0) continue;
      const hash = index.hashOf(entry);
      const position = hash >>> (32 - index.depth);
      const pair = index.directoryAt + (position << 1);
      const room = (index.directoryWords[pair + 1] & 0xffff) * Bucket.SLOTS;
      if (index.countOf(position) === room)
        rebuild(index, hash, nextBuckets(room / Bucket.SLOTS), 0);
      index.place(index.directoryWords[pair], index.directoryWords[pair + 1], entry, hash);
    }
  }
  index.arena.free(old, segmentBytes(buckets));
  index.segmentCount--;
}

/** Merges the segment of `hash` with its sibling where both fit in one, or gives it less room. */
export function shrinkSegment(index: HashIndex, hash: number): void {
  const position = hash >>> (32 - index.depth);
  const meta = index.directoryWords[index.directoryAt + (position << 1) + 1];
  const localDepth = meta >>> 16;
  const count = index.countOf(position);
  if (localDepth > 0) {
    const span = 1 << (index.depth - localDepth);
    const first = position & ~(span - 1);
    const sibling = first ^ span;
    const siblingMeta = index.directoryWords[index.directoryAt + (sibling << 1) + 1];
    const together = count + index.countOf(sibling);
    if (
      siblingMeta >>> 16 === localDepth &&
      together <= SPLIT_BUCKETS * Bucket.SLOTS * SHRINK_LOAD
    ) {
      merge(index, first, sibling, span, localDepth, fittingBuckets(together));
      return;
    }
  }
  const fitting = fittingBuckets(count);
  if (fitting < (meta & 0xffff)) rebuild(index, hash, fitting, 0);
}

function merge(
  index: HashIndex,
  first: number,
  sibling: number,
  span: number,
  localDepth: number,
  buckets: number,
): void {
  const at = index.directoryAt;
  const a = index.directoryWords[at + (first << 1)];
  const aMeta = index.directoryWords[at + (first << 1) + 1];
  const b = index.directoryWords[at + (sibling << 1)];
  const bMeta = index.directoryWords[at + (sibling << 1) + 1];
  const merged = index.newSegment(buckets);
  const meta = ((localDepth - 1) << 16) | buckets;
  index.setPairs(Math.min(first, sibling), 2 * span, merged, meta);
  redistribute(index, a, aMeta);
  redistribute(index, b, bMeta);
  if (index.segmentCount === 1) index.bucketsMax = buckets;
  if (localDepth !== index.depth) return;
  index.deepestCount -= 2;
  if (index.deepestCount === 0 && index.depth > 1) resizeDirectory(index, index.depth - 1);
}

/** Doubles the directory or, where no segment is as deep as it, halves it. O(directory). */
function resizeDirectory(index: HashIndex, depth: number): void {
  const oldBlock = index.directory;
  const oldDepth = index.depth;
  const oldWords = index.directoryWords;
  const oldAt = index.directoryAt;
  index.setDirectory(index.arena.allocate(directoryBytes(depth)), depth);
  index.deepestCount = 0;
  for (let i = 0, pairs = 1 << depth; i < pairs; i++) {
    const from = oldAt + ((depth > oldDepth ? i >>> 1 : i << 1) << 1);
    index.directoryWords[index.directoryAt + (i << 1)] = oldWords[from];
    index.directoryWords[index.directoryAt + (i << 1) + 1] = oldWords[from + 1];
    if (oldWords[from + 1] >>> 16 === depth) index.deepestCount++;
  }
  index.arena.free(oldBlock, directoryBytes(oldDepth));
}

/** The bucket count that a segment grows to when it may not split. */
function nextBuckets(buckets: number): number {
  for (let i = 0; i < GROWTH.length; i++) if (GROWTH[i] > buckets) return GROWTH[i];
  return buckets + GROW_BUCKETS;
}

/** The least bucket count that `count` entries fill to SHRINK_LOAD at most. */
function fittingBuckets(count: number): number {
  for (let i = 0; i < GROWTH.length; i++) {
    if (GROWTH[i] * Bucket.SLOTS * SHRINK_LOAD >= count) return GROWTH[i];
  }
  return BUCKETS_MAX;
}
