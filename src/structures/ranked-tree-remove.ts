// HOT PATH: rules in src/README.md
/**
 * Removal from a ranked tree (structures/ranked-tree.ts), at the end of a path, and the mending of
 * nodes that it leaves small or empty. O(log n).
 */
import {
  Inner,
  Leaf,
  Node,
  copyInnerSlots,
  copyLeafSlots,
  moveWords,
  nodeAt,
  removeSlot,
  viewOf,
  wordsOf,
} from "./ranked-tree-node.ts";
import { Tree, type TreePath } from "./ranked-tree-path.ts";

/** Removes the entry at the position that was found, and mends the nodes on the path. */
export function removeFound(path: TreePath): void {
  const { arena, words, at } = path;
  const reference = path.leaf;
  const leafWords = wordsOf(arena, reference);
  const node = nodeAt(reference);
  const count = --leafWords[node];
  const level = words[at + Tree.HEIGHT] - 1;
  words[at + Tree.COUNT]--;
  path.addToCounts(level, -1);
  if (count === 0) {
    unlinkLeaf(path, reference);
    removeChild(path, level);
    return;
  }
  const { position } = path;
  const moved = count - position;
  const scores = node + Node.SCORES + (position << 1);
  moveWords(leafWords, scores, scores + 2, moved << 1);
  const entries = node + Leaf.ENTRIES + position;
  moveWords(leafWords, entries, entries + 1, moved);
  if (position === 0 && level >= 0) {
    const first = leafWords[node + Leaf.ENTRIES];
    const view = viewOf(arena, reference);
    path.raiseFirst(level, first, view.getFloat64((node + Node.SCORES) << 2, true));
  }
  if (count < Leaf.MIN && level >= 0 && merge(path, level, true)) mendInner(path, level);
}

/** Takes a leaf out of the chain and frees it. */
function unlinkLeaf(path: TreePath, reference: number): void {
  const words = wordsOf(path.arena, reference);
  const node = nodeAt(reference);
  const previous = words[node + Leaf.PREVIOUS];
  const next = words[node + Leaf.NEXT];
  path.setNext(previous, next);
  path.setPrevious(next, previous);
  path.arena.free(reference, Leaf.BYTES);
}

/** Takes the path's child at `level`, which was freed, out of its node. */
function removeChild(path: TreePath, level: number): void {
  const { arena, words, at } = path;
  for (let i = level; i >= 0; i--) {
    const reference = path.pathNode[i];
    const index = path.pathIndex[i];
    removeSlot(wordsOf(arena, reference), nodeAt(reference), index);
    if (path.countOf(reference) > 0) {
      if (index === 0 && i > 0) {
        const node = nodeAt(reference);
        path.raiseFirst(
          i - 1,
          wordsOf(arena, reference)[node + Inner.ENTRIES],
          viewOf(arena, reference).getFloat64((node + Node.SCORES) << 2, true),
        );
      }
      mendInner(path, i);
      return;
    }
    arena.free(reference, Inner.BYTES);
  }
  words[at + Tree.ROOT] = 0;
  words[at + Tree.HEIGHT] = 0;
}

/** Merges the path's inner nodes from `level` up, and lowers the tree if its root has one child. */
function mendInner(path: TreePath, level: number): void {
  const { arena, words, at } = path;
  let i = level;
  while (i > 0 && path.countOf(path.pathNode[i]) < Inner.MIN && merge(path, i - 1, false)) i--;
  while (words[at + Tree.HEIGHT] > 0) {
    const root = words[at + Tree.ROOT];
    const node = nodeAt(root);
    const rootWords = wordsOf(arena, root);
    if (rootWords[node] > 1) return;
    words[at + Tree.ROOT] = rootWords[node + Inner.CHILDREN];
    words[at + Tree.HEIGHT]--;
    arena.free(root, Inner.BYTES);
  }
}

/**
 * Merges the path's child at `level`, a leaf or an inner node, with a neighbour if both fit into
 * one; says whether it did.
 */
function merge(path: TreePath, level: number, isLeaf: boolean): boolean {
  const index = mergeableIndex(path, level, isLeaf ? Leaf.MERGED_MAX : Inner.MERGED_MAX);
  if (index < 0) return false;
  const { arena } = path;
  const parentWords = wordsOf(arena, path.pathNode[level]);
  const parent = nodeAt(path.pathNode[level]);
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
  if (isLeaf) unlinkLeaf(path, right);
  else arena.free(right, Inner.BYTES);
  removeSlot(parentWords, parent, index + 1);
  return true;
}

/**
 * The left one of the two children to merge: the path's child at `level` and a neighbour, which
 * have at most `limit` slots together; -1 if neither neighbour will do.
 */
function mergeableIndex(path: TreePath, level: number, limit: number): number {
  const parent = path.pathNode[level];
  const words = wordsOf(path.arena, parent);
  const node = nodeAt(parent);
  const children = node + Inner.CHILDREN;
  const index = path.pathIndex[level];
  const own = path.countOf(words[children + index]);
  if (index + 1 < words[node] && own + path.countOf(words[children + index + 1]) <= limit) {
    return index;
  }
  if (index > 0 && own + path.countOf(words[children + index - 1]) <= limit) return index - 1;
  return -1;
}
