// HOT PATH: rules in src/README.md
/**
 * The way from the root of a ranked tree (structures/ranked-tree.ts) to one of its entries: how it
 * is searched for, kept for the change that follows, and walked from.
 *
 *     state    offset  size  meaning
 *     (24 B)        0     4  root node; 0 = empty
 *                   4     4  height: levels of inner nodes above the leaves
 *                   8     4  count of entries
 *                  12     4  first leaf
 *                  16     4  last leaf
 *                  20     4  unused
 *
 *     path     pathNode[0..height)   the inner nodes from the root to the leaf
 *              pathIndex[0..height)  the children taken in them
 *              leaf, position        the leaf, and the slot in it
 *
 * Whatever changes nodes makes the path stale, unless it says otherwise. Searches are O(log n).
 */
import type { Arena } from "../memory/arena.ts";
import { Inner, Leaf, Node, nodeAt, scoreBound, viewOf, wordsOf } from "./ranked-tree-node.ts";
import { compareMember, memberLength, memberStart, memberView } from "./scored-member.ts";

/** Words of the state, and its size. */
export const enum Tree {
  ROOT = 0,
  HEIGHT = 1,
  COUNT = 2,
  FIRST = 3,
  LAST = 4,
  STATE_BYTES = 24,
}

/** More levels than 2^31 entries can have. */
export const HEIGHT_MAX = 16;
const NO_WORDS = new Int32Array(0);

export class TreePath {
  words: Int32Array = NO_WORDS;
  /** Index of the state's first word in `words`. */
  at = 0;

  /** The inner nodes from the root to the last leaf that was searched, and the children taken. */
  readonly pathNode = new Int32Array(HEIGHT_MAX);
  readonly pathIndex = new Int32Array(HEIGHT_MAX);

  /** That leaf, and the position in it. */
  leaf = 0;
  position = 0;

  constructor(readonly arena: Arena) {}

  /** Points this object at the tree whose state begins `offset` bytes into a block (in 4s). */
  attach(block: number, offset: number): void {
    this.words = wordsOf(this.arena, block);
    this.at = nodeAt(block) + (offset >> 2);
  }

  /** Points this object at the tree of another path. */
  attachLike(other: TreePath): void {
    this.words = other.words;
    this.at = other.at;
  }

  /** How many entries have a score below `score`, or, with `inclusive`, not above it. */
  countBelow(score: number, inclusive: boolean): number {
    const { arena } = this;
    let node = this.words[this.at + Tree.ROOT];
    if (node === 0) return 0;
    let rank = 0;
    for (let level = this.words[this.at + Tree.HEIGHT]; level > 0; level--) {
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
    let node = this.words[this.at + Tree.ROOT];
    if (node === 0) return 0;
    let rank = 0;
    for (let level = this.words[this.at + Tree.HEIGHT]; level > 0; level--) {
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

  /**
   * Puts `count` entries from the cursor on into `entries`, and the cursor on the next one, if there
   * is one. Requires: there are so many. O(count).
   */
  readUp(entries: Int32Array, count: number): void {
    for (let read = 0; read < count;) {
      const words = wordsOf(this.arena, this.leaf);
      const node = nodeAt(this.leaf);
      const held = words[node];
      const from = node + Leaf.ENTRIES + this.position;
      const taken = Math.min(count - read, held - this.position);
      for (let i = 0; i < taken; i++) entries[read + i] = words[from + i];
      read += taken;
      this.position += taken;
      const next = words[node + Leaf.NEXT];
      if (this.position === held && next !== 0) {
        this.leaf = next;
        this.position = 0;
      }
    }
  }

  /** As `readUp`, downwards. */
  readDown(entries: Int32Array, count: number): void {
    for (let read = 0; read < count;) {
      const words = wordsOf(this.arena, this.leaf);
      const node = nodeAt(this.leaf);
      const from = node + Leaf.ENTRIES + this.position;
      const taken = Math.min(count - read, this.position + 1);
      for (let i = 0; i < taken; i++) entries[read + i] = words[from - i];
      read += taken;
      this.position -= taken;
      const previous = words[node + Leaf.PREVIOUS];
      if (this.position < 0 && previous !== 0) {
        this.leaf = previous;
        this.position = wordsOf(this.arena, previous)[nodeAt(previous)] - 1;
      }
    }
  }

  /** The entry with the lowest score, or 0. O(1). */
  first(): number {
    const leaf = this.words[this.at + Tree.FIRST];
    if (leaf === 0) return 0;
    return wordsOf(this.arena, leaf)[nodeAt(leaf) + Leaf.ENTRIES];
  }

  /** The entry with the highest score, or 0. O(1). */
  last(): number {
    const leaf = this.words[this.at + Tree.LAST];
    if (leaf === 0) return 0;
    const words = wordsOf(this.arena, leaf);
    const node = nodeAt(leaf);
    return words[node + Leaf.ENTRIES + words[node] - 1];
  }

  countOf(reference: number): number {
    return wordsOf(this.arena, reference)[nodeAt(reference)];
  }

  entryAtCursor(): number {
    return wordsOf(this.arena, this.leaf)[nodeAt(this.leaf) + Leaf.ENTRIES + this.position];
  }

  /** Whether a key lies above that of the last entry. Requires: the tree is not empty. */
  isAboveAll(score: number, view: DataView, from: number, length: number): boolean {
    const leaf = this.words[this.at + Tree.LAST];
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
  descendToEnd(): void {
    const { arena } = this;
    let reference = this.words[this.at + Tree.ROOT];
    const height = this.words[this.at + Tree.HEIGHT];
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
  descend(score: number, view: DataView, from: number, length: number): void {
    const { arena } = this;
    let reference = this.words[this.at + Tree.ROOT];
    const height = this.words[this.at + Tree.HEIGHT];
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
  find(entry: number, score: number): void {
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
  descendToRank(rank: number): void {
    const { arena } = this;
    let reference = this.words[this.at + Tree.ROOT];
    let rest = rank;
    const height = this.words[this.at + Tree.HEIGHT];
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

  rankOfPosition(): number {
    let rank = this.position;
    const height = this.words[this.at + Tree.HEIGHT];
    for (let level = 0; level < height; level++) {
      const reference = this.pathNode[level];
      const words = wordsOf(this.arena, reference);
      const counts = nodeAt(reference) + Inner.COUNTS;
      for (let i = this.pathIndex[level] - 1; i >= 0; i--) rank += words[counts + i];
    }
    return rank;
  }

  /** Whether the entry that was found may keep its place with another score. */
  staysBetweenNeighbours(entry: number, oldScore: number, score: number): boolean {
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

  /**
   * Writes a new first entry into the slots that name it, from `level` up: as long as the path
   * takes first children.
   */
  raiseFirst(level: number, entry: number, score: number): void {
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

  /** Adds to the counts of the path's children, from `level` up. */
  addToCounts(level: number, difference: number): void {
    for (let i = level; i >= 0; i--) {
      const reference = this.pathNode[i];
      wordsOf(this.arena, reference)[nodeAt(reference) + Inner.COUNTS + this.pathIndex[i]] +=
        difference;
    }
  }

  /** Lets `next` follow `leaf`, or be the first one if `leaf` is 0. */
  setNext(leaf: number, next: number): void {
    if (leaf === 0) this.words[this.at + Tree.FIRST] = next;
    else wordsOf(this.arena, leaf)[nodeAt(leaf) + Leaf.NEXT] = next;
  }

  /** Lets `previous` precede `leaf`, or be the last one if `leaf` is 0. */
  setPrevious(leaf: number, previous: number): void {
    if (leaf === 0) this.words[this.at + Tree.LAST] = previous;
    else wordsOf(this.arena, leaf)[nodeAt(leaf) + Leaf.PREVIOUS] = previous;
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
}
