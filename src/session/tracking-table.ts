// HOT PATH: rules in src/README.md
/**
 * Which clients have read which keys: the table behind CLIENT TRACKING's default mode.
 *
 * It lies in an arena of its own, so that a million remembered keys cost the collector nothing, and
 * FLUSHALL, which empties the keyspace's arena, leaves it alone.
 *
 *     entry    offset 0  u32  clients that have read the key
 *                     4  u32  of one client: its id, lower half; of several: their block's reference
 *                     8  u32  of one client: its id, upper half; of several: room in the block
 *                    12  key, as memory/stored-bytes.ts stores byte strings
 *     block    ids in ascending order, 8 bytes each: lower half, upper half
 *
 * Invariants
 *  1. An entry has a block exactly while more than one client has read its key.
 *  2. `itemCount` is the number of ids, over all keys.
 *
 * `add` is O(length of the key + log clients), and O(clients) for a client that comes anew; `take`
 * is O(length of the key + clients).
 */
import { copyBytes } from "../base/bytes.ts";
import { Arena, Ref } from "../memory/arena.ts";
import { storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import { HashIndex } from "../structures/hash-index.ts";

const KEY_AT = 12;
const ID_BYTES = 8;
const ROOM_AT_FIRST = 4;
const TWO_32 = 4294967296;

export class TrackingTable {
  /** Ids in the table. */
  itemCount = 0;

  private readonly arena = new Arena();
  private readonly index: HashIndex;
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
      target.setUint32(at, 1, true);
      target.setUint32(at + 4, id, true);
      target.setUint32(at + 8, high, true);
      copyBytes(target, writePrefix(target, at + KEY_AT, length), view, start, length);
      index.insert(added, hash);
      this.itemCount++;
      return;
    }
    const words = arena.words[entry >>> Ref.SEGMENT_SHIFT];
    const word = (entry & Ref.GRANULE_MASK) << 1;
    const count = words[word];
    if (count > 1) this.addToBlock(words, word, count, id);
    else if (words[word + 1] !== (id | 0) || words[word + 2] !== high) {
      this.addSecond(words, word, id);
    }
  }

  /** Adds a client to those of a key that several have read, unless it is among them. */
  private addToBlock(words: Int32Array, word: number, count: number, id: number): void {
    const { arena } = this;
    let block = words[word + 1];
    let ids = arena.words[block >>> Ref.SEGMENT_SHIFT];
    let at = (block & Ref.GRANULE_MASK) << 1;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = idAt(ids, at + 2 * middle);
      if (found === id) return;
      if (found < id) low = middle + 1;
      else high = middle;
    }
    const room = words[word + 2];
    if (count === room) {
      const moved = arena.allocate(2 * room * ID_BYTES);
      const movedIds = arena.words[moved >>> Ref.SEGMENT_SHIFT];
      const movedAt = (moved & Ref.GRANULE_MASK) << 1;
      for (let i = 0; i < 2 * count; i++) movedIds[movedAt + i] = ids[at + i];
      arena.free(block, room * ID_BYTES);
      words[word + 1] = block = moved;
      words[word + 2] = 2 * room;
      ids = movedIds;
      at = movedAt;
    }
    ids.copyWithin(at + 2 * low + 2, at + 2 * low, at + 2 * count);
    writeId(ids, at + 2 * low, id);
    words[word] = count + 1;
    this.itemCount++;
  }

  /** COLD: a key that one other client has read gets a block. */
  private addSecond(words: Int32Array, word: number, id: number): void {
    const other = idAt(words, word + 1);
    const block = this.arena.allocate(ROOM_AT_FIRST * ID_BYTES);
    const ids = this.arena.words[block >>> Ref.SEGMENT_SHIFT];
    const at = (block & Ref.GRANULE_MASK) << 1;
    writeId(ids, at, Math.min(id, other));
    writeId(ids, at + 2, Math.max(id, other));
    words[word] = 2;
    words[word + 1] = block;
    words[word + 2] = ROOM_AT_FIRST;
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
    this.itemCount = 0;
    this.cursor = 0;
  }

  /** COLD: frees an entry that the index has no more, and returns its ids. */
  private release(entry: number): readonly number[] {
    const { arena } = this;
    const words = arena.words[entry >>> Ref.SEGMENT_SHIFT];
    const word = (entry & Ref.GRANULE_MASK) << 1;
    const count = words[word];
    const ids: number[] = [];
    if (count === 1) ids.push(idAt(words, word + 1));
    else {
      const block = words[word + 1];
      const at = (block & Ref.GRANULE_MASK) << 1;
      const blockWords = arena.words[block >>> Ref.SEGMENT_SHIFT];
      for (let i = 0; i < count; i++) ids.push(idAt(blockWords, at + 2 * i));
      arena.free(block, words[word + 2] * ID_BYTES);
    }
    this.itemCount -= count;
    const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const keyAt = ((entry & Ref.GRANULE_MASK) << 3) + KEY_AT;
    arena.free(entry, KEY_AT + storedBytes(storedLength(view, keyAt)));
    return ids;
  }
}

function idAt(words: Int32Array, word: number): number {
  return (words[word + 1] >>> 0) * TWO_32 + (words[word] >>> 0);
}

function writeId(words: Int32Array, word: number, id: number): void {
  words[word] = id | 0;
  words[word + 1] = Math.floor(id / TWO_32);
}
