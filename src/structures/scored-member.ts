// HOT PATH: rules in src/README.md
/**
 * One member of a large sorted set with its score, as a block of the arena.
 *
 *     offset  size     meaning
 *          0  8        score: f64, little-endian, never NaN
 *          8  1/3/5+n  member, as memory/stored-bytes.ts stores byte strings
 *
 * The member index (a HashIndex with keyAt = SCORED_MEMBER_KEY_AT) and the ranked tree both refer
 * to this block, so that the member's bytes exist once. A block keeps its place when the score
 * changes.
 */
import { compareBytes, copyBytes } from "../base/bytes.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import { prefixBytes, storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";

export const SCORED_MEMBER_KEY_AT = 8;

/** Bytes that an entry with a member of `length` bytes is allocated with. */
export function scoredMemberBytes(length: number): number {
  return SCORED_MEMBER_KEY_AT + storedBytes(length);
}

/** A new entry with a copy of the member's bytes. Grows the arena. */
export function allocateScoredMember(
  arena: Arena,
  score: number,
  view: DataView,
  from: number,
  length: number,
): number {
  const entry = arena.allocate(scoredMemberBytes(length));
  const target = arena.views[entry >>> Ref.SEGMENT_SHIFT];
  const at = (entry & Ref.GRANULE_MASK) << 3;
  target.setFloat64(at, score, true);
  copyBytes(target, writePrefix(target, at + SCORED_MEMBER_KEY_AT, length), view, from, length);
  return entry;
}

export function freeScoredMember(arena: Arena, entry: number): void {
  arena.free(entry, scoredMemberBytes(memberLength(arena, entry)));
}

export function scoreOf(arena: Arena, entry: number): number {
  return arena.views[entry >>> Ref.SEGMENT_SHIFT].getFloat64((entry & Ref.GRANULE_MASK) << 3, true);
}

export function setScore(arena: Arena, entry: number, score: number): void {
  arena.views[entry >>> Ref.SEGMENT_SHIFT].setFloat64((entry & Ref.GRANULE_MASK) << 3, score, true);
}

/** The view in which an entry's member lies. */
export function memberView(arena: Arena, entry: number): DataView {
  return arena.views[entry >>> Ref.SEGMENT_SHIFT];
}

/** Offset of the member's bytes in `memberView`; their count is `memberLength`. */
export function memberStart(arena: Arena, entry: number): number {
  const at = ((entry & Ref.GRANULE_MASK) << 3) + SCORED_MEMBER_KEY_AT;
  return at + prefixBytes(storedLength(arena.views[entry >>> Ref.SEGMENT_SHIFT], at));
}

export function memberLength(arena: Arena, entry: number): number {
  return storedLength(
    arena.views[entry >>> Ref.SEGMENT_SHIFT],
    ((entry & Ref.GRANULE_MASK) << 3) + SCORED_MEMBER_KEY_AT,
  );
}

/** Order of the entry's member and the given bytes, as memcmp has it: negative, zero or positive. */
export function compareMember(
  arena: Arena,
  entry: number,
  view: DataView,
  from: number,
  length: number,
): number {
  const entryView = arena.views[entry >>> Ref.SEGMENT_SHIFT];
  const at = ((entry & Ref.GRANULE_MASK) << 3) + SCORED_MEMBER_KEY_AT;
  const entryLength = storedLength(entryView, at);
  return compareBytes(entryView, at + prefixBytes(entryLength), entryLength, view, from, length);
}
