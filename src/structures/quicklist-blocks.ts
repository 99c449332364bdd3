/** Whole quicklists, as the trees of blocks that they are: to free, copy, move and measure. */
import { extrapolate } from "../base/sampling.ts";
import { type Arena, blockBytes } from "../memory/arena.ts";
import {
  Node,
  Root,
  compactEntry,
  copiedBlock,
  copiedEntry,
  freeNode,
  nodeMemoryBytes,
  setWordAt,
  wordAt,
} from "./quicklist-node.ts";

/** Frees a quicklist with all its nodes. O(nodes). */
export function quicklistFree(arena: Arena, root: number): void {
  quicklistFreeNodes(arena, root, Infinity);
}

/**
 * Frees up to `count` nodes of a quicklist that nobody uses any more, and with the last one the
 * root. Returns whether nodes are left.
 */
export function quicklistFreeNodes(arena: Arena, root: number, count: number): boolean {
  let node = wordAt(arena, root, Root.HEAD);
  for (let freed = 0; node !== 0 && freed < count; freed++) {
    const next = wordAt(arena, node, Node.NEXT);
    freeNode(arena, node);
    node = next;
  }
  setWordAt(arena, root, Root.HEAD, node);
  if (node !== 0) return true;
  arena.free(root, Root.BYTES);
  return false;
}

/** Count of nodes. */
export function quicklistNodeCount(arena: Arena, root: number): number {
  return wordAt(arena, root, Root.NODES) >>> 0;
}

/** A copy of a quicklist, node by node, compressed ones as they are. O(bytes). Grows the arena. */
export function quicklistDuplicate(arena: Arena, root: number): number {
  const copy = copiedBlock(arena, root, Root.BYTES);
  let previous = 0;
  for (
    let node = wordAt(arena, root, Root.HEAD);
    node !== 0;
    node = wordAt(arena, node, Node.NEXT)
  ) {
    const entry = copiedEntry(arena, node);
    const copied = copiedBlock(arena, node, Node.BYTES);
    setWordAt(arena, copied, Node.ENTRY, entry);
    setWordAt(arena, copied, Node.ROOM, 0);
    setWordAt(arena, copied, Node.PREVIOUS, previous);
    setWordAt(arena, copied, Node.NEXT, 0);
    if (previous === 0) setWordAt(arena, copy, Root.HEAD, copied);
    else setWordAt(arena, previous, Node.NEXT, copied);
    previous = copied;
  }
  setWordAt(arena, copy, Root.TAIL, previous);
  return copy;
}

/** Moves what lies in sparse spans; returns the root. O(nodes). */
export function quicklistCompact(arena: Arena, root: number): number {
  const moved = arena.isSparse(root, Root.BYTES) ? movedBlock(arena, root, Root.BYTES) : root;
  quicklistCompactNodes(arena, moved, 0, Infinity);
  return moved;
}

/**
 * Moves what lies in sparse spans of `count` nodes from the `first`-th on. Returns whether there
 * are nodes behind them. O(first + count).
 */
export function quicklistCompactNodes(
  arena: Arena,
  root: number,
  first: number,
  count: number,
): boolean {
  let previous = 0;
  let node = wordAt(arena, root, Root.HEAD);
  for (let i = 0; node !== 0 && i < first + count; i++) {
    if (i >= first) node = compactNode(arena, root, previous, node);
    previous = node;
    node = wordAt(arena, node, Node.NEXT);
  }
  return node !== 0;
}

/** Moves a node, which follows `previous`, and its block where they are sparse; returns the node. */
function compactNode(arena: Arena, root: number, previous: number, node: number): number {
  compactEntry(arena, node);
  if (!arena.isSparse(node, Node.BYTES)) return node;
  const moved = movedBlock(arena, node, Node.BYTES);
  if (previous === 0) setWordAt(arena, root, Root.HEAD, moved);
  else setWordAt(arena, previous, Node.NEXT, moved);
  const next = wordAt(arena, moved, Node.NEXT);
  if (next === 0) setWordAt(arena, root, Root.TAIL, moved);
  else setWordAt(arena, next, Node.PREVIOUS, moved);
  return moved;
}

/** Copies a block into a new one and frees it. */
function movedBlock(arena: Arena, block: number, bytes: number): number {
  const moved = copiedBlock(arena, block, bytes);
  arena.free(block, bytes);
  return moved;
}

/** Bytes of arena memory that a quicklist occupies, as its first `samples` nodes say. O(samples). */
export function quicklistMemoryBytes(arena: Arena, root: number, samples = Infinity): number {
  let bytes = 0;
  let seen = 0;
  let node = wordAt(arena, root, Root.HEAD);
  for (; node !== 0 && seen < samples; seen++) {
    bytes += nodeMemoryBytes(arena, node);
    node = wordAt(arena, node, Node.NEXT);
  }
  return blockBytes(Root.BYTES) + extrapolate(bytes, seen, quicklistNodeCount(arena, root));
}
