// HOT PATH: rules in src/README.md
/**
 * A B+ tree with subtree counts: the order of a large sorted set, by score, then by member.
 *
 * It refers to the members' entries (scored-member.ts), which the member index refers to as well;
 * it owns its nodes, not the entries. One object serves all sorted sets of an engine: `attach`
 * points it at the state of one, in the block that the sorted set's record refers to.
 *
 *     state    of 24 bytes: root, height, count, first and last leaf, see ranked-tree-path.ts
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
import { TreeInserter } from "./ranked-tree-insert.ts";
import {
  Inner,
  Leaf,
  Node,
  bytesBelow,
  freeInnerBelow,
  nodeAt,
  verifyNode,
  viewOf,
  wordsOf,
} from "./ranked-tree-node.ts";
import { Tree, TreePath } from "./ranked-tree-path.ts";
import { removeFound } from "./ranked-tree-remove.ts";
import {
  compareMember,
  memberLength,
  memberStart,
  memberView,
  scoreOf,
  setScore,
} from "./scored-member.ts";

/** Bytes of a tree's state. Zeros are an empty tree. */
export const RANKED_TREE_STATE_BYTES = Tree.STATE_BYTES;

export class RankedTree {
  private readonly path: TreePath;
  /** Where `changeScore` found its entry. */
  private readonly oldPath: TreePath;
  private readonly inserter: TreeInserter;

  constructor(private readonly arena: Arena) {
    this.path = new TreePath(arena);
    this.oldPath = new TreePath(arena);
    this.inserter = new TreeInserter(this.path);
  }

  /** Points this object at the tree whose state begins `offset` bytes into a block (in 4s). */
  attach(block: number, offset: number): void {
    this.path.attach(block, offset);
  }

  /** Points this object at an empty tree, whose state is to be there. */
  attachNew(block: number, offset: number): void {
    this.attach(block, offset);
    this.path.words.fill(0, this.path.at, this.path.at + (Tree.STATE_BYTES >> 2));
  }

  /** Entries in the tree. */
  get size(): number {
    return this.path.words[this.path.at + Tree.COUNT];
  }

  /** Adds an entry. Requires: its score is set; no entry has its member. Grows the arena. */
  insert(entry: number): void {
    this.inserter.insert(entry, scoreOf(this.arena, entry));
  }

  /** Takes an entry out. Requires: it is in the tree. The entry itself stays. */
  remove(entry: number): void {
    this.path.find(entry, scoreOf(this.arena, entry));
    removeFound(this.path);
  }

  /** Takes the entry of this rank out and returns it. Requires: rank < size. */
  removeAt(rank: number): number {
    this.path.descendToRank(rank);
    const entry = this.path.entryAtCursor();
    removeFound(this.path);
    return entry;
  }

  /** Takes out the entry that `seek` put the cursor on, with no other method called since. */
  removeSought(): void {
    removeFound(this.path);
  }

  /**
   * Gives an entry another score, and the place that it deserves then. Requires: it is in the tree.
   * Grows the arena.
   */
  changeScore(entry: number, score: number): void {
    const { arena, path, oldPath } = this;
    const oldScore = scoreOf(arena, entry);
    oldPath.attachLike(path);
    oldPath.find(entry, oldScore);
    if (oldPath.staysBetweenNeighbours(entry, oldScore, score)) {
      const node = nodeAt(oldPath.leaf);
      viewOf(arena, oldPath.leaf).setFloat64(
        ((node + Node.SCORES) << 2) + (oldPath.position << 3),
        score,
        true,
      );
      if (oldPath.position === 0)
        oldPath.raiseFirst(oldPath.words[oldPath.at + Tree.HEIGHT] - 1, entry, score);
    } else {
      // Inserted first, since memory may end there: then nothing has changed. Until the second
      // step the entry is in the tree twice, told apart by the nodes' scores.
      if (!this.inserter.insert(entry, score)) oldPath.find(entry, oldScore);
      else if (path.leaf === oldPath.leaf && path.position <= oldPath.position) oldPath.position++;
      removeFound(oldPath);
    }
    setScore(arena, entry, score);
  }

  /** Names `moved` where the tree named `entry`. Requires: `moved` is a copy of it. */
  replaceEntry(entry: number, moved: number): void {
    this.path.find(entry, scoreOf(this.arena, entry));
    const node = nodeAt(this.path.leaf);
    wordsOf(this.arena, this.path.leaf)[node + Leaf.ENTRIES + this.path.position] = moved;
    if (this.path.position === 0) {
      this.path.raiseFirst(
        this.path.words[this.path.at + Tree.HEIGHT] - 1,
        moved,
        scoreOf(this.arena, moved),
      );
    }
  }

  /** The number of entries before this one. Requires: it is in the tree. */
  rankOf(entry: number): number {
    this.path.find(entry, scoreOf(this.arena, entry));
    return this.path.rankOfPosition();
  }

  /** How many entries have a score below `score`, or, with `inclusive`, not above it. */
  countBelow(score: number, inclusive: boolean): number {
    return this.path.countBelow(score, inclusive);
  }

  /**
   * How many entries have a member below the given one, or, with `inclusive`, not above it.
   * Requires: all scores are equal; otherwise the result is some number up to `size`.
   */
  countBelowMember(view: DataView, from: number, length: number, inclusive: boolean): number {
    return this.path.countBelowMember(view, from, length, inclusive);
  }

  /**
   * Puts the cursor on the entry of this rank and returns it. The cursor is lost by any other
   * method but `next` and `previous`. Requires: rank < size.
   */
  seek(rank: number): number {
    this.path.descendToRank(rank);
    return this.path.entryAtCursor();
  }

  /** Moves the cursor up and returns the entry there, or 0 at the end. */
  next(): number {
    return this.path.next();
  }

  /** Moves the cursor down and returns the entry there, or 0 at the start. */
  previous(): number {
    return this.path.previous();
  }

  /**
   * Puts `count` entries from the cursor on into `entries`, and the cursor on the next one, if there
   * is one. Requires: there are so many. O(count).
   */
  readUp(entries: Int32Array, count: number): void {
    this.path.readUp(entries, count);
  }

  /** As `readUp`, downwards. */
  readDown(entries: Int32Array, count: number): void {
    this.path.readDown(entries, count);
  }

  /** The entry with the lowest score, or 0. O(1). */
  first(): number {
    return this.path.first();
  }

  /** The entry with the highest score, or 0. O(1). */
  last(): number {
    return this.path.last();
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
    const { words, at } = this.path;
    if (words[at + Tree.HEIGHT] > 0)
      freeInnerBelow(this.arena, words[at + Tree.ROOT], words[at + Tree.HEIGHT]);
    words[at + Tree.ROOT] = 0;
    words[at + Tree.HEIGHT] = 0;
    words[at + Tree.COUNT] = 0;
  }

  /** Frees up to `countMax` leaves after `freeInnerNodes`. Returns whether there are more. */
  freeLeaves(countMax: number): boolean {
    const { arena } = this;
    const { words, at } = this.path;
    let leaf = words[at + Tree.FIRST];
    for (let i = 0; i < countMax && leaf !== 0; i++) {
      const next = wordsOf(arena, leaf)[nodeAt(leaf) + Leaf.NEXT];
      arena.free(leaf, Leaf.BYTES);
      leaf = next;
    }
    words[at + Tree.FIRST] = leaf;
    if (leaf === 0) words[at + Tree.LAST] = 0;
    return leaf !== 0;
  }

  /** Bytes of arena memory that the nodes occupy, as some `samples` say. O(samples). */
  memoryBytes(samples = Infinity): number {
    const root = this.path.words[this.path.at + Tree.ROOT];
    return root === 0
      ? 0
      : bytesBelow(this.arena, root, this.path.words[this.path.at + Tree.HEIGHT], samples);
  }

  /**
   * Moves the nodes that lie in sparse spans. O(nodes).
   * COLD: for the compactor.
   */
  compact(): void {
    const root = this.path.words[this.path.at + Tree.ROOT];
    if (root !== 0)
      this.path.words[this.path.at + Tree.ROOT] = this.compactNode(
        root,
        this.path.words[this.path.at + Tree.HEIGHT],
      );
  }

  /**
   * Moves the leaf that holds this rank if it lies in a sparse span. Returns the first rank beyond
   * the leaf, or 0 at the end.
   * COLD: for the compaction of huge values in steps.
   */
  compactLeaf(rank: number): number {
    if (rank >= this.size) return 0;
    this.path.descendToRank(rank);
    const next = rank - this.path.position + this.path.countOf(this.path.leaf);
    const level = this.path.words[this.path.at + Tree.HEIGHT] - 1;
    const moved = this.compactNode(this.path.leaf, 0);
    if (level < 0) this.path.words[this.path.at + Tree.ROOT] = moved;
    else {
      const parent = this.path.pathNode[level];
      const child = nodeAt(parent) + Inner.CHILDREN + this.path.pathIndex[level];
      wordsOf(this.arena, parent)[child] = moved;
    }
    return next < this.size ? next : 0;
  }

  /**
   * Throws when an invariant of the header is broken. O(entries).
   * COLD: for tests.
   */
  verify(): void {
    const { arena } = this;
    const { words, at } = this.path;
    const root = words[at + Tree.ROOT];
    if (root === 0) {
      for (let i = 0; i <= Tree.LAST; i++) {
        if (words[at + i] !== 0) throw new Error("an empty tree with state");
      }
      return;
    }
    const height = words[at + Tree.HEIGHT];
    if (height > 0 && this.path.countOf(root) < 2) throw new Error("a root with one child");
    const leaves: number[] = [];
    if (verifyNode(this.arena, root, height, leaves) !== words[at + Tree.COUNT])
      throw new Error("wrong count");
    if (leaves[0] !== words[at + Tree.FIRST]) throw new Error("wrong first leaf");
    if (leaves[leaves.length - 1] !== words[at + Tree.LAST]) throw new Error("wrong last leaf");
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
    this.path.setNext(words[node + Leaf.PREVIOUS], moved);
    this.path.setPrevious(words[node + Leaf.NEXT], moved);
  }
}
