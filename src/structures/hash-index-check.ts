/** Whether a hash index (structures/hash-index.ts) keeps its invariants: for tests. */
import { Ref } from "../memory/arena.ts";
import type { HashIndex } from "./hash-index.ts";
import { Bucket, Segment, WordShift, homeBucket } from "./hash-index-layout.ts";

/**
 * Throws when an invariant of the header is broken. O(entries).
 * COLD: for tests.
 */
export function verifyHashIndex(index: HashIndex): void {
  verifyDirectory(index);
  const listed = new Set<number>();
  let size = 0;
  let segments = 0;
  index.eachSegment((segment, buckets, meta) => {
    segments++;
    if (buckets > index.bucketsMax) throw new Error("a segment of more than bucketsMax");
    const words = index.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const header = (segment & Ref.GRANULE_MASK) << 1;
    const overflow = new Int32Array(buckets);
    let count = 0;
    for (let own = 0; own < buckets; own++) {
      const line = header + Segment.HEADER_WORDS + (own << WordShift.BUCKET);
      for (let slot = 0; slot < Bucket.SLOTS; slot++) {
        const entry = words[line + Bucket.REFERENCE_WORD + slot];
        const tag = (words[line + (slot >>> 2)] >>> ((slot & 3) << 3)) & 0xff;
        if ((entry === 0) !== (tag === 0)) throw new Error("tag and reference disagree");
        if (entry === 0) continue;
        count++;
        const hash = index.hashOf(entry);
        if (tag !== (hash & 0xff || 1)) throw new Error("wrong tag");
        const pair = index.directoryAt + ((hash >>> (32 - index.depth)) << 1);
        if (index.directoryWords[pair] !== segment) throw new Error("entry in a wrong segment");
        if (listed.has(entry)) throw new Error("an entry twice");
        listed.add(entry);
        for (let at = homeBucket(hash, meta); at !== own; at = (at + 1) % buckets) overflow[at]++;
      }
    }
    if (count !== words[header + Segment.COUNT_WORD]) throw new Error("wrong segment count");
    for (let at = 0; at < buckets; at++) {
      const stored =
        words[header + Segment.HEADER_WORDS + (at << WordShift.BUCKET) + Bucket.OVERFLOW_WORD] &
        0xff;
      if (stored !== 255 && stored !== overflow[at]) throw new Error("wrong overflow counter");
    }
    size += count;
  });
  if (size !== index.size || segments !== index.segmentCount) throw new Error("wrong size");
}

/**
 * Every segment stands in as many neighbouring, aligned pairs as its depth says, and only there.
 * COLD: for tests.
 */
function verifyDirectory(index: HashIndex): void {
  const seen = new Set<number>();
  let deepest = 0;
  for (let i = 0; index.directory !== 0 && i < 1 << index.depth;) {
    const segment = index.directoryWords[index.directoryAt + (i << 1)];
    const meta = index.directoryWords[index.directoryAt + (i << 1) + 1];
    const span = 1 << (index.depth - (meta >>> 16));
    if (meta >>> 16 > index.depth || i % span !== 0) throw new Error("a pair at a wrong place");
    if (seen.has(segment)) throw new Error("a segment stands in two places");
    seen.add(segment);
    if (meta >>> 16 === index.depth) deepest++;
    for (const end = i + span; i < end; i++) {
      const pair = index.directoryAt + (i << 1);
      if (index.directoryWords[pair] !== segment || index.directoryWords[pair + 1] !== meta)
        throw new Error("pairs of one segment differ");
    }
  }
  if (deepest !== index.deepestCount) throw new Error("wrong count of deepest segments");
  if (index.depth > 1 && deepest === 0) throw new Error("the directory is too deep");
  if ((index.directory === 0) !== (index.size === 0)) throw new Error("an empty index with memory");
}
