// HOT PATH: rules in src/README.md
/**
 * When fields of a hash expire: a table beside the hash's own, of those fields only that do.
 *
 *     root     32 bytes: | state of a HashIndex 24 B | u32 cursor of active expiry | 4 B unused |
 *     entry    | f64 unix ms | stored field |
 *
 * A hash without expiring fields has no such table and pays one comparison with 0 for each access.
 *
 * Invariants
 *  1. Every field in the table is in its hash.
 *  2. The table exists exactly while it has entries.
 *
 * Why the field is stored twice: an expiry beside the value would need a mark in every entry, or
 * the whole hash built anew when its first field gets one. Doubles hold milliseconds exactly up to
 * 2^53; later times are refused.
 */
import { copyBytes } from "../base/bytes.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import { prefixBytes, storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import { HashIndex, INDEX_STATE_BYTES } from "../structures/hash-index.ts";

const TIME_BYTES = 8;
const CURSOR_WORD = INDEX_STATE_BYTES >> 2;
/** Bytes of the table's root. */
export const FIELD_EXPIRY_ROOT_BYTES = INDEX_STATE_BYTES + 8;

export class FieldExpiries {
  /** The attached table's root; 0 = no field expires. */
  root = 0;

  private readonly index: HashIndex;

  constructor(
    private readonly arena: Arena,
    hashKey0: number,
    hashKey1: number,
  ) {
    this.index = new HashIndex(arena, TIME_BYTES, hashKey0, hashKey1);
  }

  attach(root: number): void {
    this.root = root;
    if (root !== 0) this.index.attach(root);
  }

  /** Fields that expire. */
  get size(): number {
    return this.root === 0 ? 0 : this.index.size;
  }

  /** When a field expires, in unix ms; -1 = never. */
  timeOf(view: DataView, start: number, end: number): number {
    if (this.root === 0) return -1;
    const entry = this.index.find(view, start, end, this.index.hash(view, start, end));
    return entry === 0 ? -1 : this.timeAt(entry);
  }

  /** Lets a field expire. Requires: its bytes are not in this table. Grows the arena. */
  set(view: DataView, start: number, end: number, atMs: number): void {
    const { arena, index } = this;
    if (this.root === 0) {
      const root = arena.allocate(FIELD_EXPIRY_ROOT_BYTES);
      index.attachNew(root);
      this.root = root;
      this.setCursor(0);
    }
    const hash = index.hash(view, start, end);
    let entry = index.find(view, start, end, hash);
    if (entry === 0) {
      const length = end - start;
      entry = arena.allocate(TIME_BYTES + storedBytes(length));
      const target = arena.views[entry >>> Ref.SEGMENT_SHIFT];
      const at = ((entry & Ref.GRANULE_MASK) << 3) + TIME_BYTES;
      copyBytes(target, writePrefix(target, at, length), view, start, length);
      index.insert(entry, hash);
      index.store(this.root);
    }
    arena.views[entry >>> Ref.SEGMENT_SHIFT].setFloat64(
      (entry & Ref.GRANULE_MASK) << 3,
      atMs,
      true,
    );
  }

  /** Lets a field live forever; false if it did. */
  remove(view: DataView, start: number, end: number): boolean {
    if (this.root === 0) return false;
    const { arena, index } = this;
    const hash = index.hash(view, start, end);
    const entry = index.find(view, start, end, hash);
    if (entry === 0) return false;
    index.removeFound(hash);
    arena.free(entry, expiryEntryBytes(arena, entry));
    if (index.size > 0) index.store(this.root);
    else {
      arena.free(this.root, FIELD_EXPIRY_ROOT_BYTES);
      this.root = 0;
    }
    return true;
  }

  /**
   * Walks on from where the last call ended, one bucket, and calls `visit` with its entries.
   * Returns false at the end of a round. Requires: size > 0.
   */
  scan(visit: (entry: number) => void): boolean {
    const next = this.index.scan(this.cursor(), visit);
    this.setCursor(next);
    return next !== 0;
  }

  timeAt(entry: number): number {
    return this.arena.views[entry >>> Ref.SEGMENT_SHIFT].getFloat64(
      (entry & Ref.GRANULE_MASK) << 3,
      true,
    );
  }

  /** Offset of the field's bytes in its segment's view; their count is `fieldLength`. */
  fieldStart(entry: number): number {
    const at = ((entry & Ref.GRANULE_MASK) << 3) + TIME_BYTES;
    return at + prefixBytes(this.fieldLength(entry));
  }

  fieldLength(entry: number): number {
    const at = ((entry & Ref.GRANULE_MASK) << 3) + TIME_BYTES;
    return storedLength(this.arena.views[entry >>> Ref.SEGMENT_SHIFT], at);
  }

  /**
   * Throws when the table contradicts itself.
   * COLD: for tests.
   */
  verify(): void {
    if (this.root === 0) return;
    this.index.verify();
    if (this.index.size === 0) throw new Error("an empty table of expiries");
  }

  private cursor(): number {
    return (
      this.arena.words[this.root >>> Ref.SEGMENT_SHIFT][
        ((this.root & Ref.GRANULE_MASK) << 1) + CURSOR_WORD
      ] >>> 0
    );
  }

  private setCursor(cursor: number): void {
    this.arena.words[this.root >>> Ref.SEGMENT_SHIFT][
      ((this.root & Ref.GRANULE_MASK) << 1) + CURSOR_WORD
    ] = cursor;
  }
}

/** Bytes that an entry was allocated with. */
export function expiryEntryBytes(arena: Arena, entry: number): number {
  const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
  return (
    TIME_BYTES + storedBytes(storedLength(view, ((entry & Ref.GRANULE_MASK) << 3) + TIME_BYTES))
  );
}
