// HOT PATH: rules in src/README.md
/**
 * Consumer groups: who has been given which entries of a stream, and has not acknowledged them.
 *
 *     group      offset  size  meaning                        consumer  offset  size  meaning
 *                     0    12  tree: ID → pending entry              0    12  tree: ID → pending entry
 *                    12   i32  table of consumers                   12     4  unused
 *                    16    16  last delivered ID                    16   i64  seen, unix ms
 *                    32   i64  entries read, -1 = unknown           24   i64  active, unix ms; -1 = never
 *                    40     .  name, a stored byte string           32     .  name, a stored byte string
 *
 *     pending entry (20 bytes)
 *     offset  size  meaning
 *          0   i64  delivered, unix ms
 *          8   u64  how often
 *         16   i32  the consumer
 *
 * One object serves all groups of an engine: `open` points it at one. References to groups,
 * consumers and pending entries stay valid until they are removed, but for the compactor.
 *
 * Invariants
 *  1. A pending entry is in the group's tree and in that of its consumer, and in no other.
 *  2. Tables of groups and consumers are sorted by name (structures/name-table.ts).
 *
 * Of n pending entries all operations are O(log n), but deleting a group or a consumer is O(n log n).
 * Why not the ID in the pending entry and one tree: XREADGROUP and XPENDING walk one consumer's.
 */
import { copyBytes } from "../base/bytes.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import { prefixBytes, storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import {
  nameTableFind,
  nameTableFree,
  nameTableGet,
  nameTableInsert,
  nameTableRemove,
  nameTableSize,
} from "../structures/name-table.ts";
import { StreamId } from "../structures/stream-id.ts";
import { StreamTree } from "../structures/stream-tree.ts";
import type { Streams } from "./stream.ts";

export const enum GroupBlock {
  PENDING = 0,
  CONSUMERS = 12,
  LAST_ID = 16,
  ENTRIES_READ = 32,
  NAME = 40,
}

export const enum ConsumerBlock {
  PENDING = 0,
  SEEN = 16,
  ACTIVE = 24,
  NAME = 32,
}

export const enum PendingEntry {
  DELIVERED = 0,
  COUNT = 8,
  CONSUMER = 16,
  BYTES = 20,
}

const TWO_TO_32 = 4294967296;

/** The group of this name in the table, or 0. */
export function findGroup(
  arena: Arena,
  table: number,
  view: DataView,
  start: number,
  end: number,
): number {
  const index = nameTableFind(arena, table, GroupBlock.NAME, view, start, end);
  return index < 0 ? 0 : nameTableGet(arena, table, index);
}

/** Bytes that a group or a consumer was allocated with; `nameAt` is where its name is. */
export function namedBlockBytes(arena: Arena, block: number, nameAt: number): number {
  const at = ((block & Ref.GRANULE_MASK) << 3) + nameAt;
  return nameAt + storedBytes(storedLength(arena.views[block >>> Ref.SEGMENT_SHIFT], at));
}

/** Where the name of a block begins in its view; `blockNameLength` says how long it is. */
export function blockNameStart(arena: Arena, block: number, nameAt: number): number {
  const at = ((block & Ref.GRANULE_MASK) << 3) + nameAt;
  return at + prefixBytes(storedLength(arena.views[block >>> Ref.SEGMENT_SHIFT], at));
}

export function blockNameLength(arena: Arena, block: number, nameAt: number): number {
  const at = ((block & Ref.GRANULE_MASK) << 3) + nameAt;
  return storedLength(arena.views[block >>> Ref.SEGMENT_SHIFT], at);
}

export class StreamGroups {
  /** The group at hand, and its last delivered ID. */
  group = 0;
  readonly lastId = new StreamId();
  /** Its pending entries, and those of the consumer that `openConsumer` took at hand. */
  readonly pending: StreamTree;
  readonly consumerPending: StreamTree;
  /** Trees of other consumers. */
  private readonly otherPending: StreamTree;
  private readonly walkedId = new StreamId();

  constructor(readonly arena: Arena) {
    this.pending = new StreamTree(arena);
    this.consumerPending = new StreamTree(arena);
    this.otherPending = new StreamTree(arena);
  }

  /** Takes a group at hand. */
  open(group: number): void {
    this.group = group;
    this.pending.attach(group, GroupBlock.PENDING);
    this.lastId.read(this.words(), this.word(GroupBlock.LAST_ID));
  }

  /** Takes a consumer's pending entries at hand. */
  openConsumer(consumer: number): void {
    this.consumerPending.attach(consumer, ConsumerBlock.PENDING);
  }

  /** A new group, which no table names yet; it is at hand then. Grows the arena. */
  create(view: DataView, start: number, end: number, lastId: StreamId, read: bigint): number {
    const group = this.allocateNamed(GroupBlock.NAME, view, start, end);
    this.open(group);
    this.setLastId(lastId);
    this.setEntriesRead(read);
    return group;
  }

  /**
   * Frees the group at hand with all its consumers. The caller takes it out of its table.
   * O(pending entries).
   */
  free(): void {
    const { arena, pending, group } = this;
    for (let entry = pending.seekFirst(); entry !== 0; entry = pending.next()) {
      arena.free(entry, PendingEntry.BYTES);
    }
    pending.clear();
    const { consumers } = this;
    for (let i = nameTableSize(arena, consumers) - 1; i >= 0; i--) {
      this.freeConsumer(nameTableGet(arena, consumers, i));
    }
    nameTableFree(arena, consumers);
    arena.free(group, namedBlockBytes(arena, group, GroupBlock.NAME));
  }

  setLastId(id: StreamId): void {
    this.lastId.copy(id);
    id.write(this.words(), this.word(GroupBlock.LAST_ID));
  }

  /** Entries read, or -1. */
  entriesRead(): bigint {
    return this.view().getBigInt64(this.byte(GroupBlock.ENTRIES_READ), true);
  }

  setEntriesRead(count: bigint): void {
    this.view().setBigInt64(this.byte(GroupBlock.ENTRIES_READ), count, true);
  }

  knowsEntriesRead(): boolean {
    const words = this.words();
    const at = this.word(GroupBlock.ENTRIES_READ);
    return (words[at] & words[at + 1]) !== -1;
  }

  countEntryRead(): void {
    const words = this.words();
    const at = this.word(GroupBlock.ENTRIES_READ);
    words[at] = (words[at] + 1) | 0;
    if (words[at] === 0) words[at + 1] = (words[at + 1] + 1) | 0;
  }

  /** Table of the consumers. */
  get consumers(): number {
    return this.words()[this.word(GroupBlock.CONSUMERS)];
  }

  set consumers(table: number) {
    this.words()[this.word(GroupBlock.CONSUMERS)] = table;
  }

  /** The consumer of this name, or 0. */
  findConsumer(view: DataView, start: number, end: number): number {
    const { arena, consumers } = this;
    const index = nameTableFind(arena, consumers, ConsumerBlock.NAME, view, start, end);
    return index < 0 ? 0 : nameTableGet(arena, consumers, index);
  }

  /** Adds a consumer, seen now. Grows the arena. Requires: there is none of this name. */
  createConsumer(view: DataView, start: number, end: number, nowMs: number): number {
    const { arena, consumers } = this;
    const index = nameTableFind(arena, consumers, ConsumerBlock.NAME, view, start, end);
    const consumer = this.allocateNamed(ConsumerBlock.NAME, view, start, end);
    this.consumers = nameTableInsert(arena, consumers, ~index, consumer);
    this.setSeen(consumer, nowMs);
    this.setActive(consumer, -1);
    return consumer;
  }

  /** Removes a consumer and what is pending for it. O(pending entries of it). */
  deleteConsumer(view: DataView, start: number, end: number): void {
    const { arena, consumers, pending, otherPending, walkedId } = this;
    const index = nameTableFind(arena, consumers, ConsumerBlock.NAME, view, start, end);
    const consumer = nameTableGet(arena, consumers, index);
    otherPending.attach(consumer, ConsumerBlock.PENDING);
    for (let entry = otherPending.seekFirst(); entry !== 0; entry = otherPending.next()) {
      otherPending.readId(walkedId);
      pending.find(walkedId);
      pending.remove();
      arena.free(entry, PendingEntry.BYTES);
    }
    this.freeConsumer(consumer);
    this.consumers = nameTableRemove(arena, consumers, index);
  }

  seen(consumer: number): number {
    return this.readTime(consumer, ConsumerBlock.SEEN);
  }

  setSeen(consumer: number, ms: number): void {
    this.writeTime(consumer, ConsumerBlock.SEEN, ms);
  }

  /** When the consumer was given entries last; -1 = never. */
  active(consumer: number): number {
    return this.readTime(consumer, ConsumerBlock.ACTIVE);
  }

  setActive(consumer: number, ms: number): void {
    this.writeTime(consumer, ConsumerBlock.ACTIVE, ms);
  }

  /** When a pending entry was delivered last. */
  delivered(entry: number): number {
    return this.readTime(entry, PendingEntry.DELIVERED);
  }

  setDelivered(entry: number, ms: number): void {
    this.writeTime(entry, PendingEntry.DELIVERED, ms);
  }

  /** How often a pending entry was delivered. */
  deliveries(entry: number): bigint {
    const at = ((entry & Ref.GRANULE_MASK) << 3) + PendingEntry.COUNT;
    return this.arena.views[entry >>> Ref.SEGMENT_SHIFT].getBigInt64(at, true);
  }

  setDeliveries(entry: number, count: bigint): void {
    const at = ((entry & Ref.GRANULE_MASK) << 3) + PendingEntry.COUNT;
    this.arena.views[entry >>> Ref.SEGMENT_SHIFT].setBigInt64(at, count, true);
  }

  countDelivery(entry: number): void {
    const words = this.arena.words[entry >>> Ref.SEGMENT_SHIFT];
    const at = ((entry & Ref.GRANULE_MASK) << 1) + PendingEntry.COUNT / 4;
    words[at] = (words[at] + 1) | 0;
    if (words[at] === 0) words[at + 1] = (words[at + 1] + 1) | 0;
  }

  /** The consumer that a pending entry was delivered to. */
  consumerOf(entry: number): number {
    const at = ((entry & Ref.GRANULE_MASK) << 1) + PendingEntry.CONSUMER / 4;
    return this.arena.words[entry >>> Ref.SEGMENT_SHIFT][at];
  }

  /**
   * Notes that an entry is delivered to a consumer, for the first time or anew; returns the pending
   * entry. Grows the arena.
   */
  deliver(id: StreamId, consumer: number, nowMs: number): number {
    let entry = this.pending.find(id);
    if (entry === 0) entry = this.addPending(id, consumer);
    else this.reassign(id, entry, consumer);
    this.setDelivered(entry, nowMs);
    const words = this.arena.words[entry >>> Ref.SEGMENT_SHIFT];
    const at = ((entry & Ref.GRANULE_MASK) << 1) + PendingEntry.COUNT / 4;
    words[at] = 1;
    words[at + 1] = 0;
    return entry;
  }

  /** Adds a pending entry; its time and count are 0. Grows the arena. Requires: it is not there. */
  addPending(id: StreamId, consumer: number): number {
    const { arena } = this;
    const entry = arena.allocate(PendingEntry.BYTES);
    const words = arena.words[entry >>> Ref.SEGMENT_SHIFT];
    const at = (entry & Ref.GRANULE_MASK) << 1;
    words.fill(0, at, at + PendingEntry.BYTES / 4);
    words[at + PendingEntry.CONSUMER / 4] = consumer;
    this.pending.insert(id, entry);
    this.otherPending.attach(consumer, ConsumerBlock.PENDING);
    this.otherPending.insert(id, entry);
    return entry;
  }

  /** Gives a pending entry to another consumer. Grows the arena. */
  reassign(id: StreamId, entry: number, consumer: number): void {
    const { otherPending } = this;
    const old = this.consumerOf(entry);
    if (old === consumer) return;
    otherPending.attach(old, ConsumerBlock.PENDING);
    otherPending.find(id);
    otherPending.remove();
    otherPending.attach(consumer, ConsumerBlock.PENDING);
    otherPending.insert(id, entry);
    const at = ((entry & Ref.GRANULE_MASK) << 1) + PendingEntry.CONSUMER / 4;
    this.arena.words[entry >>> Ref.SEGMENT_SHIFT][at] = consumer;
  }

  /** Removes the pending entry of an ID; false if there is none. */
  acknowledge(id: StreamId): boolean {
    const { pending, otherPending } = this;
    const entry = pending.find(id);
    if (entry === 0) return false;
    pending.remove();
    otherPending.attach(this.consumerOf(entry), ConsumerBlock.PENDING);
    otherPending.find(id);
    otherPending.remove();
    this.arena.free(entry, PendingEntry.BYTES);
    return true;
  }

  /** How many entries are pending for a consumer. */
  pendingOf(consumer: number): number {
    this.otherPending.attach(consumer, ConsumerBlock.PENDING);
    return this.otherPending.size;
  }

  /**
   * Whether a group of the stream at hand still needs the entry: it is pending there, or was not
   * delivered yet. Another group is at hand then. O(groups).
   */
  isReferenced(streams: Streams, id: StreamId): boolean {
    const { arena } = this;
    const table = streams.groups;
    for (let i = nameTableSize(arena, table) - 1; i >= 0; i--) {
      this.open(nameTableGet(arena, table, i));
      if (this.lastId.compare(id) < 0 || this.pending.find(id) !== 0) return true;
    }
    return false;
  }

  /** Acknowledges an entry in all groups of the stream at hand; another group is at hand then. */
  acknowledgeEverywhere(streams: Streams, id: StreamId): void {
    const { arena } = this;
    const table = streams.groups;
    for (let i = nameTableSize(arena, table) - 1; i >= 0; i--) {
      this.open(nameTableGet(arena, table, i));
      this.acknowledge(id);
    }
  }

  private freeConsumer(consumer: number): void {
    this.otherPending.attach(consumer, ConsumerBlock.PENDING);
    this.otherPending.clear();
    this.arena.free(consumer, namedBlockBytes(this.arena, consumer, ConsumerBlock.NAME));
  }

  /** A block of zeros up to `nameAt`, and a name. */
  private allocateNamed(nameAt: number, view: DataView, start: number, end: number): number {
    const length = end - start;
    const block = this.arena.allocate(nameAt + storedBytes(length));
    const target = this.arena.views[block >>> Ref.SEGMENT_SHIFT];
    const at = (block & Ref.GRANULE_MASK) << 3;
    this.arena.bytes[block >>> Ref.SEGMENT_SHIFT].fill(0, at, at + nameAt);
    copyBytes(target, writePrefix(target, at + nameAt, length), view, start, length);
    return block;
  }

  private words(): Int32Array {
    return this.arena.words[this.group >>> Ref.SEGMENT_SHIFT];
  }

  private view(): DataView {
    return this.arena.views[this.group >>> Ref.SEGMENT_SHIFT];
  }

  private word(offset: number): number {
    return ((this.group & Ref.GRANULE_MASK) << 1) + offset / 4;
  }

  private byte(offset: number): number {
    return ((this.group & Ref.GRANULE_MASK) << 3) + offset;
  }

  private readTime(block: number, offset: number): number {
    const words = this.arena.words[block >>> Ref.SEGMENT_SHIFT];
    const at = ((block & Ref.GRANULE_MASK) << 1) + offset / 4;
    return words[at + 1] * TWO_TO_32 + (words[at] >>> 0);
  }

  private writeTime(block: number, offset: number, ms: number): void {
    const words = this.arena.words[block >>> Ref.SEGMENT_SHIFT];
    const at = ((block & Ref.GRANULE_MASK) << 1) + offset / 4;
    words[at] = ms | 0;
    words[at + 1] = Math.floor(ms / TWO_TO_32);
  }
}
