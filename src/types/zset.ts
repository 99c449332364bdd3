// HOT PATH: rules in src/README.md
/**
 * Sorted sets: members with scores, ordered by score, then by member.
 *
 *     encoding       root block
 *     LISTPACK  0    a listpack: member, score, member, score, ... in order
 *     TREE      1    | member index's state 24 B | ranked tree's state 24 B |
 *                    members and scores in blocks of their own (structures/scored-member.ts), to
 *                    which both structures refer; OBJECT ENCODING calls it "skiplist"
 *
 * A small set is a listpack until it has more than `entriesMax` members or one longer than
 * `bytesMax`; it never goes back, unless a command writes a whole new set.
 *
 * One object serves all sorted sets of an engine: `attach` points it at a value, and what changes
 * the value may change `root` and `encoding`, which the caller then notes in the record. Only one
 * value is attached at a time; commands on several sets use several of these objects.
 *
 * The cursor: `seek`, `next`, `previous` and `find` leave the member in `member` and its score in
 * `score`, where they stay until the set changes.
 *
 * In a listpack a score is an integer if it is one of up to 62 bits, and -0 becomes 0; else it is
 * the text that commands reply, which reads back as the same number.
 *
 * Of n members, TREE: find and score are O(1), the rest O(log n); LISTPACK: all O(n).
 */
import { compareBytes } from "../base/bytes.ts";
import { DOUBLE_BYTES_MAX, parseDouble, writeDouble } from "../base/double.ts";
import { INTEGER_BYTES_MAX } from "../base/integer.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { HashIndex, INDEX_STATE_BYTES } from "../structures/hash-index.ts";
import {
  Listpack,
  listpackBase,
  listpackBytes,
  listpackCompact,
  listpackCreate,
  listpackDuplicate,
  listpackFind,
  listpackFirst,
  listpackFree,
  listpackInsert,
  listpackInsertInteger,
  listpackIsEnd,
  listpackLength,
  listpackMemoryBytes,
  listpackNext,
  listpackPrevious,
  listpackRemove,
  listpackSeek,
} from "../structures/listpack.ts";
import { ListpackEntry } from "../structures/listpack-entry.ts";
import { RANKED_TREE_STATE_BYTES, RankedTree } from "../structures/ranked-tree.ts";
import {
  SCORED_MEMBER_KEY_AT,
  allocateScoredMember,
  freeScoredMember,
  memberLength,
  memberStart,
  memberView,
  scoreOf,
  scoredMemberBytes,
} from "../structures/scored-member.ts";

export const enum ZsetEncoding {
  LISTPACK = 0,
  TREE = 1,
}

/** Bytes of a TREE's root block. */
const ROOT_BYTES = INDEX_STATE_BYTES + RANKED_TREE_STATE_BYTES;
const TWO_32 = 4294967296;

/** Cursors of `freeStep`: the leaves are next; the member index's segments from here on are. */
const FREES_LEAVES = 1;
const FREES_ENTRIES = 2;
const LEAVES_PER_STEP = 256;
/** Cursor of `compactStep` at the leaf of rank 0: those below are positions in hash order. */
const LEAVES_CURSOR = TWO_32;

/** When a sorted set is small: zset-max-listpack-entries and zset-max-listpack-value. */
export class ZsetLimits {
  entriesMax = 128;
  bytesMax = 64;
}

export class SortedSets {
  /** The attached value; both change as it grows. */
  root = 0;
  encoding: number = ZsetEncoding.LISTPACK;

  /** What the cursor is at. */
  readonly member = new ListpackEntry();
  score = 0;

  private readonly index: HashIndex;
  private readonly tree: RankedTree;
  /** Where the listpack lies: set by `reload`. */
  view: DataView = new DataView(new ArrayBuffer(0));
  private bytes: Uint8Array = new Uint8Array(0);
  private base = 0;
  /** LISTPACK: position of the cursor's member. TREE: its entry. 0 = none. */
  private at = 0;
  /** TREE: the hash of the member that `find` looked for. */
  private hash = 0;
  /** Text of a score or of the integer member that was given; then one of the listpack's. */
  private readonly text = new Uint8Array(DOUBLE_BYTES_MAX + INTEGER_BYTES_MAX);
  private readonly textView = new DataView(this.text.buffer);
  private readonly other = new ListpackEntry();
  /** The text of a member that was given as an entry. */
  private givenView: DataView = this.textView;
  private givenStart = 0;
  private givenEnd = 0;

  constructor(
    private readonly arena: Arena,
    private readonly limits: ZsetLimits,
    hashKey0: number,
    hashKey1: number,
  ) {
    this.index = new HashIndex(arena, SCORED_MEMBER_KEY_AT, hashKey0, hashKey1);
    this.tree = new RankedTree(arena);
  }

  /** Points this object at a value. */
  attach(root: number, encoding: number): void {
    this.root = root;
    this.encoding = encoding;
    this.reload();
  }

  /**
   * Makes and attaches an empty set, fit for `countHint` members of up to `bytesHint` bytes.
   * Grows the arena.
   */
  create(countHint: number, bytesHint: number): void {
    if (countHint <= this.limits.entriesMax && bytesHint <= this.limits.bytesMax) {
      this.attach(listpackCreate(this.arena), ZsetEncoding.LISTPACK);
    } else this.createTree();
  }

  /** Makes and attaches an empty TREE. Grows the arena. */
  createTree(): void {
    const root = this.arena.allocate(ROOT_BYTES);
    this.index.attachNew(root);
    this.tree.attachNew(root, INDEX_STATE_BYTES);
    this.root = root;
    this.encoding = ZsetEncoding.TREE;
  }

  /** Whether it is a TREE, whose entries can be used. */
  get isIndexed(): boolean {
    return this.encoding === ZsetEncoding.TREE;
  }

  /** Members in the set. */
  get length(): number {
    if (this.encoding === ZsetEncoding.TREE) return this.tree.size;
    return listpackLength(this.view, this.base) >>> 1;
  }

  /** Puts the cursor on a member; false if it is not there. */
  find(view: DataView, start: number, end: number): boolean {
    if (this.encoding === ZsetEncoding.TREE) {
      this.hash = this.index.hash(view, start, end);
      const entry = this.index.find(view, start, end, this.hash);
      this.at = entry;
      if (entry === 0) return false;
      this.loadEntry(entry);
      return true;
    }
    const at = listpackFind(this.view, this.base + Listpack.HEADER, view, start, end, 1);
    this.at = at;
    if (at === 0) return false;
    this.member.read(this.view, at);
    this.score = this.scoreAt(listpackNext(this.view, at));
    return true;
  }

  /** `find` for a member that another cursor is at. */
  findEntry(member: ListpackEntry): boolean {
    this.takeText(member);
    return this.find(this.givenView, this.givenStart, this.givenEnd);
  }

  /** The rank of the member at the cursor. */
  rankAtCursor(): number {
    if (this.encoding === ZsetEncoding.TREE) return this.tree.rankOf(this.at);
    let rank = 0;
    for (let at = this.base + Listpack.HEADER; at !== this.at; rank++) at = this.pairEnd(at);
    return rank;
  }

  /** Puts the cursor on the member of a rank. Requires: rank < length. */
  seek(rank: number): void {
    if (this.encoding === ZsetEncoding.TREE) this.loadEntry(this.tree.seek(rank));
    else this.loadPair(this.positionOf(rank));
  }

  /** Position of a LISTPACK's member in `view`: its score is the entry behind it. */
  positionOf(rank: number): number {
    return listpackSeek(this.view, this.base, rank << 1);
  }

  /** Puts the cursor before the first member: `next` is to follow. */
  startWalk(): void {
    this.at = 0;
  }

  /** Moves the cursor up; false at the end. Requires: `seek` or `startWalk` put it somewhere. */
  next(): boolean {
    if (this.at === 0) {
      if (this.length === 0) return false;
      this.seek(0);
      return true;
    }
    if (this.encoding === ZsetEncoding.TREE) {
      const entry = this.tree.next();
      if (entry === 0) return false;
      this.loadEntry(entry);
      return true;
    }
    const at = this.pairEnd(this.at);
    if (listpackIsEnd(this.view, at)) return false;
    this.loadPair(at);
    return true;
  }

  /** Moves the cursor down; false at the start. Requires: `seek` put it somewhere. */
  previous(): boolean {
    if (this.encoding === ZsetEncoding.TREE) {
      const entry = this.tree.previous();
      if (entry === 0) return false;
      this.loadEntry(entry);
      return true;
    }
    const score = listpackPrevious(this.view, this.base, this.at);
    if (score === 0) return false;
    this.loadPair(listpackPrevious(this.view, this.base, score));
    return true;
  }

  /**
   * Goes to a rank of a TREE, where `readEntries` goes on. What the cursor is at is undefined then.
   */
  seekEntry(rank: number): void {
    this.tree.seek(rank);
  }

  /** As RankedTree's `readUp` and `readDown`. */
  readEntries(entries: Int32Array, count: number, isReverse: boolean): void {
    if (isReverse) this.tree.readDown(entries, count);
    else this.tree.readUp(entries, count);
  }

  /** How many members have a score below `score`, or, with `inclusive`, not above it. */
  countBelow(score: number, inclusive: boolean): number {
    if (this.encoding === ZsetEncoding.TREE) return this.tree.countBelow(score, inclusive);
    const { view } = this;
    let count = 0;
    for (let at = this.base + Listpack.HEADER; !listpackIsEnd(view, at); count++) {
      const scoreAt = listpackNext(view, at);
      const other = this.scoreAt(scoreAt);
      if (other > score || (!inclusive && other === score)) break;
      at = listpackNext(view, scoreAt);
    }
    return count;
  }

  /**
   * How many members lie below the given one, or, with `inclusive`, not above it. Requires: all
   * scores are equal, and the encoding is TREE.
   */
  countBelowMember(view: DataView, start: number, end: number, inclusive: boolean): number {
    return this.tree.countBelowMember(view, start, end - start, inclusive);
  }

  /** Order of the cursor's member and some bytes, as memcmp has it. */
  compareMember(view: DataView, start: number, length: number): number {
    return this.compare(this.member, view, start, length);
  }

  /**
   * Makes the set a TREE if `countHint` members of up to `bytesHint` bytes would not fit a
   * listpack. Grows the arena.
   */
  convertFor(countHint: number, bytesHint: number): void {
    if (this.encoding === ZsetEncoding.TREE) return;
    if (countHint > this.limits.entriesMax || bytesHint > this.limits.bytesMax) this.toTree();
  }

  /** Announces that about `count` members follow, of which a TREE makes use. */
  expect(count: number): void {
    if (this.encoding === ZsetEncoding.TREE) this.index.expect(count);
  }

  /** Adds the member that `find` looked for and did not find. Grows the arena. */
  addMissing(view: DataView, start: number, end: number, score: number): void {
    if (this.encoding === ZsetEncoding.TREE) this.insertEntry(view, start, end, score, this.hash);
    else this.add(view, start, end, score);
    this.score = score;
  }

  /** Adds a member. Requires: it is not in the set. Grows the arena. */
  add(view: DataView, start: number, end: number, score: number): void {
    if (this.encoding === ZsetEncoding.LISTPACK) {
      const length = end - start;
      const fits =
        this.length < this.limits.entriesMax &&
        length <= this.limits.bytesMax &&
        listpackBytes(this.view, this.base) + length <= Listpack.SAFE_BYTES_MAX;
      if (fits) {
        this.insertPair(view, start, end, score);
        return;
      }
      this.toTree();
    }
    this.insertEntry(view, start, end, score, this.index.hash(view, start, end));
  }

  /** `add` for a member that another cursor is at. */
  addEntry(member: ListpackEntry, score: number): void {
    this.takeText(member);
    this.add(this.givenView, this.givenStart, this.givenEnd, score);
  }

  /** `addMissing` after `findEntry`. */
  addMissingEntry(score: number): void {
    this.addMissing(this.givenView, this.givenStart, this.givenEnd, score);
  }

  /**
   * Gives the member that `find` found another score. The bytes are those that it was found by.
   * Grows the arena.
   */
  changeScore(view: DataView, start: number, end: number, score: number): void {
    this.score = score;
    if (this.encoding === ZsetEncoding.TREE) {
      this.tree.changeScore(this.at, score);
      return;
    }
    this.root = listpackRemove(this.arena, this.root, this.at, 2);
    this.reload();
    this.insertPair(view, start, end, score);
  }

  /** `changeScore` after `findEntry`. */
  changeScoreOfEntry(score: number): void {
    this.changeScore(this.givenView, this.givenStart, this.givenEnd, score);
  }

  /** Removes a member; false if it is not there. */
  remove(view: DataView, start: number, end: number): boolean {
    if (this.encoding === ZsetEncoding.LISTPACK) {
      const at = listpackFind(this.view, this.base + Listpack.HEADER, view, start, end, 1);
      if (at === 0) return false;
      this.root = listpackRemove(this.arena, this.root, at, 2);
      this.reload();
      return true;
    }
    const { index } = this;
    const hash = index.hash(view, start, end);
    const entry = index.find(view, start, end, hash);
    if (entry === 0) return false;
    index.removeFound(hash);
    index.store(this.root);
    this.tree.remove(entry);
    freeScoredMember(this.arena, entry);
    return true;
  }

  /** Removes `count` members from a rank on. Requires: there are so many. */
  removeRange(rank: number, count: number): void {
    if (this.encoding === ZsetEncoding.LISTPACK) {
      const at = listpackSeek(this.view, this.base, rank << 1);
      this.root = listpackRemove(this.arena, this.root, at, count << 1);
      this.reload();
      return;
    }
    for (let i = 0; i < count; i++) this.dropEntry(this.tree.removeAt(rank));
    this.index.store(this.root);
  }

  /** Removes the member that `seek` put the cursor on, where nothing else was done since. */
  removeSought(): void {
    if (this.encoding === ZsetEncoding.LISTPACK) {
      this.root = listpackRemove(this.arena, this.root, this.at, 2);
      this.reload();
      return;
    }
    this.tree.removeSought();
    this.dropEntry(this.at);
    this.index.store(this.root);
  }

  /**
   * Makes a TREE that a command has written a listpack, if its members, the longest of which has
   * `bytesMax` bytes and all of which have `bytesTotal`, fit one. Grows the arena.
   */
  shrink(bytesMax: number, bytesTotal: number): void {
    const { arena, limits } = this;
    if (this.encoding === ZsetEncoding.LISTPACK || this.tree.size > limits.entriesMax) return;
    if (bytesMax > limits.bytesMax || bytesTotal > Listpack.SAFE_BYTES_MAX) return;
    const { root, tree } = this;
    let listpack = listpackCreate(arena);
    for (let entry = tree.first() === 0 ? 0 : tree.seek(0); entry !== 0; entry = tree.next()) {
      const start = memberStart(arena, entry);
      const end = start + memberLength(arena, entry);
      this.attach(listpack, ZsetEncoding.LISTPACK);
      const at = this.base + listpackBytes(this.view, this.base) - 1;
      this.insertPairAt(at, memberView(arena, entry), start, end, scoreOf(arena, entry));
      listpack = this.root;
    }
    this.attach(root, ZsetEncoding.TREE);
    this.free();
    this.attach(listpack, ZsetEncoding.LISTPACK);
  }

  /** Frees the attached value. O(n). */
  free(): void {
    const { arena, index } = this;
    if (this.encoding === ZsetEncoding.LISTPACK) {
      listpackFree(arena, this.root);
      return;
    }
    index.startWalk();
    for (let entry = index.nextEntry(); entry !== 0; entry = index.nextEntry()) {
      freeScoredMember(arena, entry);
    }
    index.clear();
    this.tree.clear();
    arena.free(this.root, ROOT_BYTES);
  }

  /**
   * Frees a part of the attached TREE, some hundred blocks. Returns a cursor for the next step, or
   * 0 when all is gone. Requires: `cursor` is 0 at first, then what the last step returned.
   * COLD: for values too large to be freed at once.
   */
  freeStep(cursor: number): number {
    const { arena, index, tree } = this;
    if (cursor === 0) {
      tree.freeInnerNodes();
      return FREES_LEAVES;
    }
    if (cursor === FREES_LEAVES) {
      return tree.freeLeaves(LEAVES_PER_STEP) ? FREES_LEAVES : FREES_ENTRIES;
    }
    const next = index.freeSegment(cursor - FREES_ENTRIES, (entry) =>
      freeScoredMember(arena, entry),
    );
    if (next !== 0) return FREES_ENTRIES + next;
    arena.free(this.root, ROOT_BYTES);
    return 0;
  }

  /**
   * Makes and attaches a copy of the attached value. O(n). Grows the arena.
   * COLD: for COPY.
   */
  duplicate(): void {
    const { arena, tree } = this;
    if (this.encoding === ZsetEncoding.LISTPACK) {
      this.attach(listpackDuplicate(arena, this.root), ZsetEncoding.LISTPACK);
      return;
    }
    this.index.detachCopy();
    const root = arena.allocate(ROOT_BYTES);
    this.index.mapEntries((entry) =>
      allocateScoredMember(
        arena,
        scoreOf(arena, entry),
        memberView(arena, entry),
        memberStart(arena, entry),
        memberLength(arena, entry),
      ),
    );
    this.index.store(root);
    tree.attachNew(root, INDEX_STATE_BYTES);
    this.index.eachEntry((entry) => tree.insert(entry));
    this.attach(root, ZsetEncoding.TREE);
  }

  /**
   * Moves the blocks of the attached value that lie in sparse spans. O(n).
   * COLD: for the compactor.
   */
  compact(): void {
    const { arena, index, tree } = this;
    if (this.encoding === ZsetEncoding.LISTPACK) {
      this.attach(listpackCompact(arena, this.root), ZsetEncoding.LISTPACK);
      return;
    }
    tree.compact();
    index.compact();
    index.mapEntries((entry) => this.compactEntry(entry));
    index.store(this.root);
    if (!arena.isSparse(this.root, ROOT_BYTES)) return;
    const moved = arena.allocate(ROOT_BYTES);
    const from = (this.root & Ref.GRANULE_MASK) << 1;
    const words = arena.words[this.root >>> Ref.SEGMENT_SHIFT];
    arena.words[moved >>> Ref.SEGMENT_SHIFT].set(
      words.subarray(from, from + (ROOT_BYTES >> 2)),
      (moved & Ref.GRANULE_MASK) << 1,
    );
    arena.free(this.root, ROOT_BYTES);
    this.attach(moved, ZsetEncoding.TREE);
  }

  /**
   * Does a part of that for a TREE, but for its root and inner nodes: first segments of the index
   * with their entries, by position in hash order, then leaves, by rank. Returns the next cursor,
   * or 0 at the end. The value may change between the steps.
   * COLD: for the compactor.
   */
  compactStep(cursor: number): number {
    if (cursor >= LEAVES_CURSOR) {
      let rank = cursor - LEAVES_CURSOR;
      for (let i = 0; i < LEAVES_PER_STEP; i++) {
        rank = this.tree.compactLeaf(rank);
        if (rank === 0) return 0;
      }
      return LEAVES_CURSOR + rank;
    }
    const next = this.index.compactPart(cursor, (entry) => this.compactEntry(entry));
    this.index.store(this.root);
    return next === 0 ? LEAVES_CURSOR : next;
  }

  /**
   * Bytes of arena memory that the attached value occupies, as `samples` of its blocks say.
   * COLD: for MEMORY USAGE.
   */
  memoryBytes(samples: number): number {
    const { arena, index } = this;
    if (this.encoding === ZsetEncoding.LISTPACK) return listpackMemoryBytes(arena, this.root);
    const entries = index.sumOfEntries(samples, (entry) =>
      blockBytes(scoredMemberBytes(memberLength(arena, entry))),
    );
    const nodes = index.memoryBytes(samples) + this.tree.memoryBytes(samples);
    return blockBytes(ROOT_BYTES) + nodes + entries;
  }

  /**
   * Calls `visit` with the entries of one bucket of a TREE's member index, and returns the next
   * cursor, as HashIndex.scan does.
   */
  scanEntries(cursor: number, visit: (entry: number) => void): number {
    return this.index.scan(cursor, visit);
  }

  /** Puts the cursor on an entry that `scanEntries` gave, without a place in the order. */
  loadEntry(entry: number): void {
    const view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const at = (entry & Ref.GRANULE_MASK) << 3;
    this.at = entry;
    this.score = view.getFloat64(at, true);
    this.member.setStored(view, at + SCORED_MEMBER_KEY_AT);
  }

  /**
   * Throws when the two structures of a TREE disagree, or a listpack is out of order.
   * COLD: for tests.
   */
  verify(): void {
    if (this.encoding === ZsetEncoding.TREE) {
      this.index.verify();
      this.tree.verify();
      if (this.index.size !== this.tree.size) throw new Error("index and tree differ in size");
      this.index.eachEntry((entry) => {
        if (this.tree.seek(this.tree.rankOf(entry)) !== entry) throw new Error("not in the tree");
      });
      return;
    }
    let before = -Infinity;
    let text: Uint8Array | null = null;
    for (let at = listpackFirst(this.view, this.base); at !== 0;) {
      this.loadPair(at);
      const own = new Uint8Array(this.member.textLength());
      this.member.writeText(own, new DataView(own.buffer), 0);
      if (this.score < before) throw new Error("scores out of order");
      if (text !== null && this.score === before && Buffer.compare(text, own) >= 0) {
        throw new Error("members out of order");
      }
      before = this.score;
      text = own;
      at = this.pairEnd(at);
      if (listpackIsEnd(this.view, at)) break;
    }
  }

  /** Notes the text of a member that another cursor is at. */
  private takeText(member: ListpackEntry): void {
    if (member.isInteger) {
      this.givenView = this.textView;
      this.givenStart = 0;
      this.givenEnd = member.writeText(this.text, this.textView, 0);
    } else {
      this.givenView = member.view;
      this.givenStart = member.start;
      this.givenEnd = member.start + member.length;
    }
  }

  /** Finds the attached value's memory anew after `root` changed. */
  private reload(): void {
    const { root } = this;
    if (this.encoding === ZsetEncoding.TREE) {
      this.index.attach(root);
      this.tree.attach(root, INDEX_STATE_BYTES);
      return;
    }
    this.view = this.arena.views[root >>> Ref.SEGMENT_SHIFT];
    this.bytes = this.arena.bytes[root >>> Ref.SEGMENT_SHIFT];
    this.base = listpackBase(root);
  }

  /** The offset behind a member and its score. */
  private pairEnd(at: number): number {
    return listpackNext(this.view, listpackNext(this.view, at));
  }

  private loadPair(at: number): void {
    this.at = at;
    this.member.read(this.view, at);
    this.score = this.scoreAt(listpackNext(this.view, at));
  }

  /** The score in the listpack entry at `at`. */
  private scoreAt(at: number): number {
    const { other } = this;
    other.read(this.view, at);
    if (other.isInteger) {
      return other.value === other.value ? other.value : other.high * TWO_32 + (other.low >>> 0);
    }
    return parseDouble(this.bytes, other.start, other.start + other.length);
  }

  private compare(entry: ListpackEntry, view: DataView, start: number, length: number): number {
    if (!entry.isInteger) {
      return compareBytes(entry.view, entry.start, entry.length, view, start, length);
    }
    const from = DOUBLE_BYTES_MAX;
    const end = entry.writeText(this.text, this.textView, from);
    return compareBytes(this.textView, from, end - from, view, start, length);
  }

  /** Inserts a member into the listpack, in order. */
  private insertPair(view: DataView, start: number, end: number, score: number): void {
    let at = this.base + Listpack.HEADER;
    while (!listpackIsEnd(this.view, at)) {
      const scoreAt = listpackNext(this.view, at);
      const other = this.scoreAt(scoreAt);
      if (other > score) break;
      if (other === score) {
        this.other.read(this.view, at);
        if (this.compare(this.other, view, start, end - start) > 0) break;
      }
      at = listpackNext(this.view, scoreAt);
    }
    this.insertPairAt(at, view, start, end, score);
  }

  private insertPairAt(
    at: number,
    view: DataView,
    start: number,
    end: number,
    score: number,
  ): void {
    const { arena } = this;
    const offset = at - this.base;
    this.root = listpackInsert(arena, this.root, at, view, start, end);
    this.reload();
    const scoreAt = listpackNext(this.view, this.base + offset);
    if (Number.isSafeInteger(score)) {
      // + 0 makes -0 a plain zero, as an integer has no other.
      this.root = listpackInsertInteger(arena, this.root, scoreAt, score + 0);
    } else {
      const textEnd = writeDouble(this.text, 0, score);
      this.root = listpackInsert(arena, this.root, scoreAt, this.textView, 0, textEnd);
    }
    this.reload();
  }

  private insertEntry(
    view: DataView,
    start: number,
    end: number,
    score: number,
    hash: number,
  ): void {
    const { arena, index, tree } = this;
    const entry = allocateScoredMember(arena, score, view, start, end - start);
    let isInTree = false;
    // Memory may end at each step; then the set is as it was.
    try {
      tree.insert(entry);
      isInTree = true;
      index.insert(entry, hash);
    } catch (error) {
      if (isInTree) tree.remove(entry);
      freeScoredMember(arena, entry);
      throw error;
    }
    index.store(this.root);
  }

  /** Frees an entry that the tree does not have any more, and takes it out of the index. */
  private dropEntry(entry: number): void {
    const { index, arena } = this;
    const start = memberStart(arena, entry);
    const length = memberLength(arena, entry);
    index.removeEntry(entry, index.hash(memberView(arena, entry), start, start + length));
    arena.free(entry, scoredMemberBytes(length));
  }

  /** Makes the listpack a TREE. */
  private toTree(): void {
    const { root, member, index } = this;
    // The listpack stays loaded in `view`, `bytes` and `base` while the tree grows.
    this.createTree();
    for (let at = this.base + Listpack.HEADER; !listpackIsEnd(this.view, at);) {
      this.loadPair(at);
      const view = member.isInteger ? this.textView : member.view;
      // Not at offset 0, where the member that is being added may be.
      const start = member.isInteger ? DOUBLE_BYTES_MAX : member.start;
      const end = member.isInteger
        ? member.writeText(this.text, this.textView, start)
        : start + member.length;
      this.insertEntry(view, start, end, this.score, index.hash(view, start, end));
      at = this.pairEnd(at);
    }
    listpackFree(this.arena, root);
  }

  /** Moves an entry if it lies in a sparse span; returns where it is. */
  private compactEntry(entry: number): number {
    const { arena, tree } = this;
    const length = memberLength(arena, entry);
    if (!arena.isSparse(entry, scoredMemberBytes(length))) return entry;
    const start = memberStart(arena, entry);
    const score = scoreOf(arena, entry);
    const moved = allocateScoredMember(arena, score, memberView(arena, entry), start, length);
    tree.replaceEntry(entry, moved);
    freeScoredMember(arena, entry);
    return moved;
  }
}
