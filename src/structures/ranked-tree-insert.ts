// HOT PATH: rules in src/README.md
/**
 * Insertion into a ranked tree (structures/ranked-tree.ts): into a leaf with room or, where a leaf
 * and perhaps the nodes above it are full, by splitting them. O(log n).
 */
import {
  Inner,
  Leaf,
  Node,
  copyInnerSlots,
  copyLeafSlots,
  entriesBelow,
  insertIntoLeaf,
  moveWords,
  nodeAt,
  viewOf,
  wordsOf,
} from "./ranked-tree-node.ts";
import { HEIGHT_MAX, Tree, type TreePath } from "./ranked-tree-path.ts";
import { memberLength, memberStart, memberView } from "./scored-member.ts";

export class TreeInserter {
  /** Nodes allocated before an insertion changes anything, as memory may end; it uses them all. */
  private spareLeaf = 0;

  private readonly spareInner = new Int32Array(HEIGHT_MAX);
  private spareInnerCount = 0;

  constructor(private readonly path: TreePath) {}

  /**
   * Adds an entry at the place of its member and of `score`. False if the entry's leaf was split, and
   * so other paths than this object's are stale, too. Grows the arena.
   */
  insert(entry: number, score: number): boolean {
    const { words, at, arena } = this.path;
    if (words[at + Tree.ROOT] === 0) {
      this.insertFirst(entry, score);
      return true;
    }
    const view = memberView(arena, entry);
    const from = memberStart(arena, entry);
    const length = memberLength(arena, entry);
    if (this.path.isAboveAll(score, view, from, length)) this.path.descendToEnd();
    else this.path.descend(score, view, from, length);
    const node = nodeAt(this.path.leaf);
    const leafWords = wordsOf(arena, this.path.leaf);
    const hasRoom = leafWords[node] < Leaf.MAX;
    if (hasRoom) {
      const leafView = viewOf(arena, this.path.leaf);
      insertIntoLeaf(leafWords, leafView, node, this.path.position, entry, score);
      const level = words[at + Tree.HEIGHT] - 1;
      this.path.addToCounts(level, 1);
      if (this.path.position === 0) this.path.raiseFirst(level, entry, score);
    } else {
      this.insertSplitting(entry, score);
    }
    words[at + Tree.COUNT]++;
    return hasRoom;
  }

  private insertFirst(entry: number, score: number): void {
    const { arena, words, at } = this.path;
    const leaf = arena.allocate(Leaf.BYTES);
    const leafWords = wordsOf(arena, leaf);
    const node = nodeAt(leaf);
    leafWords[node] = 0;
    leafWords[node + Leaf.PREVIOUS] = 0;
    leafWords[node + Leaf.NEXT] = 0;
    insertIntoLeaf(leafWords, viewOf(arena, leaf), node, 0, entry, score);
    words[at + Tree.ROOT] = leaf;
    words[at + Tree.HEIGHT] = 0;
    words[at + Tree.COUNT] = 1;
    words[at + Tree.FIRST] = leaf;
    words[at + Tree.LAST] = leaf;
  }

  /**
   * Inserts at the position that was found, in a full leaf: it is split in halves, or, at the
   * tree's end, left full beside a new leaf, as entries that come in order would leave halves.
   */
  private insertSplitting(entry: number, score: number): void {
    this.reserveNodes();
    const { arena, words, at } = this.path;
    const left = this.path.leaf;
    const right = this.spareLeaf;
    const leftWords = wordsOf(arena, left);
    const rightWords = wordsOf(arena, right);
    const leftNode = nodeAt(left);
    const rightNode = nodeAt(right);
    const next = leftWords[leftNode + Leaf.NEXT];
    const kept = next === 0 && this.path.position === Leaf.MAX ? Leaf.MAX : Leaf.MAX >> 1;
    const moved = Leaf.MAX - kept;
    rightWords[rightNode] = moved;
    leftWords[leftNode] = kept;
    copyLeafSlots(rightWords, rightNode, 0, leftWords, leftNode, kept, moved);
    rightWords[rightNode + Leaf.PREVIOUS] = left;
    rightWords[rightNode + Leaf.NEXT] = next;
    leftWords[leftNode + Leaf.NEXT] = right;
    this.path.setPrevious(next, right);
    const level = words[at + Tree.HEIGHT] - 1;
    // Between the halves the entry goes to the left one, unless that is full.
    if (this.path.position <= kept && kept < Leaf.MAX) {
      const view = viewOf(arena, left);
      insertIntoLeaf(leftWords, view, leftNode, this.path.position, entry, score);
      if (this.path.position === 0) this.path.raiseFirst(level, entry, score);
    } else {
      const view = viewOf(arena, right);
      insertIntoLeaf(rightWords, view, rightNode, this.path.position - kept, entry, score);
    }
    this.addSibling(level, right, leftWords[leftNode], rightWords[rightNode]);
  }

  /**
   * Adds `right`, split off from the path's child at `level`, to the right of it; from there up
   * full nodes are split as well. The counts are those of the two parts.
   */
  private addSibling(level: number, sibling: number, leftCount: number, rightCount: number): void {
    const { arena, words, at } = this.path;
    let right = sibling;
    let left = leftCount;
    let added = rightCount;
    const height = words[at + Tree.HEIGHT];
    for (let i = level; i >= 0; i--) {
      const reference = this.path.pathNode[i];
      const index = this.path.pathIndex[i];
      const nodeWords = wordsOf(arena, reference);
      const node = nodeAt(reference);
      nodeWords[node + Inner.COUNTS + index] = left;
      if (nodeWords[node] < Inner.MAX) {
        this.insertSlot(reference, index + 1, right, added, height - 1 - i);
        this.path.addToCounts(i - 1, 1);
        return;
      }
      const upper = this.splitInner(reference, index);
      const kept = nodeWords[node];
      if (index < kept) this.insertSlot(reference, index + 1, right, added, height - 1 - i);
      else this.insertSlot(upper, index + 1 - kept, right, added, height - 1 - i);
      right = upper;
      left = entriesBelow(this.path.arena, reference);
      added = entriesBelow(this.path.arena, upper);
    }
    const root = this.spareInner[--this.spareInnerCount];
    const old = words[at + Tree.ROOT];
    wordsOf(arena, root)[nodeAt(root)] = 0;
    this.insertSlot(root, 0, old, left, height);
    this.insertSlot(root, 1, right, added, height);
    words[at + Tree.ROOT] = root;
    words[at + Tree.HEIGHT] = height + 1;
  }

  /**
   * Moves the upper half of a full inner node to a new one, which it returns; at the end of the
   * node, where entries come in order, only one child.
   */
  private splitInner(reference: number, index: number): number {
    const { arena } = this.path;
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
    const { arena } = this.path;
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
    const { arena } = this.path;
    let level = this.path.words[this.path.at + Tree.HEIGHT] - 1;
    let needed = 0;
    while (level >= 0 && this.path.countOf(this.path.pathNode[level]) === Inner.MAX) {
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
}
