// HOT PATH: rules in src/README.md
/**
 * One numbered database: the index from keys to records, and the index of keys that expire.
 *
 * Every lookup leaves behind where it found (or did not find) the key: `hash` and the position in
 * the index. The methods that say "the key looked up last" continue from there without hashing
 * again; any other change to the database in between makes them wrong, so handlers look up, check,
 * act. A key that has expired is removed by whichever lookup meets it first.
 *
 * Records move when they change size: a method that changes a record returns its reference, and
 * the old one is dead. All operations are O(1) expected, plus the bytes that they copy.
 */
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { copyBytes, moveBytes } from "../base/bytes.ts";
import { prefixBytes, storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import { HashIndex } from "../structures/hash-index.ts";
import type { Keyspace } from "./keyspace.ts";
import { NotifyClass } from "./notify.ts";
import {
  Meta,
  RECORD_KEY_AT,
  type ValueType,
  copyExpireAt,
  encodingOf,
  expireAtMs,
  keyLength,
  keyStart,
  metaOf,
  recordBytes,
  recordBytesFor,
  setMeta,
  setRoot,
  valueAt,
  viewOf,
  writeExpireAt,
} from "./record.ts";

/** The value of a record with a root block: the block's reference. */
const ROOT_BYTES = 4;

/** `Database.snapshotCursor` of a database that no snapshot has yet to reach: beyond all hashes. */
export const NOT_WALKED = 4294967296;

export class Database {
  readonly index: HashIndex;
  /** Records with an expiry: what active expiry and the volatile-* policies walk. */
  readonly volatile: HashIndex;
  /** Hashes of which fields expire: what active expiry of fields walks. */
  readonly expiringFields: HashIndex;
  /** The hash of the key that was looked up last. */
  hash = 0;
  /** Position in hash order where active expiry goes on. */
  expireCursor = 0;
  /** The same, of the hashes of which fields expire. */
  fieldExpireCursor = 0;
  /** Keys with this hash and higher ones must be handed over to a snapshot before they change. */
  snapshotCursor = NOT_WALKED;
  /** Estimate of the mean time to live in ms, as INFO keyspace shows it. */
  averageTtlMs = 0;

  private readonly arena: Arena;

  constructor(
    public id: number,
    readonly keyspace: Keyspace,
  ) {
    const { arena, hashKey0, hashKey1 } = keyspace;
    this.arena = arena;
    this.index = new HashIndex(arena, RECORD_KEY_AT, hashKey0, hashKey1);
    this.volatile = new HashIndex(arena, RECORD_KEY_AT, hashKey0, hashKey1);
    this.expiringFields = new HashIndex(arena, RECORD_KEY_AT, hashKey0, hashKey1);
  }

  /** The hash of a key: taken from the batch's prefetch if it was this key, else computed. */
  private keyHash(view: DataView, start: number, end: number): number {
    const keyspace = this.keyspace;
    if (start === keyspace.hashedStart && view === keyspace.hashedView) return keyspace.hashedHash;
    return this.index.hash(view, start, end);
  }

  /** The record of a key that is to be read, or 0: counts a hit or a miss, and touches it. */
  lookupRead(view: DataView, start: number, end: number): number {
    const hash = this.keyHash(view, start, end);
    this.hash = hash;
    const keyspace = this.keyspace;
    const record = this.index.find(view, start, end, hash);
    if (record === 0) {
      keyspace.misses++;
      this.notify(NotifyClass.KEY_MISS, "keymiss", view, start, end);
      return 0;
    }
    const meta = metaOf(this.arena, record);
    if ((meta & Meta.EXPIRY) !== 0 && this.expireFound(record)) {
      keyspace.misses++;
      this.notify(NotifyClass.KEY_MISS, "keymiss", view, start, end);
      return 0;
    }
    keyspace.hits++;
    keyspace.touch(record, meta);
    return record;
  }

  /** The record of a key that is to be changed, or 0. Not counted; touches it. */
  lookupWrite(view: DataView, start: number, end: number): number {
    const hash = this.keyHash(view, start, end);
    this.hash = hash;
    if (hash >>> 0 >= this.snapshotCursor) this.preserve();
    const record = this.index.find(view, start, end, hash);
    if (record === 0) return 0;
    const meta = metaOf(this.arena, record);
    if ((meta & Meta.EXPIRY) !== 0 && this.expireFoundForWrite(record)) return 0;
    this.keyspace.touch(record, meta);
    return record;
  }

  /** As `lookupRead`, but the key is not touched: EXISTS, TYPE, TTL. */
  lookupReadUntouched(view: DataView, start: number, end: number): number {
    const record = this.peek(view, start, end);
    if (record !== 0) {
      this.keyspace.hits++;
      return record;
    }
    this.keyspace.misses++;
    this.notify(NotifyClass.KEY_MISS, "keymiss", view, start, end);
    return 0;
  }

  /** The record of a key, or 0: neither counted nor touched (OBJECT, DEL). */
  peek(view: DataView, start: number, end: number): number {
    const hash = this.keyHash(view, start, end);
    this.hash = hash;
    const record = this.index.find(view, start, end, hash);
    if (record === 0) return 0;
    if ((metaOf(this.arena, record) & Meta.EXPIRY) !== 0 && this.expireFound(record)) return 0;
    return record;
  }

  /** The record of a key, or 0: not counted, not touched, and not removed if it has expired. */
  find(view: DataView, start: number, end: number): number {
    const hash = this.keyHash(view, start, end);
    this.hash = hash;
    return this.index.find(view, start, end, hash);
  }

  /**
   * The value of the key looked up last is about to change in its place, though it was not looked
   * up to be written.
   */
  willChange(): void {
    if (this.hash >>> 0 >= this.snapshotCursor) this.preserve();
  }

  /** COLD: a snapshot is on. */
  private preserve(): void {
    this.keyspace.snapshot?.preserve(this, this.hash);
  }

  /** Adds the key looked up last, which is missing, as a string. Grows the arena. */
  insertString(
    keyView: DataView,
    keyFrom: number,
    keyTo: number,
    view: DataView,
    from: number,
    length: number,
    encoding: number,
  ): number {
    const valueBytes = storedBytes(length);
    const record = this.insertRecord(
      keyView,
      keyFrom,
      keyTo,
      encoding << Meta.ENCODING_SHIFT,
      valueBytes,
    );
    const target = viewOf(this.arena, record);
    const at = ((record & Ref.GRANULE_MASK) << 3) + RECORD_KEY_AT + storedBytes(keyTo - keyFrom);
    copyBytes(target, writePrefix(target, at, length), view, from, length);
    return record;
  }

  /**
   * Adds the key looked up last, which is missing, with `meta`'s type and encoding, without expiry
   * and with `valueBytes` undefined bytes for its value. Grows the arena.
   */
  insertRecord(
    keyView: DataView,
    keyFrom: number,
    keyTo: number,
    meta: number,
    valueBytes: number,
  ): number {
    this.willChange();
    const length = keyTo - keyFrom;
    const record = this.arena.allocate(recordBytesFor(length, false, valueBytes));
    setMeta(this.arena, record, meta | this.keyspace.freshClock());
    const view = viewOf(this.arena, record);
    const at = ((record & Ref.GRANULE_MASK) << 3) + RECORD_KEY_AT;
    copyBytes(view, writePrefix(view, at, length), keyView, keyFrom, length);
    this.index.insert(record, this.hash);
    this.notify(NotifyClass.NEW, "new", keyView, keyFrom, keyTo);
    return record;
  }

  /**
   * As `insertRecord`, for a key that expires. One method, since after an insertion the key is no
   * longer "looked up last" for `setExpireAt`. Grows the arena.
   */
  insertExpiringRecord(
    keyView: DataView,
    keyFrom: number,
    keyTo: number,
    meta: number,
    valueBytes: number,
    atMs: number | bigint,
  ): number {
    this.willChange();
    const length = keyTo - keyFrom;
    const record = this.arena.allocate(recordBytesFor(length, true, valueBytes));
    setMeta(this.arena, record, meta | Meta.EXPIRY | this.keyspace.freshClock());
    const view = viewOf(this.arena, record);
    const at = ((record & Ref.GRANULE_MASK) << 3) + RECORD_KEY_AT;
    copyBytes(view, writePrefix(view, at, length), keyView, keyFrom, length);
    writeExpireAt(view, record, atMs);
    this.index.insert(record, this.hash);
    this.volatile.insert(record, this.hash);
    this.notify(NotifyClass.NEW, "new", keyView, keyFrom, keyTo);
    return record;
  }

  /**
   * Adds the key looked up last, which is missing, with the type, encoding, value and expiry of
   * `source`, a record of any database. Both then name one root, if there is one: the caller gives
   * the new record another one, or drops the old record with `freeRecordBlock`. Grows the arena.
   */
  insertLike(source: number, keyView: DataView, keyFrom: number, keyTo: number): number {
    const sourceView = viewOf(this.arena, source);
    const sourceMeta = metaOf(this.arena, source);
    const from = valueAt(sourceView, source, sourceMeta);
    const sourceBase = (source & Ref.GRANULE_MASK) << 3;
    const valueBytes = sourceBase + recordBytes(sourceView, source, sourceMeta) - from;
    const meta = sourceMeta & ~(Meta.CLOCK_MASK | Meta.EXPIRY);
    const record =
      (sourceMeta & Meta.EXPIRY) === 0
        ? this.insertRecord(keyView, keyFrom, keyTo, meta, valueBytes)
        : this.insertExpiringRecord(keyView, keyFrom, keyTo, meta, valueBytes, 0);
    const view = viewOf(this.arena, record);
    copyBytes(view, valueAt(view, record, sourceMeta), sourceView, from, valueBytes);
    if ((sourceMeta & Meta.EXPIRY) !== 0) copyExpireAt(view, record, sourceView, source);
    if ((sourceMeta & Meta.FIELD_EXPIRY) !== 0) this.expiringFields.insert(record, this.hash);
    return record;
  }

  /** Adds the key looked up last, which is missing, with the value below `root`. Grows the arena. */
  insertRoot(
    keyView: DataView,
    keyFrom: number,
    keyTo: number,
    type: ValueType,
    encoding: number,
    root: number,
  ): number {
    const meta = rootMeta(type, encoding);
    const record = this.insertRecord(keyView, keyFrom, keyTo, meta, ROOT_BYTES);
    setRoot(viewOf(this.arena, record), record, meta, root);
    return record;
  }

  /** Notes in a record where the root block of its value is now, and its encoding. */
  updateRoot(record: number, encoding: number, root: number): void {
    const meta = metaOf(this.arena, record);
    setRoot(viewOf(this.arena, record), record, meta, root);
    if (encodingOf(meta) === encoding) return;
    const others = meta & ~(Meta.ENCODING_MASK << Meta.ENCODING_SHIFT);
    setMeta(this.arena, record, others | (encoding << Meta.ENCODING_SHIFT));
  }

  /**
   * Gives the key looked up last, whose record this is (0 = missing), the value below `root` in
   * place of the one it had. It no longer expires. Grows the arena.
   */
  replaceWithRoot(
    record: number,
    keyView: DataView,
    keyFrom: number,
    keyTo: number,
    type: ValueType,
    encoding: number,
    root: number,
  ): number {
    if (record === 0) return this.insertRoot(keyView, keyFrom, keyTo, type, encoding, root);
    const old = viewOf(this.arena, record);
    const oldMeta = metaOf(this.arena, record);
    const length = keyTo - keyFrom;
    const moved = this.arena.allocate(recordBytesFor(length, false, ROOT_BYTES));
    const meta = (oldMeta & Meta.CLOCK_MASK) | rootMeta(type, encoding);
    const view = viewOf(this.arena, moved);
    const headBytes = RECORD_KEY_AT + storedBytes(length);
    copyBytes(
      view,
      (moved & Ref.GRANULE_MASK) << 3,
      old,
      (record & Ref.GRANULE_MASK) << 3,
      headBytes,
    );
    setMeta(this.arena, moved, meta);
    setRoot(view, moved, meta, root);
    if ((oldMeta & Meta.EXPIRY) !== 0) this.forgetExpiry(record);
    if ((oldMeta & Meta.FIELD_EXPIRY) !== 0) this.forgetFieldExpiry(record);
    this.index.replaceFound(moved);
    this.keyspace.freeRecord(record);
    return moved;
  }

  /**
   * Gives the key looked up last, whose record this is, a string for its value, of whatever type
   * it was. Without `keepExpiry` the key no longer expires. Grows the arena.
   */
  replaceWithString(
    record: number,
    view: DataView,
    from: number,
    length: number,
    encoding: number,
    keepExpiry: boolean,
  ): number {
    const old = viewOf(this.arena, record);
    const meta = metaOf(this.arena, record);
    const expires = (meta & Meta.EXPIRY) !== 0;
    if ((meta & Meta.ROOT) === 0 && (!expires || keepExpiry)) {
      const at = valueAt(old, record, meta);
      const oldLength = storedLength(old, at);
      const kept = at - ((record & Ref.GRANULE_MASK) << 3);
      if (blockBytes(kept + storedBytes(oldLength)) === blockBytes(kept + storedBytes(length))) {
        setMeta(
          this.arena,
          record,
          (meta & (Meta.EXPIRY | Meta.CLOCK_MASK)) | (encoding << Meta.ENCODING_SHIFT),
        );
        copyBytes(old, writePrefix(old, at, length), view, from, length);
        return record;
      }
    }
    return this.replaceWithNewString(record, view, from, length, encoding, expires && keepExpiry);
  }

  /**
   * Makes the inline value of the key looked up last `length` bytes long. Bytes up to the shorter
   * length stay, further ones are undefined. Returns the record. Grows the arena.
   */
  resizeString(record: number, length: number): number {
    const old = viewOf(this.arena, record);
    const meta = metaOf(this.arena, record);
    const base = (record & Ref.GRANULE_MASK) << 3;
    const at = valueAt(old, record, meta);
    const oldLength = storedLength(old, at);
    const head = at - base;
    const kept = Math.min(length, oldLength);
    if (blockBytes(head + storedBytes(oldLength)) === blockBytes(head + storedBytes(length))) {
      if (prefixBytes(oldLength) !== prefixBytes(length)) {
        moveBytes(old, at + prefixBytes(length), at + prefixBytes(oldLength), kept);
      }
      writePrefix(old, at, length);
      return record;
    }
    const moved = this.arena.allocate(head + storedBytes(length));
    const view = viewOf(this.arena, moved);
    const movedBase = (moved & Ref.GRANULE_MASK) << 3;
    copyBytes(view, movedBase, old, base, head);
    const valueFrom = writePrefix(view, movedBase + head, length);
    copyBytes(view, valueFrom, old, at + prefixBytes(oldLength), kept);
    this.replaceRecord(record, moved, meta);
    this.arena.free(record, head + storedBytes(oldLength));
    return moved;
  }

  /** Removes the key looked up last, whose record this is, and frees its value. */
  removeFound(record: number): void {
    this.detachFound(record);
    this.keyspace.freeRecord(record);
  }

  /**
   * Removes the key looked up last, because a command gave it a time that has passed: a change,
   * and an expiry.
   */
  removeExpired(record: number, view: DataView, start: number, end: number): void {
    this.removeFound(record);
    this.keyspace.expiredKeys++;
    this.changed(NotifyClass.EXPIRED, "expired", view, start, end);
  }

  /** Takes the key looked up last out of the database without freeing its record. */
  detachFound(record: number): void {
    this.willChange();
    const meta = metaOf(this.arena, record);
    if ((meta & Meta.EXPIRY) !== 0) this.forgetExpiry(record);
    if ((meta & Meta.FIELD_EXPIRY) !== 0) this.forgetFieldExpiry(record);
    this.index.removeFound(this.hash);
  }

  /** Notes whether fields of the key looked up last, whose record this is, expire. */
  setFieldExpiry(record: number, expires: boolean): void {
    const meta = metaOf(this.arena, record);
    if (((meta & Meta.FIELD_EXPIRY) !== 0) === expires) return;
    setMeta(this.arena, record, meta ^ Meta.FIELD_EXPIRY);
    if (expires) this.expiringFields.insert(record, this.hash);
    else this.forgetFieldExpiry(record);
  }

  /** When the record expires in unix ms, rounded beyond 2^53; -1 if never. */
  expireAtMs(record: number): number {
    if ((metaOf(this.arena, record) & Meta.EXPIRY) === 0) return -1;
    return expireAtMs(viewOf(this.arena, record), record);
  }

  /** Sets when the key looked up last expires. Returns its record, which may have moved. */
  setExpireAt(record: number, atMs: number | bigint): number {
    this.willChange();
    const meta = metaOf(this.arena, record);
    const view = viewOf(this.arena, record);
    if ((meta & Meta.EXPIRY) !== 0) {
      writeExpireAt(view, record, atMs);
      return record;
    }
    const moved = this.resizeHead(record, meta, meta | Meta.EXPIRY);
    writeExpireAt(viewOf(this.arena, moved), moved, atMs);
    this.volatile.insert(moved, this.hash);
    return moved;
  }

  /** Lets the key looked up last live forever. Returns its record, which may have moved. */
  clearExpiry(record: number): number {
    const meta = metaOf(this.arena, record);
    if ((meta & Meta.EXPIRY) === 0) return record;
    this.willChange();
    this.forgetExpiry(record);
    return this.resizeHead(record, meta, meta & ~Meta.EXPIRY);
  }

  /** Moves the record to another block of the same size if that makes the arena denser. */
  compactFound(record: number): number {
    const meta = metaOf(this.arena, record);
    const old = viewOf(this.arena, record);
    const bytes = recordBytes(old, record, meta);
    if (!this.arena.isSparse(record, bytes)) return record;
    const moved = this.arena.allocate(bytes);
    const view = viewOf(this.arena, moved);
    const to = (moved & Ref.GRANULE_MASK) << 3;
    copyBytes(view, to, old, (record & Ref.GRANULE_MASK) << 3, bytes);
    this.replaceRecord(record, moved, meta);
    this.arena.free(record, bytes);
    return moved;
  }

  /** Looks a record up by its own key, so that the methods for the key looked up last apply. */
  findRecord(record: number): void {
    const view = viewOf(this.arena, record);
    const start = keyStart(view, record);
    const end = start + keyLength(view, record);
    this.hash = this.index.hash(view, start, end);
    this.index.find(view, start, end, this.hash);
  }

  /** Removes the record of the key looked up last if its time has come: true if it was removed. */
  expireFound(record: number): boolean {
    if (!this.isDue(record)) return false;
    if (!this.keyspace.mayExpire) return this.keyspace.hidesExpired;
    this.keyspace.expireRecord(this, record);
    return true;
  }

  /** Whether a key is there but expired, for the client at hand. */
  hasExpired(record: number): boolean {
    const { mayExpire, hidesExpired } = this.keyspace;
    if ((metaOf(this.arena, record) & Meta.EXPIRY) === 0 || !this.isDue(record)) return false;
    return mayExpire || hidesExpired;
  }

  /** Whether a record with an expiry has outlived it: a key still lives in its last millisecond. */
  isDue(record: number): boolean {
    return expireAtMs(viewOf(this.arena, record), record) < this.keyspace.nowMs;
  }

  /**
   * A command changed a key: counts it as dirty, tells whoever watches the key (WATCH, client-side
   * caching), fires the keyspace event. Called once per change, after it.
   */
  changed(
    eventClass: NotifyClass,
    event: string,
    view: DataView,
    start: number,
    end: number,
  ): void {
    const keyspace = this.keyspace;
    keyspace.dirty++;
    this.signal(view, start, end);
    if ((keyspace.notifyFlags & eventClass) !== 0) {
      keyspace.onEvent(eventClass, event, this.id, view, start, end);
    }
  }

  /** Tells whoever watches the key that it changed, and nothing else. */
  signal(view: DataView, start: number, end: number): void {
    const keyspace = this.keyspace;
    if (keyspace.watchesKeys) keyspace.onModified(this.id, view, start, end);
  }

  /** Fires a keyspace event for a key, if anyone asked for this class of events. */
  notify(eventClass: NotifyClass, event: string, view: DataView, start: number, end: number): void {
    const keyspace = this.keyspace;
    if ((keyspace.notifyFlags & eventClass) !== 0) {
      keyspace.onEvent(eventClass, event, this.id, view, start, end);
    }
  }

  /**
   * Frees every record and both indexes. O(keys).
   * COLD: FLUSHDB.
   */
  clear(): void {
    const keyspace = this.keyspace;
    this.index.eachEntry((record) => keyspace.freeRecord(record));
    this.index.clear();
    this.volatile.clear();
    this.expiringFields.clear();
    this.forget();
  }

  /**
   * Empties the database now, and lets records and indexes be freed later. O(1).
   * COLD: FLUSHDB.
   */
  clearLazily(): void {
    const { keyspace } = this;
    this.releaseLater(this.index, this.index.size, (record) => keyspace.freeRecord(record));
    this.releaseLater(this.volatile, 0, () => {});
    this.releaseLater(this.expiringFields, 0, () => {});
    this.forget();
  }

  private releaseLater(
    index: HashIndex,
    objects: number,
    freeRecord: (record: number) => void,
  ): void {
    const { hashKey0, hashKey1, lazyFree } = this.keyspace;
    const flushed = new HashIndex(this.arena, RECORD_KEY_AT, hashKey0, hashKey1);
    index.moveTo(flushed);
    lazyFree.releaseIndex(flushed, objects, freeRecord);
  }

  /**
   * Empties the database without freeing what it held. Requires: the arena is reset with it.
   * COLD: FLUSHALL.
   */
  forget(): void {
    this.index.reset();
    this.volatile.reset();
    this.expiringFields.reset();
    this.averageTtlMs = 0;
    this.expireCursor = 0;
    this.fieldExpireCursor = 0;
  }

  /**
   * `expireFound` for a key about to be written. A hidden record is removed even where the server
   * may not expire by itself: an insertion beside it would put the key into the index twice.
   */
  private expireFoundForWrite(record: number): boolean {
    if (!this.isDue(record)) return false;
    if (!this.keyspace.mayExpire && !this.keyspace.hidesExpired) return false;
    this.keyspace.expireRecord(this, record);
    return true;
  }

  private replaceWithNewString(
    record: number,
    source: DataView,
    from: number,
    length: number,
    encoding: number,
    keepExpiry: boolean,
  ): number {
    const old = viewOf(this.arena, record);
    const meta = metaOf(this.arena, record);
    const keyBytes = keyLength(old, record);
    const moved = this.arena.allocate(recordBytesFor(keyBytes, keepExpiry, storedBytes(length)));
    const view = viewOf(this.arena, moved);
    const base = (moved & Ref.GRANULE_MASK) << 3;
    const oldBase = (record & Ref.GRANULE_MASK) << 3;
    const keyTo = RECORD_KEY_AT + storedBytes(keyBytes);
    // The expiry stands behind the key: both are copied as they are.
    copyBytes(view, base, old, oldBase, keepExpiry ? keyTo + 8 : keyTo);
    const flags = (meta & Meta.CLOCK_MASK) | (encoding << Meta.ENCODING_SHIFT);
    setMeta(this.arena, moved, keepExpiry ? flags | Meta.EXPIRY : flags);
    if (!keepExpiry && (meta & Meta.EXPIRY) !== 0) this.forgetExpiry(record);
    if ((meta & Meta.FIELD_EXPIRY) !== 0) this.forgetFieldExpiry(record);
    const at = valueAt(view, moved, metaOf(this.arena, moved));
    copyBytes(view, writePrefix(view, at, length), source, from, length);
    this.replaceRecord(record, moved, metaOf(this.arena, moved));
    this.keyspace.freeRecord(record);
    return moved;
  }

  /** Rebuilds a record with or without room for an expiry (undefined bytes). */
  private resizeHead(record: number, meta: number, newMeta: number): number {
    const old = viewOf(this.arena, record);
    const bytes = recordBytes(old, record, meta);
    const oldBase = (record & Ref.GRANULE_MASK) << 3;
    const keyEnd = RECORD_KEY_AT + storedBytes(keyLength(old, record));
    const oldValue = valueAt(old, record, meta);
    const valueBytes = oldBase + bytes - oldValue;
    const newBytes = keyEnd + ((newMeta & Meta.EXPIRY) !== 0 ? 8 : 0) + valueBytes;
    const moved = this.arena.allocate(newBytes);
    const view = viewOf(this.arena, moved);
    const base = (moved & Ref.GRANULE_MASK) << 3;
    copyBytes(view, base, old, oldBase, keyEnd);
    copyBytes(view, base + newBytes - valueBytes, old, oldValue, valueBytes);
    setMeta(this.arena, moved, newMeta);
    this.index.replaceFound(moved);
    if ((meta & Meta.FIELD_EXPIRY) !== 0) this.replaceIn(this.expiringFields, record, moved);
    this.arena.free(record, bytes);
    return moved;
  }

  /** Lets the indexes name `moved` in place of `record`, the key looked up last. */
  private replaceRecord(record: number, moved: number, meta: number): void {
    this.index.replaceFound(moved);
    if ((meta & Meta.EXPIRY) !== 0) this.replaceIn(this.volatile, record, moved);
    if ((meta & Meta.FIELD_EXPIRY) !== 0) this.replaceIn(this.expiringFields, record, moved);
  }

  private replaceIn(index: HashIndex, record: number, moved: number): void {
    const view = viewOf(this.arena, record);
    const start = keyStart(view, record);
    index.find(view, start, start + keyLength(view, record), this.hash);
    index.replaceFound(moved);
  }

  private forgetExpiry(record: number): void {
    this.removeFrom(this.volatile, record);
  }

  private forgetFieldExpiry(record: number): void {
    this.removeFrom(this.expiringFields, record);
  }

  private removeFrom(index: HashIndex, record: number): void {
    const view = viewOf(this.arena, record);
    const start = keyStart(view, record);
    if (index.find(view, start, start + keyLength(view, record), this.hash) !== 0) {
      index.removeFound(this.hash);
    }
  }
}

/** The meta word of a value below a root block, without clock and expiry. */
function rootMeta(type: ValueType, encoding: number): number {
  return (type << Meta.TYPE_SHIFT) | (encoding << Meta.ENCODING_SHIFT) | Meta.ROOT;
}
