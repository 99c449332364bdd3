// HOT PATH: rules in src/README.md
/**
 * The arena: memory for everything that users store, outside the collector's heap.
 *
 * A reference is a signed 32-bit integer that counts 8-byte granules; 0 is null. Its upper 9 bits
 * name a segment and its lower 23 bits a granule in that segment, so 512 segments of 64 MiB make
 * 32 GiB. References are only ever compared for equality: above 16 GiB they are negative.
 *
 *     reference  | segment (9 bits) | granule within the segment (23 bits) |
 *     byte offset within the segment = (reference & Ref.GRANULE_MASK) << 3
 *
 * Each segment is a SharedArrayBuffer (Workers can read it; untouched pages take no memory) with
 * three views over it: `bytes`, `words` (32-bit) and `views` (unaligned access).
 *
 *     segment (64 MiB)  | page 0 | page 1 | ... | page 16383 |       page = 4 KiB
 *     span              a run of pages that serves one size class, or one large block
 *     free run          a maximal run of free pages, in a bin by its length
 *
 * Size classes: multiples of 8 up to 128 bytes, then 8 steps per doubling up to 32 KiB, so a block
 * wastes at most 12.5 %. Larger blocks are rounded to 1/8 of their power of two and get a span of
 * their own; above half a segment they get a segment of their own, which goes back to the system
 * the moment it is freed. Freeing needs the size that was asked for: callers know it, and so no
 * block carries a header.
 *
 * Invariants
 *  1. Every page belongs to exactly one span or to exactly one free run.
 *  2. Two free runs are never adjacent within a segment (they are merged on release).
 *  3. `first` and `last` page of a free run hold its length in `runLength`; pages of a span hold
 *     the span's number in `pageSpan`, pages of a free run 0.
 *  4. A span's blocks below its bump mark are live or on its own free list; live + listed = carved.
 *  5. A span is on its class's list of usable spans exactly while it has a free block.
 *
 * allocate and free are O(1); taking or returning pages is O(1) for small runs, and O(bins) else.
 *
 * Why spans with their own free lists and not one list per class: a span that becomes empty is
 * recognised by its live count and returned, and its sparseness tells the compactor what to move.
 * The design follows tcmalloc's page heap and mimalloc's page-local free lists.
 */

export const enum Ref {
  SEGMENT_SHIFT = 23,
  GRANULE_MASK = 0x7fffff,
}

const SEGMENT_BYTES = 64 * 1024 * 1024;
const SEGMENT_COUNT_MAX = 512;
const PAGE_BYTES = 4096;
const PAGE_SHIFT = 12;
const GRANULES_PER_PAGE_SHIFT = 9;
const PAGES_PER_SEGMENT_SHIFT = 14;
const PAGES_PER_SEGMENT = 1 << PAGES_PER_SEGMENT_SHIFT;

/**
 * An empty segment 0 keeps so many touched pages (8 MiB): now and then the system takes 100 ms to
 * give 64 MiB anew.
 */
const PAGES_KEPT = 2048;
const SMALL_BYTES_MAX = 32 * 1024;
const CLASS_COUNT = 80;
/** Blocks above this get a segment of their own. */
const SHARED_SEGMENT_BYTES_MAX = SEGMENT_BYTES / 2;
/** Pages in a size class's span: at least this many blocks, at least 16 pages. */
const SPAN_BLOCKS_MIN = 8;
const SPAN_PAGES_MIN = 16;

/** Bins 1..64 hold runs of exactly that length, bins 65.. runs of 2^k..2^(k+1)-1 pages. */
const EXACT_BINS = 64;
const BIN_COUNT = EXACT_BINS + 10;

/** Class marker of a span that holds a single large block. */
const LARGE = 255;
/** Pages of the span of a block with its own segment: one, as no other span has, stands for all. */
const OWN_SEGMENT_PAGES = 1;
/** The largest block: its rounded size is the largest multiple of 1/8 of 2^30 below 2^31. */
const LARGE_BYTES_MAX = 15 * 2 ** 27;

/** The index (0..79) of the size class that serves `size` bytes. Requires: 0 < size <= 32 KiB. */
function classOf(size: number): number {
  if (size <= 128) return ((size + 7) >>> 3) - 1;
  const exponent = 31 - Math.clz32(size - 1);
  return 16 + ((exponent - 7) << 3) + (((size - 1) >>> (exponent - 3)) - 8);
}

function classBytes(sizeClass: number): number {
  if (sizeClass < 16) return (sizeClass + 1) << 3;
  const step = sizeClass - 16;
  return ((step & 7) + 9) << ((step >>> 3) + 4);
}

/** Bytes that a block of `size` bytes really occupies: its class, or whole eighths when large. */
export function blockBytes(size: number): number {
  if (size <= 128) return (size + 7) & ~7;
  const exponent = 31 - Math.clz32(size - 1);
  const shift = exponent - 3;
  return (((size - 1) >>> shift) + 1) << shift;
}

function binOf(pages: number): number {
  if (pages <= EXACT_BINS) return pages;
  return EXACT_BINS + 1 + (31 - Math.clz32(pages) - 6);
}

export interface ClassReport {
  blockBytes: number;
  liveBlocks: number;
  /** Bytes of the class's spans, live or not. */
  spanBytes: number;
}

export class Arena {
  /** One entry per segment; a dropped segment's entry is an empty view. */
  readonly bytes: Uint8Array[] = [];
  readonly words: Int32Array[] = [];
  readonly views: DataView[] = [];

  /** Bytes in live blocks, rounded up to their block sizes. */
  liveBytes = 0;
  /** Bytes of spans, live or not, and of blocks in segments of their own: what is held for use. */
  spanBytes = 0;
  /** Bytes of all segments that exist, touched or not. */
  reservedBytes = 0;
  /** Segments dropped since the arena began; the owner collects garbage when it changes. */
  segmentsDropped = 0;

  /** Per page, with room for `pageCapacity` pages: as many as there are segments, or more. */
  private pageCapacity = PAGES_PER_SEGMENT;
  private pageSpan = new Int32Array(PAGES_PER_SEGMENT);
  private runLength = new Int32Array(PAGES_PER_SEGMENT);
  private runNext = new Int32Array(PAGES_PER_SEGMENT);
  private runPrevious = new Int32Array(PAGES_PER_SEGMENT);
  private readonly bins = new Int32Array(BIN_COUNT).fill(-1);

  /** Pages of segment 0, from its beginning, that may have been touched. */
  private pagesTouched = 0;

  private spanCount = 1;
  private spanFreeHead = -1;
  private spanClass = new Uint8Array(256);
  private spanPage = new Int32Array(256);
  private spanPages = new Int32Array(256);
  private spanFree = new Int32Array(256);
  private spanBump = new Int32Array(256);
  private spanEnd = new Int32Array(256);
  private spanLive = new Int32Array(256);
  private spanNext = new Int32Array(256);
  private spanPrevious = new Int32Array(256);
  /** 1 = the compactor empties the span. */
  private spanDrains = new Uint8Array(256);

  private readonly usable = new Int32Array(CLASS_COUNT);
  private readonly classGranules = new Int32Array(CLASS_COUNT);
  private readonly classLive = new Float64Array(CLASS_COUNT);
  private readonly classSpanBytes = new Float64Array(CLASS_COUNT);

  constructor() {
    for (let i = 0; i < CLASS_COUNT; i++) this.classGranules[i] = classBytes(i) >>> 3;
    // Segment 0 always exists; its page 0 is never used, so that no reference is 0.
    this.installSegment(0, SEGMENT_BYTES);
    this.addRun(firstPageOf(0), pagesOf(0));
  }

  /**
   * A block of at least `size` bytes, its contents undefined. Throws RangeError when memory ends,
   * and changes nothing then. References and offsets stay valid: only the owner of a block ever
   * moves it. Requires: size > 0.
   */
  allocate(size: number): number {
    if (DEBUG && !(size > 0)) throw new Error(`allocated ${size} bytes`);
    if (size > SMALL_BYTES_MAX) return this.allocateLarge(size);
    const sizeClass = classOf(size);
    let span = this.usable[sizeClass];
    if (span === 0) span = this.addSpan(sizeClass);
    const granules = this.classGranules[sizeClass];
    this.spanLive[span]++;
    this.classLive[sizeClass]++;
    this.liveBytes += granules << 3;
    const reference = this.spanFree[span];
    if (reference !== 0) {
      const next = this.words[reference >>> Ref.SEGMENT_SHIFT][(reference & Ref.GRANULE_MASK) << 1];
      this.spanFree[span] = next;
      if (next === 0 && this.spanBump[span] === this.spanEnd[span])
        this.unlinkUsable(span, sizeClass);
      return reference;
    }
    const fresh = this.spanBump[span];
    const bump = (fresh + granules) | 0;
    this.spanBump[span] = bump;
    if (bump === this.spanEnd[span]) this.unlinkUsable(span, sizeClass);
    return fresh;
  }

  /** Returns a block. Requires: `size` is what it was allocated (or last resized) with. */
  free(reference: number, size: number): void {
    if (size > SMALL_BYTES_MAX) {
      this.freeLarge(reference, size);
      return;
    }
    const span = this.pageSpan[reference >>> GRANULES_PER_PAGE_SHIFT];
    const sizeClass = this.spanClass[span];
    if (DEBUG) this.checkBlock(reference, size);
    const granules = this.classGranules[sizeClass];
    this.liveBytes -= granules << 3;
    this.classLive[sizeClass]--;
    const head = this.spanFree[span];
    const wasFull = head === 0 && this.spanBump[span] === this.spanEnd[span];
    this.words[reference >>> Ref.SEGMENT_SHIFT][(reference & Ref.GRANULE_MASK) << 1] = head;
    this.spanFree[span] = reference;
    if (wasFull) this.linkUsable(span, sizeClass);
    // The last span of a class stays, so that one block allocated and freed in turn costs nothing.
    if (--this.spanLive[span] === 0 && this.hasOtherUsable(span, sizeClass)) {
      this.unlinkUsable(span, sizeClass);
      this.dropSpan(span);
    }
  }

  /**
   * True when the block lies in a span that `planDraining` chose to empty, and `allocate` would take
   * from one that it did not.
   */
  isSparse(reference: number, size: number): boolean {
    if (size > SMALL_BYTES_MAX) return false;
    const span = this.pageSpan[reference >>> GRANULES_PER_PAGE_SHIFT];
    if (this.spanDrains[span] === 0) return false;
    const usable = this.usable[this.spanClass[span]];
    return usable !== 0 && this.spanDrains[usable] === 0;
  }

  /**
   * Chooses, in each class, the sparsest spans whose blocks find room in the others: once all of
   * them have moved, no fewer spans could hold what is live. Puts the fullest spans first, so that
   * moved blocks fill them. O(spans log spans).
   * COLD: once per pass of the compactor.
   */
  planDraining(): void {
    this.spanDrains.fill(0);
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      const spans: number[] = [];
      let live = 0;
      for (let span = this.usable[sizeClass]; span !== 0; span = this.spanNext[span]) {
        spans.push(span);
        live += this.spanLive[span];
      }
      if (spans.length < 2) continue;
      spans.sort((a, b) => this.spanLive[a] - this.spanLive[b]);
      const spanBytes = this.spanPages[spans[0]] << PAGE_SHIFT;
      const needed = Math.ceil(live / Math.floor(spanBytes / classBytes(sizeClass)));
      for (let i = 0; i < spans.length - needed; i++) this.spanDrains[spans[i]] = 1;
      this.usable[sizeClass] = 0;
      for (const span of spans) this.linkUsable(span, sizeClass);
    }
  }

  /**
   * Returns what stands empty to the system: the one empty span that `free` keeps per class, then
   * every segment without a span; segment 0 starts over with untouched memory.
   * O(classes + segments).
   */
  trim(): void {
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      let span = this.usable[sizeClass];
      while (span !== 0) {
        const next = this.spanNext[span];
        if (this.spanLive[span] === 0) {
          this.unlinkUsable(span, sizeClass);
          this.dropSpan(span);
        }
        span = next;
      }
    }
    for (let segment = 0; segment < this.bytes.length; segment++) {
      if (this.bytes[segment].length !== SEGMENT_BYTES) continue;
      const first = firstPageOf(segment);
      if (this.pageSpan[first] !== 0 || this.runLength[first] !== pagesOf(segment)) continue;
      if (segment === 0) {
        if (this.pagesTouched > PAGES_KEPT) this.renewSegmentZero();
        continue;
      }
      this.removeRun(first);
      this.dropSegment(segment);
    }
  }

  /**
   * Frees everything at once: every reference is dead after this. O(segments), whatever they hold;
   * their memory goes back to the system when the collector has run.
   * COLD: FLUSHALL.
   */
  reset(): void {
    for (let segment = this.bytes.length - 1; segment > 0; segment--) this.dropSegment(segment);
    this.bytes.length = this.words.length = this.views.length = 1;
    if (this.pagesTouched > PAGES_KEPT) this.renewSegmentZero();
    this.liveBytes = this.spanBytes = 0;
    this.pageSpan.fill(0);
    this.runLength.fill(0);
    this.runNext.fill(0);
    this.runPrevious.fill(0);
    this.bins.fill(-1);
    this.usable.fill(0);
    this.classLive.fill(0);
    this.classSpanBytes.fill(0);
    this.spanCount = 1;
    this.spanFreeHead = -1;
    this.addRun(firstPageOf(0), pagesOf(0));
  }

  /**
   * Live and held bytes of each size class in use; large blocks belong to none.
   * COLD: for MEMORY STATS and MALLOC-STATS.
   */
  report(): ClassReport[] {
    const report: ClassReport[] = [];
    for (let i = 0; i < CLASS_COUNT; i++) {
      if (this.classSpanBytes[i] === 0) continue;
      report.push({
        blockBytes: classBytes(i),
        liveBlocks: this.classLive[i],
        spanBytes: this.classSpanBytes[i],
      });
    }
    return report;
  }

  /** Calls `visit` with every free run of pages, used before or not. O(runs). */
  eachFreeRun(visit: (segment: number, byteOffset: number, byteLength: number) => void): void {
    for (let bin = 1; bin < BIN_COUNT; bin++) {
      for (let page = this.bins[bin]; page !== -1; page = this.runNext[page]) {
        const inSegment = page & (PAGES_PER_SEGMENT - 1);
        visit(
          page >>> PAGES_PER_SEGMENT_SHIFT,
          inSegment << PAGE_SHIFT,
          this.runLength[page] << PAGE_SHIFT,
        );
      }
    }
  }

  /**
   * Throws when an invariant of the header is broken, or a sum is wrong. O(pages + blocks).
   * COLD: for tests.
   */
  verify(): void {
    const runs = this.verifyPages();
    let listed = 0;
    for (let bin = 1; bin < BIN_COUNT; bin++) {
      for (let page = this.bins[bin], before = -1; page !== -1; page = this.runNext[page]) {
        if (binOf(this.runLength[page]) !== bin) throw new Error("a free run in a wrong bin");
        if (this.runPrevious[page] !== before) throw new Error("a free run's link back is wrong");
        if (!runs.has(page)) throw new Error("a listed run that is not free");
        before = page;
        listed++;
      }
    }
    if (listed !== runs.size) throw new Error("a free run in no bin, or in two");
    this.verifyUsable();
    let liveBytes = 0;
    let spanBytes = 0;
    const classLive = new Float64Array(CLASS_COUNT);
    const classSpanBytes = new Float64Array(CLASS_COUNT);
    for (const span of this.spansInUse()) {
      const sizeClass = this.spanClass[span];
      const bytes =
        this.spanPages[span] === OWN_SEGMENT_PAGES
          ? this.bytes[this.spanPage[span] >>> PAGES_PER_SEGMENT_SHIFT].length
          : this.spanPages[span] << PAGE_SHIFT;
      spanBytes += bytes;
      if (sizeClass === LARGE) liveBytes += bytes;
      else {
        this.verifyBlocks(span, sizeClass);
        liveBytes += this.spanLive[span] * classBytes(sizeClass);
        classLive[sizeClass] += this.spanLive[span];
        classSpanBytes[sizeClass] += bytes;
      }
    }
    if (liveBytes !== this.liveBytes) throw new Error("wrong liveBytes");
    if (spanBytes !== this.spanBytes) throw new Error("wrong spanBytes");
    if (this.bytes.reduce((sum, bytes) => sum + bytes.length, 0) !== this.reservedBytes)
      throw new Error("wrong reservedBytes");
    for (let i = 0; i < CLASS_COUNT; i++) {
      if (classLive[i] !== this.classLive[i]) throw new Error("wrong count of live blocks");
      if (classSpanBytes[i] !== this.classSpanBytes[i]) throw new Error("wrong bytes of a class");
    }
  }

  /**
   * Invariants 1 to 3. Returns the first pages of all free runs.
   * COLD: for tests.
   */
  private verifyPages(): Set<number> {
    const runs = new Set<number>();
    for (let segment = 0; segment < this.bytes.length; segment++) {
      const first = firstPageOf(segment);
      const isOwn = this.spanPages[this.pageSpan[first]] === OWN_SEGMENT_PAGES;
      if (this.bytes[segment].length === 0 || isOwn) continue;
      let wasFree = false;
      for (let page = first; page < first + pagesOf(segment);) {
        const span = this.pageSpan[page];
        const pages = span === 0 ? this.runLength[page] : this.spanPages[span];
        if (pages < 1 || page + pages > first + pagesOf(segment)) throw new Error("wrong length");
        for (let i = page; i < page + pages; i++) {
          if (this.pageSpan[i] !== span) throw new Error("a page in two places");
        }
        if (span === 0) {
          if (wasFree) throw new Error("free runs are adjacent");
          if (this.runLength[page + pages - 1] !== pages) throw new Error("a run's end is wrong");
          runs.add(page);
        } else if (this.spanPage[span] !== page) throw new Error("a span's pages are not its own");
        wasFree = span === 0;
        page += pages;
      }
    }
    return runs;
  }

  /**
   * Invariant 5, and the links of the lists.
   * COLD: for tests.
   */
  private verifyUsable(): void {
    const usable = new Set<number>();
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      let before = 0;
      for (let span = this.usable[sizeClass]; span !== 0; span = this.spanNext[span]) {
        if (this.spanClass[span] !== sizeClass) throw new Error("a span on another class's list");
        if (this.spanPrevious[span] !== before) throw new Error("a span's link back is wrong");
        if (usable.has(span)) throw new Error("a list of spans is a ring");
        usable.add(span);
        before = span;
      }
    }
    for (const span of this.spansInUse()) {
      const hasFree = this.spanFree[span] !== 0 || this.spanBump[span] !== this.spanEnd[span];
      if (hasFree !== usable.has(span)) throw new Error("a span's list and its room disagree");
    }
  }

  /**
   * Invariant 4.
   * COLD: for tests.
   */
  private verifyBlocks(span: number, sizeClass: number): void {
    const granules = this.classGranules[sizeClass];
    const start = this.spanPage[span] << GRANULES_PER_PAGE_SHIFT;
    const carved = ((this.spanBump[span] - start) | 0) / granules;
    const listed = new Set<number>();
    for (let reference = this.spanFree[span]; reference !== 0;) {
      const block = ((reference - start) | 0) / granules;
      if (!Number.isInteger(block) || block < 0 || block >= carved || listed.has(block))
        throw new Error("a span's free list is broken");
      listed.add(block);
      reference = this.words[reference >>> Ref.SEGMENT_SHIFT][(reference & Ref.GRANULE_MASK) << 1];
    }
    if (this.spanLive[span] + listed.size !== carved) throw new Error("wrong count of blocks");
  }

  /** COLD: for tests. */
  private spansInUse(): Set<number> {
    const spans = new Set<number>();
    for (let segment = 0; segment < this.bytes.length; segment++) {
      const first = firstPageOf(segment);
      for (let page = first; page < first + pagesOf(segment); page++) {
        if (this.pageSpan[page] !== 0) spans.add(this.pageSpan[page]);
      }
    }
    return spans;
  }

  /** Throws when no block of this size begins at the reference. For DEBUG. */
  private checkBlock(reference: number, size: number): void {
    const span = this.pageSpan[reference >>> GRANULES_PER_PAGE_SHIFT] ?? 0;
    if (span === 0) throw new Error("freed a block of no span");
    if (this.spanClass[span] !== classOf(size)) throw new Error(`freed ${size} of another class`);
    const start = this.spanPage[span] << GRANULES_PER_PAGE_SHIFT;
    const offset = (reference - start) | 0;
    const carved = (this.spanBump[span] - start) | 0;
    if (offset % this.classGranules[this.spanClass[span]] !== 0 || offset >= carved)
      throw new Error("freed what is no block");
    if (this.spanLive[span] === 0) throw new Error("freed a block twice");
  }

  private hasOtherUsable(span: number, sizeClass: number): boolean {
    const head = this.usable[sizeClass];
    return head !== span || this.spanNext[span] !== 0;
  }

  private linkUsable(span: number, sizeClass: number): void {
    const head = this.usable[sizeClass];
    this.spanNext[span] = head;
    this.spanPrevious[span] = 0;
    if (head !== 0) this.spanPrevious[head] = span;
    this.usable[sizeClass] = span;
  }

  private unlinkUsable(span: number, sizeClass: number): void {
    const next = this.spanNext[span];
    const previous = this.spanPrevious[span];
    if (previous !== 0) this.spanNext[previous] = next;
    else this.usable[sizeClass] = next;
    if (next !== 0) this.spanPrevious[next] = previous;
    this.spanNext[span] = 0;
    this.spanPrevious[span] = 0;
  }

  /** Takes pages for a new span of the class and makes it the class's first choice. */
  private addSpan(sizeClass: number): number {
    const bytes = classBytes(sizeClass);
    const pages = spanPagesFor(bytes);
    const page = this.takePages(pages);
    const span = this.newSpan(sizeClass, page, pages);
    const blocks = Math.floor((pages << PAGE_SHIFT) / bytes);
    this.spanEnd[span] = (this.spanBump[span] + blocks * (bytes >>> 3)) | 0;
    this.classSpanBytes[sizeClass] += pages << PAGE_SHIFT;
    this.linkUsable(span, sizeClass);
    return span;
  }

  private newSpan(sizeClass: number, page: number, pages: number): number {
    let span = this.spanFreeHead;
    if (span !== -1) this.spanFreeHead = this.spanNext[span];
    else {
      span = this.spanCount++;
      if (span === this.spanClass.length) this.growSpanTables();
    }
    this.spanClass[span] = sizeClass;
    this.spanPage[span] = page;
    this.spanPages[span] = pages;
    this.spanFree[span] = 0;
    this.spanBump[span] = page << GRANULES_PER_PAGE_SHIFT;
    this.spanEnd[span] = this.spanBump[span];
    this.spanLive[span] = 0;
    this.spanNext[span] = 0;
    this.spanPrevious[span] = 0;
    this.spanDrains[span] = 0;
    this.pageSpan.fill(span, page, page + pages);
    this.spanBytes += pages * PAGE_BYTES;
    return span;
  }

  private dropSpan(span: number): void {
    const pages = this.spanPages[span];
    const sizeClass = this.spanClass[span];
    if (sizeClass !== LARGE) this.classSpanBytes[sizeClass] -= pages << PAGE_SHIFT;
    this.spanBytes -= pages * PAGE_BYTES;
    this.returnPages(this.spanPage[span], pages);
    this.spanNext[span] = this.spanFreeHead;
    this.spanFreeHead = span;
  }

  private allocateLarge(size: number): number {
    if (size > LARGE_BYTES_MAX) throw new RangeError("a block of 2 GiB or more");
    const bytes = blockBytes(size);
    const isShared = bytes <= SHARED_SEGMENT_BYTES_MAX;
    const pages = isShared ? bytes >>> PAGE_SHIFT : OWN_SEGMENT_PAGES;
    const page = isShared ? this.takePages(pages) : this.addOwnSegment(bytes);
    const span = this.newSpan(LARGE, page, pages);
    this.spanLive[span] = 1;
    this.spanBytes += bytes - pages * PAGE_BYTES;
    this.liveBytes += bytes;
    return page << GRANULES_PER_PAGE_SHIFT;
  }

  private freeLarge(reference: number, size: number): void {
    const bytes = blockBytes(size);
    const span = this.pageSpan[reference >>> GRANULES_PER_PAGE_SHIFT];
    if (DEBUG && (span === 0 || this.spanClass[span] !== LARGE))
      throw new Error("freed what is no large block");
    this.liveBytes -= bytes;
    if (bytes <= SHARED_SEGMENT_BYTES_MAX) {
      this.dropSpan(span);
      return;
    }
    this.spanBytes -= bytes;
    this.pageSpan[reference >>> GRANULES_PER_PAGE_SHIFT] = 0;
    this.spanNext[span] = this.spanFreeHead;
    this.spanFreeHead = span;
    this.dropSegment(reference >>> Ref.SEGMENT_SHIFT);
  }

  /** First page of a run of `pages` pages, taken out of the free runs. Grows the arena. */
  private takePages(pages: number): number {
    let page = this.findRun(pages);
    if (page === -1) {
      this.addSegment();
      page = this.findRun(pages);
    }
    const length = this.runLength[page];
    if (page < PAGES_PER_SEGMENT) this.pagesTouched = Math.max(this.pagesTouched, page + pages);
    this.removeRun(page);
    if (length > pages) this.addRun(page + pages, length - pages);
    return page;
  }

  private findRun(pages: number): number {
    let bin = binOf(pages);
    if (bin > EXACT_BINS) {
      // Runs of one logarithmic bin differ in length; the next bin up always fits.
      for (let page = this.bins[bin]; page !== -1; page = this.runNext[page]) {
        if (this.runLength[page] >= pages) return page;
      }
      bin++;
    }
    for (; bin < BIN_COUNT; bin++) if (this.bins[bin] !== -1) return this.bins[bin];
    return -1;
  }

  /** Puts pages back, merged with the free runs on either side in the same segment. */
  private returnPages(page: number, pages: number): void {
    this.pageSpan.fill(0, page, page + pages);
    const first = firstPageOf(page >>> PAGES_PER_SEGMENT_SHIFT);
    const last = (page & ~(PAGES_PER_SEGMENT - 1)) + PAGES_PER_SEGMENT;
    const after = page + pages;
    if (after < last && this.pageSpan[after] === 0) {
      pages += this.runLength[after];
      this.removeRun(after);
    }
    if (page > first && this.pageSpan[page - 1] === 0) {
      const length = this.runLength[page - 1];
      page -= length;
      pages += length;
      this.removeRun(page);
    }
    this.addRun(page, pages);
  }

  private addRun(page: number, pages: number): void {
    const bin = binOf(pages);
    const head = this.bins[bin];
    this.runLength[page] = pages;
    this.runLength[page + pages - 1] = pages;
    this.runNext[page] = head;
    this.runPrevious[page] = -1;
    if (head !== -1) this.runPrevious[head] = page;
    this.bins[bin] = page;
  }

  private removeRun(page: number): void {
    const next = this.runNext[page];
    const previous = this.runPrevious[page];
    if (previous !== -1) this.runNext[previous] = next;
    else this.bins[binOf(this.runLength[page])] = next;
    if (next !== -1) this.runPrevious[next] = previous;
  }

  private addSegment(): void {
    const segment = this.freeSegmentSlot();
    this.installSegment(segment, SEGMENT_BYTES);
    this.addRun(firstPageOf(segment), pagesOf(segment));
  }

  private addOwnSegment(bytes: number): number {
    const segment = this.freeSegmentSlot();
    this.installSegment(segment, bytes);
    return segment << PAGES_PER_SEGMENT_SHIFT;
  }

  private freeSegmentSlot(): number {
    for (let i = 1; i < this.bytes.length; i++) if (this.bytes[i].length === 0) return i;
    if (this.bytes.length === SEGMENT_COUNT_MAX) throw new RangeError("the arena is full");
    return this.bytes.length;
  }

  private installSegment(segment: number, bytes: number): void {
    if ((segment + 1) << PAGES_PER_SEGMENT_SHIFT > this.pageCapacity) this.growPageTables();
    const buffer = new SharedArrayBuffer(bytes);
    this.bytes[segment] = new Uint8Array(buffer);
    this.words[segment] = new Int32Array(buffer);
    this.views[segment] = new DataView(buffer);
    this.reservedBytes += bytes;
  }

  private dropSegment(segment: number): void {
    this.reservedBytes -= this.bytes[segment].length;
    const nothing = new SharedArrayBuffer(0);
    this.bytes[segment] = new Uint8Array(nothing);
    this.words[segment] = new Int32Array(nothing);
    this.views[segment] = new DataView(nothing);
    this.segmentsDropped++;
  }

  /** Gives back the memory of segment 0, which holds nothing. */
  private renewSegmentZero(): void {
    this.dropSegment(0);
    this.installSegment(0, SEGMENT_BYTES);
    this.pagesTouched = 0;
  }

  private growPageTables(): void {
    const pages = this.pageCapacity * 2;
    this.pageCapacity = pages;
    this.pageSpan = grown(this.pageSpan, pages);
    this.runLength = grown(this.runLength, pages);
    this.runNext = grown(this.runNext, pages);
    this.runPrevious = grown(this.runPrevious, pages);
  }

  private growSpanTables(): void {
    const length = this.spanClass.length * 2;
    const classes = new Uint8Array(length);
    classes.set(this.spanClass);
    this.spanClass = classes;
    const drains = new Uint8Array(length);
    drains.set(this.spanDrains);
    this.spanDrains = drains;
    this.spanPage = grown(this.spanPage, length);
    this.spanPages = grown(this.spanPages, length);
    this.spanFree = grown(this.spanFree, length);
    this.spanBump = grown(this.spanBump, length);
    this.spanEnd = grown(this.spanEnd, length);
    this.spanLive = grown(this.spanLive, length);
    this.spanNext = grown(this.spanNext, length);
    this.spanPrevious = grown(this.spanPrevious, length);
  }
}

function grown(old: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(old);
  return larger;
}

function firstPageOf(segment: number): number {
  return segment === 0 ? 1 : segment << PAGES_PER_SEGMENT_SHIFT;
}

function pagesOf(segment: number): number {
  return segment === 0 ? PAGES_PER_SEGMENT - 1 : PAGES_PER_SEGMENT;
}

/** Pages of a class's span: as few as waste at most 1/32 of them behind the last block. */
function spanPagesFor(bytes: number): number {
  let pages = Math.max(SPAN_PAGES_MIN, Math.ceil((bytes * SPAN_BLOCKS_MIN) / PAGE_BYTES));
  while (((pages << PAGE_SHIFT) % bytes) * 32 > pages << PAGE_SHIFT) pages++;
  return pages;
}
