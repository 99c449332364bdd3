// HOT PATH: rules in src/README.md
/**
 * A hash index over entries in the arena: extendible hashing with one cache line per bucket.
 *
 * The index holds references only. An entry begins with `keyAt` bytes of its owner's, then its key
 * as memory/stored-bytes.ts stores byte strings; so the index can read keys by itself.
 *
 *     directory   one block of 2^depth pairs (i32 segment reference, i32 local depth << 16 |
 *                 bucket count), addressed by the upper bits of the hash; a segment of local
 *                 depth d stands in 2^(depth - d) neighbouring pairs
 *
 *     segment     | header 64 B | bucket 0 | bucket 1 | ... | bucket n-1 |
 *       header    offset 0 u32 count of entries; the rest is unused
 *
 *     bucket      offset  size  meaning
 *     (64 B)           0    12  tags: the hash's low byte, 1 where that is 0; 0 = empty slot
 *                     12     1  overflow: entries that wanted this bucket or passed it, and lie
 *                               further on; 255 = many, and then never counted down again
 *                     13     3  unused
 *                     16    48  12 references
 *
 * A hash's home bucket is its bits below the local depth, scaled to the bucket count; an entry lies
 * in its home bucket or, that being full, in the next with room, around the segment's end. So a
 * lookup touches a directory pair, one bucket as a rule, and the record whose tag fits.
 *
 * Growth: a segment goes 3 → 7 → 15 → 31 → 63 → 95 → 127 buckets, then splits into two of 95. While
 * it grows its load stays between 0.39 and 0.91, and one step redistributes at most 1,382 entries
 * (some 50 µs): there is no second table and no rehash. A segment below a load of 1/4 merges with
 * its sibling, or shrinks.
 *
 *     state       24 bytes at the start of a value's root block, so that one index object serves all
 *                 values of a type: `attach` before use, `store` after a change of the size
 *       offset 0 u32 size | 4 u32 segments | 8 u32 depth | 12 u32 segments as deep as that
 *             16 u32 bound of the bucket counts | 20 i32 directory, 0 while empty
 *
 * Invariants
 *  1. Home buckets grow with the hash within a segment, segments with the hash within the
 *     directory. So a position in hash order is a cursor that survives splits, growth and merges.
 *  2. For every entry: each bucket from its home up to the one before its own has overflow > 0.
 *  3. A segment's count is the number of its slots with a tag; `size` is the sum of the counts.
 *  4. References are unique: an entry stands in an index once.
 *
 * find, insert, remove are O(1) expected; scan is O(entries of a bucket).
 *
 * Why not one open-addressed table: doubling it stops the server for as long as it is large.
 * Why not chaining: a pointer more per entry, a cache miss more per lookup.
 * Sources: R. Fagin et al., "Extendible Hashing" (1979); overflow counters as in Folly's F14;
 * buckets of a cache line as in Dash (Lu et al., 2020) and Valkey 8.1's hash table.
 */
import type { Prng } from "../base/prng.ts";
import { hashBytes } from "../base/hash.ts";
import { extrapolate } from "../base/sampling.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { copyBytes, equalBytes } from "../base/bytes.ts";
import { prefixBytes, storedLength } from "../memory/stored-bytes.ts";
import type { HashedEntries } from "./hashed-entries.ts";
import { verifyHashIndex } from "./hash-index-check.ts";
import { BUCKETS_MIN, beginLarge, growSegment, shrinkSegment } from "./hash-index-growth.ts";
import {
  Bucket,
  Segment,
  WordShift,
  directoryBytes,
  homeBucket,
  nextPosition,
  segmentBytes,
} from "./hash-index-layout.ts";

/** The highest load of a segment, in 1/64ths of its slots. */
const LOAD_MAX = 58;
/** More announced entries than that are made room for at once. */
const EXPECTED_MIN = 1000;

/** A walk touches the entries of so many words at once, those of four buckets ... */
const WALK_WORDS_TOUCHED = 64;
/** ... in an index with more entries than that: fewer lie in the caches after their first use. */
const WALK_TOUCHES_FROM = 10_000;

/** Bytes of an index's state at the start of a root block. */
export const INDEX_STATE_BYTES = 24;

const NO_WORDS = new Int32Array(0);

/** Entries of the index whose state lies in `root`. */
export function indexSize(arena: Arena, root: number): number {
  return arena.words[root >>> Ref.SEGMENT_SHIFT][(root & Ref.GRANULE_MASK) << 1] >>> 0;
}

export class HashIndex {
  /** Entries in the index. */
  size = 0;
  /** Whether there ever was an entry. */
  wasUsed = false;
  /** Segments in the index. */
  segmentCount = 0;

  // From here to `directoryAt`: for structures/hash-index-*.ts only.
  depth = 1;
  /** Segments as deep as the directory: while there is one, the directory cannot be halved. */
  deepestCount = 0;
  /** At least the bucket count of every segment; exact while there is one segment. */
  bucketsMax = BUCKETS_MIN;
  /** The directory's block, its segment's words and its first word there; 0 while empty. */
  directory = 0;
  directoryWords: Int32Array = NO_WORDS;
  directoryAt = 0;

  /** Where the last `find` that hit found its entry: valid until the index changes. */
  private foundSegment = 0;
  private foundWord = 0;

  /** Entries that `expect` announced. */
  private expected = 0;

  /** Where the walk of `startWalk` is: a directory entry, and the slots of its segment ahead. */
  private walkIndex = 0;
  private walkWords: Int32Array = NO_WORDS;
  private walkWord = 0;
  private walkEnd = 0;
  /** The entries before this word have been touched. */
  private walkTouched = 0;

  /**
   * `keyAt` is the number of bytes in an entry before its key; the two hash keys are secret.
   * An empty index owns no arena memory.
   */
  constructor(
    readonly arena: Arena,
    private readonly keyAt: number,
    private readonly hashKey0: number,
    private readonly hashKey1: number,
  ) {}

  /** Becomes the index whose state lies in `root`, offset 0. Drops what was attached before. */
  attach(root: number): void {
    this.expected = 0;
    const words = this.arena.words[root >>> Ref.SEGMENT_SHIFT];
    const at = (root & Ref.GRANULE_MASK) << 1;
    this.size = words[at] >>> 0;
    this.segmentCount = words[at + 1];
    this.depth = words[at + 2];
    this.deepestCount = words[at + 3];
    this.bucketsMax = words[at + 4];
    const directory = words[at + 5];
    this.directory = directory;
    this.directoryWords =
      directory === 0 ? NO_WORDS : this.arena.words[directory >>> Ref.SEGMENT_SHIFT];
    this.directoryAt = (directory & Ref.GRANULE_MASK) << 1;
  }

  /** Becomes an empty index whose state lies in `root`. Drops what was attached before. */
  attachNew(root: number): void {
    this.reset();
    this.store(root);
  }

  /**
   * Writes the state to `root`: due after insertions, removals, `clear` and `compact`, before this
   * object is attached elsewhere.
   */
  store(root: number): void {
    const words = this.arena.words[root >>> Ref.SEGMENT_SHIFT];
    const at = (root & Ref.GRANULE_MASK) << 1;
    words[at] = this.size;
    words[at + 1] = this.segmentCount;
    words[at + 2] = this.depth;
    words[at + 3] = this.deepestCount;
    words[at + 4] = this.bucketsMax;
    words[at + 5] = this.directory;
  }

  /** The hash of a key under this index's keys. O(length). */
  hash(view: DataView, start: number, end: number): number {
    return hashBytes(view, start, end, this.hashKey0, this.hashKey1);
  }

  /** The entry with this key, or 0. Requires: `hash` is `this.hash` of the same bytes. */
  find(view: DataView, start: number, end: number, hash: number): number {
    if (this.size === 0) return 0;
    const pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
    const segment = this.directoryWords[pair];
    const meta = this.directoryWords[pair + 1];
    const buckets = meta & 0xffff;
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const base = ((segment & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS;
    const home = homeBucket(hash, meta);
    const pattern = Math.imul(hash & 0xff || 1, 0x01010101);
    let bucket = home;
    do {
      const line = base + (bucket << WordShift.BUCKET);
      for (let group = 0; group < 3; group++) {
        const difference = words[line + group] ^ pattern;
        // A zero byte marks a candidate; the subtraction's borrow can invent further candidates
        // above a true one only, and every candidate is compared in full.
        let zeros = (difference - 0x01010101) & ~difference & 0x80808080;
        while (zeros !== 0) {
          const slot = (group << 2) + ((31 - Math.clz32(zeros & -zeros)) >>> 3);
          const entry = words[line + Bucket.REFERENCE_WORD + slot];
          if (entry !== 0 && this.hasKey(entry, view, start, end)) {
            this.foundSegment = segment;
            this.foundWord = line + Bucket.REFERENCE_WORD + slot;
            return entry;
          }
          zeros &= zeros - 1;
        }
      }
      if ((words[line + Bucket.OVERFLOW_WORD] & 0xff) === 0) return 0;
      if (++bucket === buckets) bucket = 0;
    } while (bucket !== home);
    return 0;
  }

  /**
   * Touches the memory that `find` will read for `count` hashes: first all buckets, then the entry
   * whose tag fits first in each. A cache miss takes some 100 ns; misses in a loop without
   * dependencies overlap, so that the finds that follow hardly wait. Measured on pipelines of 16:
   * see docs/architecture.md.
   */
  prefetch(hashes: Int32Array, count: number): void {
    if (this.size === 0) return;
    let sink = 0;
    for (let i = 0; i < count; i++) sink ^= this.touchBucket(hashes[i]);
    for (let i = 0; i < count; i++) sink ^= this.touch(this.candidate(hashes[i]));
    this.prefetched = sink;
  }

  /** Reads a word of the bucket that `find` looks into first. Requires: the index is not empty. */
  touchBucket(hash: number): number {
    const pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
    const segment = this.directoryWords[pair];
    return this.arena.words[segment >>> Ref.SEGMENT_SHIFT][
      ((segment & Ref.GRANULE_MASK) << 1) +
        Segment.HEADER_WORDS +
        (homeBucket(hash, this.directoryWords[pair + 1]) << WordShift.BUCKET)
    ];
  }

  /**
   * The entry that `find` compares first, or 0, as far as the bucket tells: one of an equal tag.
   * Requires: the index is not empty.
   */
  candidate(hash: number): number {
    const pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
    const segment = this.directoryWords[pair];
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const line =
      ((segment & Ref.GRANULE_MASK) << 1) +
      Segment.HEADER_WORDS +
      (homeBucket(hash, this.directoryWords[pair + 1]) << WordShift.BUCKET);
    const pattern = Math.imul(hash & 0xff || 1, 0x01010101);
    for (let group = 0; group < 3; group++) {
      const difference = words[line + group] ^ pattern;
      const zeros = (difference - 0x01010101) & ~difference & 0x80808080;
      if (zeros === 0) continue;
      const slot = (group << 2) + ((31 - Math.clz32(zeros & -zeros)) >>> 3);
      return words[line + Bucket.REFERENCE_WORD + slot];
    }
    return 0;
  }

  /** Reads the first word of an entry, or, for 0, some word. */
  touch(entry: number): number {
    return this.arena.words[entry >>> Ref.SEGMENT_SHIFT][(entry & Ref.GRANULE_MASK) << 1];
  }

  /** Keeps the loads of `prefetch` from being optimised away. */
  prefetched = 0;

  /**
   * Announces that about `count` entries follow: an empty index then begins with room for them, which
   * saves their distribution again and again as it grows.
   * COLD: before a file is loaded.
   */
  expect(count: number): void {
    this.expected = this.size === 0 ? count : 0;
  }

  /** Adds an entry. Requires: no entry with its key is in the index. Grows the arena. */
  insert(entry: number, hash: number): void {
    if (this.size === 0) this.begin();
    let pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
    let segment = this.directoryWords[pair];
    let meta = this.directoryWords[pair + 1];
    const count =
      this.arena.words[segment >>> Ref.SEGMENT_SHIFT][(segment & Ref.GRANULE_MASK) << 1];
    if (count << 6 >= (meta & 0xffff) * Bucket.SLOTS * LOAD_MAX) {
      growSegment(this, hash);
      pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
      segment = this.directoryWords[pair];
      meta = this.directoryWords[pair + 1];
    }
    this.place(segment, meta, entry, hash);
    this.size++;
  }

  /** Puts `entry` in the place of the entry that the last `find` returned: same key, moved block. */
  replaceFound(entry: number): void {
    this.arena.words[this.foundSegment >>> Ref.SEGMENT_SHIFT][this.foundWord] = entry;
  }

  /**
   * Removes an entry by its reference, which spares the comparison of keys. Requires: it is in the
   * index, and `hash` is its key's. May move segments.
   */
  removeEntry(entry: number, hash: number): void {
    const pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
    const segment = this.directoryWords[pair];
    const meta = this.directoryWords[pair + 1];
    const buckets = meta & 0xffff;
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const base = ((segment & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS;
    const home = homeBucket(hash, meta);
    let bucket = home;
    do {
      const references = base + (bucket << WordShift.BUCKET) + Bucket.REFERENCE_WORD;
      for (let slot = 0; slot < Bucket.SLOTS; slot++) {
        if (words[references + slot] !== entry) continue;
        this.foundSegment = segment;
        this.foundWord = references + slot;
        this.removeFound(hash);
        return;
      }
      if (++bucket === buckets) bucket = 0;
    } while (bucket !== home);
    if (DEBUG) throw new Error("the entry is not in the index");
  }

  /** Removes the entry that the last `find`, called with `hash`, returned. May move segments. */
  removeFound(hash: number): void {
    const segment = this.foundSegment;
    const meta = this.directoryWords[this.directoryAt + ((hash >>> (32 - this.depth)) << 1) + 1];
    const buckets = meta & 0xffff;
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const header = (segment & Ref.GRANULE_MASK) << 1;
    const base = header + Segment.HEADER_WORDS;
    const own = (this.foundWord - base) >>> WordShift.BUCKET;
    const line = base + (own << WordShift.BUCKET);
    const slot = this.foundWord - line - Bucket.REFERENCE_WORD;
    words[line + (slot >>> 2)] &= ~(0xff << ((slot & 3) << 3));
    words[this.foundWord] = 0;
    let bucket = homeBucket(hash, meta);
    while (bucket !== own) {
      const at = base + (bucket << WordShift.BUCKET) + Bucket.OVERFLOW_WORD;
      if ((words[at] & 0xff) !== 255) words[at]--;
      if (++bucket === buckets) bucket = 0;
    }
    const count = --words[header + Segment.COUNT_WORD];
    if (--this.size === 0) this.clear();
    else if (count << 2 < buckets * Bucket.SLOTS) shrinkSegment(this, hash);
  }

  /**
   * Calls `visit` for the entries of the bucket at `cursor` (a position in hash order, 0..2^32-1)
   * and returns the position of the next bucket, or 0 at the end. An entry that is in the index
   * from the first call to the last is visited at least once, whatever happens between the calls;
   * `visit` must not change the index.
   */
  scan(cursor: number, visit: (entry: number) => void): number {
    if (this.size === 0) return 0;
    const hash = cursor | 0;
    const pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
    const segment = this.directoryWords[pair];
    const meta = this.directoryWords[pair + 1];
    const buckets = meta & 0xffff;
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const base = ((segment & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS;
    const home = homeBucket(hash, meta);
    let bucket = home;
    do {
      const line = base + (bucket << WordShift.BUCKET);
      for (let slot = 0; slot < Bucket.SLOTS; slot++) {
        const entry = words[line + Bucket.REFERENCE_WORD + slot];
        if (entry === 0) continue;
        const own = this.hashOf(entry);
        if (homeBucket(own, meta) === home && own >>> 0 >= cursor) visit(entry);
      }
      if ((words[line + Bucket.OVERFLOW_WORD] & 0xff) === 0) break;
      if (++bucket === buckets) bucket = 0;
    } while (bucket !== home);
    return nextPosition(cursor, home, meta);
  }

  /**
   * As `scan`, but collects the entries in `batch`, with their hashes. Where the walk enters a
   * segment, all of its entries are touched first, see `touchEntries`.
   */
  collect(cursor: number, batch: HashedEntries): number {
    batch.length = 0;
    if (this.size === 0) return 0;
    const hash = cursor | 0;
    const pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
    const segment = this.directoryWords[pair];
    const meta = this.directoryWords[pair + 1];
    const buckets = meta & 0xffff;
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const base = ((segment & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS;
    if (batch.touchedBlock !== segment) {
      batch.touchedBlock = segment;
      this.touchEntries(words, base, buckets);
    }
    const home = homeBucket(hash, meta);
    let bucket = home;
    do {
      const line = base + (bucket << WordShift.BUCKET);
      for (let slot = 0; slot < Bucket.SLOTS; slot++) {
        const entry = words[line + Bucket.REFERENCE_WORD + slot];
        if (entry === 0) continue;
        const own = this.hashOf(entry);
        if (homeBucket(own, meta) === home && own >>> 0 >= cursor) batch.push(entry, own);
      }
      if ((words[line + Bucket.OVERFLOW_WORD] & 0xff) === 0) break;
      if (++bucket === buckets) bucket = 0;
    } while (bucket !== home);
    return nextPosition(cursor, home, meta);
  }

  /**
   * Collects the entries with exactly this hash: one as a rule. What `find` found stays found.
   * COLD: for snapshots.
   */
  collectHash(hash: number, batch: HashedEntries): void {
    batch.length = 0;
    if (this.size === 0) return;
    const pair = this.directoryAt + ((hash >>> (32 - this.depth)) << 1);
    const segment = this.directoryWords[pair];
    const meta = this.directoryWords[pair + 1];
    const buckets = meta & 0xffff;
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const base = ((segment & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS;
    const home = homeBucket(hash, meta);
    const tag = hash & 0xff || 1;
    let bucket = home;
    do {
      const line = base + (bucket << WordShift.BUCKET);
      for (let slot = 0; slot < Bucket.SLOTS; slot++) {
        if (((words[line + (slot >>> 2)] >>> ((slot & 3) << 3)) & 0xff) !== tag) continue;
        const entry = words[line + Bucket.REFERENCE_WORD + slot];
        if (this.hashOf(entry) === hash) batch.push(entry, hash);
      }
      if ((words[line + Bucket.OVERFLOW_WORD] & 0xff) === 0) return;
      if (++bucket === buckets) bucket = 0;
    } while (bucket !== home);
  }

  /**
   * Calls `visit` for every entry, in no order that outlives a change. `visit` may free the entry
   * but must not change the index. O(buckets): entries are not looked at.
   * COLD: for whole databases.
   */
  eachEntry(visit: (entry: number) => void): void {
    this.eachSegment((segment, buckets) => this.eachEntryOf(segment, buckets, visit));
  }

  /**
   * Begins a walk over all entries, in the order of `eachEntry`: `nextEntry` returns one after the
   * other. Entries may be freed on the way; the index must not change.
   */
  startWalk(): void {
    this.walkIndex = 0;
    this.walkWord = 0;
    this.walkEnd = 0;
  }

  /** The walk's next entry; 0 at the end. Requires: the walked index is attached. O(1) amortised. */
  nextEntry(): number {
    for (;;) {
      const words = this.walkWords;
      for (let word = this.walkWord; word < this.walkEnd; word++) {
        // The first four words of a bucket are tags, and buckets are aligned; empty slots are 0.
        if ((word & 12) === 0 || words[word] === 0) continue;
        if (word >= this.walkTouched) this.touchWalk(words, word);
        this.walkWord = word + 1;
        return words[word];
      }
      if (this.size === 0 || this.walkIndex >= 1 << this.depth) return 0;
      const pair = this.directoryAt + (this.walkIndex << 1);
      const segment = this.directoryWords[pair];
      const meta = this.directoryWords[pair + 1];
      this.walkIndex += 1 << (this.depth - (meta >>> 16));
      this.walkWords = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
      this.walkWord = ((segment & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS;
      this.walkEnd = this.walkWord + ((meta & 0xffff) << WordShift.BUCKET);
      this.walkTouched = this.size > WALK_TOUCHES_FROM ? 0 : this.walkEnd;
    }
  }

  /** Touches the entries of the next buckets of the walk, see `touchEntries`. */
  private touchWalk(words: Int32Array, word: number): void {
    const end = Math.min(word + WALK_WORDS_TOUCHED, this.walkEnd);
    this.touchWords(words, word, end);
    this.walkTouched = end;
  }

  /**
   * Moves the segment at `cursor` if that makes the arena denser, and says whether it did. What the
   * last `find` found is stale then. O(bytes of the segment).
   */
  compactSegment(cursor: number): boolean {
    if (this.size === 0) return false;
    const index = cursor >>> (32 - this.depth);
    const segment = this.directoryWords[this.directoryAt + (index << 1)];
    const meta = this.directoryWords[this.directoryAt + (index << 1) + 1];
    const bytes = segmentBytes(meta & 0xffff);
    if (!this.arena.isSparse(segment, bytes)) return false;
    const moved = this.copyBlock(segment, bytes);
    const span = 1 << (this.depth - (meta >>> 16));
    this.setPairs(index & ~(span - 1), span, moved, meta);
    this.arena.free(segment, bytes);
    return true;
  }

  /**
   * The entry at a random position, given by two random 32-bit integers, or 0 where that position
   * is empty. Repeated until it hits, it is uniform over all entries.
   */
  entryAtRandom(random0: number, random1: number): number {
    if (this.size === 0) return 0;
    const index = random0 >>> (32 - this.depth);
    const meta = this.directoryWords[this.directoryAt + (index << 1) + 1];
    // A shallow segment stands in several pairs: only its first counts, or it would be favoured.
    if ((index & ((1 << (this.depth - (meta >>> 16))) - 1)) !== 0) return 0;
    const place = (random1 >>> 0) % (this.bucketsMax * Bucket.SLOTS);
    if (place >= (meta & 0xffff) * Bucket.SLOTS) return 0;
    const bucket = Math.floor(place / Bucket.SLOTS);
    const segment = this.directoryWords[this.directoryAt + (index << 1)];
    return this.arena.words[segment >>> Ref.SEGMENT_SHIFT][
      ((segment & Ref.GRANULE_MASK) << 1) +
        Segment.HEADER_WORDS +
        (bucket << WordShift.BUCKET) +
        Bucket.REFERENCE_WORD +
        (place - bucket * Bucket.SLOTS)
    ];
  }

  /** An entry, all with the same chance. Requires: size > 0. */
  randomEntry(prng: Prng): number {
    let entry = 0;
    while (entry === 0) entry = this.entryAtRandom(prng.nextUint32(), prng.nextUint32());
    return entry;
  }

  /**
   * Hands directory and segments to `other`, an empty index over the same entries, and is empty
   * then. O(1).
   * COLD: once for the keys of a database.
   */
  moveTo(other: HashIndex): void {
    other.size = this.size;
    other.segmentCount = this.segmentCount;
    other.depth = this.depth;
    other.deepestCount = this.deepestCount;
    other.bucketsMax = this.bucketsMax;
    other.directory = this.directory;
    other.directoryWords = this.directoryWords;
    other.directoryAt = this.directoryAt;
    this.reset();
  }

  /**
   * Empties the index and frees its memory, not its entries'. O(directory).
   * COLD: once in the life of an index, or of a database's keys.
   */
  clear(): void {
    if (this.directory === 0) return;
    this.eachSegment((segment, buckets) => this.arena.free(segment, segmentBytes(buckets)));
    this.arena.free(this.directory, directoryBytes(this.depth));
    this.reset();
  }

  /**
   * Frees the segment at position `index` of the directory, calling `visit` for each of its entries
   * first, which may free the entry. Returns the position of the next segment, or 0 when the last
   * one is gone, and the directory with it. Requires: nothing but this is done with the index any
   * more, from position 0 on. O(entries of a segment).
   * COLD: for values too large to be freed at once.
   */
  freeSegment(index: number, visit: (entry: number) => void): number {
    if (this.directory === 0) return 0;
    const pair = this.directoryAt + (index << 1);
    const segment = this.directoryWords[pair];
    const meta = this.directoryWords[pair + 1];
    this.eachEntryOf(segment, meta & 0xffff, visit);
    this.arena.free(segment, segmentBytes(meta & 0xffff));
    const next = index + (1 << (this.depth - (meta >>> 16)));
    if (next < 1 << this.depth) return next;
    this.arena.free(this.directory, directoryBytes(this.depth));
    this.reset();
    return 0;
  }

  /**
   * Replaces each reference by what `map` makes of it: an entry with the same key. O(buckets).
   * COLD: for copies and for compaction.
   */
  mapEntries(map: (entry: number) => number): void {
    this.eachSegment((segment, buckets) => this.mapEntriesOf(segment, buckets, map));
  }

  private mapEntriesOf(segment: number, buckets: number, map: (entry: number) => number): void {
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const base = ((segment & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS + Bucket.REFERENCE_WORD;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const line = base + (bucket << WordShift.BUCKET);
      for (let slot = 0; slot < Bucket.SLOTS; slot++) {
        if (words[line + slot] !== 0) words[line + slot] = map(words[line + slot]);
      }
    }
  }

  /**
   * As `compactSegment` and `mapEntries` for the segment at `cursor`, a position in hash order as
   * `scan` has them. Returns the position of the next segment, or 0 at the end.
   * COLD: for the compaction of huge values in steps.
   */
  compactPart(cursor: number, map: (entry: number) => number): number {
    if (this.size === 0) return 0;
    this.compactSegment(cursor);
    const index = cursor >>> (32 - this.depth);
    const segment = this.directoryWords[this.directoryAt + (index << 1)];
    const meta = this.directoryWords[this.directoryAt + (index << 1) + 1];
    this.mapEntriesOf(segment, meta & 0xffff, map);
    const span = 1 << (this.depth - (meta >>> 16));
    const next = (index & ~(span - 1)) + span;
    return next === 1 << this.depth ? 0 : next * 2 ** (32 - this.depth);
  }

  /**
   * Lets this object own copies of the directory and the segments, which name the same entries: the
   * caller gives them copies with `mapEntries` and stores the state elsewhere. What was attached
   * stays as it was stored last. O(buckets). Grows the arena.
   * COLD: for COPY.
   */
  detachCopy(): void {
    if (this.directory === 0) return;
    const depth = this.depth;
    this.setDirectory(this.copyBlock(this.directory, directoryBytes(depth)), depth);
    this.eachSegment((segment, buckets, meta, index) => {
      const copy = this.copyBlock(segment, segmentBytes(buckets));
      this.setPairs(index, 1 << (this.depth - (meta >>> 16)), copy, meta);
    });
  }

  /**
   * Moves the directory and those segments that lie in sparse spans. Returns how many blocks were
   * moved. O(buckets).
   * COLD: for compaction.
   */
  compact(): number {
    if (this.directory === 0) return 0;
    let moved = 0;
    const bytes = directoryBytes(this.depth);
    if (this.arena.isSparse(this.directory, bytes)) {
      const old = this.directory;
      this.setDirectory(this.copyBlock(old, bytes), this.depth);
      this.arena.free(old, bytes);
      moved++;
    }
    this.eachSegment((_segment, _buckets, _meta, index) => {
      if (this.compactSegment(index * 2 ** (32 - this.depth))) moved++;
    });
    return moved;
  }

  /**
   * Buckets of all segments, of 12 slots each. O(directory).
   * COLD: for INFO and DEBUG.
   */
  bucketCount(): number {
    let count = 0;
    this.eachSegment((_segment, buckets) => (count += buckets));
    return count;
  }

  /**
   * Bytes of arena memory that segments and directory occupy, as the first `samples` segments say:
   * hashes make all alike. O(samples), or else O(directory).
   * COLD: for MEMORY USAGE and MEMORY STATS.
   */
  memoryBytes(samples = Infinity): number {
    if (this.directory === 0) return 0;
    let bytes = 0;
    let seen = 0;
    for (let i = 0; i < 1 << this.depth && seen < samples; seen++) {
      const meta = this.directoryWords[this.directoryAt + (i << 1) + 1];
      bytes += blockBytes(segmentBytes(meta & 0xffff));
      i += 1 << (this.depth - (meta >>> 16));
    }
    return blockBytes(directoryBytes(this.depth)) + extrapolate(bytes, seen, this.segmentCount);
  }

  /**
   * The sum of what `measure` says of all entries, as the first `samples` of them in hash order say.
   * O(samples).
   * COLD: for MEMORY USAGE.
   */
  sumOfEntries(samples: number, measure: (entry: number) => number): number {
    let sum = 0;
    let seen = 0;
    this.startWalk();
    for (; seen < samples; seen++) {
      const entry = this.nextEntry();
      if (entry === 0) break;
      sum += measure(entry);
    }
    return extrapolate(sum, seen, this.size);
  }

  /**
   * Throws when an invariant of the header is broken. O(entries).
   * COLD: for tests.
   */
  verify(): void {
    verifyHashIndex(this);
  }

  /** `index` is the position of the segment's first pair in the directory. */
  eachSegment(
    visit: (segment: number, buckets: number, meta: number, index: number) => void,
  ): void {
    if (this.directory === 0) return;
    const pairs = 1 << this.depth;
    for (let i = 0; i < pairs;) {
      const index = i;
      const meta = this.directoryWords[this.directoryAt + (i << 1) + 1];
      const segment = this.directoryWords[this.directoryAt + (i << 1)];
      i += 1 << (this.depth - (meta >>> 16));
      visit(segment, meta & 0xffff, meta, index);
    }
  }

  private eachEntryOf(segment: number, buckets: number, visit: (entry: number) => void): void {
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const base = ((segment & Ref.GRANULE_MASK) << 1) + Segment.HEADER_WORDS + Bucket.REFERENCE_WORD;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const line = base + (bucket << WordShift.BUCKET);
      for (let slot = 0; slot < Bucket.SLOTS; slot++) {
        if (words[line + slot] !== 0) visit(words[line + slot]);
      }
    }
  }

  /** Makes the index empty without freeing its memory: for when the whole arena is reset. */
  reset(): void {
    this.expected = 0;
    this.directory = 0;
    this.directoryWords = NO_WORDS;
    this.directoryAt = 0;
    this.depth = 1;
    this.size = 0;
    this.segmentCount = 0;
    this.deepestCount = 0;
    this.bucketsMax = BUCKETS_MIN;
  }

  private copyBlock(block: number, bytes: number): number {
    const copy = this.arena.allocate(bytes);
    copyBytes(
      this.arena.views[copy >>> Ref.SEGMENT_SHIFT],
      (copy & Ref.GRANULE_MASK) << 3,
      this.arena.views[block >>> Ref.SEGMENT_SHIFT],
      (block & Ref.GRANULE_MASK) << 3,
      bytes,
    );
    return copy;
  }

  private hasKey(entry: number, view: DataView, start: number, end: number): boolean {
    const entryView = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const at = ((entry & Ref.GRANULE_MASK) << 3) + this.keyAt;
    const length = end - start;
    if (length < 254) {
      return (
        entryView.getUint8(at) === length && equalBytes(entryView, at + 1, view, start, length)
      );
    }
    return (
      storedLength(entryView, at) === length &&
      equalBytes(entryView, at + prefixBytes(length), view, start, length)
    );
  }

  /** The hash of an entry's key, read from the entry. */
  hashOf(entry: number): number {
    const view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const at = ((entry & Ref.GRANULE_MASK) << 3) + this.keyAt;
    const length = storedLength(view, at);
    const start = at + prefixBytes(length);
    return hashBytes(view, start, start + length, this.hashKey0, this.hashKey1);
  }

  /** Gives an empty index its directory and one small segment that both pairs name. */
  private begin(): void {
    this.wasUsed = true;
    if (this.expected > EXPECTED_MIN) {
      beginLarge(this, this.expected);
      this.expected = 0;
      return;
    }
    this.setDirectory(this.arena.allocate(directoryBytes(1)), 1);
    const segment = this.newSegment(BUCKETS_MIN);
    this.setPairs(0, 2, segment, BUCKETS_MIN);
  }

  // From here on: for structures/hash-index-*.ts, too.

  setDirectory(block: number, depth: number): void {
    this.directory = block;
    this.directoryWords = this.arena.words[block >>> Ref.SEGMENT_SHIFT];
    this.directoryAt = (block & Ref.GRANULE_MASK) << 1;
    this.depth = depth;
  }

  setPairs(first: number, count: number, segment: number, meta: number): void {
    for (let i = first; i < first + count; i++) {
      this.directoryWords[this.directoryAt + (i << 1)] = segment;
      this.directoryWords[this.directoryAt + (i << 1) + 1] = meta;
    }
  }

  newSegment(buckets: number): number {
    const bytes = segmentBytes(buckets);
    const segment = this.arena.allocate(bytes);
    const start = (segment & Ref.GRANULE_MASK) << 1;
    this.arena.words[segment >>> Ref.SEGMENT_SHIFT].fill(0, start, start + (bytes >> 2));
    if (buckets > this.bucketsMax) this.bucketsMax = buckets;
    this.segmentCount++;
    return segment;
  }

  /** Puts an entry into its segment. Requires: the segment has an empty slot. */
  place(segment: number, meta: number, entry: number, hash: number): void {
    const buckets = meta & 0xffff;
    const words = this.arena.words[segment >>> Ref.SEGMENT_SHIFT];
    const header = (segment & Ref.GRANULE_MASK) << 1;
    let bucket = homeBucket(hash, meta);
    words[header + Segment.COUNT_WORD]++;
    for (;;) {
      const line = header + Segment.HEADER_WORDS + (bucket << WordShift.BUCKET);
      for (let group = 0; group < 3; group++) {
        const tags = words[line + group];
        const zeros = (tags - 0x01010101) & ~tags & 0x80808080;
        if (zeros !== 0) {
          const byte = (31 - Math.clz32(zeros & -zeros)) >>> 3;
          words[line + group] = tags | ((hash & 0xff || 1) << (byte << 3));
          words[line + Bucket.REFERENCE_WORD + (group << 2) + byte] = entry;
          return;
        }
      }
      if ((words[line + Bucket.OVERFLOW_WORD] & 0xff) !== 255) words[line + Bucket.OVERFLOW_WORD]++;
      if (++bucket === buckets) bucket = 0;
    }
  }

  /**
   * Reads a word of every entry of a segment, so that hashing their keys does not wait for memory:
   * as in `prefetch`, the misses overlap. Two thirds of the time of a rebuild in a large index.
   */
  touchEntries(words: Int32Array, base: number, buckets: number): void {
    this.touchWords(words, base, base + (buckets << WordShift.BUCKET));
  }

  private touchWords(words: Int32Array, from: number, end: number): void {
    const arenaWords = this.arena.words;
    let sink = 0;
    for (let word = from; word < end; word++) {
      const entry = words[word];
      // The first four words of a bucket are tags, and buckets are aligned; empty slots are 0.
      if ((word & 12) === 0 || entry === 0) continue;
      sink ^= arenaWords[entry >>> Ref.SEGMENT_SHIFT][(entry & Ref.GRANULE_MASK) << 1];
    }
    this.prefetched = sink;
  }

  countOf(index: number): number {
    const segment = this.directoryWords[this.directoryAt + (index << 1)];
    return this.arena.words[segment >>> Ref.SEGMENT_SHIFT][(segment & Ref.GRANULE_MASK) << 1];
  }
}
