// HOT PATH: rules in src/README.md
/**
 * Intsets: small sets of 64-bit integers, sorted, in one block of bytes.
 *
 *     offset  size  meaning
 *          0  u32   bytes of a member: 2, 4 or 8
 *          4  u32   count of members
 *          8        members, signed, ascending
 *
 * All little-endian, as in RDB files. A member is named by its two words (base/int64.ts), an
 * intset by the reference of its block, or, for reading, by a view and the offset `base`. Whatever
 * changes an intset returns its reference, which may be another one.
 *
 * Invariants
 *  1. The block was allocated with exactly `intsetBytes` bytes.
 *  2. Members ascend strictly, and each fits the width; the width never shrinks, as in Redis.
 *
 * find is O(log n), get is O(1), insert and remove are O(n) for the moving of bytes.
 *
 * Why not a listpack of integers: it would be shorter, but could not be searched by halves.
 */
import { copyBytes } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";

export const enum Intset {
  HEADER = 8,
  COUNT_AT = 4,
}

const WIDTH_MIN = 2;

/** An empty intset. Grows the arena. */
export function intsetCreate(arena: Arena): number {
  const reference = arena.allocate(Intset.HEADER);
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const base = intsetBase(reference);
  view.setUint32(base, WIDTH_MIN, true);
  view.setUint32(base + Intset.COUNT_AT, 0, true);
  return reference;
}

/** An intset with the bytes of one elsewhere, which were validated. Grows the arena. */
export function intsetFromBytes(arena: Arena, view: DataView, base: number): number {
  const bytes = intsetBytes(view, base);
  const reference = arena.allocate(bytes);
  const target = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  copyBytes(target, intsetBase(reference), view, base, bytes);
  return reference;
}

/** A copy. Grows the arena. */
export function intsetDuplicate(arena: Arena, reference: number): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  return intsetFromBytes(arena, view, intsetBase(reference));
}

export function intsetFree(arena: Arena, reference: number): void {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  arena.free(reference, intsetBytes(view, intsetBase(reference)));
}

/** Moves the intset if it lies in a sparse span; returns its reference. */
export function intsetCompact(arena: Arena, reference: number): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const bytes = intsetBytes(view, intsetBase(reference));
  if (!arena.isSparse(reference, bytes)) return reference;
  const moved = intsetDuplicate(arena, reference);
  arena.free(reference, bytes);
  return moved;
}

/** Bytes of arena memory that the intset occupies. */
export function intsetMemoryBytes(arena: Arena, reference: number): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  return blockBytes(intsetBytes(view, intsetBase(reference)));
}

/** Where the intset begins in `arena.views[reference >>> Ref.SEGMENT_SHIFT]`. */
export function intsetBase(reference: number): number {
  return (reference & Ref.GRANULE_MASK) << 3;
}

/** Bytes of the intset, its header included. */
export function intsetBytes(view: DataView, base: number): number {
  return Intset.HEADER + view.getUint32(base, true) * intsetLength(view, base);
}

/** Count of members. */
export function intsetLength(view: DataView, base: number): number {
  return view.getUint32(base + Intset.COUNT_AT, true);
}

/** Reads member `index`, in ascending order, into `member`. Requires: 0 <= index < length. */
export function intsetGet(view: DataView, base: number, index: number, member: Int64): void {
  const width = view.getUint32(base, true);
  const at = base + Intset.HEADER + index * width;
  const value = width === 2 ? view.getInt16(at, true) : view.getInt32(at, true);
  member.low = value;
  member.high = width === 8 ? view.getInt32(at + 4, true) : value >> 31;
}

/** The index of the member, or, where it is missing, -1 minus the index where it belongs. */
export function intsetFind(view: DataView, base: number, high: number, low: number): number {
  const width = view.getUint32(base, true);
  const count = intsetLength(view, base);
  // A value that is too wide lies beyond one of the ends.
  if (widthOf(high, low) > width) return high < 0 ? -1 : -1 - count;
  return width === 8
    ? findWide(view, base + Intset.HEADER, count, high, low)
    : findNarrow(view, base + Intset.HEADER, count, width, low);
}

/** Inserts a missing member at the place that `intsetFind` told. Grows the arena. */
export function intsetInsert(
  arena: Arena,
  reference: number,
  found: number,
  high: number,
  low: number,
): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const base = intsetBase(reference);
  const width = view.getUint32(base, true);
  const index = -1 - found;
  const needed = widthOf(high, low);
  const moved =
    needed > width
      ? widened(arena, reference, needed, index)
      : resized(arena, reference, index, index, 1);
  const newWidth = Math.max(needed, width);
  const newView = arena.views[moved >>> Ref.SEGMENT_SHIFT];
  writeMember(newView, intsetBase(moved) + Intset.HEADER + index * newWidth, newWidth, high, low);
  return moved;
}

/** Removes member `index`. Returns the intset, which may be empty. Grows the arena. */
export function intsetRemove(arena: Arena, reference: number, index: number): number {
  return resized(arena, reference, index, index + 1, 0);
}

/** Removes `count` members from `index` on. Returns the intset. Grows the arena. */
export function intsetRemoveRange(
  arena: Arena,
  reference: number,
  index: number,
  count: number,
): number {
  return resized(arena, reference, index, index + count, 0);
}

/**
 * The count of members if [start, end) is an intset that is not empty, ordered and without
 * duplicates, else -1. Reads nothing outside.
 */
export function intsetValidate(view: DataView, start: number, end: number): number {
  if (end - start < Intset.HEADER) return -1;
  const width = view.getUint32(start, true);
  if (width !== 2 && width !== 4 && width !== 8) return -1;
  const count = intsetLength(view, start);
  if (count === 0 || Intset.HEADER + count * width !== end - start) return -1;
  for (let at = start + Intset.HEADER + width; at < end; at += width) {
    if (width === 2) {
      if (view.getInt16(at - 2, true) >= view.getInt16(at, true)) return -1;
    } else if (width === 4) {
      if (view.getInt32(at - 4, true) >= view.getInt32(at, true)) return -1;
    } else {
      const high = view.getInt32(at + 4, true);
      const highBefore = view.getInt32(at - 4, true);
      if (highBefore > high) return -1;
      if (highBefore === high && view.getUint32(at - 8, true) >= view.getUint32(at, true)) {
        return -1;
      }
    }
  }
  return count;
}

/** Bytes that the integer needs at least: 2, 4 or 8. */
function widthOf(high: number, low: number): number {
  if (high !== low >> 31) return 8;
  return low === (low << 16) >> 16 ? 2 : 4;
}

function findNarrow(
  view: DataView,
  membersAt: number,
  count: number,
  width: number,
  value: number,
): number {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const at = membersAt + middle * width;
    const member = width === 2 ? view.getInt16(at, true) : view.getInt32(at, true);
    if (member === value) return middle;
    if (member < value) from = middle + 1;
    else to = middle;
  }
  return -1 - from;
}

function findWide(
  view: DataView,
  membersAt: number,
  count: number,
  high: number,
  low: number,
): number {
  const unsignedLow = low >>> 0;
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const at = membersAt + middle * 8;
    const memberHigh = view.getInt32(at + 4, true);
    const memberLow = view.getUint32(at, true);
    if (memberHigh === high && memberLow === unsignedLow) return middle;
    if (memberHigh < high || (memberHigh === high && memberLow < unsignedLow)) from = middle + 1;
    else to = middle;
  }
  return -1 - from;
}

function writeMember(view: DataView, at: number, width: number, high: number, low: number): void {
  if (width === 2) view.setInt16(at, low, true);
  else {
    view.setInt32(at, low, true);
    if (width === 8) view.setInt32(at + 4, high, true);
  }
}

/** Puts `added` undefined members in place of the members [from, to). */
function resized(arena: Arena, reference: number, from: number, to: number, added: number): number {
  const segment = reference >>> Ref.SEGMENT_SHIFT;
  const view = arena.views[segment];
  const base = intsetBase(reference);
  const width = view.getUint32(base, true);
  const count = intsetLength(view, base);
  const bytes = Intset.HEADER + count * width;
  const newCount = count + added - (to - from);
  const newBytes = Intset.HEADER + newCount * width;
  const tailAt = base + Intset.HEADER + to * width;
  const tailTo = Intset.HEADER + (from + added) * width;
  let moved = reference;
  let newView = view;
  let newBase = base;
  if (blockBytes(bytes) === blockBytes(newBytes)) {
    arena.bytes[segment].copyWithin(base + tailTo, tailAt, base + bytes);
  } else {
    moved = arena.allocate(newBytes);
    newView = arena.views[moved >>> Ref.SEGMENT_SHIFT];
    newBase = intsetBase(moved);
    copyBytes(newView, newBase, view, base, Intset.HEADER + from * width);
    copyBytes(newView, newBase + tailTo, view, tailAt, base + bytes - tailAt);
    arena.free(reference, bytes);
  }
  newView.setUint32(newBase + Intset.COUNT_AT, newCount, true);
  return moved;
}

/** A wider copy with an undefined member at `gap`, which is one of the ends. Frees the old one. */
function widened(arena: Arena, reference: number, width: number, gap: number): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const base = intsetBase(reference);
  const oldWidth = view.getUint32(base, true);
  const count = intsetLength(view, base);
  const moved = arena.allocate(Intset.HEADER + (count + 1) * width);
  const newView = arena.views[moved >>> Ref.SEGMENT_SHIFT];
  const newBase = intsetBase(moved);
  newView.setUint32(newBase, width, true);
  newView.setUint32(newBase + Intset.COUNT_AT, count + 1, true);
  let from = base + Intset.HEADER;
  let to = newBase + Intset.HEADER + (gap === 0 ? width : 0);
  for (let i = 0; i < count; i++) {
    const value = oldWidth === 2 ? view.getInt16(from, true) : view.getInt32(from, true);
    writeMember(newView, to, width, value >> 31, value);
    from += oldWidth;
    to += width;
  }
  arena.free(reference, Intset.HEADER + count * oldWidth);
  return moved;
}
