// HOT PATH: rules in src/README.md
/**
 * Builds nodes of streams (structures/stream-node.ts): begins one, and adds entries behind its last.
 *
 *     writer.begin(...); writer.text(...) of each master field; node = writer.end();
 *     writer.beginEntry(node, ...); writer.text(...) of each value; node = writer.endEntry();
 *
 * The node that a stream grows in has room to spare. When it is finished, it moves into a block of
 * its own size, and its block serves the next one: only the first node of a stream ever grows.
 *
 * Adding an entry is O(its bytes), but for the growth of the first node.
 */
import { parseSafeInteger } from "../base/int64.ts";
import { copyBytes } from "../base/bytes.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import {
  backlenBytes,
  entryDataBytes,
  integerDataBytes,
  textDataBytes,
  writeBacklen,
  writeIntegerEntry,
  writeTextEntry,
} from "./listpack-entry.ts";
import type { StreamId } from "./stream-id.ts";
import {
  EntryHead,
  StreamNode,
  Width,
  countGrowth,
  entryPieces,
  nodeBase,
  nodeBlockBytes,
  nodeBytes,
  nodeCopy,
  nodeListpackBytes,
  nodeLive,
} from "./stream-node.ts";

/** Larger blocks get no room to spare, and serve one node only. */
const SPARE_BYTES_MAX = 8192;
/** Of an entry: head, two differences of 8 bytes, a count of fields and its backlen, its size. */
const ENTRY_OVERHEAD_MAX = 32;
/** Of a text: what says how long it is, and a backlen that is written over again. */
const TEXT_OVERHEAD_MAX = 10;
/** Data bytes of a 64-bit integer. */
const INTEGER_64_BYTES = 9;
/** In a listpack: header and end, counts of live and deleted entries, and a 0 behind the fields. */
const LISTPACK_BYTES = 13;
/** In the listpack of an entry: the flags, and the backlens of five integers. */
const LISTPACK_ENTRY_BYTES = 5;

export class StreamNodeWriter {
  /** The node that is written, where it begins in `view`, and where it is written next. */
  private node = 0;
  private view: DataView = new DataView(new ArrayBuffer(0));
  private base = 0;
  private at = 0;
  private entryAt = 0;
  /** What the node, or the entry that is written, takes in a listpack. */
  private listpackBytes = 0;
  /** The block of a finished node, for the next one; or 0. */
  private spare = 0;

  constructor(private readonly arena: Arena) {}

  /** Bytes that `count` texts take at most, which have `bytes` bytes together. */
  static room(bytes: number, count: number): number {
    return bytes + count * TEXT_OVERHEAD_MAX;
  }

  /** Begins a node that has room for texts of `room` bytes. Grows the arena. */
  begin(masterId: StreamId, fields: number, room: number): void {
    const { arena } = this;
    const bytes = StreamNode.HEADER + room;
    let node = this.spare;
    if (node === 0 || nodeBlockBytes(arena, node) < bytes) {
      node = arena.allocate(bytes);
      if (this.spare !== 0) arena.free(this.spare, nodeBlockBytes(arena, this.spare));
      const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
      view.setUint32(nodeBase(node) + StreamNode.BLOCK_BYTES, blockBytes(bytes), true);
    }
    this.spare = 0;
    const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
    const base = nodeBase(node);
    view.setUint32(base + StreamNode.LIVE, 0, true);
    view.setUint32(base + StreamNode.DELETED, 0, true);
    view.setUint32(base + StreamNode.FIELDS, fields, true);
    masterId.write(arena.words[node >>> Ref.SEGMENT_SHIFT], (base + StreamNode.LAST_ID) >>> 2);
    this.node = node;
    this.view = view;
    this.base = base;
    this.at = base + StreamNode.HEADER;
    this.listpackBytes = LISTPACK_BYTES + integerDataBytes(fields) + 1;
  }

  /** Ends what `begin` began: the node has its master fields, and no entry. */
  end(): number {
    const { view, base } = this;
    view.setUint32(base + StreamNode.BYTES, this.at - base, true);
    view.setUint32(base + StreamNode.LISTPACK_BYTES, this.listpackBytes, true);
    return this.node;
  }

  /**
   * Begins an entry of the node, with texts of `room` bytes at most. Grows the arena; the node may
   * be another one then, which `endEntry` returns. Requires: the ID is larger than the last one, or
   * the entry is the node's first.
   */
  beginEntry(
    node: number,
    masterId: StreamId,
    id: StreamId,
    fields: number,
    hasOwnFields: boolean,
    room: number,
  ): void {
    const { arena } = this;
    let view = arena.views[node >>> Ref.SEGMENT_SHIFT];
    let base = nodeBase(node);
    const end = nodeBytes(view, base) + room + ENTRY_OVERHEAD_MAX;
    this.node = node;
    if (end > view.getUint32(base + StreamNode.BLOCK_BYTES, true)) {
      this.node = this.grow(node, end);
      view = arena.views[this.node >>> Ref.SEGMENT_SHIFT];
      base = nodeBase(this.node);
    }
    this.view = view;
    this.base = base;
    this.entryAt = this.at = base + nodeBytes(view, base);
    this.listpackBytes =
      LISTPACK_ENTRY_BYTES + integerDataBytes(entryPieces(fields, !hasOwnFields));
    this.writeId(masterId, id, hasOwnFields ? EntryHead.LONG | EntryHead.OWN_FIELDS : 0);
    if (!hasOwnFields) return;
    const dataBytes = integerDataBytes(fields);
    writeIntegerEntry(view, this.at, fields, dataBytes);
    this.at += dataBytes;
    this.listpackBytes += dataBytes + 1;
  }

  /** Adds the text [start, end) of `other`: a field or a value. */
  text(other: DataView, start: number, end: number): void {
    const integer = parseSafeInteger(other, start, end);
    const dataBytes = textDataBytes(other, start, end, integer);
    writeTextEntry(this.view, this.at, other, start, end, integer, dataBytes);
    this.at += dataBytes;
    this.listpackBytes += dataBytes + backlenBytes(dataBytes);
  }

  /** Adds a field or a value that is an entry of a listpack. */
  piece(other: DataView, at: number): void {
    const dataBytes = entryDataBytes(other, at);
    copyBytes(this.view, this.at, other, at, dataBytes);
    this.at += dataBytes;
    this.listpackBytes += dataBytes + backlenBytes(dataBytes);
  }

  /** Ends what `beginEntry` began. */
  endEntry(): number {
    const { view, base } = this;
    const size = this.at - this.entryAt;
    writeBacklen(view, this.at, size);
    const live = nodeLive(view, base);
    const listpackBytes = nodeListpackBytes(view, base) + this.listpackBytes + countGrowth(live);
    view.setUint32(base + StreamNode.BYTES, this.at + backlenBytes(size) - base, true);
    view.setUint32(base + StreamNode.LIVE, live + 1, true);
    view.setUint32(base + StreamNode.LISTPACK_BYTES, listpackBytes, true);
    return this.node;
  }

  /**
   * The node that nothing is added to any more, without room to spare. Grows the arena. Requires:
   * the next call is `begin`.
   */
  finish(node: number): number {
    const { arena } = this;
    const bytes = nodeBytes(arena.views[node >>> Ref.SEGMENT_SHIFT], nodeBase(node));
    const ownBytes = nodeBlockBytes(arena, node);
    if (ownBytes > SPARE_BYTES_MAX && ownBytes === blockBytes(bytes)) return node;
    const finished = nodeCopy(arena, node, bytes);
    if (ownBytes > SPARE_BYTES_MAX) arena.free(node, ownBytes);
    else this.spare = node;
    return finished;
  }

  private grow(node: number, bytes: number): number {
    const { arena } = this;
    const grown = nodeCopy(arena, node, bytes < SPARE_BYTES_MAX ? bytes + (bytes >>> 1) : bytes);
    arena.free(node, nodeBlockBytes(arena, node));
    return grown;
  }

  /** Writes the head and the ID of an entry, and notes the ID as the node's last. */
  private writeId(masterId: StreamId, id: StreamId, form: number): void {
    const { view, base } = this;
    const lastAt = base + StreamNode.LAST_ID;
    const lastMsHigh = view.getInt32(lastAt, true);
    const lastMsLow = view.getInt32(lastAt + 4, true);
    const lastSeqHigh = view.getInt32(lastAt + 8, true);
    const lastSeqLow = view.getInt32(lastAt + 12, true);
    const { msHigh, msLow, seqHigh, seqLow } = id;
    const ms = (msLow - lastMsLow) | 0;
    const seq = (seqLow - lastSeqLow) | 0;
    const hasLastHighs = msHigh === lastMsHigh && seqHigh === lastSeqHigh;
    const isNear = ms === 0 ? seq === 1 : seq === 0 && ms > 0 && ms <= EntryHead.MS_MASK;
    if (isNear && hasLastHighs && form === 0) {
      view.setUint8(this.at++, ms);
    } else {
      const msHighDifference = differenceHigh(msHigh, msLow, lastMsHigh, lastMsLow);
      const seqHighDifference = differenceHigh(seqHigh, seqLow, lastSeqHigh, lastSeqLow);
      const msWidth = widthOf(msHighDifference, ms);
      const seqWidth = widthOf(seqHighDifference, seq);
      const widths = (msWidth << EntryHead.MS_WIDTH_SHIFT) | seqWidth;
      view.setUint8(this.at++, EntryHead.LONG | form | widths);
      this.writeDifference(msHighDifference, ms, msWidth);
      this.writeDifference(seqHighDifference, seq, seqWidth);
    }
    view.setInt32(lastAt, msHigh, true);
    view.setInt32(lastAt + 4, msLow, true);
    view.setInt32(lastAt + 8, seqHigh, true);
    view.setInt32(lastAt + 12, seqLow, true);
    this.listpackBytes +=
      int64DataBytes(
        differenceHigh(msHigh, msLow, masterId.msHigh, masterId.msLow),
        (msLow - masterId.msLow) | 0,
      ) +
      int64DataBytes(
        differenceHigh(seqHigh, seqLow, masterId.seqHigh, masterId.seqLow),
        (seqLow - masterId.seqLow) | 0,
      );
  }

  private writeDifference(high: number, low: number, width: number): void {
    if (width === Width.BYTES_0) return;
    const { view, at } = this;
    if (width === Width.BYTES_1) {
      view.setInt8(at, low);
      this.at = at + 1;
    } else if (width === Width.BYTES_3) {
      view.setUint16(at, low & 0xffff, true);
      view.setInt8(at + 2, low >> 16);
      this.at = at + 3;
    } else {
      view.setInt32(at, low, true);
      view.setInt32(at + 4, high, true);
      this.at = at + 8;
    }
  }
}

/** The high word of the difference of two 64-bit numbers; the low one is that of their low words. */
function differenceHigh(high: number, low: number, otherHigh: number, otherLow: number): number {
  return (high - otherHigh - (low >>> 0 < otherLow >>> 0 ? 1 : 0)) | 0;
}

/** The least width that holds a signed 64-bit number. */
function widthOf(high: number, low: number): Width {
  if (high !== low >> 31) return Width.BYTES_8;
  if (low === 0) return Width.BYTES_0;
  if (low >= -128 && low < 128) return Width.BYTES_1;
  return low >= -8388608 && low < 8388608 ? Width.BYTES_3 : Width.BYTES_8;
}

/** Bytes of encoding and data that a signed 64-bit number takes in a listpack. */
function int64DataBytes(high: number, low: number): number {
  return high === low >> 31 ? integerDataBytes(low) : INTEGER_64_BYTES;
}
