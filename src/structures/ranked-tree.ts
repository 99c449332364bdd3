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
 *     node     a leaf with up to 62 scores and entries, or an inner node with up to 63 children:
 *              see structures/ranked-tree-node.ts
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
import type { Arena } from "../memory/arena.ts";
import {
  Inner,
  Leaf,
  Node,
  bytesBelow,
  copyInnerSlots,
  copyLeafSlots,
  entriesBelow,
  freeInnerBelow,
  insertIntoLeaf,
  moveWords,
  nodeAt,
  removeSlot,
  scoreBound,
  verifyNode,
  viewOf,
  wordsOf,
} from "./ranked-tree-node.ts";
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

/** More levels than 2^31 entries can have under invariant 5. */
const HEIGHT_MAX = 16;
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

  /** Nodes allocated before an insertion changes anything, as memory may end; it uses them all. */
  private spareLeaf = 0;
  private readonly spareInner = new Int32Array(HEIGHT_MAX);
  private spareInnerCount = 0;

  constructor(private readonly arena: Arena) {}

  /** Points this object at the tree whose state begins `offset` bytes into a block (in 4s). */
  attach(block: number, offset: number): void {
    this.words = wordsOf(this.arena, block);
    this.at = nodeAt(block) + (offset >> 2);
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
    const entry = wordsOf(this.arena, this.leaf)[nodeAt(this.leaf) + Leaf.ENTRIES + this.position];
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
      const node = nodeAt(this.leaf);
      viewOf(arena, this.leaf).setFloat64(
        ((node + Node.SCORES) << 2) + (this.position << 3),
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
    const node = nodeAt(this.leaf);
    wordsOf(this.arena, this.leaf)[node + Leaf.ENTRIES + this.position] = moved;
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
      const words = wordsOf(arena, node);
      const base = nodeAt(node);
      const bound = scoreBound(viewOf(arena, node), base, words[base], score, inclusive);
      if (bound === 0) return rank;
      for (let i = 0; i < bound - 1; i++) rank += words[base + Inner.COUNTS + i];
      node = words[base + Inner.CHILDREN + bound - 1];
    }
    const base = nodeAt(node);
    const count = wordsOf(arena, node)[base];
    return rank + scoreBound(viewOf(arena, node), base, count, score, inclusive);
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
      const words = wordsOf(arena, node);
      const base = nodeAt(node);
      const entries = base + Inner.ENTRIES;
      const bound = this.memberBound(words, entries, words[base], view, from, length, inclusive);
      if (bound === 0) return rank;
      for (let i = 0; i < bound - 1; i++) rank += words[base + Inner.COUNTS + i];
      node = words[base + Inner.CHILDREN + bound - 1];
    }
    const words = wordsOf(arena, node);
    const base = nodeAt(node);
    const entries = base + Leaf.ENTRIES;
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
    const words = wordsOf(this.arena, this.leaf);
    const node = nodeAt(this.leaf);
    const position = this.position + 1;
    if (position < words[node]) {
      this.position = position;
      return words[node + Leaf.ENTRIES + position];
    }
    const next = words[node + Leaf.NEXT];
    if (next === 0) return 0;
    this.leaf = next;
    this.position = 0;
    return this.entryAtCursor();
  }

  /** Moves the cursor down and returns the entry there, or 0 at the start. */
  previous(): number {
    const words = wordsOf(this.arena, this.leaf);
    const node = nodeAt(this.leaf);
    if (this.position > 0) return words[node + Leaf.ENTRIES + --this.position];
    const previous = words[node + Leaf.PREVIOUS];
    if (previous === 0) return 0;
    this.leaf = previous;
    this.position = wordsOf(this.arena, previous)[nodeAt(previous)] - 1;
    return this.entryAtCursor();
  }

  /** The entry with the lowest score, or 0. O(1). */
  first(): number {
    const leaf = this.words[this.at + FIRST];
    if (leaf === 0) return 0;
    return wordsOf(this.arena, leaf)[nodeAt(leaf) + Leaf.ENTRIES];
  }

  /** The entry with the highest score, or 0. O(1). */
  last(): number {
    const leaf = this.words[this.at + LAST];
    if (leaf === 0) return 0;
    const words = wordsOf(this.arena, leaf);
    const node = nodeAt(leaf);
    return words[node + Leaf.ENTRIES + words[node] - 1];
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
    if (words[at + HEIGHT] > 0) freeInnerBelow(this.arena, words[at + ROOT], words[at + HEIGHT]);
    words[at + ROOT] = 0;
    words[at + HEIGHT] = 0;
    words[at + COUNT] = 0;
  }

  /** Frees up to `countMax` leaves after `freeInnerNodes`. Returns whether there are more. */
  freeLeaves(countMax: number): boolean {
    const { arena, words, at } = this;
    let leaf = words[at + FIRST];
    for (let i = 0; i < countMax && leaf !== 0; i++) {
      const next = wordsOf(arena, leaf)[nodeAt(leaf) + Leaf.NEXT];
      arena.free(leaf, Leaf.BYTES);
      leaf = next;
    }
    words[at + FIRST] = leaf;
    if (leaf === 0) words[at + LAST] = 0;
    return leaf !== 0;
  }

  /** Bytes of arena memory that the nodes occupy. O(inner nodes). */
  memoryBytes(): number {
    const root = this.words[this.at + ROOT];
    return root === 0 ? 0 : bytesBelow(this.arena, root, this.words[this.at + HEIGHT]);
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
    if (verifyNode(this.arena, root, height, leaves) !== words[at + COUNT])
      throw new Error("wrong count");
    if (leaves[0] !== words[at + FIRST]) throw new Error("wrong first leaf");
    if (leaves[leaves.length - 1] !== words[at + LAST]) throw new Error("wrong last leaf");
    for (let i = 0; i < leaves.length; i++) {
      const leafWords = wordsOf(arena, leaves[i]);
      const node = nodeAt(leaves[i]);
      if (leafWords[node + Leaf.PREVIOUS] !== (leaves[i - 1] ?? 0)) throw new Error("wrong link");
      if (leafWords[node + Leaf.NEXT] !== (leaves[i + 1] ?? 0)) throw new Error("wrong link");
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

  private sameScore(a: number, b: number): boolean {
    return scoreOf(this.arena, a) === scoreOf(this.arena, b);
  }

  private countOf(reference: number): number {
    return wordsOf(this.arena, reference)[nodeAt(reference)];
  }

  private entryAtCursor(): number {
    return wordsOf(this.arena, this.leaf)[nodeAt(this.leaf) + Leaf.ENTRIES + this.position];
  }

  private insertFirst(entry: number, score: number): void {
    const { arena, words, at } = this;
    const leaf = arena.allocate(Leaf.BYTES);
    const leafWords = wordsOf(arena, leaf);
    const node = nodeAt(leaf);
    leafWords[node] = 0;
    leafWords[node + Leaf.PREVIOUS] = 0;
    leafWords[node + Leaf.NEXT] = 0;
    insertIntoLeaf(leafWords, viewOf(arena, leaf), node, 0, entry, score);
    words[at + ROOT] = leaf;
    words[at + HEIGHT] = 0;
    words[at + COUNT] = 1;
    words[at + FIRST] = leaf;
    words[at + LAST] = leaf;
  }

  /** Whether a key lies above that of the last entry. Requires: the tree is not empty. */
  private isAboveAll(score: number, view: DataView, from: number, length: number): boolean {
    const leaf = this.words[this.at + LAST];
    const node = nodeAt(leaf);
    const last = wordsOf(this.arena, leaf)[node] - 1;
    const lastScore = viewOf(this.arena, leaf).getFloat64(
      ((node + Node.SCORES) << 2) + (last << 3),
      true,
    );
    if (score !== lastScore) return score > lastScore;
    const entry = wordsOf(this.arena, leaf)[node + Leaf.ENTRIES + last];
    return compareMember(this.arena, entry, view, from, length) < 0;
  }

  /** Points path, leaf and position behind the last entry. */
  private descendToEnd(): void {
    const { arena } = this;
    let reference = this.words[this.at + ROOT];
    const height = this.words[this.at + HEIGHT];
    for (let level = 0; level < height; level++) {
      const words = wordsOf(arena, reference);
      const node = nodeAt(reference);
      this.pathNode[level] = reference;
      this.pathIndex[level] = words[node] - 1;
      reference = words[node + Inner.CHILDREN + words[node] - 1];
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
      const bound = this.keyBound(reference, Inner.ENTRIES, score, view, from, length);
      const index = bound === 0 ? 0 : bound - 1;
      this.pathNode[level] = reference;
      this.pathIndex[level] = index;
      reference = wordsOf(arena, reference)[nodeAt(reference) + Inner.CHILDREN + index];
    }
    this.leaf = reference;
    this.position = this.keyBound(reference, Leaf.ENTRIES, score, view, from, length);
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
      const words = wordsOf(arena, reference);
      const node = nodeAt(reference);
      let index = 0;
      while (rest >= words[node + Inner.COUNTS + index])
        rest -= words[node + Inner.COUNTS + index++];
      this.pathNode[level] = reference;
      this.pathIndex[level] = index;
      reference = words[node + Inner.CHILDREN + index];
    }
    this.leaf = reference;
    this.position = rest;
  }

  private rankOfPosition(): number {
    let rank = this.position;
    const height = this.words[this.at + HEIGHT];
    for (let level = 0; level < height; level++) {
      const reference = this.pathNode[level];
      const words = wordsOf(this.arena, reference);
      const counts = nodeAt(reference) + Inner.COUNTS;
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
    const words = wordsOf(arena, reference);
    const nodeView = viewOf(arena, reference);
    const node = nodeAt(reference);
    const scores = (node + Node.SCORES) << 2;
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
    const words = wordsOf(arena, this.leaf);
    const view = viewOf(arena, this.leaf);
    const node = nodeAt(this.leaf);
    const scores = (node + Node.SCORES) << 2;
    if (position > 0) {
      const before = view.getFloat64(scores + ((position - 1) << 3), true);
      if (before > score) return false;
      if (before === score) {
        const neighbour = words[node + Leaf.ENTRIES + position - 1];
        if (this.compareMembers(neighbour, entry) > 0) return false;
      }
    } else if (words[node + Leaf.PREVIOUS] !== 0 && score < oldScore) return false;
    if (position < words[node] - 1) {
      const after = view.getFloat64(scores + ((position + 1) << 3), true);
      if (after < score) return false;
      if (after !== score) return true;
      return this.compareMembers(words[node + Leaf.ENTRIES + position + 1], entry) > 0;
    }
    return words[node + Leaf.NEXT] === 0 || score <= oldScore;
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
      const node = nodeAt(reference);
      wordsOf(this.arena, reference)[node + Inner.ENTRIES + index] = entry;
      viewOf(this.arena, reference).setFloat64(
        ((node + Node.SCORES) << 2) + (index << 3),
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
    const node = nodeAt(this.leaf);
    const leafWords = wordsOf(arena, this.leaf);
    if (leafWords[node] === Leaf.MAX) {
      this.insertSplitting(entry, score);
    } else {
      const leafView = viewOf(arena, this.leaf);
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
      wordsOf(this.arena, reference)[nodeAt(reference) + Inner.COUNTS + this.pathIndex[i]] +=
        difference;
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
    const leftWords = wordsOf(arena, left);
    const rightWords = wordsOf(arena, right);
    const leftNode = nodeAt(left);
    const rightNode = nodeAt(right);
    const next = leftWords[leftNode + Leaf.NEXT];
    const kept = next === 0 && this.position === Leaf.MAX ? Leaf.MAX : Leaf.MAX >> 1;
    const moved = Leaf.MAX - kept;
    rightWords[rightNode] = moved;
    leftWords[leftNode] = kept;
    copyLeafSlots(rightWords, rightNode, 0, leftWords, leftNode, kept, moved);
    rightWords[rightNode + Leaf.PREVIOUS] = left;
    rightWords[rightNode + Leaf.NEXT] = next;
    leftWords[leftNode + Leaf.NEXT] = right;
    this.setPrevious(next, right);
    const level = words[at + HEIGHT] - 1;
    // Between the halves the entry goes to the left one, unless that is full.
    if (this.position <= kept && kept < Leaf.MAX) {
      const view = viewOf(arena, left);
      insertIntoLeaf(leftWords, view, leftNode, this.position, entry, score);
      if (this.position === 0) this.raiseFirst(level, entry, score);
    } else {
      const view = viewOf(arena, right);
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
      const nodeWords = wordsOf(arena, reference);
      const node = nodeAt(reference);
      nodeWords[node + Inner.COUNTS + index] = left;
      if (nodeWords[node] < Inner.MAX) {
        this.insertSlot(reference, index + 1, right, added, height - 1 - i);
        this.addToCounts(i - 1, 1);
        return;
      }
      const upper = this.splitInner(reference, index);
      const kept = nodeWords[node];
      if (index < kept) this.insertSlot(reference, index + 1, right, added, height - 1 - i);
      else this.insertSlot(upper, index + 1 - kept, right, added, height - 1 - i);
      right = upper;
      left = entriesBelow(this.arena, reference);
      added = entriesBelow(this.arena, upper);
    }
    const root = this.spareInner[--this.spareInnerCount];
    const old = words[at + ROOT];
    wordsOf(arena, root)[nodeAt(root)] = 0;
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
    const words = wordsOf(arena, reference);
    const upperWords = wordsOf(arena, upper);
    const node = nodeAt(reference);
    const upperNode = nodeAt(upper);
    const kept = index === Inner.MAX - 1 ? Inner.MAX - 1 : Inner.MAX >> 1;
    copyInnerSlots(upperWords, upperNode, 0, words, node, kept, Inner.MAX - kept);
    upperWords[upperNode] = Inner.MAX - kept;
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
    const words = wordsOf(arena, reference);
    const node = nodeAt(reference);
    const moved = words[node]++ - index;
    const scores = node + Node.SCORES + (index << 1);
    moveWords(words, scores + 2, scores, moved << 1);
    for (let array = Inner.ENTRIES; array <= Inner.COUNTS; array += Inner.MAX) {
      moveWords(words, node + array + index + 1, node + array + index, moved);
    }
    const childWords = wordsOf(arena, child);
    const childNode = nodeAt(child);
    words[scores] = childWords[childNode + Node.SCORES];
    words[scores + 1] = childWords[childNode + Node.SCORES + 1];
    words[node + Inner.ENTRIES + index] =
      childWords[childNode + (level === 0 ? Leaf.ENTRIES : Inner.ENTRIES)];
    words[node + Inner.CHILDREN + index] = child;
    words[node + Inner.COUNTS + index] = count;
  }

  /**
   * Allocates the nodes that an insertion into the full leaf at the path's end needs, or, if memory
   * ends, none. Grows the arena.
   */
  private reserveNodes(): void {
    const { arena } = this;
    let level = this.words[this.at + HEIGHT] - 1;
    let needed = 0;
    while (level >= 0 && this.countOf(this.pathNode[level]) === Inner.MAX) {
      needed++;
      level--;
    }
    if (level < 0) needed++;
    this.spareLeaf = arena.allocate(Leaf.BYTES);
    try {
      while (this.spareInnerCount < needed) {
        this.spareInner[this.spareInnerCount] = arena.allocate(Inner.BYTES);
        this.spareInnerCount++;
      }
    } catch (error) {
      while (this.spareInnerCount > 0) {
        arena.free(this.spareInner[--this.spareInnerCount], Inner.BYTES);
      }
      arena.free(this.spareLeaf, Leaf.BYTES);
      throw error;
    }
  }

  /** Removes the entry at the position that was found, and mends the nodes on the path. */
  private removeFound(): void {
    const { arena, words, at } = this;
    const reference = this.leaf;
    const leafWords = wordsOf(arena, reference);
    const node = nodeAt(reference);
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
    const scores = node + Node.SCORES + (position << 1);
    moveWords(leafWords, scores, scores + 2, moved << 1);
    const entries = node + Leaf.ENTRIES + position;
    moveWords(leafWords, entries, entries + 1, moved);
    if (position === 0 && level >= 0) {
      const first = leafWords[node + Leaf.ENTRIES];
      const view = viewOf(arena, reference);
      this.raiseFirst(level, first, view.getFloat64((node + Node.SCORES) << 2, true));
    }
    if (count < Leaf.MIN && level >= 0 && this.merge(level, true)) this.mendInner(level);
  }

  /** Takes a leaf out of the chain and frees it. */
  private unlinkLeaf(reference: number): void {
    const words = wordsOf(this.arena, reference);
    const node = nodeAt(reference);
    const previous = words[node + Leaf.PREVIOUS];
    const next = words[node + Leaf.NEXT];
    this.setNext(previous, next);
    this.setPrevious(next, previous);
    this.arena.free(reference, Leaf.BYTES);
  }

  /** Lets `next` follow `leaf`, or be the first one if `leaf` is 0. */
  private setNext(leaf: number, next: number): void {
    if (leaf === 0) this.words[this.at + FIRST] = next;
    else wordsOf(this.arena, leaf)[nodeAt(leaf) + Leaf.NEXT] = next;
  }

  /** Lets `previous` precede `leaf`, or be the last one if `leaf` is 0. */
  private setPrevious(leaf: number, previous: number): void {
    if (leaf === 0) this.words[this.at + LAST] = previous;
    else wordsOf(this.arena, leaf)[nodeAt(leaf) + Leaf.PREVIOUS] = previous;
  }

  /** Takes the path's child at `level`, which was freed, out of its node. */
  private removeChild(level: number): void {
    const { arena, words, at } = this;
    for (let i = level; i >= 0; i--) {
      const reference = this.pathNode[i];
      const index = this.pathIndex[i];
      removeSlot(wordsOf(arena, reference), nodeAt(reference), index);
      if (this.countOf(reference) > 0) {
        if (index === 0 && i > 0) {
          const node = nodeAt(reference);
          this.raiseFirst(
            i - 1,
            wordsOf(arena, reference)[node + Inner.ENTRIES],
            viewOf(arena, reference).getFloat64((node + Node.SCORES) << 2, true),
          );
        }
        this.mendInner(i);
        return;
      }
      arena.free(reference, Inner.BYTES);
    }
    words[at + ROOT] = 0;
    words[at + HEIGHT] = 0;
  }

  /** Merges the path's inner nodes from `level` up, and lowers the tree if its root has one child. */
  private mendInner(level: number): void {
    const { arena, words, at } = this;
    let i = level;
    while (i > 0 && this.countOf(this.pathNode[i]) < Inner.MIN && this.merge(i - 1, false)) i--;
    while (words[at + HEIGHT] > 0) {
      const root = words[at + ROOT];
      const node = nodeAt(root);
      const rootWords = wordsOf(arena, root);
      if (rootWords[node] > 1) return;
      words[at + ROOT] = rootWords[node + Inner.CHILDREN];
      words[at + HEIGHT]--;
      arena.free(root, Inner.BYTES);
    }
  }

  /**
   * Merges the path's child at `level`, a leaf or an inner node, with a neighbour if both fit into
   * one; says whether it did.
   */
  private merge(level: number, isLeaf: boolean): boolean {
    const index = this.mergeableIndex(level, isLeaf ? Leaf.MERGED_MAX : Inner.MERGED_MAX);
    if (index < 0) return false;
    const { arena } = this;
    const parentWords = wordsOf(arena, this.pathNode[level]);
    const parent = nodeAt(this.pathNode[level]);
    const left = parentWords[parent + Inner.CHILDREN + index];
    const right = parentWords[parent + Inner.CHILDREN + index + 1];
    const leftWords = wordsOf(arena, left);
    const rightWords = wordsOf(arena, right);
    const leftNode = nodeAt(left);
    const rightNode = nodeAt(right);
    const kept = leftWords[leftNode];
    const count = rightWords[rightNode];
    if (isLeaf) copyLeafSlots(leftWords, leftNode, kept, rightWords, rightNode, 0, count);
    else copyInnerSlots(leftWords, leftNode, kept, rightWords, rightNode, 0, count);
    leftWords[leftNode] += count;
    const counts = parent + Inner.COUNTS + index;
    parentWords[counts] += parentWords[counts + 1];
    if (isLeaf) this.unlinkLeaf(right);
    else arena.free(right, Inner.BYTES);
    removeSlot(parentWords, parent, index + 1);
    return true;
  }

  /**
   * The left one of the two children to merge: the path's child at `level` and a neighbour, which
   * have at most `limit` slots together; -1 if neither neighbour will do.
   */
  private mergeableIndex(level: number, limit: number): number {
    const parent = this.pathNode[level];
    const words = wordsOf(this.arena, parent);
    const node = nodeAt(parent);
    const children = node + Inner.CHILDREN;
    const index = this.pathIndex[level];
    const own = this.countOf(words[children + index]);
    if (index + 1 < words[node] && own + this.countOf(words[children + index + 1]) <= limit) {
      return index;
    }
    if (index > 0 && own + this.countOf(words[children + index - 1]) <= limit) return index - 1;
    return -1;
  }

  /**
   * Compacts what is below a node, then the node, and returns where it is now.
   * COLD: for the compactor.
   */
  private compactNode(reference: number, level: number): number {
    const { arena } = this;
    const words = wordsOf(arena, reference);
    const node = nodeAt(reference);
    const children = node + Inner.CHILDREN;
    for (let i = level === 0 ? 0 : words[node]; i > 0; i--) {
      words[children + i - 1] = this.compactNode(words[children + i - 1], level - 1);
    }
    const bytes = level === 0 ? Leaf.BYTES : Inner.BYTES;
    if (!arena.isSparse(reference, bytes)) return reference;
    const moved = arena.allocate(bytes);
    const target = nodeAt(moved);
    const movedWords = wordsOf(arena, moved);
    movedWords.set(words.subarray(node, node + (bytes >> 2)), target);
    if (level === 0) this.relinkLeaf(moved);
    arena.free(reference, bytes);
    return moved;
  }

  /** Lets the neighbours of a leaf that has moved name it. */
  private relinkLeaf(moved: number): void {
    const words = wordsOf(this.arena, moved);
    const node = nodeAt(moved);
    this.setNext(words[node + Leaf.PREVIOUS], moved);
    this.setPrevious(words[node + Leaf.NEXT], moved);
  }
}
