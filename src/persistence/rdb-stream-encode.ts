/**
 * Writes a stream in the RDB format, STREAM_LISTPACKS_3:
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
import type { Keyspace } from "../keyspace/keyspace.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import { listpackBase, listpackBytes } from "../structures/listpack.ts";
import { nameTableGet, nameTableSize } from "../structures/name-table.ts";
import { ID_BYTES, StreamId } from "../structures/stream-id.ts";
import type { StreamTree } from "../structures/stream-tree.ts";
import {
  ConsumerBlock,
  GroupBlock,
  type StreamGroups,
  blockNameLength,
  blockNameStart,
} from "../types/stream-group.ts";
import { RdbType } from "./rdb-format.ts";
import type { RdbWriter } from "./rdb-writer.ts";

const TWO_32 = 4294967296;

/** Writes the type and the value of the stream with this root block. */
export function encodeStream(writer: RdbWriter, keyspace: Keyspace, root: number): void {
  const { arena, streams, streamGroups } = keyspace;
  streams.open(root);
  writer.byte(RdbType.STREAM_LISTPACKS_3);
  encodeNodes(writer, arena, streams.nodes);
  writer.size(streams.length);
  writeId(writer, streams.lastId);
  writeId(writer, streams.firstId);
  writeId(writer, streams.maxDeletedId);
  writeCount(writer, streams.entriesAdded());
  const { groups } = streams;
  const count = nameTableSize(arena, groups);
  writer.size(count);
  for (let i = 0; i < count; i++) {
    encodeGroup(writer, arena, streamGroups, nameTableGet(arena, groups, i));
  }
}

function encodeNodes(writer: RdbWriter, arena: Arena, nodes: StreamTree): void {
  const id = new StreamId();
  const idBytes = new Uint8Array(ID_BYTES);
  writer.size(nodes.size);
  for (let node = nodes.seekFirst(); node !== 0; node = nodes.next()) {
    nodes.readId(id);
    writeRawId(idBytes, id);
    writer.string(idBytes, 0, ID_BYTES);
    const base = listpackBase(node);
    const bytes = listpackBytes(arena.views[node >>> Ref.SEGMENT_SHIFT], base);
    writer.string(arena.bytes[node >>> Ref.SEGMENT_SHIFT], base, base + bytes);
  }
}

function encodeGroup(writer: RdbWriter, arena: Arena, groups: StreamGroups, group: number): void {
  groups.open(group);
  encodeName(writer, arena, group, GroupBlock.NAME);
  writeId(writer, groups.lastId);
  writeCount(writer, groups.entriesRead());
  const { pending, consumers } = groups;
  const id = new StreamId();
  const idBytes = new Uint8Array(ID_BYTES);
  writer.size(pending.size);
  for (let entry = pending.seekFirst(); entry !== 0; entry = pending.next()) {
    pending.readId(id);
    writeRawId(idBytes, id);
    writer.raw(idBytes, 0, ID_BYTES);
    writeTime(writer, groups.delivered(entry));
    writeCount(writer, groups.deliveries(entry));
  }
  const count = nameTableSize(arena, consumers);
  writer.size(count);
  for (let i = 0; i < count; i++) {
    const consumer = nameTableGet(arena, consumers, i);
    encodeName(writer, arena, consumer, ConsumerBlock.NAME);
    writeTime(writer, groups.seen(consumer));
    writeTime(writer, groups.active(consumer));
    groups.openConsumer(consumer);
    const { consumerPending } = groups;
    writer.size(consumerPending.size);
    for (let entry = consumerPending.seekFirst(); entry !== 0; entry = consumerPending.next()) {
      consumerPending.readId(id);
      writeRawId(idBytes, id);
      writer.raw(idBytes, 0, ID_BYTES);
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
