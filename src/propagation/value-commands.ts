/**
 * The commands that rebuild a key: what an append-only file's base holds with
 * aof-use-rdb-preamble no.
 *
 *     string   SET key value
 *     list     RPUSH key element ...           hash   HMSET key field value ...
 *     set      SADD key member ...                    HPEXPIREAT key ms FIELDS 1 field
 *     zset     ZADD key score member ...
 *     stream   XADD key id field value ...     one for each entry
 *              XSETID key id ENTRIESADDED n MAXDELETEDID id
 *              XGROUP CREATE key group id ENTRIESREAD n
 *              XGROUP CREATECONSUMER key group consumer, or for each pending entry
 *              XCLAIM key group consumer 0 id TIME ms RETRYCOUNT n JUSTID FORCE
 *     all      PEXPIREAT key ms
 *
 * A command carries at most 64 elements. The commands are written into a log of their own, which
 * puts SELECT where the database changes. The steps of a value end between two commands: whoever
 * walks while requests are served stops there.
 *
 * O(bytes of the value).
 */
import { DOUBLE_BYTES_MAX, writeDouble } from "../base/double.ts";
import {
  Meta,
  ValueType,
  encodingOf,
  expireAtExact,
  expireAtMs,
  keyLength,
  keyStart,
  metaOf,
  rootOf,
  typeOf,
  valueAt,
  valueStart,
  viewOf,
} from "../keyspace/record.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import { storedLength } from "../memory/stored-bytes.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import { nameTableGet, nameTableSize } from "../structures/name-table.ts";
import { ID_TEXT_BYTES_MAX, StreamId } from "../structures/stream-id.ts";
import type { Hashes } from "../types/hash.ts";
import type { Lists } from "../types/list.ts";
import type { Sets } from "../types/set.ts";
import type { Streams } from "../types/stream.ts";
import {
  ConsumerBlock,
  GroupBlock,
  type StreamGroups,
  blockNameLength,
  blockNameStart,
} from "../types/stream-group.ts";
import type { SortedSets } from "../types/zset.ts";
import type { PropagationLog } from "./propagation-log.ts";

/** What reads the values: not the keyspace's own, which handlers may be using. */
export interface ValueReaders {
  readonly arena: Arena;
  readonly lists: Lists;
  readonly sets: Sets;
  readonly hashes: Hashes;
  readonly zsets: SortedSets;
  readonly streams: Streams;
  readonly streamGroups: StreamGroups;
}

const ITEMS_PER_COMMAND = 64;
const TEXT_BYTES = Math.max(DOUBLE_BYTES_MAX, ID_TEXT_BYTES_MAX, 32);

export class ValueCommands {
  private readonly text = new Uint8Array(TEXT_BYTES);
  private readonly textView = new DataView(this.text.buffer);
  private readonly id = new StreamId();
  private database = 0;
  /** The key at hand. */
  private view: DataView = this.textView;
  private keyFrom = 0;
  private keyTo = 0;

  constructor(
    private readonly readers: ValueReaders,
    /** Where the commands go. */
    private readonly log: PropagationLog,
  ) {}

  /** FUNCTION LOAD of a library's text. */
  library(text: Uint8Array): void {
    this.begin(3);
    this.log.argumentText("FUNCTION");
    this.log.argumentText("LOAD");
    this.log.argument(viewOfBytes(text), 0, text.length);
    this.log.endUnit();
  }

  /** Writes all commands of a key. */
  key(database: number, record: number): void {
    for (const _ of this.steps(database, record));
  }

  /**
   * Writes the commands of a key, one for each step. Requires: the value does not change until the
   * last one.
   */
  *steps(database: number, record: number): Generator<void, void> {
    const { arena } = this.readers;
    const view = viewOf(arena, record);
    const meta = metaOf(arena, record);
    this.database = database;
    this.view = view;
    this.keyFrom = keyStart(view, record);
    this.keyTo = this.keyFrom + keyLength(view, record);
    const type = typeOf(meta);
    if (type === ValueType.STRING) this.string(valueAt(view, record, meta));
    else yield* this.collection(type, rootOf(view, record, meta), encodingOf(meta));
    if ((meta & Meta.EXPIRY) === 0) return;
    this.beginFor("PEXPIREAT", 1);
    const atMs = expireAtMs(view, record);
    if (Number.isSafeInteger(atMs)) this.log.argumentInteger(atMs);
    else this.log.argumentBigInt(expireAtExact(view, record));
    this.log.endUnit();
  }

  private collection(type: ValueType, root: number, encoding: number): Generator<void, void> {
    switch (type) {
      case ValueType.LIST:
        return this.list(root, encoding);
      case ValueType.SET:
        return this.set(root, encoding);
      case ValueType.ZSET:
        return this.zset(root, encoding);
      case ValueType.HASH:
        return this.hash(root, encoding);
      case ValueType.STREAM:
        return this.stream(root);
      default:
        throw new Error(`values of type ${type} cannot be written as commands`);
    }
  }

  private string(at: number): void {
    const start = valueStart(this.view, at);
    this.beginFor("SET", 1);
    this.log.argument(this.view, start, start + storedLength(this.view, at));
    this.log.endUnit();
  }

  private *list(root: number, encoding: number): Generator<void, void> {
    const { lists } = this.readers;
    lists.attach(root, encoding);
    let left = lists.length;
    let inCommand = 0;
    for (let more = lists.seekEnd(true); more; more = lists.step(true)) {
      if (inCommand === 0) {
        inCommand = Math.min(left, ITEMS_PER_COMMAND);
        this.beginFor("RPUSH", inCommand);
      }
      lists.read();
      this.entry(lists.entry);
      left--;
      if (--inCommand === 0) {
        this.log.endUnit();
        yield;
      }
    }
  }

  private *set(root: number, encoding: number): Generator<void, void> {
    const { sets } = this.readers;
    sets.attach(root, encoding);
    let left = sets.length;
    let inCommand = 0;
    sets.startWalk();
    while (sets.next()) {
      if (inCommand === 0) {
        inCommand = Math.min(left, ITEMS_PER_COMMAND);
        this.beginFor("SADD", inCommand);
      }
      this.entry(sets.member);
      left--;
      if (--inCommand === 0) {
        this.log.endUnit();
        yield;
      }
    }
  }

  private *zset(root: number, encoding: number): Generator<void, void> {
    const { zsets } = this.readers;
    zsets.attach(root, encoding);
    let left = zsets.length;
    let inCommand = 0;
    zsets.startWalk();
    while (zsets.next()) {
      if (inCommand === 0) {
        inCommand = Math.min(left, ITEMS_PER_COMMAND);
        this.beginFor("ZADD", 2 * inCommand);
      }
      this.written(writeDouble(this.text, 0, zsets.score));
      this.entry(zsets.member);
      left--;
      if (--inCommand === 0) {
        this.log.endUnit();
        yield;
      }
    }
  }

  /** Fields that have expired are left out. */
  private *hash(root: number, encoding: number): Generator<void, void> {
    const { hashes } = this.readers;
    hashes.attach(root, encoding);
    let left = hashes.visibleLength();
    let inCommand = 0;
    hashes.startWalk();
    while (left > 0 && hashes.next()) {
      if (inCommand === 0) {
        inCommand = Math.min(left, ITEMS_PER_COMMAND);
        this.beginFor("HMSET", 2 * inCommand);
      }
      this.entry(hashes.field);
      this.entry(hashes.value);
      left--;
      if (--inCommand === 0) {
        this.log.endUnit();
        yield;
      }
    }
    if (hashes.hasExpiries) yield* this.fieldExpiries();
  }

  /** When the fields of the hash at hand expire. */
  private *fieldExpiries(): Generator<void, void> {
    const { hashes } = this.readers;
    hashes.startWalk();
    while (hashes.next()) {
      const { field } = hashes;
      const atMs = hashes.expireAtMs(field.view, field.start, field.start + field.length);
      if (atMs < 0) continue;
      this.beginFor("HPEXPIREAT", 4);
      this.log.argumentInteger(atMs);
      this.log.argumentText("FIELDS");
      this.log.argumentText("1");
      this.entry(field);
      this.log.endUnit();
      yield;
    }
  }

  private *stream(root: number): Generator<void, void> {
    const { streams } = this.readers;
    const { iterator, fromId, toId, piece } = streams;
    const { entry } = iterator;
    fromId.setMin();
    toId.setMax();
    let isEmpty = true;
    iterator.start(root, fromId, toId, false);
    while (iterator.next()) {
      isEmpty = false;
      this.beginFor("XADD", 1 + 2 * entry.fieldCount);
      this.streamId(entry.id);
      for (let i = 0; i < entry.fieldCount; i++) {
        if (i > 0) entry.nextField();
        piece.read(entry.view, entry.fieldAt);
        this.entry(piece);
        piece.read(entry.view, entry.valueAt);
        this.entry(piece);
      }
      this.log.endUnit();
      yield;
    }
    // An entry that is trimmed at once leaves an empty stream.
    if (isEmpty) this.words("XADD", ["MAXLEN", "0", "0-1", "x", "y"]);
    streams.open(root);
    this.beginFor("XSETID", 5);
    this.streamId(streams.lastId);
    this.log.argumentText("ENTRIESADDED");
    this.log.argumentBigInt(streams.entriesAdded());
    this.log.argumentText("MAXDELETEDID");
    this.streamId(streams.maxDeletedId);
    this.log.endUnit();
    yield;
    const { groups } = streams;
    const count = nameTableSize(this.readers.arena, groups);
    for (let i = 0; i < count; i++) {
      yield* this.group(nameTableGet(this.readers.arena, groups, i));
    }
  }

  private *group(group: number): Generator<void, void> {
    const { arena, streamGroups } = this.readers;
    streamGroups.open(group);
    this.begin(7);
    this.log.argumentText("XGROUP");
    this.log.argumentText("CREATE");
    this.keyArgument();
    this.name(group, GroupBlock.NAME);
    this.streamId(streamGroups.lastId);
    this.log.argumentText("ENTRIESREAD");
    this.log.argumentBigInt(streamGroups.entriesRead());
    this.log.endUnit();
    yield;
    const { consumers } = streamGroups;
    const count = nameTableSize(arena, consumers);
    for (let i = 0; i < count; i++) {
      const consumer = nameTableGet(arena, consumers, i);
      streamGroups.openConsumer(consumer);
      if (streamGroups.consumerPending.size === 0) this.emptyConsumer(group, consumer);
      else yield* this.pending(group, consumer);
    }
  }

  private emptyConsumer(group: number, consumer: number): void {
    this.begin(5);
    this.log.argumentText("XGROUP");
    this.log.argumentText("CREATECONSUMER");
    this.keyArgument();
    this.name(group, GroupBlock.NAME);
    this.name(consumer, ConsumerBlock.NAME);
    this.log.endUnit();
  }

  private *pending(group: number, consumer: number): Generator<void, void> {
    const { streamGroups } = this.readers;
    const { consumerPending } = streamGroups;
    const { id } = this;
    for (let entry = consumerPending.seekFirst(); entry !== 0; entry = consumerPending.next()) {
      consumerPending.readId(id);
      this.beginFor("XCLAIM", 10);
      this.name(group, GroupBlock.NAME);
      this.name(consumer, ConsumerBlock.NAME);
      this.log.argumentText("0");
      this.streamId(id);
      this.log.argumentText("TIME");
      this.log.argumentInteger(streamGroups.delivered(entry));
      this.log.argumentText("RETRYCOUNT");
      this.log.argumentBigInt(streamGroups.deliveries(entry));
      this.log.argumentText("JUSTID");
      this.log.argumentText("FORCE");
      this.log.endUnit();
      yield;
    }
  }

  private begin(count: number): void {
    this.log.beginUnit();
    this.log.command(this.database, count);
  }

  /** Begins a command whose name is followed by the key and `count` more arguments. */
  private beginFor(name: string, count: number): void {
    this.begin(2 + count);
    this.log.argumentText(name);
    this.keyArgument();
  }

  private words(name: string, rest: readonly string[]): void {
    this.beginFor(name, rest.length);
    for (const word of rest) this.log.argumentText(word);
    this.log.endUnit();
  }

  private keyArgument(): void {
    this.log.argument(this.view, this.keyFrom, this.keyTo);
  }

  private entry(entry: ListpackEntry): void {
    this.log.argumentEntry(entry);
  }

  private streamId(id: StreamId): void {
    this.written(id.writeText(this.text, 0));
  }

  private name(block: number, nameAt: number): void {
    const { arena } = this.readers;
    const start = blockNameStart(arena, block, nameAt);
    const view = arena.views[block >>> Ref.SEGMENT_SHIFT];
    this.log.argument(view, start, start + blockNameLength(arena, block, nameAt));
  }

  /** The first `length` characters of `text` as an argument. */
  private written(length: number): void {
    this.log.argument(this.textView, 0, length);
  }
}

function viewOfBytes(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
