// HOT PATH: rules in src/README.md
/**
 * Quicklists: long lists, as a doubly linked list of listpacks.
 *
 *     root (24 bytes)   offset  size  meaning
 *                            0  i32   first node, 0 = none
 *                            4  i32   last node
 *                            8  f64   count of elements
 *                           16  u32   count of nodes
 *                           20  i16   fill: limit of a node, see below
 *                           22  u16   compress depth, as it was configured
 *
 *     node (24 bytes)        0  i32   previous node, 0 = none
 *                            4  i32   next node
 *                            8  i32   packed: its listpack; plain: the bytes of its only element
 *                           12  u32   count of elements
 *                           16  u32   plain: bytes of the element; packed: 0
 *
 * fill is list-max-listpack-size when the quicklist was made: -1 to -5 limit a node to 4, 8, 16, 32
 * or 64 KiB, a positive number to so many elements and 8 KiB. An element that would not fit into a
 * node of its own becomes a plain node. Nodes split, fill and merge exactly as in Valkey, so that
 * the conversion back to one listpack happens where it does there.
 *
 * Invariants
 *  1. The counts of the root are the sums over its nodes; no node is empty.
 *  2. A packed node's count is its listpack's; a plain node's is 1.
 *  3. `previous` and `next` agree, and end at the first and the last node.
 *
 * push and the removal of an end are O(bytes of a node) at most; seek is O(nodes) from the nearer
 * end; insert, replace and remove at a cursor are O(bytes of a node).
 *
 * Where the arena ends, a method throws and leaves a list that keeps the invariants: counts are
 * corrected after what they count. Whoever uses several methods notes the root in between.
 *
 * Why not one growing array of elements: inserting in the middle would cost O(n), and every element
 * would need a length and a reference. Why nodes apart from their listpacks: a listpack's block is
 * then byte for byte what an RDB file holds.
 */
import { copyBytes, equalBytes } from "../base/bytes.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { ListpackEntry, entryBefore, entryEnd, entryEquals } from "./listpack-entry.ts";
import {
  Listpack,
  listpackAppend,
  listpackBase,
  listpackBytes,
  listpackCompact,
  listpackCreate,
  listpackDuplicate,
  listpackFree,
  listpackInsert,
  listpackInsertEncoded,
  listpackIsEnd,
  listpackLast,
  listpackLength,
  listpackMemoryBytes,
  listpackMerge,
  listpackPrepend,
  listpackRemove,
  listpackReplace,
  listpackSeek,
} from "./listpack.ts";

const ROOT_BYTES = 24;
const NODE_BYTES = 24;

/** Words of the root. */
const enum Root {
  HEAD = 0,
  TAIL = 1,
  NODES = 4,
}
const COUNT_AT = 8;
const FILL_AT = 20;
const COMPRESS_AT = 22;

/** Words of a node. */
const enum Node {
  PREVIOUS = 0,
  NEXT = 1,
  ENTRY = 2,
  COUNT = 3,
  PLAIN_BYTES = 4,
}

const FILL_MIN = -5;
const FILL_MAX = 32767;
const COMPRESS_MAX = 65535;
/** Limit of a node's bytes where fill limits the count of its elements. */
const SAFE_NODE_BYTES = 8192;
/** What an element may take beside its bytes, generously. */
const ENTRY_OVERHEAD = 8;
/** Bytes that two listpacks have in common with their merger once only. */
const MERGE_SAVING = 7;

/** Bytes that a node may have by a negative fill. */
export function fillBytes(fill: number): number {
  return 2048 << Math.min(-fill, -FILL_MIN);
}

/** Whether a listpack of so many bytes and elements is too large for a node. */
export function exceedsFill(fill: number, bytes: number, count: number): boolean {
  if (fill < 0) return bytes > fillBytes(fill);
  return bytes > SAFE_NODE_BYTES || count > Math.max(fill, 1);
}

/** A place in a list: in a node of a quicklist, or in a listpack that is a whole list. */
export class ListCursor {
  /** 0 in a list of one listpack. */
  node = 0;
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the node's listpack or its plain element begins. */
  base = 0;
  /** Position of the entry; 0 = the cursor is beyond an end of the list. */
  at = 0;
  /** Bytes of the element of a plain node, else 0. */
  plainBytes = 0;
  /** The element, after `read`. */
  readonly entry = new ListpackEntry();

  /** Reads the element at the cursor into `entry`. Requires: at !== 0. */
  read(): void {
    if (this.plainBytes === 0) this.entry.read(this.view, this.at);
    else this.entry.setString(this.view, this.base, this.plainBytes);
  }

  /** Whether the element at the cursor is the text [start, end) of `other`. */
  equals(other: DataView, start: number, end: number): boolean {
    if (this.plainBytes === 0) return entryEquals(this.view, this.at, other, start, end);
    return (
      this.plainBytes === end - start &&
      equalBytes(this.view, this.base, other, start, this.plainBytes)
    );
  }

  /** Points at an entry of a listpack, which may be moved to. */
  placeInListpack(view: DataView, base: number, at: number): void {
    this.node = 0;
    this.plainBytes = 0;
    this.view = view;
    this.base = base;
    this.at = at;
  }
}

/** Operations on quicklists: attached to one root after the other, so that no list is an object. */
export class Quicklist {
  root = 0;
  /** Elements from this size on become plain nodes; 0 = as fill says (DEBUG). */
  packedThreshold = 0;

  constructor(private readonly arena: Arena) {}

  /** Attaches to a new, empty quicklist. Grows the arena. */
  create(fill: number, compressDepth: number): void {
    const root = this.arena.allocate(ROOT_BYTES);
    this.root = root;
    this.setWord(root, Root.HEAD, 0);
    this.setWord(root, Root.TAIL, 0);
    this.setWord(root, Root.NODES, 0);
    const view = this.arena.views[root >>> Ref.SEGMENT_SHIFT];
    const at = (root & Ref.GRANULE_MASK) << 3;
    view.setFloat64(at + COUNT_AT, 0, true);
    view.setInt16(at + FILL_AT, Math.max(FILL_MIN, Math.min(fill, FILL_MAX)), true);
    view.setUint16(at + COMPRESS_AT, Math.min(compressDepth, COMPRESS_MAX), true);
  }

  /** Count of elements. */
  get count(): number {
    const view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    return view.getFloat64(((this.root & Ref.GRANULE_MASK) << 3) + COUNT_AT, true);
  }

  get nodeCount(): number {
    return quicklistNodeCount(this.arena, this.root);
  }

  get fill(): number {
    const view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    return view.getInt16(((this.root & Ref.GRANULE_MASK) << 3) + FILL_AT, true);
  }

  get compressDepth(): number {
    const view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    return view.getUint16(((this.root & Ref.GRANULE_MASK) << 3) + COMPRESS_AT, true);
  }

  /** The first node, or 0. */
  get head(): number {
    return this.word(this.root, Root.HEAD);
  }

  /** The node behind this one, or 0. */
  nextNode(node: number): number {
    return this.word(node, Node.NEXT);
  }

  /** Bytes of a plain node's element; 0 = the node is packed. */
  plainBytesOf(node: number): number {
    return this.word(node, Node.PLAIN_BYTES) >>> 0;
  }

  /** The block of a node: its listpack, or its plain element's bytes. */
  entryOf(node: number): number {
    return this.word(node, Node.ENTRY);
  }

  /** Bytes of a node's listpack or element. */
  nodeBytes(node: number): number {
    const plain = this.plainBytesOf(node);
    if (plain !== 0) return plain;
    const entry = this.word(node, Node.ENTRY);
    return listpackBytes(this.arena.views[entry >>> Ref.SEGMENT_SHIFT], listpackBase(entry));
  }

  /** Appends a node with this listpack, which belongs to the quicklist then. Grows the arena. */
  appendListpack(listpack: number): void {
    const view = this.arena.views[listpack >>> Ref.SEGMENT_SHIFT];
    const count = listpackLength(view, listpackBase(listpack));
    this.link(this.newNode(listpack, count, 0), this.word(this.root, Root.TAIL), true);
    this.addCount(count);
  }

  /**
   * Appends a plain node with `length` bytes of `view`. Requires: the bytes are in no block of this
   * quicklist. Grows the arena.
   */
  appendPlain(view: DataView, start: number, length: number): void {
    this.link(this.newPlainNode(view, start, length), this.word(this.root, Root.TAIL), true);
    this.addCount(1);
  }

  /** Adds an element at an end. Requires: its bytes are not in that end's node. Grows the arena. */
  push(atHead: boolean, view: DataView, start: number, end: number): void {
    const neighbour = this.word(this.root, atHead ? Root.HEAD : Root.TAIL);
    const bytes = end - start;
    if (this.isLarge(bytes)) {
      this.link(this.newPlainNode(view, start, bytes), neighbour, !atHead);
    } else if (this.allowsInsert(neighbour, bytes)) {
      this.addToEnd(neighbour, atHead, view, start, end);
    } else {
      this.link(this.newPackedNode(view, start, end), neighbour, !atHead);
    }
    this.addCount(1);
  }

  /** Points the cursor at the first or the last element; false if there is none. */
  seekEnd(cursor: ListCursor, atHead: boolean): boolean {
    return this.place(cursor, this.word(this.root, atHead ? Root.HEAD : Root.TAIL), atHead);
  }

  /** Points the cursor at element `index`, negative from the end; false if there is none. */
  seek(cursor: ListCursor, index: number): boolean {
    const count = this.count;
    const wanted = index < 0 ? index + count : index;
    cursor.at = 0;
    if (!(wanted >= 0 && wanted < count)) return false;
    if (wanted < count / 2) {
      let rest = wanted;
      let node = this.word(this.root, Root.HEAD);
      for (let held = this.nodeCountOf(node); rest >= held; held = this.nodeCountOf(node)) {
        rest -= held;
        node = this.word(node, Node.NEXT);
      }
      this.placeAt(cursor, node, rest);
      return true;
    }
    let rest = count - 1 - wanted;
    let node = this.word(this.root, Root.TAIL);
    for (let held = this.nodeCountOf(node); rest >= held; held = this.nodeCountOf(node)) {
      rest -= held;
      node = this.word(node, Node.PREVIOUS);
    }
    this.placeAt(cursor, node, -1 - rest);
    return true;
  }

  /** Moves the cursor on; false beyond the end. Requires: at !== 0. */
  next(cursor: ListCursor): boolean {
    if (cursor.plainBytes === 0) {
      const at = entryEnd(cursor.view, cursor.at);
      if (!listpackIsEnd(cursor.view, at)) {
        cursor.at = at;
        return true;
      }
    }
    return this.place(cursor, this.word(cursor.node, Node.NEXT), true);
  }

  /** Moves the cursor back; false beyond the beginning. Requires: at !== 0. */
  previous(cursor: ListCursor): boolean {
    if (cursor.plainBytes === 0 && cursor.at !== cursor.base + Listpack.HEADER) {
      cursor.at = entryBefore(cursor.view, cursor.at);
      return true;
    }
    return this.place(cursor, this.word(cursor.node, Node.PREVIOUS), false);
  }

  /**
   * Inserts an element before or after the cursor, which is stale then. Requires: its bytes are in
   * no block of this quicklist. Grows the arena.
   */
  insert(cursor: ListCursor, after: boolean, view: DataView, start: number, end: number): void {
    this.insertUncounted(cursor, after, view, start, end);
    this.addCount(1);
  }

  private insertUncounted(
    cursor: ListCursor,
    after: boolean,
    view: DataView,
    start: number,
    end: number,
  ): void {
    const { node } = cursor;
    const bytes = end - start;
    const isPlain = cursor.plainBytes !== 0;
    const behind = isPlain || !after ? cursor.at : entryEnd(cursor.view, cursor.at);
    const isAtEdge =
      isPlain ||
      (after ? listpackIsEnd(cursor.view, behind) : behind === cursor.base + Listpack.HEADER);
    if (this.isLarge(bytes)) {
      let neighbour = node;
      if (!isAtEdge) {
        const right = this.splitNode(node, behind);
        if (!after) neighbour = right;
      }
      this.link(this.newPlainNode(view, start, bytes), neighbour, after);
      return;
    }
    if (this.allowsInsert(node, bytes)) {
      const entry = this.word(node, Node.ENTRY);
      this.setWord(node, Node.ENTRY, listpackInsert(this.arena, entry, behind, view, start, end));
      this.setWord(node, Node.COUNT, this.word(node, Node.COUNT) + 1);
      return;
    }
    if (isAtEdge) {
      const neighbour = this.word(node, after ? Node.NEXT : Node.PREVIOUS);
      if (this.allowsInsert(neighbour, bytes)) this.addToEnd(neighbour, after, view, start, end);
      else this.link(this.newPackedNode(view, start, end), node, after);
      return;
    }
    const right = this.splitNode(node, behind);
    this.addToEnd(after ? right : node, after, view, start, end);
    this.mergeAround(after ? node : right);
  }

  /** Replaces the element at the cursor, which is stale then. As `insert`. */
  replaceElement(cursor: ListCursor, view: DataView, start: number, end: number): void {
    const { node } = cursor;
    const bytes = end - start;
    const isLarge = this.isLarge(bytes);
    if (cursor.plainBytes !== 0) {
      if (isLarge) this.link(this.newPlainNode(view, start, bytes), node, true);
      else this.insertUncounted(cursor, true, view, start, end);
      this.unlink(node);
      return;
    }
    const { arena } = this;
    const entry = this.word(node, Node.ENTRY);
    if (!isLarge) {
      this.setWord(node, Node.ENTRY, listpackReplace(arena, entry, cursor.at, view, start, end));
      return;
    }
    const behind = entryEnd(cursor.view, cursor.at);
    if (!listpackIsEnd(cursor.view, behind)) this.splitNode(node, behind);
    const plain = this.newPlainNode(view, start, bytes);
    this.link(plain, node, true);
    this.addCount(1);
    const count = this.nodeCountOf(node);
    if (count === 1) this.unlink(node);
    else this.removeWithin(node, count - 1, 1);
    this.addCount(-1);
    if (count > 1) this.mergeAround(plain);
  }

  /**
   * Removes the element at the cursor, which moves to the next one, or to the previous one if not
   * `forwards`; false beyond the end. Grows the arena.
   */
  remove(cursor: ListCursor, forwards: boolean): boolean {
    const { node } = cursor;
    const neighbour = this.word(node, forwards ? Node.NEXT : Node.PREVIOUS);
    const count = this.word(node, Node.COUNT) - 1;
    if (count === 0) {
      this.unlink(node);
      this.addCount(-1);
      return this.place(cursor, neighbour, forwards);
    }
    const offset = cursor.at - cursor.base;
    const entry = listpackRemove(this.arena, this.word(node, Node.ENTRY), cursor.at, 1);
    this.setWord(node, Node.ENTRY, entry);
    this.setWord(node, Node.COUNT, count);
    this.addCount(-1);
    cursor.view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    cursor.base = listpackBase(entry);
    cursor.at = cursor.base + offset;
    if (forwards) {
      return listpackIsEnd(cursor.view, cursor.at) ? this.place(cursor, neighbour, true) : true;
    }
    if (offset === Listpack.HEADER) return this.place(cursor, neighbour, false);
    cursor.at = entryBefore(cursor.view, cursor.at);
    return true;
  }

  /** Removes up to `count` elements from `index` (not negative) on. Grows the arena. */
  removeRange(index: number, count: number): void {
    const total = this.count;
    let rest = Math.min(count, total - index);
    if (!(rest > 0)) return;
    let node: number;
    let offset = index;
    if (index < total / 2) {
      node = this.word(this.root, Root.HEAD);
      for (let held = this.nodeCountOf(node); offset >= held; held = this.nodeCountOf(node)) {
        offset -= held;
        node = this.word(node, Node.NEXT);
      }
    } else {
      node = this.word(this.root, Root.TAIL);
      let before = total - this.nodeCountOf(node);
      while (before > index) {
        node = this.word(node, Node.PREVIOUS);
        before -= this.nodeCountOf(node);
      }
      offset = index - before;
    }
    while (rest > 0) {
      const next = this.word(node, Node.NEXT);
      const held = this.nodeCountOf(node);
      const removed = Math.min(rest, held - offset);
      if (removed === held) this.unlink(node);
      else this.removeWithin(node, offset, removed);
      this.addCount(-removed);
      rest -= removed;
      node = next;
      offset = 0;
    }
  }

  /** Frees the quicklist, all but the listpack of its only node, which is returned. */
  takeOnlyListpack(): number {
    const node = this.word(this.root, Root.HEAD);
    const listpack = this.word(node, Node.ENTRY);
    this.arena.free(node, NODE_BYTES);
    this.arena.free(this.root, ROOT_BYTES);
    this.root = 0;
    return listpack;
  }

  /**
   * Throws when an invariant of the header is broken. O(bytes).
   * COLD: for tests.
   */
  verify(): void {
    const { arena } = this;
    let previous = 0;
    let count = 0;
    let nodes = 0;
    for (let node = this.head; node !== 0; node = this.nextNode(node)) {
      if (this.word(node, Node.PREVIOUS) !== previous) throw new Error("a wrong link back");
      const entry = this.word(node, Node.ENTRY);
      const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
      const isPlain = this.plainBytesOf(node) !== 0;
      const held = isPlain ? 1 : listpackLength(view, listpackBase(entry));
      if (held === 0 || held !== this.nodeCountOf(node)) throw new Error("a wrong node count");
      previous = node;
      count += held;
      nodes++;
    }
    if (this.word(this.root, Root.TAIL) !== previous) throw new Error("a wrong last node");
    if (count !== this.count || nodes !== this.nodeCount) throw new Error("wrong counts");
  }

  private word(reference: number, field: number): number {
    return wordAt(this.arena, reference, field);
  }

  private setWord(reference: number, field: number, value: number): void {
    setWordAt(this.arena, reference, field, value);
  }

  private nodeCountOf(node: number): number {
    return this.word(node, Node.COUNT) >>> 0;
  }

  private addCount(delta: number): void {
    const view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    const at = ((this.root & Ref.GRANULE_MASK) << 3) + COUNT_AT;
    view.setFloat64(at, view.getFloat64(at, true) + delta, true);
  }

  /** Whether an element of so many bytes becomes a plain node. */
  private isLarge(bytes: number): boolean {
    if (this.packedThreshold !== 0) return bytes >= this.packedThreshold;
    const fill = this.fill;
    return bytes > (fill >= 0 ? SAFE_NODE_BYTES : fillBytes(fill));
  }

  private allowsInsert(node: number, bytes: number): boolean {
    if (node === 0 || this.word(node, Node.PLAIN_BYTES) !== 0) return false;
    const grown = this.nodeBytes(node) + bytes + ENTRY_OVERHEAD;
    return !exceedsFill(this.fill, grown, this.nodeCountOf(node) + 1);
  }

  private allowsMerge(a: number, b: number): boolean {
    if (a === 0 || b === 0) return false;
    if (this.word(a, Node.PLAIN_BYTES) !== 0 || this.word(b, Node.PLAIN_BYTES) !== 0) return false;
    const bytes = this.nodeBytes(a) + this.nodeBytes(b) - MERGE_SAVING;
    return !exceedsFill(this.fill, bytes, this.nodeCountOf(a) + this.nodeCountOf(b));
  }

  private newNode(entry: number, count: number, plainBytes: number): number {
    const node = this.arena.allocate(NODE_BYTES);
    this.setWord(node, Node.ENTRY, entry);
    this.setWord(node, Node.COUNT, count);
    this.setWord(node, Node.PLAIN_BYTES, plainBytes);
    return node;
  }

  private newPackedNode(view: DataView, start: number, end: number): number {
    const listpack = listpackAppend(this.arena, listpackCreate(this.arena), view, start, end);
    return this.newNode(listpack, 1, 0);
  }

  private newPlainNode(view: DataView, start: number, length: number): number {
    const block = this.arena.allocate(length);
    const target = this.arena.views[block >>> Ref.SEGMENT_SHIFT];
    copyBytes(target, listpackBase(block), view, start, length);
    return this.newNode(block, 1, length);
  }

  private addToEnd(
    node: number,
    atHead: boolean,
    view: DataView,
    start: number,
    end: number,
  ): void {
    const entry = this.word(node, Node.ENTRY);
    const moved = atHead
      ? listpackPrepend(this.arena, entry, view, start, end)
      : listpackAppend(this.arena, entry, view, start, end);
    this.setWord(node, Node.ENTRY, moved);
    this.setWord(node, Node.COUNT, this.word(node, Node.COUNT) + 1);
  }

  /** Links a node before or after its neighbour, which is 0 in an empty list. */
  private link(node: number, neighbour: number, after: boolean): void {
    const { root } = this;
    let previous = 0;
    let next = 0;
    if (neighbour !== 0) {
      previous = after ? neighbour : this.word(neighbour, Node.PREVIOUS);
      next = after ? this.word(neighbour, Node.NEXT) : neighbour;
    }
    this.setWord(node, Node.PREVIOUS, previous);
    this.setWord(node, Node.NEXT, next);
    if (previous === 0) this.setWord(root, Root.HEAD, node);
    else this.setWord(previous, Node.NEXT, node);
    if (next === 0) this.setWord(root, Root.TAIL, node);
    else this.setWord(next, Node.PREVIOUS, node);
    this.setWord(root, Root.NODES, this.word(root, Root.NODES) + 1);
  }

  /** Takes a node out and frees it. The count of elements is the caller's to correct. */
  private unlink(node: number): void {
    this.unlinkNode(node);
    freeEntry(this.arena, this.word(node, Node.ENTRY), this.plainBytesOf(node));
    this.arena.free(node, NODE_BYTES);
  }

  private unlinkNode(node: number): void {
    const { root } = this;
    const previous = this.word(node, Node.PREVIOUS);
    const next = this.word(node, Node.NEXT);
    if (previous === 0) this.setWord(root, Root.HEAD, next);
    else this.setWord(previous, Node.NEXT, next);
    if (next === 0) this.setWord(root, Root.TAIL, previous);
    else this.setWord(next, Node.PREVIOUS, previous);
    this.setWord(root, Root.NODES, this.word(root, Root.NODES) - 1);
  }

  /** Points the cursor at a node's first or last element; false if the node is 0. */
  private place(cursor: ListCursor, node: number, atHead: boolean): boolean {
    if (node === 0) {
      cursor.at = 0;
      return false;
    }
    this.enter(cursor, node);
    if (cursor.plainBytes === 0) {
      cursor.at = atHead ? cursor.base + Listpack.HEADER : listpackLast(cursor.view, cursor.base);
    }
    return true;
  }

  /** Points the cursor at a node's element `offset`, negative from its end. */
  private placeAt(cursor: ListCursor, node: number, offset: number): void {
    this.enter(cursor, node);
    if (cursor.plainBytes === 0) cursor.at = listpackSeek(cursor.view, cursor.base, offset);
  }

  private enter(cursor: ListCursor, node: number): void {
    const entry = this.word(node, Node.ENTRY);
    cursor.node = node;
    cursor.view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    cursor.base = listpackBase(entry);
    cursor.at = cursor.base;
    cursor.plainBytes = this.plainBytesOf(node);
  }

  private removeWithin(node: number, offset: number, count: number): void {
    const entry = this.word(node, Node.ENTRY);
    const view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const at = listpackSeek(view, listpackBase(entry), offset);
    this.setWord(node, Node.ENTRY, listpackRemove(this.arena, entry, at, count));
    this.setWord(node, Node.COUNT, this.word(node, Node.COUNT) - count);
  }

  /** Moves the elements from position `at` on into a new node behind this one; returns that. */
  private splitNode(node: number, at: number): number {
    const { arena } = this;
    const entry = this.word(node, Node.ENTRY);
    const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const base = listpackBase(entry);
    const end = base + listpackBytes(view, base) - 1;
    let kept = 0;
    for (let walked = base + Listpack.HEADER; walked < at; walked = entryEnd(view, walked)) kept++;
    const moved = this.nodeCountOf(node) - kept;
    const empty = listpackCreate(arena);
    const target = listpackBase(empty) + Listpack.HEADER;
    const right = this.newNode(
      listpackInsertEncoded(arena, empty, target, view, at, end, moved),
      moved,
      0,
    );
    this.setWord(node, Node.ENTRY, listpackRemove(arena, entry, at, moved));
    this.setWord(node, Node.COUNT, kept);
    this.link(right, node, true);
    return right;
  }

  /** Merges the neighbours of a node with each other and with it, as far as they fit. */
  private mergeAround(center: number): void {
    const previous = this.word(center, Node.PREVIOUS);
    const next = this.word(center, Node.NEXT);
    const beforePrevious = previous === 0 ? 0 : this.word(previous, Node.PREVIOUS);
    const afterNext = next === 0 ? 0 : this.word(next, Node.NEXT);
    if (this.allowsMerge(beforePrevious, previous)) this.merge(beforePrevious, previous);
    if (this.allowsMerge(next, afterNext)) this.merge(next, afterNext);
    const left = this.word(center, Node.PREVIOUS);
    let target = center;
    if (this.allowsMerge(left, center)) {
      this.merge(left, center);
      target = left;
    }
    const right = this.word(target, Node.NEXT);
    if (this.allowsMerge(target, right)) this.merge(target, right);
  }

  /** Moves the elements of the node behind `first` into it. */
  private merge(first: number, second: number): void {
    const merged = listpackMerge(
      this.arena,
      this.word(first, Node.ENTRY),
      this.word(second, Node.ENTRY),
    );
    this.setWord(first, Node.ENTRY, merged);
    this.setWord(first, Node.COUNT, this.nodeCountOf(first) + this.nodeCountOf(second));
    this.unlinkNode(second);
    this.arena.free(second, NODE_BYTES);
  }
}

function freeEntry(arena: Arena, entry: number, plainBytes: number): void {
  if (plainBytes === 0) listpackFree(arena, entry);
  else arena.free(entry, plainBytes);
}

/** Frees a quicklist with all its nodes. O(nodes). */
export function quicklistFree(arena: Arena, root: number): void {
  quicklistFreeNodes(arena, root, Infinity);
}

/**
 * Frees up to `count` nodes of a quicklist that nobody uses any more, and with the last one the
 * root. Returns whether nodes are left.
 */
export function quicklistFreeNodes(arena: Arena, root: number, count: number): boolean {
  let node = wordAt(arena, root, Root.HEAD);
  for (let freed = 0; node !== 0 && freed < count; freed++) {
    const next = wordAt(arena, node, Node.NEXT);
    const plainBytes = wordAt(arena, node, Node.PLAIN_BYTES) >>> 0;
    freeEntry(arena, wordAt(arena, node, Node.ENTRY), plainBytes);
    arena.free(node, NODE_BYTES);
    node = next;
  }
  setWordAt(arena, root, Root.HEAD, node);
  if (node !== 0) return true;
  arena.free(root, ROOT_BYTES);
  return false;
}

/** Count of nodes. */
export function quicklistNodeCount(arena: Arena, root: number): number {
  return wordAt(arena, root, Root.NODES) >>> 0;
}

/** A copy of a quicklist, node by node. O(bytes). Grows the arena. */
export function quicklistDuplicate(arena: Arena, root: number): number {
  const list = new Quicklist(arena);
  list.root = root;
  const copy = new Quicklist(arena);
  copy.create(list.fill, list.compressDepth);
  for (let node = list.head; node !== 0; node = list.nextNode(node)) {
    const entry = list.entryOf(node);
    const plainBytes = list.plainBytesOf(node);
    const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
    if (plainBytes === 0) copy.appendListpack(listpackDuplicate(arena, entry));
    else copy.appendPlain(view, listpackBase(entry), plainBytes);
  }
  return copy.root;
}

/** Moves what lies in sparse spans; returns the root. O(nodes). */
export function quicklistCompact(arena: Arena, root: number): number {
  let moved = root;
  if (arena.isSparse(root, ROOT_BYTES)) {
    moved = movedBlock(arena, root, ROOT_BYTES);
  }
  compactNodes(arena, moved);
  return moved;
}

function compactNodes(arena: Arena, root: number): void {
  let previous = 0;
  let node = wordAt(arena, root, Root.HEAD);
  while (node !== 0) {
    const plainBytes = wordAt(arena, node, Node.PLAIN_BYTES) >>> 0;
    const entry = wordAt(arena, node, Node.ENTRY);
    let movedEntry = entry;
    if (plainBytes === 0) movedEntry = listpackCompact(arena, entry);
    else if (arena.isSparse(entry, plainBytes)) movedEntry = movedBlock(arena, entry, plainBytes);
    if (movedEntry !== entry) setWordAt(arena, node, Node.ENTRY, movedEntry);
    if (arena.isSparse(node, NODE_BYTES)) {
      node = movedBlock(arena, node, NODE_BYTES);
      if (previous === 0) setWordAt(arena, root, Root.HEAD, node);
      else setWordAt(arena, previous, Node.NEXT, node);
      const next = wordAt(arena, node, Node.NEXT);
      if (next === 0) setWordAt(arena, root, Root.TAIL, node);
      else setWordAt(arena, next, Node.PREVIOUS, node);
    }
    previous = node;
    node = wordAt(arena, node, Node.NEXT);
  }
}

/** Copies a block into a new one and frees it. */
function movedBlock(arena: Arena, block: number, bytes: number): number {
  const moved = arena.allocate(bytes);
  const view = arena.views[block >>> Ref.SEGMENT_SHIFT];
  const target = arena.views[moved >>> Ref.SEGMENT_SHIFT];
  copyBytes(target, listpackBase(moved), view, listpackBase(block), bytes);
  arena.free(block, bytes);
  return moved;
}

function wordAt(arena: Arena, reference: number, field: number): number {
  return arena.words[reference >>> Ref.SEGMENT_SHIFT][
    ((reference & Ref.GRANULE_MASK) << 1) + field
  ];
}

function setWordAt(arena: Arena, reference: number, field: number, value: number): void {
  arena.words[reference >>> Ref.SEGMENT_SHIFT][((reference & Ref.GRANULE_MASK) << 1) + field] =
    value;
}

/** Bytes of arena memory that a quicklist occupies. O(nodes). */
export function quicklistMemoryBytes(arena: Arena, root: number): number {
  let bytes = blockBytes(ROOT_BYTES);
  for (
    let node = wordAt(arena, root, Root.HEAD);
    node !== 0;
    node = wordAt(arena, node, Node.NEXT)
  ) {
    const entry = wordAt(arena, node, Node.ENTRY);
    const plainBytes = wordAt(arena, node, Node.PLAIN_BYTES) >>> 0;
    bytes += blockBytes(NODE_BYTES);
    bytes += plainBytes === 0 ? listpackMemoryBytes(arena, entry) : blockBytes(plainBytes);
  }
  return bytes;
}
