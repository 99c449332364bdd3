/**
 * Reads a stream in the RDB format, as rdb-stream-encode.ts draws it, or in an older form: the first
 * has no first ID, no largest deleted ID, no entries added and read; the first two have no time when
 * a consumer was active.
 *
 * O(bytes of the stream). What was read before a failure is left to the caller to free.
 */
import { latin1FromBytes } from "../base/ascii.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { type Arena } from "../memory/arena.ts";
import { nameTableFind, nameTableInsert } from "../structures/name-table.ts";
import { ID_BYTES, StreamId } from "../structures/stream-id.ts";
import { StreamNodeDecoder } from "../structures/stream-node-listpack.ts";
import { entriesAddedUntil } from "../types/stream-counters.ts";
import { GroupBlock, type StreamGroups } from "../types/stream-group.ts";
import type { Streams } from "../types/stream.ts";
import { RdbType } from "./rdb-format.ts";
import { type RdbReader, RdbText } from "./rdb-reader.ts";
import { StreamNodeChecker } from "./stream-node-check.ts";

const TWO_32 = 4294967296;
/** The least bytes of a node, of a group, a consumer, and of their pending entries. */
const NODE_BYTES_MIN = 2;
const GROUP_BYTES_MIN = 5;
const CONSUMER_BYTES_MIN = 10;

/** A pending entry of a group whose consumer is not known yet. */
interface Delivery {
  readonly deliveredMs: number;
  readonly count: bigint;
}

/** The root block of the stream, complete unless the reader has failed. Grows the arena. */
export function decodeStream(reader: RdbReader, keyspace: Keyspace, type: RdbType): number {
  const { arena, streams, streamGroups } = keyspace;
  const root = streams.create();
  const text = new RdbText();
  const id = new StreamId();
  const lastId = new StreamId();
  const live = decodeNodes(reader, arena, streams, lastId);
  const length = reader.size();
  readId(reader, id);
  if (length !== live) reader.fail("Stream length inconsistent with rax entries");
  if (id.compare(lastId) < 0) reader.fail("Stream last ID below an entry");
  if (reader.failure !== null) return root;
  streams.addToLength(length);
  streams.setLastId(id);
  streams.findFirstId();
  if (type === RdbType.STREAM_LISTPACKS) streams.setEntriesAdded(BigInt(length));
  else {
    // The first ID follows from the entries.
    readId(reader, id);
    readId(reader, id);
    streams.setMaxDeletedId(id);
    streams.setEntriesAdded(readCount(reader));
  }
  const groupCount = reader.count(GROUP_BYTES_MIN);
  for (let i = 0; i < groupCount && reader.failure === null; i++) {
    decodeGroup(reader, text, streams, streamGroups, type);
  }
  return root;
}

/** Reads the nodes; returns how many entries they hold. `lastId` becomes the largest ID. */
function decodeNodes(reader: RdbReader, arena: Arena, streams: Streams, lastId: StreamId): number {
  const masterId = new StreamId();
  const text = new RdbText();
  const checker = new StreamNodeChecker();
  const decoder = new StreamNodeDecoder(arena);
  const count = reader.count(NODE_BYTES_MIN);
  let live = 0;
  for (let i = 0; i < count && reader.failure === null; i++) {
    reader.string(text);
    if (text.length === ID_BYTES) takeRawId(text, masterId);
    else reader.fail("Stream node key entry is not the size of a stream ID");
    reader.string(text);
    if (reader.failure !== null) break;
    if (!checker.check(text.view, text.start, text.end, masterId, lastId)) {
      reader.fail("Stream listpack integrity check failed.");
      break;
    }
    streams.nodes.insert(masterId, decoder.decode(text.view, text.start, masterId));
    live += checker.live;
  }
  return live;
}

function decodeGroup(
  reader: RdbReader,
  text: RdbText,
  streams: Streams,
  groups: StreamGroups,
  type: RdbType,
): void {
  const { arena } = streams;
  const id = new StreamId();
  reader.string(text);
  readId(reader, id);
  const entriesRead =
    type === RdbType.STREAM_LISTPACKS ? entriesAddedUntil(streams, id) : readCount(reader);
  if (reader.failure !== null) return;
  const { view, start, end } = text;
  const index = nameTableFind(arena, streams.groups, GroupBlock.NAME, view, start, end);
  if (index >= 0) {
    reader.fail("Duplicated consumer group name");
    return;
  }
  const group = groups.create(view, start, end, id, entriesRead);
  streams.groups = nameTableInsert(arena, streams.groups, ~index, group);
  const deliveries = decodeDeliveries(reader);
  const consumerCount = reader.count(CONSUMER_BYTES_MIN);
  for (let i = 0; i < consumerCount && reader.failure === null; i++) {
    decodeConsumer(reader, text, groups, deliveries, type);
  }
  if (deliveries.size > 0) reader.fail("Stream CG PEL entry without consumer");
}

/** The pending entries of a group, by ID: one character per byte. */
function decodeDeliveries(reader: RdbReader): Map<string, Delivery> {
  const deliveries = new Map<string, Delivery>();
  const text = new RdbText();
  const count = reader.count(ID_BYTES + 9);
  for (let i = 0; i < count && reader.failure === null; i++) {
    reader.raw(ID_BYTES, text);
    const key = latin1FromBytes(text.bytes, text.start, text.end);
    const deliveredMs = readTime(reader);
    if (deliveries.has(key))
      reader.fail("Duplicated global PEL entry loading stream consumer group");
    deliveries.set(key, { deliveredMs, count: readCount(reader) });
  }
  return deliveries;
}

/** Reads a consumer with what is pending for it, which is taken out of `deliveries`. */
function decodeConsumer(
  reader: RdbReader,
  text: RdbText,
  groups: StreamGroups,
  deliveries: Map<string, Delivery>,
  type: RdbType,
): void {
  reader.string(text);
  const seenMs = readTime(reader);
  const activeMs = type === RdbType.STREAM_LISTPACKS_3 ? readTime(reader) : seenMs;
  if (reader.failure !== null) return;
  const { view, start, end } = text;
  if (groups.findConsumer(view, start, end) !== 0) {
    reader.fail("Duplicate stream consumer detected.");
    return;
  }
  const consumer = groups.createConsumer(view, start, end, seenMs);
  groups.setActive(consumer, activeMs);
  const id = new StreamId();
  const count = reader.count(ID_BYTES);
  for (let i = 0; i < count && reader.failure === null; i++) {
    reader.raw(ID_BYTES, text);
    if (reader.failure !== null) break;
    const key = latin1FromBytes(text.bytes, text.start, text.end);
    const delivery = deliveries.get(key);
    if (delivery === undefined) {
      reader.fail("Consumer entry not found in group global PEL");
      break;
    }
    deliveries.delete(key);
    takeRawId(text, id);
    const entry = groups.addPending(id, consumer);
    groups.setDelivered(entry, delivery.deliveredMs);
    groups.setDeliveries(entry, delivery.count);
  }
}

function readId(reader: RdbReader, id: StreamId): void {
  reader.size64();
  id.msHigh = reader.high;
  id.msLow = reader.low;
  reader.size64();
  id.seqHigh = reader.high;
  id.seqLow = reader.low;
}

/** Takes an ID of 16 bytes, big-endian. */
function takeRawId(text: RdbText, id: StreamId): void {
  const { view, start } = text;
  id.msHigh = view.getInt32(start);
  id.msLow = view.getInt32(start + 4);
  id.seqHigh = view.getInt32(start + 8);
  id.seqLow = view.getInt32(start + 12);
}

function readCount(reader: RdbReader): bigint {
  reader.size64();
  return (BigInt(reader.high) << 32n) | BigInt(reader.low >>> 0);
}

function readTime(reader: RdbReader): number {
  reader.int64();
  return reader.high * TWO_32 + (reader.low >>> 0);
}
