// HOT PATH: rules in src/README.md
/**
 * Listpacks: small sequences of strings and integers in one block of bytes.
 *
 *     offset  size  meaning
 *          0  u32   bytes of the listpack, all included
 *          4  u16   count of entries, 65535 = that many or more
 *          6        entries, see structures/listpack-entry.ts
 *          .  1     0xFF, the end
 *
 * A listpack is named by the reference of its block, or, for reading, by a view and the offset
 * `base` where it begins: so payloads of RDB files can be read in place. A position is the offset
 * of an entry in the view; 0 is no entry. Whatever changes a listpack returns its reference, which
 * may be another one, and makes all positions stale: an entry keeps its distance from `base` as
 * long as nothing before it changes.
 *
 *     for (let at = base + Listpack.HEADER; !listpackIsEnd(view, at); at = listpackNext(view, at))
 *
 * Invariants
 *  1. The block of a listpack was allocated with exactly the bytes that its first word says.
 *  2. The count is exact unless it is 65535; then nothing but walking tells it.
 *
 * first, last, next, previous are O(1); length is O(1) below 65535 entries; seek is O(distance from
 * the nearer end), find O(entries), every change O(bytes).
 *
 * Why no spare room at the end: it would have to be told from the RDB format, and size classes
 * round by up to 12.5 % already, so that a growing listpack moves only now and then.
 */
import { copyBytes, equalBytes } from "../base/bytes.ts";
import { parseSafeInteger } from "../base/int64.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import {
  backlenBytes,
  entryBefore,
  entryDataBytes,
  entryEnd,
  entryEqualsParsed,
  entryPrefixBytes,
  integerDataBytes,
  readBacklen,
  shortStringLength,
  textDataBytes,
  writeIntegerEntry,
  writeTextEntry,
} from "./listpack-entry.ts";

export const enum Listpack {
  /** Bytes before the first entry. */
  HEADER = 6,
  COUNT_AT = 4,
  COUNT_UNKNOWN = 0xffff,
  END = 0xff,
  EMPTY_BYTES = 7,
  /** Valkey lets no listpack of a hash, set or sorted set grow beyond. */
  SAFE_BYTES_MAX = 1073741824,
}

/** Longer tails are moved by the engine's own routine. */
const MOVE_LOOP_BYTES_MAX = 128;

/** An empty listpack. Grows the arena. */
export function listpackCreate(arena: Arena): number {
  const reference = arena.allocate(Listpack.EMPTY_BYTES);
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const base = listpackBase(reference);
  view.setUint32(base, Listpack.EMPTY_BYTES, true);
  view.setUint16(base + Listpack.COUNT_AT, 0, true);
  view.setUint8(base + Listpack.HEADER, Listpack.END);
  return reference;
}

/** A listpack with the bytes of one elsewhere, which were validated. Grows the arena. */
export function listpackFromBytes(arena: Arena, view: DataView, base: number): number {
  const bytes = listpackBytes(view, base);
  const reference = arena.allocate(bytes);
  const target = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  copyBytes(target, listpackBase(reference), view, base, bytes);
  return reference;
}

/** A copy. Grows the arena. */
export function listpackDuplicate(arena: Arena, reference: number): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  return listpackFromBytes(arena, view, listpackBase(reference));
}

export function listpackFree(arena: Arena, reference: number): void {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  arena.free(reference, listpackBytes(view, listpackBase(reference)));
}

/** Moves the listpack if it lies in a sparse span; returns its reference. */
export function listpackCompact(arena: Arena, reference: number): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const bytes = listpackBytes(view, listpackBase(reference));
  if (!arena.isSparse(reference, bytes)) return reference;
  const moved = listpackDuplicate(arena, reference);
  arena.free(reference, bytes);
  return moved;
}

/** Bytes of arena memory that the listpack occupies. */
export function listpackMemoryBytes(arena: Arena, reference: number): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  return blockBytes(listpackBytes(view, listpackBase(reference)));
}

/** Where the listpack begins in `arena.views[reference >>> Ref.SEGMENT_SHIFT]`. */
export function listpackBase(reference: number): number {
  return (reference & Ref.GRANULE_MASK) << 3;
}

/** Bytes of the listpack, all included. */
export function listpackBytes(view: DataView, base: number): number {
  return view.getUint32(base, true);
}

/** Count of entries. Where the header cannot say it, it is counted, and noted if it fits again. */
export function listpackLength(view: DataView, base: number): number {
  const noted = view.getUint16(base + Listpack.COUNT_AT, true);
  if (noted !== Listpack.COUNT_UNKNOWN) return noted;
  let count = 0;
  let at = base + Listpack.HEADER;
  for (; !listpackIsEnd(view, at); at = entryEnd(view, at)) count++;
  if (count < Listpack.COUNT_UNKNOWN) view.setUint16(base + Listpack.COUNT_AT, count, true);
  return count;
}

export function listpackIsEnd(view: DataView, at: number): boolean {
  return view.getUint8(at) === Listpack.END;
}

/** Position of the first entry, or 0. */
export function listpackFirst(view: DataView, base: number): number {
  const at = base + Listpack.HEADER;
  return listpackIsEnd(view, at) ? 0 : at;
}

/** Position of the last entry, or 0. */
export function listpackLast(view: DataView, base: number): number {
  const end = base + listpackBytes(view, base) - 1;
  return end === base + Listpack.HEADER ? 0 : entryBefore(view, end);
}

/** Offset behind the entry at `at`: a position, or the end (`listpackIsEnd`). */
export function listpackNext(view: DataView, at: number): number {
  return entryEnd(view, at);
}

/** Position of the entry before the one at `at`, or 0. */
export function listpackPrevious(view: DataView, base: number, at: number): number {
  return at === base + Listpack.HEADER ? 0 : entryBefore(view, at);
}

/** Position of entry `index`, counted from the end if negative (-1 is the last); 0 if none. */
export function listpackSeek(view: DataView, base: number, index: number): number {
  const noted = view.getUint16(base + Listpack.COUNT_AT, true);
  let rest = index;
  let isForward = index >= 0;
  if (noted !== Listpack.COUNT_UNKNOWN) {
    if (rest < 0) rest += noted;
    if (rest < 0 || rest >= noted) return 0;
    isForward = rest <= noted >>> 1;
    if (!isForward) rest -= noted;
  }
  if (isForward) {
    let at = base + Listpack.HEADER;
    for (; rest > 0 && !listpackIsEnd(view, at); rest--) at = entryEnd(view, at);
    return listpackIsEnd(view, at) ? 0 : at;
  }
  let at = listpackLast(view, base);
  for (; rest < -1 && at !== 0; rest++) at = listpackPrevious(view, base, at);
  return at;
}

/**
 * Position of the first entry from `at` on whose text is [start, end) of `other`, or 0. Between two
 * entries that are compared `skip` entries are skipped. Requires: an entry or the end is at `at`.
 */
export function listpackFind(
  view: DataView,
  at: number,
  other: DataView,
  start: number,
  end: number,
  skip: number,
): number {
  const integer = parseSafeInteger(other, start, end);
  const length = end - start;
  let found = at;
  for (;;) {
    const shortLength = shortStringLength(view, found);
    if (shortLength >= 0) {
      if (shortLength === length && equalBytes(view, found + 1, other, start, length)) return found;
    } else {
      if (listpackIsEnd(view, found)) return 0;
      if (entryEqualsParsed(view, found, other, start, end, integer)) return found;
    }
    found = entryEnd(view, found);
    for (let rest = skip; rest > 0; rest--) {
      if (listpackIsEnd(view, found)) return 0;
      found = entryEnd(view, found);
    }
  }
}

/**
 * Inserts the text [start, end) of `other` before the entry at `at`, or at the end if that is
 * there; the new entry has the same distance from `base` then. Returns the listpack. Grows the
 * arena. Requires: the text is not in this listpack.
 */
export function listpackInsert(
  arena: Arena,
  reference: number,
  at: number,
  other: DataView,
  start: number,
  end: number,
): number {
  const integer = parseSafeInteger(other, start, end);
  const dataBytes = textDataBytes(other, start, end, integer);
  const offset = at - listpackBase(reference);
  const moved = splice(arena, reference, offset, 0, dataBytes + backlenBytes(dataBytes), 1);
  const view = arena.views[moved >>> Ref.SEGMENT_SHIFT];
  writeTextEntry(view, listpackBase(moved) + offset, other, start, end, integer, dataBytes);
  return moved;
}

/** `listpackInsert` behind the last entry. */
export function listpackAppend(
  arena: Arena,
  reference: number,
  other: DataView,
  start: number,
  end: number,
): number {
  const base = listpackBase(reference);
  const at = base + listpackBytes(arena.views[reference >>> Ref.SEGMENT_SHIFT], base) - 1;
  return listpackInsert(arena, reference, at, other, start, end);
}

/** `listpackInsert` before the first entry. */
export function listpackPrepend(
  arena: Arena,
  reference: number,
  other: DataView,
  start: number,
  end: number,
): number {
  const at = listpackBase(reference) + Listpack.HEADER;
  return listpackInsert(arena, reference, at, other, start, end);
}

/** Puts the text [start, end) of `other` in place of the entry at `at`. As `listpackInsert`. */
export function listpackReplace(
  arena: Arena,
  reference: number,
  at: number,
  other: DataView,
  start: number,
  end: number,
): number {
  const integer = parseSafeInteger(other, start, end);
  const dataBytes = textDataBytes(other, start, end, integer);
  const offset = at - listpackBase(reference);
  const removed = entryEnd(arena.views[reference >>> Ref.SEGMENT_SHIFT], at) - at;
  const moved = splice(arena, reference, offset, removed, dataBytes + backlenBytes(dataBytes), 0);
  const view = arena.views[moved >>> Ref.SEGMENT_SHIFT];
  writeTextEntry(view, listpackBase(moved) + offset, other, start, end, integer, dataBytes);
  return moved;
}

/** Inserts a safe integer, as `listpackInsert`. */
export function listpackInsertInteger(
  arena: Arena,
  reference: number,
  at: number,
  value: number,
): number {
  const dataBytes = integerDataBytes(value);
  const offset = at - listpackBase(reference);
  const moved = splice(arena, reference, offset, 0, dataBytes + 1, 1);
  const view = arena.views[moved >>> Ref.SEGMENT_SHIFT];
  writeIntegerEntry(view, listpackBase(moved) + offset, value, dataBytes);
  return moved;
}

/** Appends a safe integer, as `listpackAppend`. */
export function listpackAppendInteger(arena: Arena, reference: number, value: number): number {
  const base = listpackBase(reference);
  const at = base + listpackBytes(arena.views[reference >>> Ref.SEGMENT_SHIFT], base) - 1;
  return listpackInsertInteger(arena, reference, at, value);
}

/** Puts a safe integer in place of the entry at `at`, as `listpackReplace`. */
export function listpackReplaceInteger(
  arena: Arena,
  reference: number,
  at: number,
  value: number,
): number {
  const dataBytes = integerDataBytes(value);
  const offset = at - listpackBase(reference);
  const removed = entryEnd(arena.views[reference >>> Ref.SEGMENT_SHIFT], at) - at;
  const moved = splice(arena, reference, offset, removed, dataBytes + 1, 0);
  const view = arena.views[moved >>> Ref.SEGMENT_SHIFT];
  writeIntegerEntry(view, listpackBase(moved) + offset, value, dataBytes);
  return moved;
}

/**
 * Inserts `count` entries as they are encoded in [start, end) of `other`, before what is at `at`.
 * As `listpackInsert`. Requires: the entries are not in this listpack.
 */
export function listpackInsertEncoded(
  arena: Arena,
  reference: number,
  at: number,
  other: DataView,
  start: number,
  end: number,
  count: number,
): number {
  const offset = at - listpackBase(reference);
  const moved = splice(arena, reference, offset, 0, end - start, count);
  const view = arena.views[moved >>> Ref.SEGMENT_SHIFT];
  copyBytes(view, listpackBase(moved) + offset, other, start, end - start);
  return moved;
}

/**
 * Removes up to `count` entries from the one at `at` on; the next one has its distance from `base`
 * then. Returns the listpack, which may be empty. Grows the arena.
 */
export function listpackRemove(arena: Arena, reference: number, at: number, count: number): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  let end = at;
  let removed = 0;
  for (; removed < count && !listpackIsEnd(view, end); removed++) end = entryEnd(view, end);
  if (removed === 0) return reference;
  return splice(arena, reference, at - listpackBase(reference), end - at, 0, -removed);
}

/** Removes up to `count` entries from entry `index` on, as `listpackSeek` counts. */
export function listpackRemoveRange(
  arena: Arena,
  reference: number,
  index: number,
  count: number,
): number {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const at = listpackSeek(view, listpackBase(reference), index);
  return at === 0 ? reference : listpackRemove(arena, reference, at, count);
}

/** Appends the entries of `second` to `first`, and frees `second`. Grows the arena. */
export function listpackMerge(arena: Arena, first: number, second: number): number {
  const other = arena.views[second >>> Ref.SEGMENT_SHIFT];
  const otherBase = listpackBase(second);
  const otherBytes = listpackBytes(other, otherBase);
  const base = listpackBase(first);
  const end = base + listpackBytes(arena.views[first >>> Ref.SEGMENT_SHIFT], base) - 1;
  const merged = listpackInsertEncoded(
    arena,
    first,
    end,
    other,
    otherBase + Listpack.HEADER,
    otherBase + otherBytes - 1,
    listpackLength(other, otherBase),
  );
  arena.free(second, otherBytes);
  return merged;
}

/**
 * The count of entries if [start, end) is a listpack that can be read without fear, else -1. Reads
 * nothing outside. The entries' meaning is the caller's to check.
 */
export function listpackValidate(view: DataView, start: number, end: number): number {
  if (end - start < Listpack.EMPTY_BYTES || listpackBytes(view, start) !== end - start) return -1;
  const last = end - 1;
  if (!listpackIsEnd(view, last)) return -1;
  let count = 0;
  let at = start + Listpack.HEADER;
  while (at < last) {
    const prefix = entryPrefixBytes(view.getUint8(at));
    if (prefix === 0 || at + prefix > last) return -1;
    const dataBytes = entryDataBytes(view, at);
    at += dataBytes + backlenBytes(dataBytes);
    if (at > last || readBacklen(view, at) !== dataBytes) return -1;
    count++;
  }
  const noted = view.getUint16(start + Listpack.COUNT_AT, true);
  return noted === Listpack.COUNT_UNKNOWN || noted === count ? count : -1;
}

/**
 * Puts `added` undefined bytes in place of `removed` bytes at `offset` from the base, and corrects
 * the header by `count` entries. Nothing has changed when the allocation throws.
 */
function splice(
  arena: Arena,
  reference: number,
  offset: number,
  removed: number,
  added: number,
  count: number,
): number {
  const segment = reference >>> Ref.SEGMENT_SHIFT;
  const view = arena.views[segment];
  const base = listpackBase(reference);
  const bytes = listpackBytes(view, base);
  const newBytes = bytes + added - removed;
  const noted = view.getUint16(base + Listpack.COUNT_AT, true);
  const tailAt = base + offset + removed;
  const tailBytes = bytes - offset - removed;
  let moved = reference;
  let newView = view;
  let newBase = base;
  if (blockBytes(bytes) === blockBytes(newBytes)) {
    if (added !== removed) {
      moveTail(view, arena.bytes[segment], base + offset + added, tailAt, tailBytes);
    }
  } else {
    moved = arena.allocate(newBytes);
    newView = arena.views[moved >>> Ref.SEGMENT_SHIFT];
    newBase = listpackBase(moved);
    moveBlockBytes(arena, moved, newBase, reference, base, offset);
    moveBlockBytes(arena, moved, newBase + offset + added, reference, tailAt, tailBytes);
    arena.free(reference, bytes);
  }
  newView.setUint32(newBase, newBytes, true);
  if (count !== 0 && noted !== Listpack.COUNT_UNKNOWN) {
    const newCount = Math.min(noted + count, Listpack.COUNT_UNKNOWN);
    newView.setUint16(newBase + Listpack.COUNT_AT, newCount, true);
  }
  return moved;
}

/**
 * Moves bytes from one block to another, or within one, where they may overlap: `to` and `from` are
 * offsets in the segments of the blocks.
 */
export function moveBlockBytes(
  arena: Arena,
  toBlock: number,
  to: number,
  fromBlock: number,
  from: number,
  length: number,
): void {
  const toSegment = toBlock >>> Ref.SEGMENT_SHIFT;
  const fromSegment = fromBlock >>> Ref.SEGMENT_SHIFT;
  const source = arena.views[fromSegment];
  // One call of the engine's own routine, where copyBytes would make views for it.
  if (toSegment === fromSegment) moveTail(source, arena.bytes[fromSegment], to, from, length);
  else copyBytes(arena.views[toSegment], to, source, from, length);
}

/** Moves bytes whose old and new place may overlap. */
function moveTail(
  view: DataView,
  bytes: Uint8Array,
  to: number,
  from: number,
  length: number,
): void {
  if (length > MOVE_LOOP_BYTES_MAX) {
    bytes.copyWithin(to, from, from + length);
    return;
  }
  if (to < from) {
    let at = 0;
    for (; at <= length - 4; at += 4) {
      view.setInt32(to + at, view.getInt32(from + at, true), true);
    }
    for (; at < length; at++) view.setUint8(to + at, view.getUint8(from + at));
    return;
  }
  let left = length;
  for (; left >= 4; left -= 4) {
    view.setInt32(to + left - 4, view.getInt32(from + left - 4, true), true);
  }
  for (; left > 0; left--) view.setUint8(to + left - 1, view.getUint8(from + left - 1));
}
