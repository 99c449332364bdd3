/**
 * Writes a stream in the RDB format, as STREAM_LISTPACKS_3 or, for older servers, without what
 * they do not know (2: no time of activity; 1: no first and deleted IDs and no entries read):
 *
 *     count of nodes, per node: its ID (16 bytes, big-endian, as a string), its listpack (a string)
 *     count of entries, last ID, first ID, largest deleted ID, entries ever added
 *     count of groups, per group: name, last delivered ID, entries read,
 *       count of pending entries, per entry: ID (16 bytes), delivered (i64), deliveries
 *       count of consumers, per consumer: name, seen (i64), active (i64),
 *         count of pending entries, per entry: ID (16 bytes)
 *
 * IDs without a width are two lengths, and so are counts. O(bytes of the stream).
 */
import { type Arena, Ref } from "../memory/arena.ts";
import { nameTableGet, nameTableSize } from "../structures/name-table.ts";
import { ID_BYTES, StreamId } from "../structures/stream-id.ts";
import { StreamNodeEncoder } from "../structures/stream-node-listpack.ts";
import { nodeBase } from "../structures/stream-node.ts";
import type { StreamTree } from "../structures/stream-tree.ts";
import {
  ConsumerBlock,
  GroupBlock,
  type StreamGroups,
  blockNameLength,
  blockNameStart,
} from "../types/stream-group.ts";
import { RdbType } from "./rdb-format.ts";
import type { RdbStructures } from "./rdb-structures.ts";
import type { RdbWriter } from "./rdb-writer.ts";

const TWO_32 = 4294967296;

/** Nodes or pending entries written between two steps. */
const PER_STEP = 64;

/** Writes the stream with this root block as a value of `type`, in steps. */
export function* encodeStream(
  writer: RdbWriter,
  structures: RdbStructures,
  root: number,
  type: RdbType,
): Generator<void, void> {
  const { arena, streams, streamGroups } = structures;
  streams.open(root);
  yield* encodeNodes(writer, arena, streams.nodes);
  writer.size(streams.length);
  writeId(writer, streams.lastId);
  if (type !== RdbType.STREAM_LISTPACKS) {
    writeId(writer, streams.firstId);
    writeId(writer, streams.maxDeletedId);
    writeCount(writer, streams.entriesAdded());
  }
  const { groups } = streams;
  const count = nameTableSize(arena, groups);
  writer.size(count);
  for (let i = 0; i < count; i++) {
    yield* encodeGroup(writer, arena, streamGroups, nameTableGet(arena, groups, i), type);
  }
}

function* encodeNodes(writer: RdbWriter, arena: Arena, nodes: StreamTree): Generator<void, void> {
  const id = new StreamId();
  const idBytes = new Uint8Array(ID_BYTES);
  const encoder = new StreamNodeEncoder();
  let written = 0;
  writer.size(nodes.size);
  for (let node = nodes.seekFirst(); node !== 0; node = nodes.next()) {
    nodes.readId(id);
    writeRawId(idBytes, id);
    writer.string(idBytes, 0, ID_BYTES);
    encoder.encode(arena.views[node >>> Ref.SEGMENT_SHIFT], nodeBase(node), id);
    writer.string(encoder.bytes, 0, encoder.length);
    if (++written % PER_STEP === 0) yield;
  }
}

function* encodeGroup(
  writer: RdbWriter,
  arena: Arena,
  groups: StreamGroups,
  group: number,
  type: RdbType,
): Generator<void, void> {
  groups.open(group);
  encodeName(writer, arena, group, GroupBlock.NAME);
  writeId(writer, groups.lastId);
  if (type !== RdbType.STREAM_LISTPACKS) writeCount(writer, groups.entriesRead());
  const { pending, consumers } = groups;
  const id = new StreamId();
  const idBytes = new Uint8Array(ID_BYTES);
  let written = 0;
  writer.size(pending.size);
  for (let entry = pending.seekFirst(); entry !== 0; entry = pending.next()) {
    pending.readId(id);
    writeRawId(idBytes, id);
    writer.raw(idBytes, 0, ID_BYTES);
    writeTime(writer, groups.delivered(entry));
    writeCount(writer, groups.deliveries(entry));
    if (++written % PER_STEP === 0) yield;
  }
  const count = nameTableSize(arena, consumers);
  writer.size(count);
  for (let i = 0; i < count; i++) {
    const consumer = nameTableGet(arena, consumers, i);
    encodeName(writer, arena, consumer, ConsumerBlock.NAME);
    writeTime(writer, groups.seen(consumer));
    if (type === RdbType.STREAM_LISTPACKS_3) writeTime(writer, groups.active(consumer));
    groups.openConsumer(consumer);
    const { consumerPending } = groups;
    writer.size(consumerPending.size);
    for (let entry = consumerPending.seekFirst(); entry !== 0; entry = consumerPending.next()) {
      consumerPending.readId(id);
      writeRawId(idBytes, id);
      writer.raw(idBytes, 0, ID_BYTES);
      if (++written % PER_STEP === 0) yield;
    }
  }
}

function encodeName(writer: RdbWriter, arena: Arena, block: number, nameAt: number): void {
  const start = blockNameStart(arena, block, nameAt);
  const length = blockNameLength(arena, block, nameAt);
  writer.string(arena.bytes[block >>> Ref.SEGMENT_SHIFT], start, start + length);
}

function writeId(writer: RdbWriter, id: StreamId): void {
  writer.size64(id.msHigh, id.msLow);
  writer.size64(id.seqHigh, id.seqLow);
}

function writeRawId(bytes: Uint8Array, id: StreamId): void {
  const view = new DataView(bytes.buffer);
  view.setInt32(0, id.msHigh);
  view.setInt32(4, id.msLow);
  view.setInt32(8, id.seqHigh);
  view.setInt32(12, id.seqLow);
}

/** A 64-bit number; negative ones are written as two's complement. */
function writeCount(writer: RdbWriter, count: bigint): void {
  writer.size64(Number(BigInt.asIntN(32, count >> 32n)), Number(BigInt.asIntN(32, count)));
}

function writeTime(writer: RdbWriter, ms: number): void {
  writer.int64(Math.floor(ms / TWO_32), ms | 0);
}
