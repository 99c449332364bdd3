/** What is done to sorted sets as values of any type: freeing, copying, moving, measuring. */
import type { Arena } from "../memory/arena.ts";
import { listpackFree } from "../structures/listpack.ts";
import { SortedSets, ZsetEncoding, ZsetLimits } from "./zset.ts";

/** A sorted set by itself: nothing here needs hash keys, or limits. */
function attached(arena: Arena, root: number, encoding: number): SortedSets {
  const zset = new SortedSets(arena, new ZsetLimits(), 0, 0);
  zset.attach(root, encoding);
  return zset;
}

/** Frees a sorted set. O(n). */
export function freeZset(arena: Arena, root: number, encoding: number): void {
  if (encoding === ZsetEncoding.LISTPACK) listpackFree(arena, root);
  else attached(arena, root, encoding).free();
}

/** Frees a sorted set in steps, as `SortedSets.freeStep` does; a LISTPACK at once. */
export function freeZsetStep(arena: Arena, root: number, encoding: number, cursor: number): number {
  if (encoding === ZsetEncoding.TREE) return attached(arena, root, encoding).freeStep(cursor);
  listpackFree(arena, root);
  return 0;
}

/** Blocks of a sorted set, roughly. O(1). */
export function zsetBlocks(arena: Arena, root: number, encoding: number): number {
  return encoding === ZsetEncoding.TREE ? attached(arena, root, encoding).length : 1;
}

/** The root block of a copy. O(n). Grows the arena. */
export function duplicateZset(arena: Arena, root: number, encoding: number): number {
  const zset = attached(arena, root, encoding);
  zset.duplicate();
  return zset.root;
}

/** Moves what lies in sparse spans; returns where the root block is. O(n). */
export function compactZset(arena: Arena, root: number, encoding: number): number {
  const zset = attached(arena, root, encoding);
  zset.compact();
  return zset.root;
}

/** Does a part of that, as `SortedSets.compactStep`. */
export function compactZsetStep(
  arena: Arena,
  root: number,
  encoding: number,
  cursor: number,
): number {
  if (encoding !== ZsetEncoding.TREE) return 0;
  return attached(arena, root, encoding).compactStep(cursor);
}

/** Bytes of arena memory that a sorted set occupies, as `samples` of its blocks say. O(samples). */
export function zsetMemoryBytes(
  arena: Arena,
  root: number,
  encoding: number,
  samples = Infinity,
): number {
  return attached(arena, root, encoding).memoryBytes(samples);
}
