// HOT PATH: rules in src/README.md
/**
 * A B+ tree with subtree counts: the order of a large sorted set, by score, then by member.
 *
 * It refers to the members' entries (scored-member.ts), which the member index refers to as well;
 * it owns its nodes, not the entries. One object serves all sorted sets of an engine: `attach`
 * points it at the state of one, in the block that the sorted set's record refers to.
 *
 *     state    offset  size  meaning
 *     (24 B)        0     4  root node; 0 = empty
 *                   4     4  height: levels of inner nodes above the leaves
 *                   8     4  count of entries
 *                  12     4  first leaf
 *                  16     4  last leaf
 *                  20     4  unused
 *
 *     leaf     offset  size  meaning
 *     (760 B)       0     4  count: 1..62
 *                   4     4  previous leaf; 0 = none
 *                   8     4  next leaf; 0 = none
 *                  12     4  unused
 *                  16   496  62 scores (f64)
 *                 512   248  62 entries
 *
 *     inner    offset  size  meaning
 *     (1276 B)      0     4  count of children: 1..63
 *                   4    12  unused
 *                  16   504  63 scores \ of the first entry
 *                 520   252  63 entries / below the child
 *                 772   252  63 children
 *                1024   252  63 counts of entries below the child
 *
 * Invariants
 *  1. Entries ascend strictly by (score, member bytes) over all leaves; -0 and 0 are one score.
 *  2. A leaf's score is its entry's score (equal as numbers).
 *  3. Every child's slot holds the score and the reference of the first entry below it, and how
 *     many entries there are below it.
 *  4. All leaves lie at one depth; the root is a leaf or has two children or more.
 *  5. No node is empty. A node that a removal leaves less than a quarter full is merged with a
 *     neighbour below the same parent if both together fill three quarters at most.
 *
 * insert, remove, changeScore, rank and select are O(log n), next and previous O(1); appending in
 * order is O(height) and fills the leaves completely, which makes bulk loading linear. Inserted at
 * random, leaves are 69 % full: some 18 bytes per entry, with the inner nodes.
 *
 * Scores stand in the nodes although the entries have them: a search then touches three cache lines
 * per level, and an entry only where scores are equal.
 *
 * Why not a skip list: one cache miss per step and 1.33 pointers and spans per entry. Why no
 * rebalancing between neighbours: it saves few bytes, and costs two more cases.
 * Source: D. Comer, "The Ubiquitous B-Tree" (1979); counts as in D. Knuth, TAOCP 3, 6.2.4.
 */
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import {
  compareMember,
  memberLength,
  memberStart,
  memberView,
  scoreOf,
  setScore,
} from "./scored-member.ts";

/** Bytes of a tree's state. Zeros are an empty tree. */
export const RANKED_TREE_STATE_BYTES = 24;

const ROOT = 0;
const HEIGHT = 1;
const COUNT = 2;
const FIRST = 3;
const LAST = 4;

const LEAF_MAX = 62;
const LEAF_MIN = 16;
const LEAF_MERGED_MAX = 46;
const LEAF_BYTES = 760;
const PREVIOUS_WORD = 1;
const NEXT_WORD = 2;
const LEAF_ENTRIES = 128;

const INNER_MAX = 63;
const INNER_MIN = 16;
const INNER_MERGED_MAX = 47;
const INNER_BYTES = 1276;
const INNER_ENTRIES = 130;
const CHILDREN = 193;
const COUNTS = 256;

/** Scores begin here in leaves and inner nodes, in words. */
const SCORES = 4;
/** More levels than 2^31 entries can have under invariant 5. */
const HEIGHT_MAX = 16;
/** Up to so many words are moved one by one; beyond, the call to copyWithin pays. */
const LOOP_WORDS_MAX = 40;

const NO_WORDS = new Int32Array(0);

export class RankedTree {
  private words: Int32Array = NO_WORDS;
  /** Index of the state's first word in `words`. */
  private at = 0;

  /** The inner nodes from the root to the last leaf that was searched, and the children taken. */
  private readonly pathNode = new Int32Array(HEIGHT_MAX);
  private readonly pathIndex = new Int32Array(HEIGHT_MAX);
  /** That leaf, and the position in it. */
  private leaf = 0;
  private position = 0;

  /** Nodes allocated before an insertion begins to change anything: memory may end in between. */
  private spareLeaf = 0;
  private readonly spareInner = new Int32Array(HEIGHT_MAX);
  private spareInnerCount = 0;

  constructor(private readonly arena: Arena) {}

  /** Points this object at the tree whose state begins `offset` bytes into a block (in 4s). */
  attach(block: number, offset: number): void {
    this.words = this.arena.words[block >>> Ref.SEGMENT_SHIFT];
    this.at = ((block & Ref.GRANULE_MASK) << 1) + (offset >> 2);
  }

  /** Points this object at an empty tree, whose state is to be there. */
  attachNew(block: number, offset: number): void {
    this.attach(block, offset);
    this.words.fill(0, this.at, this.at + (RANKED_TREE_STATE_BYTES >> 2));
  }

  /** Entries in the tree. */
  get size(): number {
    return this.words[this.at + COUNT];
  }

  /** Adds an entry. Requires: its score is set; no entry has its member. Grows the arena. */
  insert(entry: number): void {
    this.insertWithScore(entry, scoreOf(this.arena, entry));
  }

  /** Takes an entry out. Requires: it is in the tree. The entry itself stays. */
  remove(entry: number): void {
    this.find(entry, scoreOf(this.arena, entry));
    this.removeFound();
  }

  /** Takes the entry of this rank out and returns it. Requires: rank < size. */
  removeAt(rank: number): number {
    this.descendToRank(rank);
    const entry =
      this.arena.words[this.leaf >>> Ref.SEGMENT_SHIFT][
        ((this.leaf & Ref.GRANULE_MASK) << 1) + LEAF_ENTRIES + this.position
      ];
    this.removeFound();
    return entry;
  }

  /**
   * Gives an entry another score, and the place that it deserves then. Requires: it is in the tree.
   * Grows the arena.
   */
  changeScore(entry: number, score: number): void {
    const { arena } = this;
    const oldScore = scoreOf(arena, entry);
    this.find(entry, oldScore);
    if (this.staysBetweenNeighbours(entry, oldScore, score)) {
      const node = (this.leaf & Ref.GRANULE_MASK) << 1;
      arena.views[this.leaf >>> Ref.SEGMENT_SHIFT].setFloat64(
        ((node + SCORES) << 2) + (this.position << 3),
        score,
        true,
      );
      if (this.position === 0) this.raiseFirst(this.words[this.at + HEIGHT] - 1, entry, score);
    } else {
      // Inserted first, since memory may end there: then nothing has changed. Until the second
      // step the entry is in the tree twice, told apart by the nodes' scores.
      this.insertWithScore(entry, score);
      this.find(entry, oldScore);
      this.removeFound();
    }
    setScore(arena, entry, score);
  }

  /** Names `moved` where the tree named `entry`. Requires: `moved` is a copy of it. */
  replaceEntry(entry: number, moved: number): void {
    this.find(entry, scoreOf(this.arena, entry));
    const node = (this.leaf & Ref.GRANULE_MASK) << 1;
    this.arena.words[this.leaf >>> Ref.SEGMENT_SHIFT][node + LEAF_ENTRIES + this.position] = moved;
    if (this.position === 0) {
      this.raiseFirst(this.words[this.at + HEIGHT] - 1, moved, scoreOf(this.arena, moved));
    }
  }

  /** The number of entries before this one. Requires: it is in the tree. */
  rankOf(entry: number): number {
    this.find(entry, scoreOf(this.arena, entry));
    return this.rankOfPosition();
  }

  /** How many entries have a score below `score`, or, with `inclusive`, not above it. */
  countBelow(score: number, inclusive: boolean): number {
    const { arena } = this;
    let node = this.words[this.at + ROOT];
    if (node === 0) return 0;
    let rank = 0;
    for (let level = this.words[this.at + HEIGHT]; level > 0; level--) {
      const words = arena.words[node >>> Ref.SEGMENT_SHIFT];
      const base = (node & Ref.GRANULE_MASK) << 1;
      const bound = scoreBound(
        arena.views[node >>> Ref.SEGMENT_SHIFT],
        base,
        words[base],
        score,
        inclusive,
      );
      if (bound === 0) return rank;
      for (let i = 0; i < bound - 1; i++) rank += words[base + COUNTS + i];
      node = words[base + CHILDREN + bound - 1];
    }
    const base = (node & Ref.GRANULE_MASK) << 1;
    const count = arena.words[node >>> Ref.SEGMENT_SHIFT][base];
    return (
      rank + scoreBound(arena.views[node >>> Ref.SEGMENT_SHIFT], base, count, score, inclusive)
    );
  }

  /**
   * How many entries have a member below the given one, or, with `inclusive`, not above it.
   * Requires: all scores are equal; otherwise the result is some number up to `size`.
   */
  countBelowMember(view: DataView, from: number, length: number, inclusive: boolean): number {
    const { arena } = this;
    let node = this.words[this.at + ROOT];
    if (node === 0) return 0;
    let rank = 0;
    for (let level = this.words[this.at + HEIGHT]; level > 0; level--) {
      const words = arena.words[node >>> Ref.SEGMENT_SHIFT];
      const base = (node & Ref.GRANULE_MASK) << 1;
      const entries = base + INNER_ENTRIES;
      const bound = this.memberBound(words, entries, words[base], view, from, length, inclusive);
      if (bound === 0) return rank;
      for (let i = 0; i < bound - 1; i++) rank += words[base + COUNTS + i];
      node = words[base + CHILDREN + bound - 1];
    }
    const words = arena.words[node >>> Ref.SEGMENT_SHIFT];
    const base = (node & Ref.GRANULE_MASK) << 1;
    const entries = base + LEAF_ENTRIES;
    return rank + this.memberBound(words, entries, words[base], view, from, length, inclusive);
  }

  /**
   * Puts the cursor on the entry of this rank and returns it. The cursor is lost by any other
   * method but `next` and `previous`. Requires: rank < size.
   */
  seek(rank: number): number {
    this.descendToRank(rank);
    return this.entryAtCursor();
  }

  /** Moves the cursor up and returns the entry there, or 0 at the end. */
  next(): number {
    const words = this.arena.words[this.leaf >>> Ref.SEGMENT_SHIFT];
    const node = (this.leaf & Ref.GRANULE_MASK) << 1;
    const position = this.position + 1;
    if (position < words[node]) {
      this.position = position;
      return words[node + LEAF_ENTRIES + position];
    }
    const next = words[node + NEXT_WORD];
    if (next === 0) return 0;
    this.leaf = next;
    this.position = 0;
    return this.entryAtCursor();
  }

  /** Moves the cursor down and returns the entry there, or 0 at the start. */
  previous(): number {
    const words = this.arena.words[this.leaf >>> Ref.SEGMENT_SHIFT];
    const node = (this.leaf & Ref.GRANULE_MASK) << 1;
    if (this.position > 0) return words[node + LEAF_ENTRIES + --this.position];
    const previous = words[node + PREVIOUS_WORD];
    if (previous === 0) return 0;
    this.leaf = previous;
    this.position =
      this.arena.words[previous >>> Ref.SEGMENT_SHIFT][(previous & Ref.GRANULE_MASK) << 1] - 1;
    return this.entryAtCursor();
  }

  /** The entry with the lowest score, or 0. O(1). */
  first(): number {
    const leaf = this.words[this.at + FIRST];
    if (leaf === 0) return 0;
    return this.arena.words[leaf >>> Ref.SEGMENT_SHIFT][
      ((leaf & Ref.GRANULE_MASK) << 1) + LEAF_ENTRIES
    ];
  }

  /** The entry with the highest score, or 0. O(1). */
  last(): number {
    const leaf = this.words[this.at + LAST];
    if (leaf === 0) return 0;
    const words = this.arena.words[leaf >>> Ref.SEGMENT_SHIFT];
    const node = (leaf & Ref.GRANULE_MASK) << 1;
    return words[node + LEAF_ENTRIES + words[node] - 1];
  }

  /** Frees all nodes and makes the tree empty; the entries stay. O(nodes). */
  clear(): void {
    this.freeInnerNodes();
    this.freeLeaves(Infinity);
  }

  /**
   * Frees the inner nodes. Requires: nothing but `freeLeaves` is called any more until all are
   * freed. O(inner nodes).
   */
  freeInnerNodes(): void {
    const { words, at } = this;
    if (words[at + HEIGHT] > 0) this.freeInnerBelow(words[at + ROOT], words[at + HEIGHT]);
    words[at + ROOT] = 0;
    words[at + HEIGHT] = 0;
    words[at + COUNT] = 0;
  }

  /** Frees up to `countMax` leaves after `freeInnerNodes`. Returns whether there are more. */
  freeLeaves(countMax: number): boolean {
    const { arena, words, at } = this;
    let leaf = words[at + FIRST];
    for (let i = 0; i < countMax && leaf !== 0; i++) {
      const next =
        arena.words[leaf >>> Ref.SEGMENT_SHIFT][((leaf & Ref.GRANULE_MASK) << 1) + NEXT_WORD];
      arena.free(leaf, LEAF_BYTES);
      leaf = next;
    }
    words[at + FIRST] = leaf;
    if (leaf === 0) words[at + LAST] = 0;
    return leaf !== 0;
  }

  /** Bytes of arena memory that the nodes occupy. O(inner nodes). */
  memoryBytes(): number {
    const root = this.words[this.at + ROOT];
    return root === 0 ? 0 : this.bytesBelow(root, this.words[this.at + HEIGHT]);
  }

  /**
   * Moves the nodes that lie in sparse spans. O(nodes).
   * COLD: for the compactor.
   */
  compact(): void {
    const root = this.words[this.at + ROOT];
    if (root !== 0)
      this.words[this.at + ROOT] = this.compactNode(root, this.words[this.at + HEIGHT]);
  }

  /**
   * Throws when an invariant of the header is broken. O(entries).
   * COLD: for tests.
   */
  verify(): void {
    const { words, at, arena } = this;
    const root = words[at + ROOT];
    if (root === 0) {
      for (let i = 0; i <= LAST; i++) {
        if (words[at + i] !== 0) throw new Error("an empty tree with state");
      }
      return;
    }
    const height = words[at + HEIGHT];
    if (height > 0 && this.countOf(root) < 2) throw new Error("a root with one child");
    const leaves: number[] = [];
    if (this.verifyNode(root, height, leaves) !== words[at + COUNT]) throw new Error("wrong count");
    if (leaves[0] !== words[at + FIRST]) throw new Error("wrong first leaf");
    if (leaves[leaves.length - 1] !== words[at + LAST]) throw new Error("wrong last leaf");
    for (let i = 0; i < leaves.length; i++) {
      const leafWords = arena.words[leaves[i] >>> Ref.SEGMENT_SHIFT];
      const node = (leaves[i] & Ref.GRANULE_MASK) << 1;
      if (leafWords[node + PREVIOUS_WORD] !== (leaves[i - 1] ?? 0)) throw new Error("wrong link");
      if (leafWords[node + NEXT_WORD] !== (leaves[i + 1] ?? 0)) throw new Error("wrong link");
    }
    let before = this.seek(0);
    for (let entry = this.next(); entry !== 0; entry = this.next()) {
      const difference = scoreOf(arena, before) - scoreOf(arena, entry);
      const order = compareMember(
        arena,
        before,
        memberView(arena, entry),
        memberStart(arena, entry),
        memberLength(arena, entry),
      );
      if (difference > 0 || (!(difference < 0) && order >= 0 && this.sameScore(before, entry))) {
        throw new Error("entries out of order");
      }
      before = entry;
    }
  }

  /**
   * The number of entries below a node. Collects the leaves.
   * COLD: for tests.
   */
  private verifyNode(reference: number, level: number, leaves: number[]): number {
    const { arena } = this;
    const words = arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    const count = words[node];
    if (count < 1 || count > (level === 0 ? LEAF_MAX : INNER_MAX)) throw new Error("wrong fill");
    if (level === 0) {
      leaves.push(reference);
      for (let i = 0; i < count; i++) {
        const score = view.getFloat64(((node + SCORES) << 2) + (i << 3), true);
        if (score !== scoreOf(arena, words[node + LEAF_ENTRIES + i]))
          throw new Error("wrong score");
      }
      return count;
    }
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const child = words[node + CHILDREN + i];
      const below = this.verifyNode(child, level - 1, leaves);
      if (below !== words[node + COUNTS + i]) throw new Error("wrong count of a child");
      const score = view.getFloat64(((node + SCORES) << 2) + (i << 3), true);
      const entry = words[node + INNER_ENTRIES + i];
      if (entry !== this.firstEntryOf(child, level - 1)) throw new Error("wrong first entry");
      if (score !== scoreOf(arena, entry)) throw new Error("wrong score of a child");
      sum += below;
    }
    return sum;
  }

  private sameScore(a: number, b: number): boolean {
    return scoreOf(this.arena, a) === scoreOf(this.arena, b);
  }

  private firstEntryOf(reference: number, level: number): number {
    const words = this.arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    return words[node + (level === 0 ? LEAF_ENTRIES : INNER_ENTRIES)];
  }

  private countOf(reference: number): number {
    return this.arena.words[reference >>> Ref.SEGMENT_SHIFT][(reference & Ref.GRANULE_MASK) << 1];
  }

  private entryAtCursor(): number {
    return this.arena.words[this.leaf >>> Ref.SEGMENT_SHIFT][
      ((this.leaf & Ref.GRANULE_MASK) << 1) + LEAF_ENTRIES + this.position
    ];
  }

  private insertFirst(entry: number, score: number): void {
    const { arena, words, at } = this;
    const leaf = arena.allocate(LEAF_BYTES);
    const leafWords = arena.words[leaf >>> Ref.SEGMENT_SHIFT];
    const node = (leaf & Ref.GRANULE_MASK) << 1;
    leafWords[node] = 0;
    leafWords[node + PREVIOUS_WORD] = 0;
    leafWords[node + NEXT_WORD] = 0;
    insertIntoLeaf(leafWords, arena.views[leaf >>> Ref.SEGMENT_SHIFT], node, 0, entry, score);
    words[at + ROOT] = leaf;
    words[at + HEIGHT] = 0;
    words[at + COUNT] = 1;
    words[at + FIRST] = leaf;
    words[at + LAST] = leaf;
  }

  /** Whether a key lies above that of the last entry. Requires: the tree is not empty. */
  private isAboveAll(score: number, view: DataView, from: number, length: number): boolean {
    const leaf = this.words[this.at + LAST];
    const node = (leaf & Ref.GRANULE_MASK) << 1;
    const last = this.arena.words[leaf >>> Ref.SEGMENT_SHIFT][node] - 1;
    const lastScore = this.arena.views[leaf >>> Ref.SEGMENT_SHIFT].getFloat64(
      ((node + SCORES) << 2) + (last << 3),
      true,
    );
    if (score !== lastScore) return score > lastScore;
    const entry = this.arena.words[leaf >>> Ref.SEGMENT_SHIFT][node + LEAF_ENTRIES + last];
    return compareMember(this.arena, entry, view, from, length) < 0;
  }

  /** Points path, leaf and position behind the last entry. */
  private descendToEnd(): void {
    const { arena } = this;
    let reference = this.words[this.at + ROOT];
    const height = this.words[this.at + HEIGHT];
    for (let level = 0; level < height; level++) {
      const words = arena.words[reference >>> Ref.SEGMENT_SHIFT];
      const node = (reference & Ref.GRANULE_MASK) << 1;
      this.pathNode[level] = reference;
      this.pathIndex[level] = words[node] - 1;
      reference = words[node + CHILDREN + words[node] - 1];
    }
    this.leaf = reference;
    this.position = this.countOf(reference);
  }

  /** Points path, leaf and position behind the last entry whose key is not above the given one. */
  private descend(score: number, view: DataView, from: number, length: number): void {
    const { arena } = this;
    let reference = this.words[this.at + ROOT];
    const height = this.words[this.at + HEIGHT];
    for (let level = 0; level < height; level++) {
      const bound = this.keyBound(reference, INNER_ENTRIES, score, view, from, length);
      const index = bound === 0 ? 0 : bound - 1;
      this.pathNode[level] = reference;
      this.pathIndex[level] = index;
      reference =
        arena.words[reference >>> Ref.SEGMENT_SHIFT][
          ((reference & Ref.GRANULE_MASK) << 1) + CHILDREN + index
        ];
    }
    this.leaf = reference;
    this.position = this.keyBound(reference, LEAF_ENTRIES, score, view, from, length);
  }

  /** Points path, leaf and position at an entry of the tree, which has this score there. */
  private find(entry: number, score: number): void {
    const { arena } = this;
    this.descend(
      score,
      memberView(arena, entry),
      memberStart(arena, entry),
      memberLength(arena, entry),
    );
    this.position--;
    if (DEBUG && this.entryAtCursor() !== entry) throw new Error("the entry is not in the tree");
  }

  /** Points path, leaf and position at the entry of a rank. */
  private descendToRank(rank: number): void {
    const { arena } = this;
    let reference = this.words[this.at + ROOT];
    let rest = rank;
    const height = this.words[this.at + HEIGHT];
    for (let level = 0; level < height; level++) {
      const words = arena.words[reference >>> Ref.SEGMENT_SHIFT];
      const node = (reference & Ref.GRANULE_MASK) << 1;
      let index = 0;
      while (rest >= words[node + COUNTS + index]) rest -= words[node + COUNTS + index++];
      this.pathNode[level] = reference;
      this.pathIndex[level] = index;
      reference = words[node + CHILDREN + index];
    }
    this.leaf = reference;
    this.position = rest;
  }

  private rankOfPosition(): number {
    let rank = this.position;
    const height = this.words[this.at + HEIGHT];
    for (let level = 0; level < height; level++) {
      const reference = this.pathNode[level];
      const words = this.arena.words[reference >>> Ref.SEGMENT_SHIFT];
      const counts = ((reference & Ref.GRANULE_MASK) << 1) + COUNTS;
      for (let i = this.pathIndex[level] - 1; i >= 0; i--) rank += words[counts + i];
    }
    return rank;
  }

  /** How many keys of a node, whose entries begin at word `entriesAt`, are not above a key. */
  private keyBound(
    reference: number,
    entriesAt: number,
    score: number,
    view: DataView,
    from: number,
    length: number,
  ): number {
    const { arena } = this;
    const words = arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const nodeView = arena.views[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    const scores = (node + SCORES) << 2;
    let low = 0;
    let high = words[node];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = nodeView.getFloat64(scores + (middle << 3), true);
      const isBelow =
        other !== score
          ? other < score
          : compareMember(arena, words[node + entriesAt + middle], view, from, length) <= 0;
      if (isBelow) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private memberBound(
    words: Int32Array,
    entries: number,
    count: number,
    view: DataView,
    from: number,
    length: number,
    inclusive: boolean,
  ): number {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareMember(this.arena, words[entries + middle], view, from, length);
      if (order < 0 || (inclusive && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether the entry that was found may keep its place with another score. */
  private staysBetweenNeighbours(entry: number, oldScore: number, score: number): boolean {
    const { arena, position } = this;
    const words = arena.words[this.leaf >>> Ref.SEGMENT_SHIFT];
    const view = arena.views[this.leaf >>> Ref.SEGMENT_SHIFT];
    const node = (this.leaf & Ref.GRANULE_MASK) << 1;
    const scores = (node + SCORES) << 2;
    if (position > 0) {
      const before = view.getFloat64(scores + ((position - 1) << 3), true);
      if (before > score) return false;
      if (before === score) {
        const neighbour = words[node + LEAF_ENTRIES + position - 1];
        if (this.compareMembers(neighbour, entry) > 0) return false;
      }
    } else if (words[node + PREVIOUS_WORD] !== 0 && score < oldScore) return false;
    if (position < words[node] - 1) {
      const after = view.getFloat64(scores + ((position + 1) << 3), true);
      if (after < score) return false;
      if (after !== score) return true;
      return this.compareMembers(words[node + LEAF_ENTRIES + position + 1], entry) > 0;
    }
    return words[node + NEXT_WORD] === 0 || score <= oldScore;
  }

  private compareMembers(a: number, b: number): number {
    const { arena } = this;
    return compareMember(
      arena,
      a,
      memberView(arena, b),
      memberStart(arena, b),
      memberLength(arena, b),
    );
  }

  /**
   * Writes a new first entry into the slots that name it, from `level` up: as long as the path
   * takes first children.
   */
  private raiseFirst(level: number, entry: number, score: number): void {
    for (let i = level; i >= 0; i--) {
      const reference = this.pathNode[i];
      const index = this.pathIndex[i];
      const node = (reference & Ref.GRANULE_MASK) << 1;
      this.arena.words[reference >>> Ref.SEGMENT_SHIFT][node + INNER_ENTRIES + index] = entry;
      this.arena.views[reference >>> Ref.SEGMENT_SHIFT].setFloat64(
        ((node + SCORES) << 2) + (index << 3),
        score,
        true,
      );
      if (index !== 0) return;
    }
  }

  private insertWithScore(entry: number, score: number): void {
    const { words, at, arena } = this;
    if (words[at + ROOT] === 0) {
      this.insertFirst(entry, score);
      return;
    }
    const view = memberView(arena, entry);
    const from = memberStart(arena, entry);
    const length = memberLength(arena, entry);
    if (this.isAboveAll(score, view, from, length)) this.descendToEnd();
    else this.descend(score, view, from, length);
    const node = (this.leaf & Ref.GRANULE_MASK) << 1;
    const leafWords = arena.words[this.leaf >>> Ref.SEGMENT_SHIFT];
    if (leafWords[node] === LEAF_MAX) {
      this.insertSplitting(entry, score);
    } else {
      const leafView = arena.views[this.leaf >>> Ref.SEGMENT_SHIFT];
      insertIntoLeaf(leafWords, leafView, node, this.position, entry, score);
      const level = words[at + HEIGHT] - 1;
      this.addToCounts(level, 1);
      if (this.position === 0) this.raiseFirst(level, entry, score);
    }
    words[at + COUNT]++;
  }

  /** Adds to the counts of the path's children, from `level` up. */
  private addToCounts(level: number, difference: number): void {
    for (let i = level; i >= 0; i--) {
      const reference = this.pathNode[i];
      this.arena.words[reference >>> Ref.SEGMENT_SHIFT][
        ((reference & Ref.GRANULE_MASK) << 1) + COUNTS + this.pathIndex[i]
      ] += difference;
    }
  }

  /**
   * Inserts at the position that was found, in a full leaf: it is split in halves, or, at the
   * tree's end, left full beside a new leaf, as entries that come in order would leave halves.
   */
  private insertSplitting(entry: number, score: number): void {
    this.reserveNodes();
    const { arena, words, at } = this;
    const left = this.leaf;
    const right = this.spareLeaf;
    this.spareLeaf = 0;
    const leftWords = arena.words[left >>> Ref.SEGMENT_SHIFT];
    const rightWords = arena.words[right >>> Ref.SEGMENT_SHIFT];
    const leftNode = (left & Ref.GRANULE_MASK) << 1;
    const rightNode = (right & Ref.GRANULE_MASK) << 1;
    const next = leftWords[leftNode + NEXT_WORD];
    const kept = next === 0 && this.position === LEAF_MAX ? LEAF_MAX : LEAF_MAX >> 1;
    const moved = LEAF_MAX - kept;
    rightWords[rightNode] = moved;
    leftWords[leftNode] = kept;
    copyLeafSlots(rightWords, rightNode, 0, leftWords, leftNode, kept, moved);
    rightWords[rightNode + PREVIOUS_WORD] = left;
    rightWords[rightNode + NEXT_WORD] = next;
    leftWords[leftNode + NEXT_WORD] = right;
    if (next === 0) words[at + LAST] = right;
    else {
      arena.words[next >>> Ref.SEGMENT_SHIFT][((next & Ref.GRANULE_MASK) << 1) + PREVIOUS_WORD] =
        right;
    }
    const level = words[at + HEIGHT] - 1;
    // Between the halves the entry goes to the left one, unless that is full.
    if (this.position <= kept && kept < LEAF_MAX) {
      const view = arena.views[left >>> Ref.SEGMENT_SHIFT];
      insertIntoLeaf(leftWords, view, leftNode, this.position, entry, score);
      if (this.position === 0) this.raiseFirst(level, entry, score);
    } else {
      const view = arena.views[right >>> Ref.SEGMENT_SHIFT];
      insertIntoLeaf(rightWords, view, rightNode, this.position - kept, entry, score);
    }
    this.addSibling(level, right, leftWords[leftNode], rightWords[rightNode]);
  }

  /**
   * Adds `right`, split off from the path's child at `level`, to the right of it; from there up
   * full nodes are split as well. The counts are those of the two parts.
   */
  private addSibling(level: number, sibling: number, leftCount: number, rightCount: number): void {
    const { arena, words, at } = this;
    let right = sibling;
    let left = leftCount;
    let added = rightCount;
    const height = words[at + HEIGHT];
    for (let i = level; i >= 0; i--) {
      const reference = this.pathNode[i];
      const index = this.pathIndex[i];
      const nodeWords = arena.words[reference >>> Ref.SEGMENT_SHIFT];
      const node = (reference & Ref.GRANULE_MASK) << 1;
      nodeWords[node + COUNTS + index] = left;
      if (nodeWords[node] < INNER_MAX) {
        this.insertSlot(reference, index + 1, right, added, height - 1 - i);
        this.addToCounts(i - 1, 1);
        return;
      }
      const upper = this.splitInner(reference, index);
      const kept = nodeWords[node];
      if (index < kept) this.insertSlot(reference, index + 1, right, added, height - 1 - i);
      else this.insertSlot(upper, index + 1 - kept, right, added, height - 1 - i);
      right = upper;
      left = this.entriesBelow(reference);
      added = this.entriesBelow(upper);
    }
    const root = this.spareInner[--this.spareInnerCount];
    const old = words[at + ROOT];
    arena.words[root >>> Ref.SEGMENT_SHIFT][(root & Ref.GRANULE_MASK) << 1] = 0;
    this.insertSlot(root, 0, old, left, height);
    this.insertSlot(root, 1, right, added, height);
    words[at + ROOT] = root;
    words[at + HEIGHT] = height + 1;
  }

  /**
   * Moves the upper half of a full inner node to a new one, which it returns; at the end of the
   * node, where entries come in order, only one child.
   */
  private splitInner(reference: number, index: number): number {
    const { arena } = this;
    const upper = this.spareInner[--this.spareInnerCount];
    const words = arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const upperWords = arena.words[upper >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    const upperNode = (upper & Ref.GRANULE_MASK) << 1;
    const kept = index === INNER_MAX - 1 ? INNER_MAX - 1 : INNER_MAX >> 1;
    copyInnerSlots(upperWords, upperNode, 0, words, node, kept, INNER_MAX - kept);
    upperWords[upperNode] = INNER_MAX - kept;
    words[node] = kept;
    return upper;
  }

  /** Makes `child`, at `level` above the leaves, the child at `index` of a node with room. */
  private insertSlot(
    reference: number,
    index: number,
    child: number,
    count: number,
    level: number,
  ): void {
    const { arena } = this;
    const words = arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    const moved = words[node]++ - index;
    const scores = node + SCORES + (index << 1);
    moveWords(words, scores + 2, scores, moved << 1);
    for (let array = INNER_ENTRIES; array <= COUNTS; array += INNER_MAX) {
      moveWords(words, node + array + index + 1, node + array + index, moved);
    }
    const childWords = arena.words[child >>> Ref.SEGMENT_SHIFT];
    const childNode = (child & Ref.GRANULE_MASK) << 1;
    words[scores] = childWords[childNode + SCORES];
    words[scores + 1] = childWords[childNode + SCORES + 1];
    words[node + INNER_ENTRIES + index] =
      childWords[childNode + (level === 0 ? LEAF_ENTRIES : INNER_ENTRIES)];
    words[node + CHILDREN + index] = child;
    words[node + COUNTS + index] = count;
  }

  private entriesBelow(reference: number): number {
    const words = this.arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    let sum = 0;
    for (let i = words[node] - 1; i >= 0; i--) sum += words[node + COUNTS + i];
    return sum;
  }

  /**
   * Allocates the nodes that an insertion into the full leaf at the path's end needs. What is
   * allocated when memory ends stays for the next insertion. Grows the arena.
   */
  private reserveNodes(): void {
    const { arena } = this;
    if (this.spareLeaf === 0) this.spareLeaf = arena.allocate(LEAF_BYTES);
    let level = this.words[this.at + HEIGHT] - 1;
    let needed = 0;
    while (level >= 0 && this.countOf(this.pathNode[level]) === INNER_MAX) {
      needed++;
      level--;
    }
    if (level < 0) needed++;
    while (this.spareInnerCount < needed) {
      this.spareInner[this.spareInnerCount] = arena.allocate(INNER_BYTES);
      this.spareInnerCount++;
    }
  }

  /** Removes the entry at the position that was found, and mends the nodes on the path. */
  private removeFound(): void {
    const { arena, words, at } = this;
    const reference = this.leaf;
    const leafWords = arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    const count = --leafWords[node];
    const level = words[at + HEIGHT] - 1;
    words[at + COUNT]--;
    this.addToCounts(level, -1);
    if (count === 0) {
      this.unlinkLeaf(reference);
      this.removeChild(level);
      return;
    }
    const { position } = this;
    const moved = count - position;
    const scores = node + SCORES + (position << 1);
    moveWords(leafWords, scores, scores + 2, moved << 1);
    const entries = node + LEAF_ENTRIES + position;
    moveWords(leafWords, entries, entries + 1, moved);
    if (position === 0 && level >= 0) {
      const first = leafWords[node + LEAF_ENTRIES];
      const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
      this.raiseFirst(level, first, view.getFloat64((node + SCORES) << 2, true));
    }
    if (count < LEAF_MIN && level >= 0 && this.mergeLeaf(level)) this.mendInner(level);
  }

  /** Takes a leaf out of the chain and frees it. */
  private unlinkLeaf(reference: number): void {
    const { arena, words, at } = this;
    const leafWords = arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    const previous = leafWords[node + PREVIOUS_WORD];
    const next = leafWords[node + NEXT_WORD];
    if (previous === 0) words[at + FIRST] = next;
    else {
      arena.words[previous >>> Ref.SEGMENT_SHIFT][
        ((previous & Ref.GRANULE_MASK) << 1) + NEXT_WORD
      ] = next;
    }
    if (next === 0) words[at + LAST] = previous;
    else {
      arena.words[next >>> Ref.SEGMENT_SHIFT][((next & Ref.GRANULE_MASK) << 1) + PREVIOUS_WORD] =
        previous;
    }
    arena.free(reference, LEAF_BYTES);
  }

  /** Takes the path's child at `level`, which was freed, out of its node. */
  private removeChild(level: number): void {
    const { arena, words, at } = this;
    for (let i = level; i >= 0; i--) {
      const reference = this.pathNode[i];
      const index = this.pathIndex[i];
      removeSlot(
        arena.words[reference >>> Ref.SEGMENT_SHIFT],
        (reference & Ref.GRANULE_MASK) << 1,
        index,
      );
      if (this.countOf(reference) > 0) {
        if (index === 0 && i > 0) {
          const node = (reference & Ref.GRANULE_MASK) << 1;
          this.raiseFirst(
            i - 1,
            arena.words[reference >>> Ref.SEGMENT_SHIFT][node + INNER_ENTRIES],
            arena.views[reference >>> Ref.SEGMENT_SHIFT].getFloat64((node + SCORES) << 2, true),
          );
        }
        this.mendInner(i);
        return;
      }
      arena.free(reference, INNER_BYTES);
    }
    words[at + ROOT] = 0;
    words[at + HEIGHT] = 0;
  }

  /** Merges the path's inner nodes from `level` up, and lowers the tree if its root has one child. */
  private mendInner(level: number): void {
    const { arena, words, at } = this;
    let i = level;
    while (i > 0 && this.countOf(this.pathNode[i]) < INNER_MIN && this.mergeInner(i)) i--;
    while (words[at + HEIGHT] > 0) {
      const root = words[at + ROOT];
      const node = (root & Ref.GRANULE_MASK) << 1;
      const rootWords = arena.words[root >>> Ref.SEGMENT_SHIFT];
      if (rootWords[node] > 1) return;
      words[at + ROOT] = rootWords[node + CHILDREN];
      words[at + HEIGHT]--;
      arena.free(root, INNER_BYTES);
    }
  }

  /** Merges the path's leaf with a neighbour if both fit into one; says whether it did. */
  private mergeLeaf(level: number): boolean {
    const index = this.mergeableIndex(level, LEAF_MERGED_MAX);
    if (index < 0) return false;
    const { arena } = this;
    const parent = this.pathNode[level];
    const parentWords = arena.words[parent >>> Ref.SEGMENT_SHIFT];
    const parentNode = (parent & Ref.GRANULE_MASK) << 1;
    const left = parentWords[parentNode + CHILDREN + index];
    const right = parentWords[parentNode + CHILDREN + index + 1];
    const leftWords = arena.words[left >>> Ref.SEGMENT_SHIFT];
    const rightWords = arena.words[right >>> Ref.SEGMENT_SHIFT];
    const leftNode = (left & Ref.GRANULE_MASK) << 1;
    const rightNode = (right & Ref.GRANULE_MASK) << 1;
    const count = rightWords[rightNode];
    copyLeafSlots(leftWords, leftNode, leftWords[leftNode], rightWords, rightNode, 0, count);
    leftWords[leftNode] += count;
    parentWords[parentNode + COUNTS + index] += count;
    this.unlinkLeaf(right);
    removeSlot(parentWords, parentNode, index + 1);
    return true;
  }

  /** Merges the path's inner node at `level` with a neighbour if both fit; says whether it did. */
  private mergeInner(level: number): boolean {
    const index = this.mergeableIndex(level - 1, INNER_MERGED_MAX);
    if (index < 0) return false;
    const { arena } = this;
    const parent = this.pathNode[level - 1];
    const parentWords = arena.words[parent >>> Ref.SEGMENT_SHIFT];
    const parentNode = (parent & Ref.GRANULE_MASK) << 1;
    const left = parentWords[parentNode + CHILDREN + index];
    const right = parentWords[parentNode + CHILDREN + index + 1];
    const leftWords = arena.words[left >>> Ref.SEGMENT_SHIFT];
    const rightWords = arena.words[right >>> Ref.SEGMENT_SHIFT];
    const leftNode = (left & Ref.GRANULE_MASK) << 1;
    const rightNode = (right & Ref.GRANULE_MASK) << 1;
    const count = rightWords[rightNode];
    copyInnerSlots(leftWords, leftNode, leftWords[leftNode], rightWords, rightNode, 0, count);
    leftWords[leftNode] += count;
    parentWords[parentNode + COUNTS + index] += parentWords[parentNode + COUNTS + index + 1];
    arena.free(right, INNER_BYTES);
    removeSlot(parentWords, parentNode, index + 1);
    return true;
  }

  /**
   * The left one of the two children to merge: the path's child at `level` and a neighbour, which
   * have at most `limit` slots together; -1 if neither neighbour will do.
   */
  private mergeableIndex(level: number, limit: number): number {
    const parent = this.pathNode[level];
    const words = this.arena.words[parent >>> Ref.SEGMENT_SHIFT];
    const node = (parent & Ref.GRANULE_MASK) << 1;
    const children = node + CHILDREN;
    const index = this.pathIndex[level];
    const own = this.countOf(words[children + index]);
    if (index + 1 < words[node] && own + this.countOf(words[children + index + 1]) <= limit) {
      return index;
    }
    if (index > 0 && own + this.countOf(words[children + index - 1]) <= limit) return index - 1;
    return -1;
  }

  private freeInnerBelow(reference: number, level: number): void {
    if (level > 1) {
      const words = this.arena.words[reference >>> Ref.SEGMENT_SHIFT];
      const node = (reference & Ref.GRANULE_MASK) << 1;
      for (let i = words[node] - 1; i >= 0; i--) {
        this.freeInnerBelow(words[node + CHILDREN + i], level - 1);
      }
    }
    this.arena.free(reference, INNER_BYTES);
  }

  private bytesBelow(reference: number, level: number): number {
    if (level === 0) return blockBytes(LEAF_BYTES);
    const words = this.arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    if (level === 1) return blockBytes(INNER_BYTES) + words[node] * blockBytes(LEAF_BYTES);
    let bytes = blockBytes(INNER_BYTES);
    for (let i = words[node] - 1; i >= 0; i--) {
      bytes += this.bytesBelow(words[node + CHILDREN + i], level - 1);
    }
    return bytes;
  }

  /**
   * Compacts what is below a node, then the node, and returns where it is now.
   * COLD: for the compactor.
   */
  private compactNode(reference: number, level: number): number {
    const { arena } = this;
    const words = arena.words[reference >>> Ref.SEGMENT_SHIFT];
    const node = (reference & Ref.GRANULE_MASK) << 1;
    const children = node + CHILDREN;
    for (let i = level === 0 ? 0 : words[node]; i > 0; i--) {
      words[children + i - 1] = this.compactNode(words[children + i - 1], level - 1);
    }
    const bytes = level === 0 ? LEAF_BYTES : INNER_BYTES;
    if (!arena.isSparse(reference, bytes)) return reference;
    const moved = arena.allocate(bytes);
    const target = (moved & Ref.GRANULE_MASK) << 1;
    const movedWords = arena.words[moved >>> Ref.SEGMENT_SHIFT];
    movedWords.set(words.subarray(node, node + (bytes >> 2)), target);
    if (level === 0) this.relinkLeaf(moved);
    arena.free(reference, bytes);
    return moved;
  }

  /** Lets the neighbours of a leaf that has moved name it. */
  private relinkLeaf(moved: number): void {
    const { arena, words, at } = this;
    const leafWords = arena.words[moved >>> Ref.SEGMENT_SHIFT];
    const node = (moved & Ref.GRANULE_MASK) << 1;
    const previous = leafWords[node + PREVIOUS_WORD];
    const next = leafWords[node + NEXT_WORD];
    if (previous === 0) words[at + FIRST] = moved;
    else {
      arena.words[previous >>> Ref.SEGMENT_SHIFT][
        ((previous & Ref.GRANULE_MASK) << 1) + NEXT_WORD
      ] = moved;
    }
    if (next === 0) words[at + LAST] = moved;
    else {
      arena.words[next >>> Ref.SEGMENT_SHIFT][((next & Ref.GRANULE_MASK) << 1) + PREVIOUS_WORD] =
        moved;
    }
  }
}

/** How many of a node's first `count` scores are below `score`, or, `inclusive`, not above it. */
function scoreBound(
  view: DataView,
  node: number,
  count: number,
  score: number,
  inclusive: boolean,
): number {
  const scores = (node + SCORES) << 2;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = view.getFloat64(scores + (middle << 3), true);
    if (other < score || (inclusive && other === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes room at `position` of a leaf that is not full, and puts an entry there. */
function insertIntoLeaf(
  words: Int32Array,
  view: DataView,
  node: number,
  position: number,
  entry: number,
  score: number,
): void {
  const moved = words[node]++ - position;
  const scores = node + SCORES + (position << 1);
  const entries = node + LEAF_ENTRIES + position;
  moveWords(words, scores + 2, scores, moved << 1);
  moveWords(words, entries + 1, entries, moved);
  view.setFloat64(scores << 2, score, true);
  words[entries] = entry;
}

/** Takes a child out of an inner node. */
function removeSlot(words: Int32Array, node: number, index: number): void {
  const moved = --words[node] - index;
  const scores = node + SCORES + (index << 1);
  moveWords(words, scores, scores + 2, moved << 1);
  for (let array = INNER_ENTRIES; array <= COUNTS; array += INNER_MAX) {
    moveWords(words, node + array + index, node + array + index + 1, moved);
  }
}

/** Copies `count` slots from one leaf to another. */
function copyLeafSlots(
  target: Int32Array,
  targetNode: number,
  to: number,
  source: Int32Array,
  sourceNode: number,
  from: number,
  count: number,
): void {
  const targetScores = targetNode + SCORES + (to << 1);
  const sourceScores = sourceNode + SCORES + (from << 1);
  for (let i = 0; i < count << 1; i++) target[targetScores + i] = source[sourceScores + i];
  const targetEntries = targetNode + LEAF_ENTRIES + to;
  const sourceEntries = sourceNode + LEAF_ENTRIES + from;
  for (let i = 0; i < count; i++) target[targetEntries + i] = source[sourceEntries + i];
}

/** Copies `count` slots from one inner node to another. */
function copyInnerSlots(
  target: Int32Array,
  targetNode: number,
  to: number,
  source: Int32Array,
  sourceNode: number,
  from: number,
  count: number,
): void {
  const targetScores = targetNode + SCORES + (to << 1);
  const sourceScores = sourceNode + SCORES + (from << 1);
  for (let i = 0; i < count << 1; i++) target[targetScores + i] = source[sourceScores + i];
  for (let array = INNER_ENTRIES; array <= COUNTS; array += INNER_MAX) {
    const targetAt = targetNode + array + to;
    const sourceAt = sourceNode + array + from;
    for (let i = 0; i < count; i++) target[targetAt + i] = source[sourceAt + i];
  }
}

/** Moves words within a node; the ranges may overlap. */
function moveWords(words: Int32Array, to: number, from: number, count: number): void {
  if (count > LOOP_WORDS_MAX) {
    words.copyWithin(to, from, from + count);
  } else if (to < from) {
    for (let i = 0; i < count; i++) words[to + i] = words[from + i];
  } else {
    for (let i = count - 1; i >= 0; i--) words[to + i] = words[from + i];
  }
}
