/**
 * Writes the value of one key in the RDB format: its type's byte, and what that type says. Files
 * and DUMP payloads are made of these.
 *
 * Small values are written as the blocks that they are in the arena, large ones element by element;
 * for old versions of the format small ones are, too. Values that may be huge are written in steps,
 * by generators: whoever has the time runs them to the end at once. O(bytes of the value).
 */
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
import { ListCursor } from "../structures/quicklist.ts";
import { HashEncoding } from "../types/hash.ts";
import { ListEncoding } from "../types/list.ts";
import { SetEncoding } from "../types/set.ts";
import { ZsetEncoding } from "../types/zset.ts";
import { RdbNode, RdbType } from "./rdb-format.ts";
import { encodeStream } from "./rdb-stream-encode.ts";
import type { RdbStructures } from "./rdb-structures.ts";
import type { RdbWriter } from "./rdb-writer.ts";

const INTEGER_CHARACTERS_MAX = 20;
/** Longer strings are written in pieces of this size. */
const PIECE_BYTES = 256 * 1024;
/** Elements between two steps, and bytes, whichever is reached first. */
const ELEMENTS_PER_STEP = 64;
const STEP_BYTES = 64 * 1024;
/** The versions of the format that brought what is written. */
const VERSION_LISTPACK = 10;
const VERSION_SET_LISTPACK = 11;
const TWO_32 = 4294967296;

type Steps = Generator<void, void>;

export class RdbEncoder {
  /** The bytes of `bytesView`, which an element was in last. */
  private bytes: Uint8Array = new Uint8Array(0);
  private bytesView: DataView = new DataView(this.bytes.buffer);
  private readonly digits = new Uint8Array(INTEGER_CHARACTERS_MAX);
  private readonly digitsView = new DataView(this.digits.buffer);

  constructor(
    private readonly structures: RdbStructures,
    private readonly writer: RdbWriter,
    /** Of the RDB format. */
    private readonly version: number,
    /** Whether the times when fields of hashes expire are written; else what has not expired is. */
    private readonly writesFieldExpiry: boolean,
  ) {}

  /** Writes the type and the value of a record. */
  value(record: number): void {
    this.writer.byte(this.typeByte(record));
    const steps = this.body(record);
    if (steps === null) return;
    while (steps.next().done !== true);
  }

  /** The type that the value of a record is written as. */
  typeByte(record: number): RdbType {
    const { arena } = this.structures;
    const { version } = this;
    const meta = metaOf(arena, record);
    const encoding = encodingOf(meta);
    switch (typeOf(meta)) {
      case ValueType.STRING:
        return RdbType.STRING;
      case ValueType.LIST:
        return version < VERSION_LISTPACK ? RdbType.LIST : RdbType.LIST_QUICKLIST_2;
      case ValueType.SET:
        if (encoding === SetEncoding.INTSET) return RdbType.SET_INTSET;
        if (encoding === SetEncoding.TABLE) return RdbType.SET;
        return version < VERSION_SET_LISTPACK ? RdbType.SET : RdbType.SET_LISTPACK;
      case ValueType.ZSET:
        if (encoding === ZsetEncoding.TREE) return RdbType.ZSET_2;
        return version < VERSION_LISTPACK ? RdbType.ZSET_2 : RdbType.ZSET_LISTPACK;
      case ValueType.HASH:
        if (encoding === HashEncoding.LISTPACK) {
          return version < VERSION_LISTPACK ? RdbType.HASH : RdbType.HASH_LISTPACK;
        }
        return this.writesExpiries(record) ? RdbType.HASH_METADATA : RdbType.HASH;
      case ValueType.STREAM:
        if (version < VERSION_LISTPACK) return RdbType.STREAM_LISTPACKS;
        return version < VERSION_SET_LISTPACK
          ? RdbType.STREAM_LISTPACKS_2
          : RdbType.STREAM_LISTPACKS_3;
      default:
        throw new Error(`values of type ${typeOf(meta)} cannot be saved`);
    }
  }

  /** Writes the value of a record, without its type; or returns the steps that write it. */
  body(record: number): Steps | null {
    const { structures } = this;
    const { arena } = structures;
    const meta = metaOf(arena, record);
    const view = viewOf(arena, record);
    const encoding = encodingOf(meta);
    const type = typeOf(meta);
    if (type === ValueType.STRING) {
      const at = valueAt(view, record, meta);
      const start = valueStart(view, at);
      return this.stringSteps(view, start, start + storedLength(view, at));
    }
    const root = rootOf(view, record, meta);
    switch (type) {
      case ValueType.LIST:
        return this.list(root, encoding);
      case ValueType.SET:
        return this.set(root, encoding);
      case ValueType.ZSET:
        return this.zset(root, encoding);
      case ValueType.HASH:
        return this.hash(root, encoding);
      default:
        return encodeStream(this.writer, structures, root, this.typeByte(record));
    }
  }

  private writesExpiries(record: number): boolean {
    if (!this.writesFieldExpiry) return false;
    const { arena, hashes } = this.structures;
    const meta = metaOf(arena, record);
    hashes.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
    return hashes.hasExpiries;
  }

  private list(root: number, encoding: number): Steps | null {
    const { writer, structures } = this;
    if (this.version < VERSION_LISTPACK) return this.plainList(root, encoding);
    if (encoding === ListEncoding.QUICKLIST) return this.quicklist(root);
    writer.size(1);
    writer.size(RdbNode.PACKED);
    writeListpack(structures, writer, root);
    return null;
  }

  private *quicklist(root: number): Steps {
    const { writer, structures } = this;
    const { lists } = structures;
    const cursor = new ListCursor();
    lists.attach(root, ListEncoding.QUICKLIST);
    const quicklist = lists.asQuicklist();
    writer.size(quicklist.nodeCount);
    let stepAt = writer.length;
    let bytes: Uint8Array = new Uint8Array(0);
    for (let node = quicklist.head; node !== 0; node = quicklist.nextNode(node)) {
      quicklist.open(cursor, node);
      const { view, base, plainBytes } = cursor;
      writer.size(plainBytes === 0 ? RdbNode.PACKED : RdbNode.PLAIN);
      if (plainBytes === 0) {
        // One array serves all nodes of a segment.
        if (bytes.buffer !== view.buffer) bytes = new Uint8Array(view.buffer);
        writer.string(bytes, base, base + listpackBytes(view, base));
      } else {
        const steps = this.stringSteps(view, base, base + plainBytes);
        if (steps !== null) yield* steps;
      }
      if (!isStepOver(writer, stepAt)) continue;
      yield;
      stepAt = writer.length;
    }
  }

  /** Element by element, as all versions read it. */
  private *plainList(root: number, encoding: number): Steps {
    const { writer, structures } = this;
    const { lists } = structures;
    lists.attach(root, encoding);
    writer.size(lists.length);
    let written = 0;
    for (let more = lists.seekEnd(true); more; more = lists.step(true)) {
      lists.read();
      const steps = this.entrySteps(lists.entry);
      if (steps !== null) yield* steps;
      if (++written % ELEMENTS_PER_STEP === 0) yield;
    }
  }

  private set(root: number, encoding: number): Steps | null {
    if (encoding === SetEncoding.INTSET) {
      const view = this.structures.arena.views[root >>> Ref.SEGMENT_SHIFT];
      const base = intsetBase(root);
      this.text(view, base, base + intsetBytes(view, base));
      return null;
    }
    if (encoding === SetEncoding.LISTPACK && this.version >= VERSION_SET_LISTPACK) {
      writeListpack(this.structures, this.writer, root);
      return null;
    }
    return this.members(root, encoding);
  }

  private *members(root: number, encoding: number): Steps {
    const { sets } = this.structures;
    sets.attach(root, encoding);
    this.writer.size(sets.length);
    sets.startWalk();
    for (let written = 1; sets.next(); written++) {
      const steps = this.entrySteps(sets.member);
      if (steps !== null) yield* steps;
      if (written % ELEMENTS_PER_STEP === 0) yield;
    }
  }

  private hash(root: number, encoding: number): Steps | null {
    if (encoding === HashEncoding.LISTPACK && this.version >= VERSION_LISTPACK) {
      writeListpack(this.structures, this.writer, root);
      return null;
    }
    const { hashes } = this.structures;
    hashes.attach(root, encoding);
    if (this.writesFieldExpiry && hashes.hasExpiries) return this.expiringFields();
    return this.fields();
  }

  private *fields(): Steps {
    const { hashes } = this.structures;
    this.writer.size(hashes.visibleLength());
    hashes.startWalk();
    for (let written = 1; hashes.next(); written++) {
      yield* this.pair();
      if (written % ELEMENTS_PER_STEP === 0) yield;
    }
  }

  /**
   * As Redis 7.4: the earliest time in unix ms, the count, and before each field the time when it
   * expires, minus the earliest, plus 1; 0 = never.
   */
  private *expiringFields(): Steps {
    const { writer, structures } = this;
    const { hashes } = structures;
    let earliest = Infinity;
    hashes.startWalk();
    for (let seen = 1; hashes.next(); seen++) {
      const atMs = this.fieldExpireAt();
      if (atMs >= 0 && atMs < earliest) earliest = atMs;
      if (seen % ELEMENTS_PER_STEP === 0) yield;
    }
    writer.int64(Math.floor(earliest / TWO_32), earliest | 0);
    writer.size(hashes.length);
    hashes.startWalk();
    for (let written = 1; hashes.next(); written++) {
      const atMs = this.fieldExpireAt();
      writer.size(atMs < 0 ? 0 : atMs - earliest + 1);
      yield* this.pair();
      if (written % ELEMENTS_PER_STEP === 0) yield;
    }
  }

  private fieldExpireAt(): number {
    const { hashes } = this.structures;
    const { field } = hashes;
    return hashes.expireAtMs(field.view, field.start, field.start + field.length);
  }

  private *pair(): Steps {
    const { field, value } = this.structures.hashes;
    const fieldSteps = this.entrySteps(field);
    if (fieldSteps !== null) yield* fieldSteps;
    const valueSteps = this.entrySteps(value);
    if (valueSteps !== null) yield* valueSteps;
  }

  private zset(root: number, encoding: number): Steps | null {
    if (encoding === ZsetEncoding.TREE || this.version < VERSION_LISTPACK) {
      return this.scores(root, encoding);
    }
    writeListpack(this.structures, this.writer, root);
    return null;
  }

  private *scores(root: number, encoding: number): Steps {
    const { writer, structures } = this;
    const { zsets } = structures;
    zsets.attach(root, encoding);
    const { length } = zsets;
    writer.size(length);
    // From the greatest to the smallest, as Redis does: it inserts faster so.
    zsets.seek(length - 1);
    let written = 0;
    do {
      const steps = this.entrySteps(zsets.member);
      if (steps !== null) yield* steps;
      writer.double(zsets.score);
      if (++written % ELEMENTS_PER_STEP === 0) yield;
    } while (zsets.previous());
  }

  /** Writes an element as a string; or returns the steps that do, if it is long. */
  private entrySteps(entry: ListpackEntry): Steps | null {
    if (!entry.isInteger) {
      return this.stringSteps(entry.view, entry.start, entry.start + entry.length);
    }
    if (entry.value === entry.value) this.writer.integerString(entry.value);
    else this.writer.string(this.digits, 0, entry.writeText(this.digits, this.digitsView, 0));
    return null;
  }

  /** Writes view[start, end) as a string. */
  text(view: DataView, start: number, end: number): void {
    if (view !== this.bytesView) {
      this.bytesView = view;
      this.bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    }
    this.writer.string(this.bytes, start, end);
  }

  private stringSteps(view: DataView, start: number, end: number): Steps | null {
    if (end - start > PIECE_BYTES) return this.longString(view, start, end);
    this.text(view, start, end);
    return null;
  }

  private *longString(view: DataView, start: number, end: number): Steps {
    const { writer } = this;
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const isDeferred = writer.defers(end - start);
    if (!writer.hasSpans) {
      writer.string(bytes, start, end);
      return;
    }
    if (isDeferred) writer.startDeferred(end - start);
    else writer.size(end - start);
    for (let at = start; at < end; at += PIECE_BYTES) {
      writer.raw(bytes, at, Math.min(end, at + PIECE_BYTES));
      if (isDeferred && at + PIECE_BYTES >= end) writer.startSpan();
      yield;
    }
  }
}

function writeListpack(structures: RdbStructures, writer: RdbWriter, reference: number): void {
  const segment = reference >>> Ref.SEGMENT_SHIFT;
  const base = listpackBase(reference);
  const bytes = listpackBytes(structures.arena.views[segment], base);
  writer.string(structures.arena.bytes[segment], base, base + bytes);
}

/** Whether so much has been written since `stepAt` that others may run, or the writer was emptied. */
function isStepOver(writer: RdbWriter, stepAt: number): boolean {
  return writer.length < stepAt || writer.length - stepAt > STEP_BYTES;
}
