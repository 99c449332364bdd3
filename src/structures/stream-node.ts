// HOT PATH: rules in src/README.md
/**
 * A node of a stream: up to some hundred entries in one block. The stream's tree names the node by
 * its master ID, which is the ID of its first entry ever.
 *
 *     offset  size  meaning
 *          0  u32   bytes of the node, all included
 *          4  u32   bytes that its block was allocated with
 *          8  u32   entries that are there
 *         12  u32   entries that are marked as deleted
 *         16   16   the ID of the last entry, deleted or not
 *         32  u32   bytes of the listpack that stands for the node in RDB files
 *         36  u32   master fields: those of the first entry ever
 *         40    .   master fields, then entries
 *
 *     entry        | head | ms | seq | value 1 | ... | value n | size            master fields
 *                  | head | ms | seq | n | field 1 | value 1 | ... | size        OWN_FIELDS
 *
 *     head         d0000000  the ID after the one before, by sequence number     d = deleted
 *                  d0tttttt  t ms after the entry before, with its sequence number
 *                  d1o0mmss  o = OWN_FIELDS; widths of ms and seq: 0, 1, 3 or 8 bytes
 *     ms, seq      differences to the entry before, to the master ID for the first one; signed,
 *                  little-endian, modulo 2^64
 *     field, value, n   as entries of listpacks, but without a backlen
 *     size         bytes of the entry before this, as a backlen: how to walk backwards
 *
 * Redis has a listpack for a node, with six bytes or more besides the values in each entry, and
 * one more in each value. This says the same in less than half of that; the listpack is made when a
 * file wants it (structures/stream-node-listpack.ts). What it would take is counted along, because
 * it decides when a node is full: nodes begin and end where Redis's do, as trimming with `~` shows.
 *
 * Invariants
 *  1. The first word is the end of the last entry. The second one is a size of blocks, not smaller.
 *  2. IDs ascend from entry to entry.
 *
 * Opening a node and each step is O(fields), a search O(node).
 */
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { backlenBytes, entryBefore, entryDataBytes, entryEquals } from "./listpack-entry.ts";
import { StreamId } from "./stream-id.ts";

/** Offsets in a node. */
export const enum StreamNode {
  BYTES = 0,
  BLOCK_BYTES = 4,
  LIVE = 8,
  DELETED = 12,
  LAST_ID = 16,
  LISTPACK_BYTES = 32,
  FIELDS = 36,
  HEADER = 40,
}

/** The head of an entry. */
export const enum EntryHead {
  DELETED = 0x80,
  LONG = 0x40,
  OWN_FIELDS = 0x20,
  /** Of a head that is not LONG: milliseconds after the entry before. */
  MS_MASK = 0x3f,
  MS_WIDTH_SHIFT = 2,
  WIDTH_MASK = 3,
}

/** Widths of differences, as the head of an entry gives them. */
export const enum Width {
  BYTES_0 = 0,
  BYTES_1 = 1,
  BYTES_3 = 2,
  BYTES_8 = 3,
}

const SMALL_INTEGER_END = 0x80;
const INTEGER_13_END = 0xe0;
const INTEGER_16 = 0xf1;
const INTEGER_24 = 0xf2;

/** Where the node begins in `arena.views[node >>> Ref.SEGMENT_SHIFT]`. */
export function nodeBase(node: number): number {
  return (node & Ref.GRANULE_MASK) << 3;
}

/** Bytes of the node, all included. */
export function nodeBytes(view: DataView, base: number): number {
  return view.getUint32(base + StreamNode.BYTES, true);
}

/** Bytes that the node occupies. */
export function nodeBlockBytes(arena: Arena, node: number): number {
  const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
  return view.getUint32(nodeBase(node) + StreamNode.BLOCK_BYTES, true);
}

/** Bytes of the listpack that Redis would have in the node's place. */
export function nodeListpackBytes(view: DataView, base: number): number {
  return view.getUint32(base + StreamNode.LISTPACK_BYTES, true);
}

/** Entries of a node that are not deleted. */
export function nodeLive(view: DataView, base: number): number {
  return view.getUint32(base + StreamNode.LIVE, true);
}

/** Entries of a node that are marked as deleted. */
export function nodeDeleted(view: DataView, base: number): number {
  return view.getUint32(base + StreamNode.DELETED, true);
}

export function nodeFree(arena: Arena, node: number): void {
  arena.free(node, nodeBlockBytes(arena, node));
}

/** A copy in a block without room to spare. Grows the arena. */
export function nodeDuplicate(arena: Arena, node: number): number {
  const bytes = nodeBytes(arena.views[node >>> Ref.SEGMENT_SHIFT], nodeBase(node));
  return nodeCopy(arena, node, bytes);
}

/** Moves the node if it lies in a sparse span; returns it. */
export function nodeCompact(arena: Arena, node: number): number {
  const bytes = nodeBlockBytes(arena, node);
  if (!arena.isSparse(node, bytes)) return node;
  const moved = nodeCopy(arena, node, bytes);
  arena.free(node, bytes);
  return moved;
}

/** A copy in a block for `bytes` bytes. Grows the arena. */
export function nodeCopy(arena: Arena, node: number, bytes: number): number {
  const copy = arena.allocate(bytes);
  const source = arena.bytes[node >>> Ref.SEGMENT_SHIFT];
  const base = nodeBase(node);
  const end = base + nodeBytes(arena.views[node >>> Ref.SEGMENT_SHIFT], base);
  const copyBase = nodeBase(copy);
  arena.bytes[copy >>> Ref.SEGMENT_SHIFT].set(source.subarray(base, end), copyBase);
  const view = arena.views[copy >>> Ref.SEGMENT_SHIFT];
  view.setUint32(copyBase + StreamNode.BLOCK_BYTES, blockBytes(bytes), true);
  return copy;
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
  if (view.getUint32(base + StreamNode.FIELDS, true) !== count) return false;
  let at = base + StreamNode.HEADER;
  for (let i = 0; i < count; i++) {
    const argument = first + 2 * i;
    if (!entryEquals(view, at, other, start[argument], end[argument])) return false;
    at += entryDataBytes(view, at);
  }
  return true;
}

/** Marks the entry whose head is at `at` as deleted. Requires: it is not. */
export function nodeMarkDeleted(view: DataView, base: number, at: number): void {
  const live = nodeLive(view, base);
  const deleted = nodeDeleted(view, base);
  const bytes = nodeListpackBytes(view, base) + countGrowth(deleted) - countGrowth(live - 1);
  view.setUint8(at, view.getUint8(at) | EntryHead.DELETED);
  view.setUint32(base + StreamNode.LIVE, live - 1, true);
  view.setUint32(base + StreamNode.DELETED, deleted + 1, true);
  view.setUint32(base + StreamNode.LISTPACK_BYTES, bytes, true);
}

/** Pieces of an entry in the listpack besides the last one, which says how many they are. */
export function entryPieces(fields: number, sameFields: boolean): number {
  // Flags and two differences, and a count of fields.
  return 3 + (sameFields ? fields : fields * 2 + 1);
}

/** Bytes that a count in the listpack takes more once it is `count` + 1. */
export function countGrowth(count: number): number {
  return count === 127 || count === 4095 || count === 32767 || count === 8388607 ? 1 : 0;
}

/** Reads the entries of one node in either direction. Positions are lost when the node changes. */
export class StreamNodeReader {
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the node begins in `view`. */
  base = 0;
  /** The ID of the current entry, where it begins, and its count of fields. */
  readonly id = new StreamId();
  entryAt = 0;
  fieldCount = 0;
  isDeleted = false;
  hasOwnFields = false;
  /** The next field and value, which `nextField` steps over. */
  fieldAt = 0;
  valueAt = 0;

  private readonly masterId = new StreamId();
  private masterFieldCount = 0;
  /** Where the first entry is, and the end of the last. */
  private entriesAt = 0;
  private endAt = 0;
  /** Behind the head and the ID of the current entry, and behind its count of fields. */
  private bodyAt = 0;

  /** Begins a node, before its first or behind its last entry. */
  open(view: DataView, base: number, masterId: StreamId): void {
    this.view = view;
    this.base = base;
    this.masterId.copy(masterId);
    this.masterFieldCount = view.getUint32(base + StreamNode.FIELDS, true);
    this.endAt = base + nodeBytes(view, base);
    let at = base + StreamNode.HEADER;
    for (let i = this.masterFieldCount; i > 0; i--) at += entryDataBytes(view, at);
    this.entriesAt = at;
  }

  /** Goes to the first entry, deleted or not; false if there is none. */
  first(): boolean {
    this.id.copy(this.masterId);
    return this.stepInto(this.entriesAt);
  }

  /** Goes to the last entry, deleted or not; false if there is none. */
  last(): boolean {
    if (this.endAt === this.entriesAt) return false;
    const { id, view, base } = this;
    id.msLow = view.getInt32(base + StreamNode.LAST_ID + 4, true);
    id.msHigh = view.getInt32(base + StreamNode.LAST_ID, true);
    id.seqHigh = view.getInt32(base + StreamNode.LAST_ID + 8, true);
    id.seqLow = view.getInt32(base + StreamNode.LAST_ID + 12, true);
    this.readBody(entryBefore(view, this.endAt));
    return true;
  }

  /** Goes to the next entry; false behind the last. Requires: a current entry. */
  next(): boolean {
    const { view } = this;
    let at = this.bodyAt;
    for (let i = this.hasOwnFields ? this.fieldCount * 2 : this.fieldCount; i > 0; i--) {
      at += entryDataBytes(view, at);
    }
    return this.stepInto(at + backlenBytes(at - this.entryAt));
  }

  /** Goes to the entry before; false before the first. Requires: a current entry. */
  previous(): boolean {
    const at = this.entryAt;
    if (at === this.entriesAt) return false;
    this.addDifference(at, true);
    this.readBody(entryBefore(this.view, at));
    return true;
  }

  /** Steps to the next field and its value. */
  nextField(): void {
    const { view } = this;
    if (this.hasOwnFields) {
      this.fieldAt = this.valueAt + entryDataBytes(view, this.valueAt);
      this.valueAt = this.fieldAt + entryDataBytes(view, this.fieldAt);
    } else {
      this.fieldAt += entryDataBytes(view, this.fieldAt);
      this.valueAt += entryDataBytes(view, this.valueAt);
    }
  }

  /** Goes to the entry at `at`, the one after that which `id` is of; false if it is the end. */
  private stepInto(at: number): boolean {
    if (at === this.endAt) return false;
    this.addDifference(at, false);
    this.readBody(at);
    return true;
  }

  /** Adds the difference of the entry at `at` to the ID before it, or takes it from its own. */
  private addDifference(at: number, isBack: boolean): void {
    const { view, id } = this;
    const head = view.getUint8(at);
    if ((head & EntryHead.LONG) === 0) {
      const ms = head & EntryHead.MS_MASK;
      if (ms === 0) addSequence(id, 0, 1, isBack);
      else addTime(id, 0, ms, isBack);
      return;
    }
    const msAt = at + 1;
    const msWidth = (head >> EntryHead.MS_WIDTH_SHIFT) & EntryHead.WIDTH_MASK;
    const seqWidth = head & EntryHead.WIDTH_MASK;
    if (msWidth === Width.BYTES_8) {
      addTime(id, view.getInt32(msAt + 4, true), view.getInt32(msAt, true), isBack);
    } else if (msWidth !== Width.BYTES_0) {
      const ms = differenceAt(view, msAt, msWidth);
      addTime(id, ms >> 31, ms, isBack);
    }
    if (seqWidth === Width.BYTES_0) return;
    const seqAt = msAt + widthBytes(msWidth);
    if (seqWidth === Width.BYTES_8) {
      addSequence(id, view.getInt32(seqAt + 4, true), view.getInt32(seqAt, true), isBack);
    } else {
      const seq = differenceAt(view, seqAt, seqWidth);
      addSequence(id, seq >> 31, seq, isBack);
    }
  }

  /** Takes what the entry at `at` has besides its ID. */
  private readBody(at: number): void {
    const { view } = this;
    const head = view.getUint8(at);
    this.entryAt = at;
    this.isDeleted = (head & EntryHead.DELETED) !== 0;
    let next = at + 1;
    if ((head & EntryHead.LONG) !== 0) {
      next += widthBytes((head >> EntryHead.MS_WIDTH_SHIFT) & EntryHead.WIDTH_MASK);
      next += widthBytes(head & EntryHead.WIDTH_MASK);
      this.hasOwnFields = (head & EntryHead.OWN_FIELDS) !== 0;
    } else this.hasOwnFields = false;
    if (this.hasOwnFields) {
      this.fieldCount = countAt(view, next);
      this.bodyAt = this.fieldAt = next + entryDataBytes(view, next);
      if (this.fieldCount > 0) this.valueAt = this.fieldAt + entryDataBytes(view, this.fieldAt);
    } else {
      this.fieldCount = this.masterFieldCount;
      this.fieldAt = this.base + StreamNode.HEADER;
      this.bodyAt = this.valueAt = next;
    }
  }
}

function addTime(id: StreamId, high: number, low: number, isBack: boolean): void {
  if (isBack) id.addTime(negatedHigh(high, low), -low | 0);
  else id.addTime(high, low);
}

function addSequence(id: StreamId, high: number, low: number, isBack: boolean): void {
  if (isBack) id.addSequence(negatedHigh(high, low), -low | 0);
  else id.addSequence(high, low);
}

/** The high word of minus a 64-bit number. */
function negatedHigh(high: number, low: number): number {
  return (~high + (low === 0 ? 1 : 0)) | 0;
}

function widthBytes(width: number): number {
  return width === Width.BYTES_8 ? 8 : width === Width.BYTES_3 ? 3 : width;
}

/** The difference of one or three bytes at `at`. */
function differenceAt(view: DataView, at: number, width: number): number {
  if (width === Width.BYTES_1) return view.getInt8(at);
  return view.getUint16(at, true) | (view.getInt8(at + 2) << 16);
}

/** The count of fields at `at`. */
function countAt(view: DataView, at: number): number {
  const first = view.getUint8(at);
  if (first < SMALL_INTEGER_END) return first;
  if (first < INTEGER_13_END) return ((first & 0x1f) << 8) | view.getUint8(at + 1);
  if (first === INTEGER_16) return view.getInt16(at + 1, true);
  if (first === INTEGER_24) return view.getUint16(at + 1, true) | (view.getInt8(at + 3) << 16);
  return view.getInt32(at + 1, true);
}
