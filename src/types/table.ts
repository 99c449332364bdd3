/**
 * What sets and hashes have in common when they are large: a root block that begins with the state
 * of a HashIndex over entries in blocks of their own.
 *
 *     root     | state of the index 24 B | whatever the type adds |
 *     entry    a block whose bytes say how long it is: `entryBytes` of the type reads it
 *
 * These functions need no hash: they treat an index as a bag of references. They are for whole
 * values (DEL, COPY, compaction, MEMORY USAGE), so they make an index object where they need one.
 * All are O(n), unless they say less.
 */
import { copyBytes } from "../base/bytes.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { HashIndex } from "../structures/hash-index.ts";

type EntryBytes = (arena: Arena, entry: number) => number;

/** The index whose state lies in `root`, good for all that asks for no hash. */
function indexAt(arena: Arena, root: number): HashIndex {
  const index = new HashIndex(arena, 0, 0, 0);
  index.attach(root);
  return index;
}

/** Entries of the table. O(1). */
export function tableLength(arena: Arena, root: number): number {
  return indexAt(arena, root).size;
}

/** Frees entries, index and root. */
export function freeTable(
  arena: Arena,
  root: number,
  rootBytes: number,
  entryBytes: EntryBytes,
): void {
  const index = indexAt(arena, root);
  index.eachEntry((entry) => arena.free(entry, entryBytes(arena, entry)));
  index.clear();
  arena.free(root, rootBytes);
}

/**
 * Frees what is at position `cursor` of the index's directory, in steps: returns the cursor of the
 * next step, or 0 when entries, index and root are gone. O(entries of a segment).
 */
export function freeTableStep(
  arena: Arena,
  root: number,
  rootBytes: number,
  entryBytes: EntryBytes,
  cursor: number,
): number {
  const index = indexAt(arena, root);
  const next = index.freeSegment(cursor, (entry) => arena.free(entry, entryBytes(arena, entry)));
  if (next === 0) arena.free(root, rootBytes);
  return next;
}

/** The root of a copy: the bytes behind the index's state are copied as they are. */
export function duplicateTable(
  arena: Arena,
  root: number,
  rootBytes: number,
  entryBytes: EntryBytes,
): number {
  const index = indexAt(arena, root);
  const copy = copyBlock(arena, root, rootBytes);
  index.detachCopy();
  index.mapEntries((entry) => copyBlock(arena, entry, entryBytes(arena, entry)));
  index.store(copy);
  return copy;
}

/** Moves entries, index and root where that makes the arena denser. Returns the root. */
export function compactTable(
  arena: Arena,
  root: number,
  rootBytes: number,
  entryBytes: EntryBytes,
): number {
  const index = indexAt(arena, root);
  index.compact();
  index.mapEntries((entry) => compactBlock(arena, entry, entryBytes(arena, entry)));
  index.store(root);
  return compactBlock(arena, root, rootBytes);
}

/**
 * Moves the segment of the index at `cursor`, and its entries, where that makes the arena denser.
 * Returns the cursor of the next step, or 0 at the end. The table may change between the steps.
 */
export function compactTableStep(
  arena: Arena,
  root: number,
  entryBytes: EntryBytes,
  cursor: number,
): number {
  const index = indexAt(arena, root);
  const next = index.compactPart(cursor, (entry) =>
    compactBlock(arena, entry, entryBytes(arena, entry)),
  );
  index.store(root);
  return next;
}

/** Bytes of arena memory that entries, index and root occupy, as `samples` of them say. */
export function tableMemoryBytes(
  arena: Arena,
  root: number,
  rootBytes: number,
  entryBytes: EntryBytes,
  samples: number,
): number {
  const index = indexAt(arena, root);
  const entries = index.sumOfEntries(samples, (entry) => blockBytes(entryBytes(arena, entry)));
  return blockBytes(rootBytes) + index.memoryBytes(samples) + entries;
}

function compactBlock(arena: Arena, block: number, bytes: number): number {
  if (!arena.isSparse(block, bytes)) return block;
  const moved = copyBlock(arena, block, bytes);
  arena.free(block, bytes);
  return moved;
}

function copyBlock(arena: Arena, block: number, bytes: number): number {
  const copy = arena.allocate(bytes);
  copyBytes(
    arena.views[copy >>> Ref.SEGMENT_SHIFT],
    (copy & Ref.GRANULE_MASK) << 3,
    arena.views[block >>> Ref.SEGMENT_SHIFT],
    (block & Ref.GRANULE_MASK) << 3,
    bytes,
  );
  return copy;
}
