/**
 * A sorted table of named blocks: a stream's consumer groups, a group's consumers.
 *
 *     offset  size        meaning
 *          0  u32         entries
 *          4  u32         capacity
 *          8  4*capacity  references of blocks, by the order of their names as bytes
 *
 * A block's name is a stored byte string `nameAt` bytes into it. A table is named by its reference;
 * 0 is the empty table.
 *
 * Invariant: names ascend strictly.
 *
 * Finding is O(log n) comparisons, adding and removing O(n) words moved: names are few, and even
 * a hundred thousand are 400 KB. Why no hash index: replies and RDB files list names in order.
 */
import { compareBytes } from "../base/bytes.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import { prefixBytes, storedLength } from "../memory/stored-bytes.ts";

const HEADER_WORDS = 2;
const CAPACITY_MIN = 2;

export function nameTableSize(arena: Arena, table: number): number {
  return table === 0 ? 0 : arena.words[table >>> Ref.SEGMENT_SHIFT][wordAt(table)];
}

/** Block number `index`, in the order of names. Requires: there are so many. */
export function nameTableGet(arena: Arena, table: number, index: number): number {
  return arena.words[table >>> Ref.SEGMENT_SHIFT][wordAt(table) + HEADER_WORDS + index];
}

/** Replaces block number `index` by one with the same name. */
export function nameTableSet(arena: Arena, table: number, index: number, block: number): void {
  arena.words[table >>> Ref.SEGMENT_SHIFT][wordAt(table) + HEADER_WORDS + index] = block;
}

/** Index of the block with the name [start, end) of `view`, or ~index of where it belongs. */
export function nameTableFind(
  arena: Arena,
  table: number,
  nameAt: number,
  view: DataView,
  start: number,
  end: number,
): number {
  let low = 0;
  let high = nameTableSize(arena, table);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const block = nameTableGet(arena, table, middle);
    const blockView = arena.views[block >>> Ref.SEGMENT_SHIFT];
    const at = ((block & Ref.GRANULE_MASK) << 3) + nameAt;
    const length = storedLength(blockView, at);
    const nameStart = at + prefixBytes(length);
    const order = compareBytes(blockView, nameStart, length, view, start, end - start);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return ~low;
}

/** Adds a block before number `index`; returns the table, which may be another one. */
export function nameTableInsert(arena: Arena, table: number, index: number, block: number): number {
  const size = nameTableSize(arena, table);
  let target = table;
  if (size === capacityOf(arena, table)) {
    target = resized(arena, table, Math.max(CAPACITY_MIN, size * 2));
  }
  const words = arena.words[target >>> Ref.SEGMENT_SHIFT];
  const base = wordAt(target);
  const at = base + HEADER_WORDS + index;
  words.copyWithin(at + 1, at, base + HEADER_WORDS + size);
  words[at] = block;
  words[base] = size + 1;
  return target;
}

/** Removes block number `index`, which the caller frees; returns the table, 0 when it is empty. */
export function nameTableRemove(arena: Arena, table: number, index: number): number {
  const size = nameTableSize(arena, table) - 1;
  if (size === 0) {
    nameTableFree(arena, table);
    return 0;
  }
  const words = arena.words[table >>> Ref.SEGMENT_SHIFT];
  const base = wordAt(table);
  const at = base + HEADER_WORDS + index;
  words.copyWithin(at, at + 1, base + HEADER_WORDS + size + 1);
  words[base] = size;
  return table;
}

/** Frees the table, not the blocks. */
export function nameTableFree(arena: Arena, table: number): void {
  if (table !== 0) arena.free(table, tableBytes(capacityOf(arena, table)));
}

/** Moves the table, not the blocks, if it lies in a sparse span; returns its reference. */
export function nameTableCompact(arena: Arena, table: number): number {
  const capacity = capacityOf(arena, table);
  if (table === 0 || !arena.isSparse(table, tableBytes(capacity))) return table;
  return resized(arena, table, capacity);
}

/** Bytes that the table was allocated with. */
export function nameTableBytes(arena: Arena, table: number): number {
  return table === 0 ? 0 : tableBytes(capacityOf(arena, table));
}

function capacityOf(arena: Arena, table: number): number {
  return table === 0 ? 0 : arena.words[table >>> Ref.SEGMENT_SHIFT][wordAt(table) + 1];
}

function resized(arena: Arena, table: number, capacity: number): number {
  const target = arena.allocate(tableBytes(capacity));
  const words = arena.words[target >>> Ref.SEGMENT_SHIFT];
  const base = wordAt(target);
  const size = nameTableSize(arena, table);
  words[base] = size;
  words[base + 1] = capacity;
  if (table === 0) return target;
  const source = arena.words[table >>> Ref.SEGMENT_SHIFT];
  const from = wordAt(table) + HEADER_WORDS;
  for (let i = 0; i < size; i++) words[base + HEADER_WORDS + i] = source[from + i];
  nameTableFree(arena, table);
  return target;
}

function tableBytes(capacity: number): number {
  return 4 * (HEADER_WORDS + capacity);
}

function wordAt(table: number): number {
  return (table & Ref.GRANULE_MASK) << 1;
}
