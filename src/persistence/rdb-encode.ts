/**
 * Writes the value of one key in the RDB format: its type's byte, and what that type says. Files
 * and DUMP payloads are made of these.
 *
 * Small values are written as the blocks that they are in the arena, large ones element by element.
 * O(bytes of the value).
 */
import { type Keyspace } from "../keyspace/keyspace.ts";
import {
  ValueType,
  encodingOf,
  metaOf,
  rootOf,
  typeOf,
  valueAt,
  valueStart,
  viewOf,
} from "../keyspace/record.ts";
import { Ref } from "../memory/arena.ts";
import { storedLength } from "../memory/stored-bytes.ts";
import { intsetBase, intsetBytes } from "../structures/intset.ts";
import { listpackBase, listpackBytes } from "../structures/listpack.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import { HashEncoding } from "../types/hash.ts";
import { ListEncoding } from "../types/list.ts";
import { SetEncoding } from "../types/set.ts";
import { ZsetEncoding } from "../types/zset.ts";
import { RdbNode, RdbType } from "./rdb-format.ts";
import { encodeStream } from "./rdb-stream-encode.ts";
import type { RdbWriter } from "./rdb-writer.ts";

const INTEGER_CHARACTERS_MAX = 20;

export class RdbEncoder {
  /** The bytes of `bytesView`, which an element was in last. */
  private bytes: Uint8Array = new Uint8Array(0);
  private bytesView: DataView = new DataView(this.bytes.buffer);
  private readonly text = new Uint8Array(INTEGER_CHARACTERS_MAX);
  private readonly textView = new DataView(this.text.buffer);

  constructor(
    private readonly keyspace: Keyspace,
    private readonly writer: RdbWriter,
  ) {}

  /** Writes the type and the value of a record. */
  value(record: number): void {
    const { keyspace, writer } = this;
    const { arena } = keyspace;
    const meta = metaOf(arena, record);
    const view = viewOf(arena, record);
    const encoding = encodingOf(meta);
    const type = typeOf(meta);
    if (type === ValueType.STRING) {
      const at = valueAt(view, record, meta);
      const start = valueStart(view, at);
      writer.byte(RdbType.STRING);
      this.bytesOf(view, start, start + storedLength(view, at));
      return;
    }
    const root = rootOf(view, record, meta);
    switch (type) {
      case ValueType.LIST:
        this.list(root, encoding);
        break;
      case ValueType.SET:
        this.set(root, encoding);
        break;
      case ValueType.ZSET:
        this.zset(root, encoding);
        break;
      case ValueType.HASH:
        this.hash(root, encoding);
        break;
      case ValueType.STREAM:
        encodeStream(writer, keyspace, root);
        break;
      default:
        throw new Error(`values of type ${type} cannot be saved`);
    }
  }

  private list(root: number, encoding: number): void {
    const { writer } = this;
    writer.byte(RdbType.LIST_QUICKLIST_2);
    if (encoding === ListEncoding.LISTPACK) {
      writer.size(1);
      writer.size(RdbNode.PACKED);
      this.listpack(root);
      return;
    }
    const { lists, arena } = this.keyspace;
    lists.attach(root, encoding);
    const quicklist = lists.asQuicklist();
    writer.size(quicklist.nodeCount);
    for (let node = quicklist.head; node !== 0; node = quicklist.nextNode(node)) {
      const block = quicklist.entryOf(node);
      const plainBytes = quicklist.plainBytesOf(node);
      writer.size(plainBytes === 0 ? RdbNode.PACKED : RdbNode.PLAIN);
      if (plainBytes === 0) this.listpack(block);
      else {
        const start = (block & Ref.GRANULE_MASK) << 3;
        this.bytesOf(arena.views[block >>> Ref.SEGMENT_SHIFT], start, start + plainBytes);
      }
    }
  }

  private set(root: number, encoding: number): void {
    const { writer } = this;
    if (encoding === SetEncoding.INTSET) {
      const view = this.keyspace.arena.views[root >>> Ref.SEGMENT_SHIFT];
      const base = intsetBase(root);
      writer.byte(RdbType.SET_INTSET);
      this.bytesOf(view, base, base + intsetBytes(view, base));
      return;
    }
    if (encoding === SetEncoding.LISTPACK) {
      writer.byte(RdbType.SET_LISTPACK);
      this.listpack(root);
      return;
    }
    const { sets } = this.keyspace;
    sets.attach(root, encoding);
    writer.byte(RdbType.SET);
    writer.size(sets.length);
    sets.startWalk();
    while (sets.next()) this.entry(sets.member);
  }

  private hash(root: number, encoding: number): void {
    const { writer } = this;
    if (encoding === HashEncoding.LISTPACK) {
      writer.byte(RdbType.HASH_LISTPACK);
      this.listpack(root);
      return;
    }
    const { hashes } = this.keyspace;
    hashes.attach(root, encoding);
    writer.byte(RdbType.HASH);
    writer.size(hashes.visibleLength());
    hashes.startWalk();
    while (hashes.next()) {
      this.entry(hashes.field);
      this.entry(hashes.value);
    }
  }

  private zset(root: number, encoding: number): void {
    const { writer } = this;
    if (encoding === ZsetEncoding.LISTPACK) {
      writer.byte(RdbType.ZSET_LISTPACK);
      this.listpack(root);
      return;
    }
    const { zsets } = this.keyspace;
    zsets.attach(root, encoding);
    const { length } = zsets;
    writer.byte(RdbType.ZSET_2);
    writer.size(length);
    // From the greatest to the smallest, as Redis does: it inserts faster so.
    zsets.seek(length - 1);
    do {
      this.entry(zsets.member);
      writer.double(zsets.score);
    } while (zsets.previous());
  }

  private listpack(reference: number): void {
    const view = this.keyspace.arena.views[reference >>> Ref.SEGMENT_SHIFT];
    const base = listpackBase(reference);
    this.bytesOf(view, base, base + listpackBytes(view, base));
  }

  /** Writes an element as a string. */
  private entry(entry: ListpackEntry): void {
    if (!entry.isInteger) this.bytesOf(entry.view, entry.start, entry.start + entry.length);
    else if (entry.value === entry.value) this.writer.integerString(entry.value);
    else this.writer.string(this.text, 0, entry.writeText(this.text, this.textView, 0));
  }

  private bytesOf(view: DataView, start: number, end: number): void {
    if (view !== this.bytesView) {
      this.bytesView = view;
      this.bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    }
    this.writer.string(this.bytes, start, end);
  }
}
