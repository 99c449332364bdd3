// HOT PATH: rules in src/README.md
/**
 * Quicklists: long lists, as a doubly linked list of listpacks.
 *
 *     root -> node <-> node <-> ... <-> node       each node: a listpack, or one large element
 *
 * fill is list-max-listpack-size when the quicklist was made: -1 to -5 limit a node to 4, 8, 16, 32
 * or 64 KiB, a positive number to so many elements and 8 KiB. An element that would not fit into a
 * node of its own becomes a plain node. Nodes split, fill and merge exactly as in Valkey, so that
 * the conversion back to one listpack happens where it does there. structures/quicklist-node.ts
 * draws the blocks.
 *
 * With a compress depth d (list-compress-depth), all nodes but the d first and the d last ones are
 * compressed while no command uses them. A cursor that comes to a compressed node reads an expanded
 * copy of its own; a change expands the node itself, and `rest`, called when the command has made
 * its changes, compresses what is due. Without a depth nothing is ever noted for `rest`.
 *
 * Invariants
 *  1. The counts of the root are the sums over its nodes; no node is empty.
 *  2. A packed node's count is its listpack's; a plain node's is 1.
 *  3. `previous` and `next` agree, and end at the first and the last node.
 *  4. A packed node's room and listpack fit the block that the listpack's bytes stand for; a node
 *     that is plain or compressed has no room.
 *  5. After `rest`, the d nodes at either end are not compressed, and inner nodes are if worth it.
 *
 * push and the removal of an end are O(bytes of the element) amortised, as long as one node does not
 * grow at both ends in turn (structures/quicklist-end.ts); seek is O(nodes) from the nearer end;
 * insert, replace and remove at a cursor are O(bytes of a node).
 *
 * Where the arena ends, a method throws and leaves a list that keeps the invariants: counts are
 * corrected after what they count. Whoever uses several methods notes the root in between.
 *
 * Why not one growing array of elements: inserting in the middle would cost O(n), and every element
 * would need a length and a reference. Why nodes apart from their listpacks: these are then byte for
 * byte what an RDB file holds.
 */
import { copyBytes, equalBytes } from "../base/bytes.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { ListpackEntry, entryBefore, entryEnd, entryEquals } from "./listpack-entry.ts";
import {
  Listpack,
  listpackAppend,
  listpackBase,
  listpackBytes,
  listpackCreate,
  listpackInsert,
  listpackInsertEncoded,
  listpackIsEnd,
  listpackLast,
  listpackLength,
  listpackMerge,
  listpackRemove,
  listpackReplace,
  listpackSeek,
} from "./listpack.ts";
import { quicklistNodeCount } from "./quicklist-blocks.ts";
import { pushToNode, removeFromNode } from "./quicklist-end.ts";
import {
  Fill,
  Node,
  NodeCompressor,
  Root,
  closeRoom,
  exceedsFill,
  expandInto,
  expandNode,
  fillBytes,
  freeNode,
  isCompressed,
  nodeBytes,
  setWordAt,
  wordAt,
} from "./quicklist-node.ts";

const COUNT_AT = 8;

/** Where a cursor's copy of a compressed node begins: not at 0, which is no position. */
const COPY_BASE = 8;
/** A larger copy is not kept. */
const KEPT_COPY_BYTES = 128 * 1024;
/** So many changed nodes wait for `rest` before a removal through a cursor calls it. */
const CHANGED_MAX = 32;

const COMPRESS_MAX = 65535;
/** Bytes that two listpacks have in common with their merger once only. */
const MERGE_SAVING = 7;

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
  /** Expanded copy of the compressed node that the cursor is in. */
  private copy = new Uint8Array(0);

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

  /** Points at an expanded copy of a compressed node. Nothing that was read before stays valid. */
  placeInCopy(arena: Arena, node: number): void {
    const bytes = COPY_BASE + nodeBytes(arena, node);
    const isFitting = this.copy.length >= bytes && this.copy.length <= KEPT_COPY_BYTES;
    if (!isFitting) this.copy = new Uint8Array(bytes);
    expandInto(arena, node, this.copy, COPY_BASE);
    if (this.view.buffer !== this.copy.buffer) this.view = new DataView(this.copy.buffer);
    this.base = COPY_BASE;
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

  /** With a compress depth: nodes that were added or changed, or whose neighbour went. */
  private readonly changed: number[] = [];
  private compressor: NodeCompressor | null = null;

  constructor(private readonly arena: Arena) {}

  attach(root: number): void {
    this.root = root;
    if (this.changed.length !== 0) this.changed.length = 0;
  }

  /** Attaches to a new, empty quicklist. Grows the arena. */
  create(fill: number, compressDepth: number): void {
    const root = this.arena.allocate(Root.BYTES);
    this.attach(root);
    this.setWord(root, Root.HEAD, 0);
    this.setWord(root, Root.TAIL, 0);
    this.setWord(root, Root.NODES, 0);
    const view = this.arena.views[root >>> Ref.SEGMENT_SHIFT];
    const at = (root & Ref.GRANULE_MASK) << 3;
    view.setFloat64(at + COUNT_AT, 0, true);
    const limit = Math.max(Fill.MIN, Math.min(fill, Fill.MAX));
    this.setWord(root, Root.FILL, (Math.min(compressDepth, COMPRESS_MAX) << 16) | (limit & 0xffff));
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
    return (this.word(this.root, Root.FILL) << 16) >> 16;
  }

  get compressDepth(): number {
    return this.word(this.root, Root.FILL) >>> 16;
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

  /** Bytes of a node's listpack or element. */
  nodeBytes(node: number): number {
    return nodeBytes(this.arena, node);
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

  /**
   * Adds an element at an end; returns the new count of elements. Requires: its bytes are not in
   * that end's node. Grows the arena.
   */
  push(atHead: boolean, view: DataView, start: number, end: number): number {
    const { arena, root } = this;
    const words = arena.words[root >>> Ref.SEGMENT_SHIFT];
    const at = (root & Ref.GRANULE_MASK) << 1;
    const neighbour = words[at + (atHead ? Root.HEAD : Root.TAIL)];
    const fill = (words[at + Root.FILL] << 16) >> 16;
    const bytes = end - start;
    if (this.isLarge(bytes, fill)) {
      this.link(this.newPlainNode(view, start, bytes), neighbour, !atHead);
    } else if (neighbour === 0 || !pushToNode(arena, neighbour, atHead, fill, view, start, end)) {
      this.link(this.newPackedNode(view, start, end), neighbour, !atHead);
    }
    return this.addCount(1);
  }

  /** Points the cursor at the listpack or the plain element of a node as a whole: at its `base`. */
  open(cursor: ListCursor, node: number): void {
    const { arena } = this;
    const words = arena.words[node >>> Ref.SEGMENT_SHIFT];
    const at = (node & Ref.GRANULE_MASK) << 1;
    cursor.node = node;
    cursor.plainBytes = words[at + Node.PLAIN_BYTES] >>> 0;
    if (words[at + Node.COMPRESSED_BYTES] !== 0) cursor.placeInCopy(arena, node);
    else {
      const entry = words[at + Node.ENTRY];
      cursor.view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
      cursor.base = listpackBase(entry) + words[at + Node.ROOM];
    }
    cursor.at = cursor.base;
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
      this.seekFrom(cursor, this.word(this.root, Root.HEAD), Node.NEXT, wanted);
    } else {
      this.seekFrom(cursor, this.word(this.root, Root.TAIL), Node.PREVIOUS, count - 1 - wanted);
    }
    return true;
  }

  /** Points the cursor at the element that has `distance` others between it and an end of the list. */
  private seekFrom(cursor: ListCursor, end: number, link: number, distance: number): void {
    const { arena } = this;
    let rest = distance | 0;
    let node = end;
    for (;;) {
      const words = arena.words[node >>> Ref.SEGMENT_SHIFT];
      const at = (node & Ref.GRANULE_MASK) << 1;
      const held = words[at + Node.COUNT];
      if (rest < held) break;
      rest -= held;
      node = words[at + link];
    }
    this.placeAt(cursor, node, link === Node.NEXT ? rest : -1 - rest);
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
    return this.nextNodeOf(cursor);
  }

  /** Moves the cursor to the first element of the next node; false if there is none. */
  nextNodeOf(cursor: ListCursor): boolean {
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
    this.prepareAt(cursor);
    const { node } = cursor;
    const bytes = end - start;
    const isPlain = cursor.plainBytes !== 0;
    const behind = isPlain || !after ? cursor.at : entryEnd(cursor.view, cursor.at);
    const isAtEdge =
      isPlain ||
      (after ? listpackIsEnd(cursor.view, behind) : behind === cursor.base + Listpack.HEADER);
    if (this.isLarge(bytes, this.fill)) {
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
      if (this.allowsInsert(neighbour, bytes)) {
        this.prepare(neighbour);
        this.addToEnd(neighbour, after, view, start, end);
      } else this.link(this.newPackedNode(view, start, end), node, after);
      return;
    }
    const right = this.splitNode(node, behind);
    this.addToEnd(after ? right : node, after, view, start, end);
    this.mergeAround(after ? node : right);
  }

  /** Replaces the element at the cursor, which is stale then. As `insert`. */
  replaceElement(cursor: ListCursor, view: DataView, start: number, end: number): void {
    this.prepareAt(cursor);
    const { node } = cursor;
    const bytes = end - start;
    const isLarge = this.isLarge(bytes, this.fill);
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
    if (this.changed.length > CHANGED_MAX) this.rest();
    this.prepareAt(cursor);
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

  /** Removes the first or the last element. Requires: there is one. Grows the arena. */
  removeEnd(atHead: boolean): void {
    const node = this.word(this.root, atHead ? Root.HEAD : Root.TAIL);
    if (!removeFromNode(this.arena, node, atHead)) this.unlink(node);
    this.addCount(-1);
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
      else {
        this.prepare(node);
        this.removeWithin(node, offset, removed);
      }
      this.addCount(-removed);
      rest -= removed;
      node = next;
      offset = 0;
    }
  }

  /** Frees the quicklist, all but the listpack of its only node, which is returned. */
  takeOnlyListpack(): number {
    const node = this.word(this.root, Root.HEAD);
    expandNode(this.arena, node);
    closeRoom(this.arena, node);
    const listpack = this.word(node, Node.ENTRY);
    this.arena.free(node, Node.BYTES);
    this.arena.free(this.root, Root.BYTES);
    this.attach(0);
    return listpack;
  }

  /**
   * Throws when an invariant of the header is broken. O(bytes).
   * COLD: for tests.
   */
  verify(): void {
    const cursor = new ListCursor();
    let previous = 0;
    let count = 0;
    let nodes = 0;
    for (let node = this.head; node !== 0; node = this.nextNode(node)) {
      if (this.word(node, Node.PREVIOUS) !== previous) throw new Error("a wrong link back");
      this.open(cursor, node);
      const held = cursor.plainBytes !== 0 ? 1 : listpackLength(cursor.view, cursor.base);
      if (held === 0 || held !== this.nodeCountOf(node)) throw new Error("a wrong node count");
      const room = this.word(node, Node.ROOM);
      const isListpack = cursor.plainBytes === 0 && !isCompressed(this.arena, node);
      const bytes = this.nodeBytes(node);
      const roomMax = isListpack ? blockBytes(bytes) - bytes : 0;
      if (room < 0 || room > roomMax) throw new Error("a node without its room");
      previous = node;
      count += held;
      nodes++;
    }
    if (this.word(this.root, Root.TAIL) !== previous) throw new Error("a wrong last node");
    if (count !== this.count || nodes !== this.nodeCount) throw new Error("wrong counts");
  }

  /**
   * Compresses what was changed and is not near an end, and expands what came near one: due when a
   * command has changed a quicklist. O(depth, and bytes of the changed nodes).
   */
  rest(): void {
    if (this.changed.length !== 0) this.compressChanged();
  }

  /** COLD: with a compress depth only. */
  private compressChanged(): void {
    const { arena, changed, compressDepth } = this;
    this.compressor ??= new NodeCompressor(arena);
    const ends = new Set<number>();
    let first = this.word(this.root, Root.HEAD);
    let last = this.word(this.root, Root.TAIL);
    for (let depth = 0; depth < compressDepth && first !== 0 && !ends.has(first); depth++) {
      ends.add(first).add(last);
      first = this.word(first, Node.NEXT);
      last = this.word(last, Node.PREVIOUS);
    }
    for (const node of ends) expandIfPossible(arena, node);
    // What left the ends, as others came, stands next to them: at most as many as came.
    for (let left = changed.length; left > 0 && first !== 0 && !ends.has(first); left--) {
      if (!ends.has(last)) changed.push(first, last);
      first = this.word(first, Node.NEXT);
      last = this.word(last, Node.PREVIOUS);
    }
    for (const node of changed) if (!ends.has(node)) this.compressor.compress(node);
    changed.length = 0;
  }

  /**
   * Gets a node ready for changes that are not at an end of the list: expands it, closes its room,
   * and notes it for `rest`. Grows the arena.
   */
  private prepare(node: number): void {
    closeRoom(this.arena, node);
    if (this.compressDepth === 0) return;
    expandNode(this.arena, node);
    const { changed } = this;
    if (changed.length === 0 || changed[changed.length - 1] !== node) changed.push(node);
  }

  /** The same for the node of a cursor, which stays where it is. */
  private prepareAt(cursor: ListCursor): void {
    if (this.compressDepth === 0 && this.word(cursor.node, Node.ROOM) === 0) return;
    const offset = cursor.at - cursor.base;
    this.prepare(cursor.node);
    this.open(cursor, cursor.node);
    cursor.at += offset;
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

  /** Corrects the count of elements, and returns it. */
  private addCount(delta: number): number {
    const view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    const at = ((this.root & Ref.GRANULE_MASK) << 3) + COUNT_AT;
    const count = view.getFloat64(at, true) + delta;
    view.setFloat64(at, count, true);
    return count;
  }

  /** Whether an element of so many bytes becomes a plain node. */
  private isLarge(bytes: number, fill: number): boolean {
    if (this.packedThreshold !== 0) return bytes >= this.packedThreshold;
    return bytes > (fill >= 0 ? Fill.SAFE_BYTES : fillBytes(fill));
  }

  private allowsInsert(node: number, bytes: number): boolean {
    if (node === 0 || this.word(node, Node.PLAIN_BYTES) !== 0) return false;
    const grown = this.nodeBytes(node) + bytes + Fill.ENTRY_OVERHEAD;
    return !exceedsFill(this.fill, grown, this.nodeCountOf(node) + 1);
  }

  private allowsMerge(a: number, b: number): boolean {
    if (a === 0 || b === 0) return false;
    if (this.word(a, Node.PLAIN_BYTES) !== 0 || this.word(b, Node.PLAIN_BYTES) !== 0) return false;
    const bytes = this.nodeBytes(a) + this.nodeBytes(b) - MERGE_SAVING;
    return !exceedsFill(this.fill, bytes, this.nodeCountOf(a) + this.nodeCountOf(b));
  }

  private newNode(entry: number, count: number, plainBytes: number): number {
    const node = this.arena.allocate(Node.BYTES);
    this.setWord(node, Node.ENTRY, entry);
    this.setWord(node, Node.COUNT, count);
    this.setWord(node, Node.PLAIN_BYTES, plainBytes);
    this.setWord(node, Node.COMPRESSED_BYTES, 0);
    this.setWord(node, Node.ROOM, 0);
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
    pushToNode(this.arena, node, atHead, Fill.ANY, view, start, end);
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
    if (this.compressDepth !== 0) this.changed.push(node);
  }

  /** Takes a node out and frees it. The count of elements is the caller's to correct. */
  private unlink(node: number): void {
    this.unlinkNode(node);
    freeNode(this.arena, node);
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
    if (this.compressDepth === 0) return;
    const { changed } = this;
    for (let i = changed.length - 1; i >= 0; i--) if (changed[i] === node) changed.splice(i, 1);
    const neighbour = previous === 0 ? next : previous;
    if (neighbour !== 0) changed.push(neighbour);
  }

  /** Points the cursor at a node's first or last element; false if the node is 0. */
  private place(cursor: ListCursor, node: number, atHead: boolean): boolean {
    if (node === 0) {
      cursor.at = 0;
      return false;
    }
    this.open(cursor, node);
    if (cursor.plainBytes === 0) {
      cursor.at = atHead ? cursor.base + Listpack.HEADER : listpackLast(cursor.view, cursor.base);
    }
    return true;
  }

  /** Points the cursor at a node's element `offset`, negative from its end. */
  private placeAt(cursor: ListCursor, node: number, offset: number): void {
    this.open(cursor, node);
    if (cursor.plainBytes === 0) cursor.at = listpackSeek(cursor.view, cursor.base, offset);
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
    this.prepare(first);
    expandNode(this.arena, second);
    closeRoom(this.arena, second);
    const merged = listpackMerge(
      this.arena,
      this.word(first, Node.ENTRY),
      this.word(second, Node.ENTRY),
    );
    this.setWord(first, Node.ENTRY, merged);
    this.setWord(first, Node.COUNT, this.nodeCountOf(first) + this.nodeCountOf(second));
    this.unlinkNode(second);
    this.arena.free(second, Node.BYTES);
  }
}

/** Expands a node, unless the arena ends: then it stays as it is, and is only slower to read. */
function expandIfPossible(arena: Arena, node: number): void {
  try {
    expandNode(arena, node);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
