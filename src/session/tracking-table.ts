// HOT PATH: rules in src/README.md
/**
 * Which clients have read which keys: the table behind CLIENT TRACKING's default mode.
 *
 * It lies in an arena of its own, so that a million remembered keys cost the collector nothing, and
 * FLUSHALL, which empties the keyspace's arena, leaves it alone.
 *
 *     entry    offset 0  u32  client id, lower half; with the upper half 0 = several clients
 *                     4  u32  client id, upper half
 *                     8  key, as memory/stored-bytes.ts stores byte strings
 *
 * Nearly every key is read by one client. The ids of a key that several have read are kept on the
 * collector's heap, by the entry's reference.
 *
 * Invariants
 *  1. An entry's id is 0 exactly while `several` has its reference.
 *  2. `itemCount` is the number of ids, over all keys.
 *
 * `add` and `take` are O(length of the key).
 */
import { copyBytes } from "../base/bytes.ts";
import { Arena, Ref } from "../memory/arena.ts";
import { storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import { HashIndex } from "../structures/hash-index.ts";

const KEY_AT = 8;
const TWO_32 = 4294967296;

export class TrackingTable {
  /** Ids in the table. */
  itemCount = 0;

  private readonly arena = new Arena();
  private readonly index: HashIndex;
  private readonly several = new Map<number, Set<number>>();
  /** Where `dropSome` goes on: a position in hash order. */
  private cursor = 0;

  constructor(hashKey0: number, hashKey1: number) {
    this.index = new HashIndex(this.arena, KEY_AT, hashKey0, hashKey1);
  }

  get keyCount(): number {
    return this.index.size;
  }

  /** Notes that a client has read a key. Requires: id > 0. */
  add(view: DataView, start: number, end: number, id: number): void {
    const { arena, index } = this;
    const hash = index.hash(view, start, end);
    const entry = index.find(view, start, end, hash);
    const high = Math.floor(id / TWO_32);
    if (entry === 0) {
      const length = end - start;
      const added = arena.allocate(KEY_AT + storedBytes(length));
      const target = arena.views[added >>> Ref.SEGMENT_SHIFT];
      const at = (added & Ref.GRANULE_MASK) << 3;
      target.setUint32(at, id, true);
      target.setUint32(at + 4, high, true);
      copyBytes(target, writePrefix(target, at + KEY_AT, length), view, start, length);
      index.insert(added, hash);
      this.itemCount++;
      return;
    }
    const words = arena.words[entry >>> Ref.SEGMENT_SHIFT];
    const word = (entry & Ref.GRANULE_MASK) << 1;
    if (words[word] !== (id | 0) || words[word + 1] !== high) this.addSecond(entry, id);
  }

  /** COLD: a key that another client has read. */
  private addSecond(entry: number, id: number): void {
    let ids = this.several.get(entry);
    if (ids === undefined) {
      ids = new Set([this.ownerOf(entry)]);
      this.several.set(entry, ids);
      const word = (entry & Ref.GRANULE_MASK) << 1;
      this.arena.words[entry >>> Ref.SEGMENT_SHIFT].fill(0, word, word + 2);
    }
    if (ids.has(id)) return;
    ids.add(id);
    this.itemCount++;
  }

  /**
   * Forgets a key; the ids of those who had read it, or null if nobody had.
   * COLD: once per key remembered.
   */
  take(view: DataView, start: number, end: number): readonly number[] | null {
    const { index } = this;
    const hash = index.hash(view, start, end);
    const entry = index.find(view, start, end, hash);
    if (entry === 0) return null;
    index.removeFound(hash);
    return this.release(entry);
  }

  /**
   * Forgets about `count` keys, whichever, and calls `visit` with each and its readers. The bytes
   * are valid during the call only.
   * COLD: the table is too large.
   */
  dropSome(
    count: number,
    visit: (view: DataView, start: number, end: number, ids: readonly number[]) => void,
  ): void {
    const { arena, index } = this;
    let left = count;
    while (left > 0 && index.size > 0) {
      const found: number[] = [];
      this.cursor = index.scan(this.cursor, (entry) => void found.push(entry));
      for (const entry of found) {
        if (left-- === 0) return;
        const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
        const at = ((entry & Ref.GRANULE_MASK) << 3) + KEY_AT;
        const length = storedLength(view, at);
        const start = at + storedBytes(length) - length;
        const hash = index.hash(view, start, start + length);
        index.find(view, start, start + length, hash);
        index.removeFound(hash);
        const key = Buffer.from(new Uint8Array(view.buffer, start, length));
        visit(new DataView(key.buffer, key.byteOffset, length), 0, length, this.release(entry));
      }
    }
  }

  /** COLD: forgets all. */
  clear(): void {
    this.index.reset();
    this.arena.reset();
    this.several.clear();
    this.itemCount = 0;
    this.cursor = 0;
  }

  /** COLD: frees an entry that the index has no more, and returns its ids. */
  private release(entry: number): readonly number[] {
    const shared = this.several.get(entry);
    const ids = shared === undefined ? [this.ownerOf(entry)] : [...shared];
    this.several.delete(entry);
    this.itemCount -= ids.length;
    const view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const at = ((entry & Ref.GRANULE_MASK) << 3) + KEY_AT;
    this.arena.free(entry, KEY_AT + storedBytes(storedLength(view, at)));
    return ids;
  }

  private ownerOf(entry: number): number {
    const words = this.arena.words[entry >>> Ref.SEGMENT_SHIFT];
    const word = (entry & Ref.GRANULE_MASK) << 1;
    return (words[word + 1] >>> 0) * TWO_32 + (words[word] >>> 0);
  }
}
