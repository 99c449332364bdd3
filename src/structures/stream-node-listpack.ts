/**
 * The listpack that stands for a node of a stream (structures/stream-node.ts) in RDB files:
 *
 *     node     | live | deleted | n | field 1 | ... | field n | 0 | entry | entry | ...
 *     entry    | flags | ms | seq | value 1 | ... | value n | pieces           SAME_FIELDS
 *              | flags | ms | seq | m | field 1 | value 1 | ... | value m | pieces
 *
 *     live, deleted   entries that are there, and that are marked as deleted
 *     ms, seq         differences to the master ID, modulo 2^64
 *     pieces          listpack entries of this entry before this one: how to walk backwards
 *
 * Each piece is an entry of the listpack. Both directions are O(bytes).
 */
import { copyBytes } from "../base/bytes.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import {
  ListpackEntry,
  backlenBytes,
  entryDataBytes,
  entryEnd,
  integerDataBytes,
  writeBacklen,
  writeIntegerEntry,
} from "./listpack-entry.ts";
import { Listpack, listpackBytes, listpackIsEnd } from "./listpack.ts";
import { StreamId } from "./stream-id.ts";
import { StreamNodeWriter } from "./stream-node-writer.ts";
import {
  StreamNode,
  StreamNodeReader,
  entryPieces,
  nodeBase,
  nodeDeleted,
  nodeDuplicate,
  nodeFree,
  nodeListpackBytes,
  nodeLive,
  nodeMarkDeleted,
} from "./stream-node.ts";

export const enum EntryFlag {
  DELETED = 1,
  SAME_FIELDS = 2,
}

const BYTES_AT_FIRST = 8192;
const TWO_TO_32 = 4294967296;
const INTEGER_64 = 0xf4;
const INTEGER_64_BYTES = 9;

/** Makes listpacks of nodes. */
export class StreamNodeEncoder {
  /** The listpack that was made last: the first `length` bytes. */
  bytes: Uint8Array = new Uint8Array(BYTES_AT_FIRST);
  view: DataView = new DataView(this.bytes.buffer);
  length = 0;

  private count = 0;
  private readonly reader = new StreamNodeReader();

  encode(node: DataView, base: number, masterId: StreamId): void {
    this.reserve(nodeListpackBytes(node, base));
    this.length = Listpack.HEADER;
    this.count = 0;
    this.int64(0, nodeLive(node, base));
    this.int64(0, nodeDeleted(node, base));
    const fields = node.getUint32(base + StreamNode.FIELDS, true);
    this.int64(0, fields);
    let fieldAt = base + StreamNode.HEADER;
    for (let i = 0; i < fields; i++) fieldAt = this.piece(node, fieldAt);
    this.int64(0, 0);
    const { reader } = this;
    reader.open(node, base, masterId);
    for (let found = reader.first(); found; found = reader.next()) this.entry(node, masterId);
    this.bytes[this.length++] = Listpack.END;
    this.view.setUint32(0, this.length, true);
    const count = Math.min(this.count, Listpack.COUNT_UNKNOWN);
    this.view.setUint16(Listpack.COUNT_AT, count, true);
    if (DEBUG && this.length !== nodeListpackBytes(node, base))
      throw new Error("a node of another length");
  }

  private entry(node: DataView, masterId: StreamId): void {
    const { id, isDeleted, hasOwnFields, fieldCount, valueAt, fieldAt } = this.reader;
    const deleted = isDeleted ? EntryFlag.DELETED : 0;
    this.int64(0, deleted | (hasOwnFields ? 0 : EntryFlag.SAME_FIELDS));
    this.difference(id.msHigh, id.msLow, masterId.msHigh, masterId.msLow);
    this.difference(id.seqHigh, id.seqLow, masterId.seqHigh, masterId.seqLow);
    if (hasOwnFields) this.int64(0, fieldCount);
    let at = hasOwnFields ? fieldAt : valueAt;
    for (let i = hasOwnFields ? fieldCount * 2 : fieldCount; i > 0; i--) at = this.piece(node, at);
    this.int64(0, entryPieces(fieldCount, !hasOwnFields));
  }

  private difference(high: number, low: number, masterHigh: number, masterLow: number): void {
    const borrow = low >>> 0 < masterLow >>> 0 ? 1 : 0;
    this.int64((high - masterHigh - borrow) | 0, (low - masterLow) | 0);
  }

  private int64(high: number, low: number): void {
    this.count++;
    const { view, length } = this;
    const value = high * TWO_TO_32 + (low >>> 0);
    if (Number.isSafeInteger(value)) {
      const dataBytes = integerDataBytes(value);
      writeIntegerEntry(view, length, value, dataBytes);
      this.length += dataBytes + 1;
      return;
    }
    view.setUint8(length, INTEGER_64);
    view.setInt32(length + 1, low, true);
    view.setInt32(length + 5, high, true);
    writeBacklen(view, length + INTEGER_64_BYTES, INTEGER_64_BYTES);
    this.length += INTEGER_64_BYTES + 1;
  }

  /** Adds the piece at `at` of the node, and returns the offset behind it there. */
  private piece(node: DataView, at: number): number {
    const dataBytes = entryDataBytes(node, at);
    copyBytes(this.view, this.length, node, at, dataBytes);
    writeBacklen(this.view, this.length + dataBytes, dataBytes);
    this.length += dataBytes + backlenBytes(dataBytes);
    this.count++;
    return at + dataBytes;
  }

  private reserve(bytes: number): void {
    if (bytes <= this.bytes.length && this.bytes.length <= BYTES_AT_FIRST) return;
    this.bytes = new Uint8Array(Math.max(bytes, BYTES_AT_FIRST));
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Makes nodes of listpacks. */
export class StreamNodeDecoder {
  private readonly writer: StreamNodeWriter;
  private readonly piece = new ListpackEntry();
  private readonly id = new StreamId();
  private readonly reader = new StreamNodeReader();

  constructor(private readonly arena: Arena) {
    this.writer = new StreamNodeWriter(arena);
  }

  /** The node of a listpack that was checked, in the words of `StreamNodeReader`. Grows the arena. */
  decode(view: DataView, start: number, masterId: StreamId): number {
    const { arena, writer } = this;
    const fieldsAt = entryEnd(view, entryEnd(view, start + Listpack.HEADER));
    const fields = this.integerAt(view, fieldsAt);
    const bytes = listpackBytes(view, start);
    writer.begin(masterId, fields, StreamNodeWriter.room(bytes, 0));
    let at = entryEnd(view, fieldsAt);
    for (let i = 0; i < fields; i++, at = entryEnd(view, at)) writer.piece(view, at);
    let node = writer.end();
    at = entryEnd(view, at);
    while (!listpackIsEnd(view, at)) {
      const flags = this.integerAt(view, at);
      const msAt = entryEnd(view, at);
      const seqAt = entryEnd(view, msAt);
      readEntryId(view, msAt, masterId, this.piece, this.id);
      at = entryEnd(view, seqAt);
      const hasOwnFields = (flags & EntryFlag.SAME_FIELDS) === 0;
      const count = hasOwnFields ? this.integerAt(view, at) : fields;
      if (hasOwnFields) at = entryEnd(view, at);
      const pieces = hasOwnFields ? count * 2 : count;
      const piecesEnd = skip(view, at, pieces);
      writer.beginEntry(node, masterId, this.id, count, hasOwnFields, piecesEnd - at);
      for (; at < piecesEnd; at = entryEnd(view, at)) writer.piece(view, at);
      node = writer.endEntry();
      if ((flags & EntryFlag.DELETED) !== 0) this.markLast(node, masterId);
      at = entryEnd(view, at);
    }
    const exact = nodeDuplicate(arena, node);
    nodeFree(arena, node);
    return exact;
  }

  private markLast(node: number, masterId: StreamId): void {
    const { arena, reader } = this;
    const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
    reader.open(view, nodeBase(node), masterId);
    reader.last();
    nodeMarkDeleted(view, nodeBase(node), reader.entryAt);
  }

  private integerAt(view: DataView, at: number): number {
    this.piece.read(view, at);
    return this.piece.value;
  }
}

/** Reads the ID of an entry whose difference in time is the piece at `at`. */
export function readEntryId(
  view: DataView,
  at: number,
  masterId: StreamId,
  piece: ListpackEntry,
  into: StreamId,
): void {
  into.copy(masterId);
  piece.read(view, at);
  into.addTime(highOf(piece), lowOf(piece));
  piece.read(view, entryEnd(view, at));
  into.addSequence(highOf(piece), lowOf(piece));
}

function highOf({ value, high }: ListpackEntry): number {
  return value === value ? Math.floor(value / TWO_TO_32) : high;
}

function lowOf({ value, low }: ListpackEntry): number {
  return value === value ? value | 0 : low;
}

function skip(view: DataView, at: number, count: number): number {
  let end = at;
  for (let i = count; i > 0; i--) end = entryEnd(view, end);
  return end;
}
