// HOT PATH: rules in src/README.md
/**
 * Hashes: fields with values.
 *
 *     encoding       root block
 *     LISTPACK  0    a listpack: field, value, field, value, ... in the order of insertion
 *     TABLE     1    | state of the fields' HashIndex 24 B | i32 table of expiries, 0 = none | 4 B |
 *                    entries in blocks of their own: | stored field | stored value |, as
 *                    memory/stored-bytes.ts stores byte strings; OBJECT ENCODING: "hashtable"
 *
 * A hash is a listpack until it has more than `entriesMax` fields or a field or value longer than
 * `bytesMax`; it never goes back.
 *
 * One object serves all hashes of an engine: `attach` points it at a value; what changes the value
 * may change `root` and `encoding`, which the caller then notes in the record. The cursor: `find`,
 * `next`, `pickRandom` and `loadEntry` leave the field in `field` and its value in `value`, where
 * they stay until the hash changes.
 *
 * A field that has expired is invisible, but counted by `length` until `removeExpired` takes it
 * away (types/field-expiry.ts). Only a TABLE has such fields.
 *
 * Of n fields, TABLE: find, set and remove are O(1) expected; LISTPACK: all are O(n).
 *
 * Why field and value in one block: half the references, and HGET touches one cache line less.
 */
import { copyBytes } from "../base/bytes.ts";
import { INTEGER_BYTES_MAX } from "../base/integer.ts";
import type { Prng } from "../base/prng.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import { HashIndex, INDEX_STATE_BYTES } from "../structures/hash-index.ts";
import { ListpackEntry } from "../structures/listpack-entry.ts";
import {
  Listpack,
  listpackAppend,
  listpackBase,
  listpackBytes,
  listpackCompact,
  listpackCreate,
  listpackDuplicate,
  listpackFind,
  listpackFree,
  listpackIsEnd,
  listpackLength,
  listpackMemoryBytes,
  listpackNext,
  listpackRemove,
  listpackReplace,
  listpackSeek,
} from "../structures/listpack.ts";
import { FIELD_EXPIRY_ROOT_BYTES, FieldExpiries, expiryEntryBytes } from "./field-expiry.ts";
import {
  compactTable,
  compactTableStep,
  duplicateTable,
  freeTable,
  freeTableStep,
  tableLength,
  tableMemoryBytes,
} from "./table.ts";

export const enum HashEncoding {
  LISTPACK = 0,
  TABLE = 1,
}

/** Bytes of a TABLE's root block. */
const ROOT_BYTES = INDEX_STATE_BYTES + 8;
/** Cursor of the expiries' first segment: those below are positions in the order of hashes. */
const EXPIRIES_CURSOR = 4294967296;
const EXPIRIES_WORD = INDEX_STATE_BYTES >> 2;
/** Random fields that are looked at before all are, for one that has not expired. */
const VISIBLE_DRAWS = 64;

/** When a hash is small: hash-max-listpack-entries and hash-max-listpack-value. */
export class HashLimits {
  entriesMax = 512;
  bytesMax = 64;
}

export class Hashes {
  /** The attached value; both change as it grows. */
  root = 0;
  encoding: number = HashEncoding.LISTPACK;

  /** What the cursor is at. */
  readonly field = new ListpackEntry();
  readonly value = new ListpackEntry();

  /** Unix ms of the current batch: fields whose time is below are invisible. */
  nowMs = 0;

  private readonly index: HashIndex;
  private readonly expiries: FieldExpiries;
  /** The name of a scanned member: the field. */
  readonly member = this.field;

  /** Where the listpack lies. */
  view: DataView = new DataView(new ArrayBuffer(0));
  private base = 0;
  /** LISTPACK: where the walk goes on. */
  private walkAt = 0;
  private readonly text = new Uint8Array(INTEGER_BYTES_MAX * 2);
  private readonly textView = new DataView(this.text.buffer);

  constructor(
    private readonly arena: Arena,
    private readonly limits: HashLimits,
    hashKey0: number,
    hashKey1: number,
  ) {
    this.index = new HashIndex(arena, 0, hashKey0, hashKey1);
    this.expiries = new FieldExpiries(arena, hashKey0, hashKey1);
  }

  /** LISTPACK: position of the first entry in `view`; 0 in the other encodings. */
  get listpackStart(): number {
    return this.encoding === HashEncoding.LISTPACK ? this.base + Listpack.HEADER : 0;
  }

  /** Points this object at a value. */
  attach(root: number, encoding: number): void {
    this.root = root;
    this.encoding = encoding;
    if (encoding === HashEncoding.TABLE) {
      this.index.attach(root);
      this.expiries.attach(expiriesOf(this.arena, root));
    } else {
      this.expiries.root = 0;
      this.locateListpack();
    }
  }

  /** Makes and attaches an empty hash. Grows the arena. */
  create(): void {
    this.attach(listpackCreate(this.arena), HashEncoding.LISTPACK);
  }

  /** Whether any field expires. */
  get hasExpiries(): boolean {
    return this.expiries.root !== 0;
  }

  /** Fields that expire. */
  get expiringCount(): number {
    return this.expiries.size;
  }

  /** Fields in the hash. */
  get length(): number {
    if (this.encoding === HashEncoding.TABLE) return this.index.size;
    return listpackLength(this.view, this.base) >>> 1;
  }

  /** Fields in the hash that have not expired. O(1) without expiring fields, else O(n). */
  visibleLength(): number {
    if (!this.hasExpiries) return this.length;
    let count = 0;
    this.startWalk();
    while (this.next()) count++;
    return count;
  }

  /** Whether `scanEntries` and `loadEntry` apply. */
  get isIndexed(): boolean {
    return this.encoding === HashEncoding.TABLE;
  }

  /** Puts the cursor on a field's value (not on the field); false if the field is not there. */
  find(view: DataView, start: number, end: number): boolean {
    if (this.encoding === HashEncoding.TABLE) {
      const { index } = this;
      const entry = index.find(view, start, end, index.hash(view, start, end));
      if (entry === 0 || (this.hasExpiries && this.isExpired(view, start, end))) return false;
      this.loadValue(entry);
      return true;
    }
    const at = listpackFind(this.view, this.base + Listpack.HEADER, view, start, end, 1);
    if (at === 0) return false;
    this.value.read(this.view, listpackNext(this.view, at));
    return true;
  }

  /**
   * Makes the hash a TABLE if `pairs` more fields with fields and values of up to `longest` and
   * together `total` bytes would not do for a listpack. Grows the arena.
   */
  convertFor(pairs: number, longest: number, total: number): void {
    if (this.encoding === HashEncoding.TABLE) return;
    const { limits } = this;
    if (
      pairs > limits.entriesMax ||
      longest > limits.bytesMax ||
      listpackBytes(this.view, this.base) + total > Listpack.SAFE_BYTES_MAX
    ) {
      this.toTable();
    }
  }

  /** Announces that about `count` fields follow, of which a TABLE makes use. */
  expect(count: number): void {
    if (this.encoding === HashEncoding.TABLE) this.index.expect(count);
  }

  /**
   * Gives a field a value, and is true if the field is new, or had expired. It keeps its expiry.
   * Requires: neither lies in this hash. Grows the arena.
   */
  set(
    view: DataView,
    start: number,
    end: number,
    valueView: DataView,
    valueStart: number,
    valueEnd: number,
  ): boolean {
    const { arena, limits } = this;
    if (this.encoding === HashEncoding.LISTPACK) {
      if (Math.max(end - start, valueEnd - valueStart) <= limits.bytesMax) {
        return this.setInListpack(view, start, end, valueView, valueStart, valueEnd);
      }
      this.toTable();
    }
    const { index } = this;
    const hash = index.hash(view, start, end);
    const entry = index.find(view, start, end, hash);
    const fieldBytes = storedBytes(end - start);
    const length = valueEnd - valueStart;
    const bytes = fieldBytes + storedBytes(length);
    if (entry !== 0) {
      const isNew = this.hasExpiries && this.isExpired(view, start, end);
      if (isNew) this.persist(view, start, end);
      const oldBytes = entryBytes(arena, entry);
      if (blockBytes(oldBytes) === blockBytes(bytes)) {
        const target = arena.views[entry >>> Ref.SEGMENT_SHIFT];
        const at = ((entry & Ref.GRANULE_MASK) << 3) + fieldBytes;
        copyBytes(target, writePrefix(target, at, length), valueView, valueStart, length);
        return isNew;
      }
      index.replaceFound(this.newEntry(view, start, end, valueView, valueStart, valueEnd));
      arena.free(entry, oldBytes);
      return isNew;
    }
    const added = this.newEntry(view, start, end, valueView, valueStart, valueEnd);
    index.insert(added, hash);
    index.store(this.root);
    return true;
  }

  /** When the field expires in unix ms; -1 = never, or not there. */
  expireAtMs(view: DataView, start: number, end: number): number {
    return this.expiries.timeOf(view, start, end);
  }

  /** Lets a field expire, in a TABLE then. Requires: it is there. Grows the arena. */
  setExpireAt(view: DataView, start: number, end: number, atMs: number): void {
    if (this.encoding === HashEncoding.LISTPACK) this.toTable();
    this.expiries.set(view, start, end, atMs);
    this.storeExpiries();
  }

  /** Lets a field live forever; false if it did. */
  persist(view: DataView, start: number, end: number): boolean {
    if (!this.expiries.remove(view, start, end)) return false;
    this.storeExpiries();
    return true;
  }

  /**
   * Removes fields that have expired: of those that expire, looks at the next `count` or a few
   * more. Returns how many were removed. Sets `roundIsOver` when all have been looked at. Before it
   * removes a field it tells `onRemoved` where the field's name is. Requires: hasExpiries.
   * COLD: active expiry.
   */
  removeExpired(
    count: number,
    onRemoved: (view: DataView, start: number, end: number) => void,
  ): number {
    const { arena, expiries } = this;
    const found: number[] = [];
    this.roundIsOver = false;
    while (found.length < count && !this.roundIsOver) {
      this.roundIsOver = !expiries.scan((entry) => found.push(entry));
    }
    this.sampledCount = found.length;
    let removed = 0;
    for (const entry of found) {
      if (expiries.timeAt(entry) >= this.nowMs) continue;
      const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
      const start = expiries.fieldStart(entry);
      const end = start + expiries.fieldLength(entry);
      onRemoved(view, start, end);
      this.removeEntry(view, start, end);
      expiries.remove(view, start, end);
      removed++;
    }
    this.storeExpiries();
    return removed;
  }

  /** Of the last `removeExpired`. */
  roundIsOver = false;
  sampledCount = 0;

  /** Removes a field if it has expired; true if it did. Its name is not in this hash. */
  removeIfExpired(view: DataView, start: number, end: number): boolean {
    if (!this.hasExpiries || !this.isExpired(view, start, end)) return false;
    this.persist(view, start, end);
    return this.removeEntry(view, start, end);
  }

  /** Removes a field; false if it is not there. Grows the arena. */
  remove(view: DataView, start: number, end: number): boolean {
    if (this.encoding === HashEncoding.LISTPACK) {
      const at = listpackFind(this.view, this.base + Listpack.HEADER, view, start, end, 1);
      if (at === 0) return false;
      this.root = listpackRemove(this.arena, this.root, at, 2);
      this.locateListpack();
      return true;
    }
    if (!this.hasExpiries) return this.removeEntry(view, start, end);
    if (this.isExpired(view, start, end)) return false;
    this.persist(view, start, end);
    return this.removeEntry(view, start, end);
  }

  /** Begins a walk over all fields: `next` puts the cursor on one after the other. */
  startWalk(): void {
    if (this.encoding === HashEncoding.TABLE) this.index.startWalk();
    else this.walkAt = this.base + Listpack.HEADER;
  }

  /** False at the end of the walk. Requires: the hash has not changed since `startWalk`. */
  next(): boolean {
    if (this.encoding === HashEncoding.TABLE) {
      do {
        const entry = this.index.nextEntry();
        if (entry === 0) return false;
        this.loadEntry(entry);
      } while (!this.isVisible());
      return true;
    }
    if (listpackIsEnd(this.view, this.walkAt)) return false;
    this.loadPair(this.walkAt);
    return true;
  }

  /** Whether the field at the cursor has not expired. */
  isVisible(): boolean {
    if (!this.hasExpiries) return true;
    const { field } = this;
    return !this.isExpired(field.view, field.start, field.start + field.length);
  }

  /**
   * Whether `pickRandom` would find a field. O(1) expected, unless nearly all fields have expired.
   */
  hasVisible(prng: Prng): boolean {
    if (!this.hasExpiries) return this.length > 0;
    for (let draws = VISIBLE_DRAWS; draws > 0; draws--) {
      this.loadEntry(this.randomEntry(prng));
      if (this.isVisible()) return true;
    }
    return this.visibleLength() > 0;
  }

  /** Puts the cursor on a random field, all with the same chance. Requires: `hasVisible`. */
  pickRandom(prng: Prng): void {
    if (this.encoding === HashEncoding.LISTPACK) {
      this.loadPair(listpackSeek(this.view, this.base, prng.nextBelow(this.length) << 1));
      return;
    }
    do this.loadEntry(this.randomEntry(prng));
    while (!this.isVisible());
  }

  /** The entry of a random field, all with the same chance. Requires: a TABLE, length > 0. */
  randomEntry(prng: Prng): number {
    return this.index.randomEntry(prng);
  }

  /**
   * Calls `visit` with the entries of one bucket of a TABLE, and returns the next cursor, as
   * HashIndex.scan does.
   */
  scanEntries(cursor: number, visit: (entry: number) => void): number {
    return this.index.scan(cursor, visit);
  }

  /** Puts the cursor on an entry of a TABLE. */
  loadEntry(entry: number): void {
    const view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    this.field.setStored(view, (entry & Ref.GRANULE_MASK) << 3);
    this.loadValue(entry);
  }

  /** Makes the hash a TABLE. Grows the arena. */
  toTable(): void {
    const { arena, field, value, text, textView } = this;
    const listpack = this.root;
    const root = arena.allocate(ROOT_BYTES);
    this.index.attachNew(root);
    setExpiries(arena, root, 0);
    for (let at = this.base + Listpack.HEADER; !listpackIsEnd(this.view, at); at = this.walkAt) {
      this.loadPair(at);
      if (field.isInteger) field.setString(textView, 0, field.writeText(text, textView, 0));
      if (value.isInteger) {
        const valueEnd = value.writeText(text, textView, INTEGER_BYTES_MAX);
        value.setString(textView, INTEGER_BYTES_MAX, valueEnd - INTEGER_BYTES_MAX);
      }
      const end = field.start + field.length;
      const entry = this.newEntry(
        field.view,
        field.start,
        end,
        value.view,
        value.start,
        value.start + value.length,
      );
      this.index.insert(entry, this.index.hash(field.view, field.start, end));
    }
    this.index.store(root);
    this.root = root;
    this.encoding = HashEncoding.TABLE;
    listpackFree(arena, listpack);
  }

  /**
   * Throws when a TABLE's index contradicts itself, or a listpack holds half a pair or a field twice.
   * COLD: for tests.
   */
  verify(): void {
    if (this.encoding === HashEncoding.TABLE) {
      this.index.verify();
      this.expiries.verify();
      return;
    }
    if (listpackLength(this.view, this.base) % 2 !== 0) throw new Error("a field without a value");
    const fields = new Set<string>();
    this.startWalk();
    while (this.next()) {
      const text = new Uint8Array(this.field.textLength());
      this.field.writeText(text, new DataView(text.buffer), 0);
      fields.add(text.toHex());
    }
    if (fields.size !== this.length) throw new Error("a field twice");
  }

  private isExpired(view: DataView, start: number, end: number): boolean {
    const atMs = this.expiries.timeOf(view, start, end);
    return atMs >= 0 && atMs < this.nowMs;
  }

  private storeExpiries(): void {
    setExpiries(this.arena, this.root, this.expiries.root);
  }

  /** Removes a field of a TABLE, but not its expiry. */
  private removeEntry(view: DataView, start: number, end: number): boolean {
    const { index } = this;
    const hash = index.hash(view, start, end);
    const entry = index.find(view, start, end, hash);
    if (entry === 0) return false;
    index.removeFound(hash);
    index.store(this.root);
    this.arena.free(entry, entryBytes(this.arena, entry));
    return true;
  }

  private locateListpack(): void {
    this.view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    this.base = listpackBase(this.root);
  }

  /** Reads the pair at `at`, and sets the walk behind it. */
  private loadPair(at: number): void {
    const valueAt = listpackNext(this.view, at);
    this.field.read(this.view, at);
    this.value.read(this.view, valueAt);
    this.walkAt = listpackNext(this.view, valueAt);
  }

  private loadValue(entry: number): void {
    const view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const at = (entry & Ref.GRANULE_MASK) << 3;
    this.value.setStored(view, at + storedBytes(storedLength(view, at)));
  }

  private setInListpack(
    view: DataView,
    start: number,
    end: number,
    valueView: DataView,
    valueStart: number,
    valueEnd: number,
  ): boolean {
    const { arena } = this;
    const at = listpackFind(this.view, this.base + Listpack.HEADER, view, start, end, 1);
    if (at !== 0) {
      const valueAt = listpackNext(this.view, at);
      this.root = listpackReplace(arena, this.root, valueAt, valueView, valueStart, valueEnd);
      this.locateListpack();
      return false;
    }
    this.root = listpackAppend(arena, this.root, view, start, end);
    this.root = listpackAppend(arena, this.root, valueView, valueStart, valueEnd);
    this.locateListpack();
    if (this.length > this.limits.entriesMax) this.toTable();
    return true;
  }

  private newEntry(
    view: DataView,
    start: number,
    end: number,
    valueView: DataView,
    valueStart: number,
    valueEnd: number,
  ): number {
    const length = end - start;
    const valueLength = valueEnd - valueStart;
    const entry = this.arena.allocate(storedBytes(length) + storedBytes(valueLength));
    const target = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const at = (entry & Ref.GRANULE_MASK) << 3;
    const fieldAt = writePrefix(target, at, length);
    copyBytes(target, fieldAt, view, start, length);
    const valueAt = writePrefix(target, fieldAt + length, valueLength);
    copyBytes(target, valueAt, valueView, valueStart, valueLength);
    return entry;
  }
}

/** Bytes that an entry of a TABLE was allocated with. */
function entryBytes(arena: Arena, entry: number): number {
  const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
  const at = (entry & Ref.GRANULE_MASK) << 3;
  const fieldBytes = storedBytes(storedLength(view, at));
  return fieldBytes + storedBytes(storedLength(view, at + fieldBytes));
}

/** The root of the table of expiries of a TABLE; 0 = none. */
function expiriesOf(arena: Arena, root: number): number {
  return arena.words[root >>> Ref.SEGMENT_SHIFT][((root & Ref.GRANULE_MASK) << 1) + EXPIRIES_WORD];
}

function setExpiries(arena: Arena, root: number, expiries: number): void {
  arena.words[root >>> Ref.SEGMENT_SHIFT][((root & Ref.GRANULE_MASK) << 1) + EXPIRIES_WORD] =
    expiries;
}

/** Whether fields of the value expire. */
export function hashHasExpiries(arena: Arena, root: number, encoding: number): boolean {
  return encoding === HashEncoding.TABLE && expiriesOf(arena, root) !== 0;
}

/** Frees the value. O(n). */
export function freeHash(arena: Arena, root: number, encoding: number): void {
  if (encoding === HashEncoding.LISTPACK) {
    listpackFree(arena, root);
    return;
  }
  const expiries = expiriesOf(arena, root);
  if (expiries !== 0) freeTable(arena, expiries, FIELD_EXPIRY_ROOT_BYTES, expiryEntryBytes);
  freeTable(arena, root, ROOT_BYTES, entryBytes);
}

/**
 * Frees a TABLE in steps: the next step's cursor, or 0 when it is gone. Cursors below 0 belong to
 * the table of expiries, which goes first. O(1) a step.
 */
export function freeHashStep(arena: Arena, root: number, encoding: number, cursor: number): number {
  if (encoding === HashEncoding.LISTPACK) {
    listpackFree(arena, root);
    return 0;
  }
  const expiries = expiriesOf(arena, root);
  if (expiries === 0) {
    return freeTableStep(arena, root, ROOT_BYTES, entryBytes, Math.max(0, cursor));
  }
  const bytes = FIELD_EXPIRY_ROOT_BYTES;
  const next = freeTableStep(arena, expiries, bytes, expiryEntryBytes, -cursor);
  if (next === 0) setExpiries(arena, root, 0);
  return next === 0 ? -1 : -next;
}

/** Blocks that freeing the value takes, roughly. O(1). */
export function hashBlocks(arena: Arena, root: number, encoding: number): number {
  return encoding === HashEncoding.TABLE ? tableLength(arena, root) : 1;
}

/** The root of a copy. O(n). Grows the arena. */
export function duplicateHash(arena: Arena, root: number, encoding: number): number {
  if (encoding === HashEncoding.LISTPACK) return listpackDuplicate(arena, root);
  const copy = duplicateTable(arena, root, ROOT_BYTES, entryBytes);
  const expiries = expiriesOf(arena, root);
  if (expiries !== 0) {
    const bytes = FIELD_EXPIRY_ROOT_BYTES;
    setExpiries(arena, copy, duplicateTable(arena, expiries, bytes, expiryEntryBytes));
  }
  return copy;
}

/** Moves the blocks that lie in sparse spans; returns the root's new reference. O(n). */
export function compactHash(arena: Arena, root: number, encoding: number): number {
  if (encoding === HashEncoding.LISTPACK) return listpackCompact(arena, root);
  const moved = compactTable(arena, root, ROOT_BYTES, entryBytes);
  const expiries = expiriesOf(arena, moved);
  if (expiries !== 0) {
    const bytes = FIELD_EXPIRY_ROOT_BYTES;
    setExpiries(arena, moved, compactTable(arena, expiries, bytes, expiryEntryBytes));
  }
  return moved;
}

/** Does a part of that for a TABLE, but for the roots; as `compactTableStep`. */
export function compactHashStep(
  arena: Arena,
  root: number,
  encoding: number,
  cursor: number,
): number {
  if (encoding !== HashEncoding.TABLE) return 0;
  const expiries = expiriesOf(arena, root);
  if (cursor < EXPIRIES_CURSOR) {
    const next = compactTableStep(arena, root, entryBytes, cursor);
    return next === 0 && expiries !== 0 ? EXPIRIES_CURSOR : next;
  }
  if (expiries === 0) return 0;
  const next = compactTableStep(arena, expiries, expiryEntryBytes, cursor - EXPIRIES_CURSOR);
  return next === 0 ? 0 : EXPIRIES_CURSOR + next;
}

/** Bytes of arena memory that the value occupies. O(n). */
export function hashMemoryBytes(
  arena: Arena,
  root: number,
  encoding: number,
  samples = Infinity,
): number {
  if (encoding === HashEncoding.LISTPACK) return listpackMemoryBytes(arena, root);
  const own = tableMemoryBytes(arena, root, ROOT_BYTES, entryBytes, samples);
  const expiries = expiriesOf(arena, root);
  if (expiries === 0) return own;
  return (
    own + tableMemoryBytes(arena, expiries, FIELD_EXPIRY_ROOT_BYTES, expiryEntryBytes, samples)
  );
}
