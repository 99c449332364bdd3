/** Whole quicklists, as the trees of blocks that they are: to free, copy, move and measure. */
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
  let previous = 0;
  let node = wordAt(arena, moved, Root.HEAD);
  while (node !== 0) {
    compactEntry(arena, node);
    if (arena.isSparse(node, Node.BYTES)) {
      node = movedBlock(arena, node, Node.BYTES);
      if (previous === 0) setWordAt(arena, moved, Root.HEAD, node);
      else setWordAt(arena, previous, Node.NEXT, node);
      const next = wordAt(arena, node, Node.NEXT);
      if (next === 0) setWordAt(arena, moved, Root.TAIL, node);
      else setWordAt(arena, next, Node.PREVIOUS, node);
    }
    previous = node;
    node = wordAt(arena, node, Node.NEXT);
  }
  return moved;
}

/** Copies a block into a new one and frees it. */
function movedBlock(arena: Arena, block: number, bytes: number): number {
  const moved = copiedBlock(arena, block, bytes);
  arena.free(block, bytes);
  return moved;
}

/** Bytes of arena memory that a quicklist occupies. O(nodes). */
export function quicklistMemoryBytes(arena: Arena, root: number): number {
  let bytes = blockBytes(Root.BYTES);
  for (
    let node = wordAt(arena, root, Root.HEAD);
    node !== 0;
    node = wordAt(arena, node, Node.NEXT)
  ) {
    bytes += nodeMemoryBytes(arena, node);
  }
  return bytes;
}
