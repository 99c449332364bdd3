// HOT PATH: rules in src/README.md
/**
 * A node of a stream: up to some hundred entries in one listpack, in the format of Redis's RDB
 * files. The stream's tree names the node by its master ID, which is the ID of its first entry ever.
 *
 *     node     | live | deleted | n | field 1 | ... | field n | 0 | entry | entry | ...
 *     entry    | flags | ms | seq | value 1 | ... | value n | pieces           SAME_FIELDS
 *              | flags | ms | seq | m | field 1 | value 1 | ... | value m | pieces
 *
 *     live, deleted   entries that are there, and that are marked as deleted
 *     ms, seq         differences to the master ID, modulo 2^64
 *     pieces          listpack entries of this entry before this one: how to walk backwards
 *
 * Each piece is an entry of the listpack. Deleting marks an entry; bytes return with the node.
 *
 * Opening a node and each step is O(fields), a search O(node).
 */
import { type Arena, Ref } from "../memory/arena.ts";
import { entryBefore, entryEnd, entryEquals } from "./listpack-entry.ts";
import {
  Listpack,
  listpackBase,
  listpackBytes,
  listpackIsEnd,
  listpackReplaceInteger,
} from "./listpack.ts";
import { StreamId } from "./stream-id.ts";

export const enum EntryFlag {
  DELETED = 1,
  SAME_FIELDS = 2,
}

/** Listpack entries of a stream entry besides fields and values: flags and two differences. */
const FIXED_PIECES = 3;
const TWO_TO_32 = 4294967296;
/** First bytes of listpack entries that are integers (structures/listpack-entry.ts). */
const SMALL_INTEGER_END = 0x80;
const INTEGER_13 = 0xc0;
const INTEGER_13_END = 0xe0;
const INTEGER_16 = 0xf1;
const INTEGER_24 = 0xf2;
const INTEGER_32 = 0xf3;
const INTEGER_64 = 0xf4;

/** Reads the entries of one node in either direction. Positions are lost when the node changes. */
export class StreamNodeReader {
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the node begins in `view`. */
  base = 0;
  /** The ID of the current entry, its flags and where they stand, and its count of fields. */
  readonly id = new StreamId();
  flags = 0;
  flagsAt = 0;
  fieldCount = 0;
  /** The next field and value, which `nextField` steps over. */
  fieldAt = 0;
  valueAt = 0;

  private readonly masterId = new StreamId();
  private masterFieldCount = 0;
  private masterFieldsAt = 0;
  /** Behind the head: where the first entry is. */
  private entriesAt = 0;
  private bodyAt = 0;

  /** Begins a node, before its first or behind its last entry. */
  open(view: DataView, base: number, masterId: StreamId): void {
    this.view = view;
    this.base = base;
    this.masterId.copy(masterId);
    const deletedAt = entryEnd(view, base + Listpack.HEADER);
    const countAt = entryEnd(view, deletedAt);
    this.masterFieldCount = integerAt(view, countAt);
    this.masterFieldsAt = entryEnd(view, countAt);
    let at = this.masterFieldsAt;
    for (let i = this.masterFieldCount; i > 0; i--) at = entryEnd(view, at);
    this.entriesAt = entryEnd(view, at);
    this.flagsAt = 0;
  }

  /** Goes to the first entry, deleted or not; false if there is none. */
  first(): boolean {
    return this.readEntry(this.entriesAt);
  }

  /** Goes to the last entry, deleted or not; false if there is none. */
  last(): boolean {
    return this.stepBack(this.base + listpackBytes(this.view, this.base) - 1);
  }

  /** Goes to the next entry; false behind the last. Requires: a current entry. */
  next(): boolean {
    const { view } = this;
    let at = this.bodyAt;
    const isSame = (this.flags & EntryFlag.SAME_FIELDS) !== 0;
    for (let i = isSame ? this.fieldCount : this.fieldCount * 2; i > 0; i--)
      at = entryEnd(view, at);
    return this.readEntry(entryEnd(view, at));
  }

  /** Goes to the entry before; false before the first. Requires: a current entry. */
  previous(): boolean {
    return this.stepBack(this.flagsAt);
  }

  /** Steps to the next field and its value. */
  nextField(): void {
    if ((this.flags & EntryFlag.SAME_FIELDS) !== 0) {
      this.fieldAt = entryEnd(this.view, this.fieldAt);
      this.valueAt = entryEnd(this.view, this.valueAt);
    } else {
      this.fieldAt = entryEnd(this.view, this.valueAt);
      this.valueAt = entryEnd(this.view, this.fieldAt);
    }
  }

  private stepBack(end: number): boolean {
    if (end <= this.entriesAt) return false;
    const { view } = this;
    let at = entryBefore(view, end);
    for (let pieces = integerAt(view, at); pieces > 0; pieces--) at = entryBefore(view, at);
    return this.readEntry(at);
  }

  private readEntry(at: number): boolean {
    const { view, id } = this;
    if (listpackIsEnd(view, at)) return false;
    this.flagsAt = at;
    this.flags = integerAt(view, at);
    id.copy(this.masterId);
    let next = entryEnd(view, at);
    const ms = integerAt(view, next);
    if (ms === ms) id.addTime(Math.floor(ms / TWO_TO_32), ms | 0);
    else id.addTime(view.getInt32(next + 5, true), view.getInt32(next + 1, true));
    next = entryEnd(view, next);
    const seq = integerAt(view, next);
    if (seq === seq) id.addSequence(Math.floor(seq / TWO_TO_32), seq | 0);
    else id.addSequence(view.getInt32(next + 5, true), view.getInt32(next + 1, true));
    next = entryEnd(view, next);
    if ((this.flags & EntryFlag.SAME_FIELDS) !== 0) {
      this.fieldCount = this.masterFieldCount;
      this.fieldAt = this.masterFieldsAt;
      this.bodyAt = this.valueAt = next;
      return true;
    }
    this.fieldCount = integerAt(view, next);
    this.bodyAt = this.fieldAt = entryEnd(view, next);
    if (this.fieldCount > 0) this.valueAt = entryEnd(view, this.fieldAt);
    return true;
  }
}

/** Entries of a node that are not deleted. */
export function nodeLive(view: DataView, base: number): number {
  return integerAt(view, base + Listpack.HEADER);
}

/** Entries of a node that are marked as deleted. */
export function nodeDeleted(view: DataView, base: number): number {
  return integerAt(view, entryEnd(view, base + Listpack.HEADER));
}

/**
 * Whether the `count` fields of a request are the master's. Field i of the request is the text
 * [start, end) of `other` number first + 2 * i.
 */
export function nodeHasFields(
  view: DataView,
  base: number,
  other: DataView,
  start: Int32Array,
  end: Int32Array,
  first: number,
  count: number,
): boolean {
  const countAt = entryEnd(view, entryEnd(view, base + Listpack.HEADER));
  if (integerAt(view, countAt) !== count) return false;
  let at = entryEnd(view, countAt);
  for (let i = 0; i < count; i++) {
    const argument = first + 2 * i;
    if (!entryEquals(view, at, other, start[argument], end[argument])) return false;
    at = entryEnd(view, at);
  }
  return true;
}

/** Counts `live` entries more, and `deleted` ones. Returns the node, which may be another one. */
export function nodeCount(arena: Arena, node: number, live: number, deleted: number): number {
  const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
  const liveAt = listpackBase(node) + Listpack.HEADER;
  let moved = node;
  if (deleted !== 0) {
    const deletedAt = entryEnd(view, liveAt);
    moved = setInteger(arena, moved, deletedAt, integerAt(view, deletedAt) + deleted);
  }
  const newLive = integerAt(view, liveAt) + live;
  return setInteger(arena, moved, listpackBase(moved) + Listpack.HEADER, newLive);
}

/** Marks the entry whose flags are at `at` as deleted: in place, whatever their encoding. */
export function nodeMarkDeleted(view: DataView, at: number): void {
  // All encodings but the shortest have the lowest bits in the second byte.
  const byteAt = view.getUint8(at) < SMALL_INTEGER_END ? at : at + 1;
  view.setUint8(byteAt, view.getUint8(byteAt) | EntryFlag.DELETED);
}

/** Puts an integer in place of the entry at `at`, without moving anything if both are small. */
function setInteger(arena: Arena, node: number, at: number, value: number): number {
  const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
  if (value < SMALL_INTEGER_END && view.getUint8(at) < SMALL_INTEGER_END) {
    view.setUint8(at, value);
    return node;
  }
  return listpackReplaceInteger(arena, node, at, value);
}

/** The integer at `at`, or NaN if it is not safe. */
function integerAt(view: DataView, at: number): number {
  const first = view.getUint8(at);
  if (first < SMALL_INTEGER_END) return first;
  if (first >= INTEGER_13 && first < INTEGER_13_END) {
    return (((first & 0x1f) << 27) >> 19) | view.getUint8(at + 1);
  }
  if (first === INTEGER_16) return view.getInt16(at + 1, true);
  if (first === INTEGER_24) return view.getUint16(at + 1, true) | (view.getInt8(at + 3) << 16);
  if (first === INTEGER_32) return view.getInt32(at + 1, true);
  if (first !== INTEGER_64) return NaN;
  const value = view.getInt32(at + 5, true) * TWO_TO_32 + view.getUint32(at + 1, true);
  return Number.isSafeInteger(value) ? value : NaN;
}

/** Pieces of an entry, as its last one says. */
export function entryPieces(fields: number, sameFields: boolean): number {
  return FIXED_PIECES + (sameFields ? fields : fields * 2 + 1);
}
