// HOT PATH: rules in src/README.md
/**
 * Lists: sequences of elements, short ones in one listpack, longer ones as a quicklist.
 *
 *     encoding        root block
 *     LISTPACK   0    a listpack (structures/listpack.ts)
 *     QUICKLIST  1    a quicklist's root (structures/quicklist.ts)
 *
 * A list is a listpack until it would exceed what list-max-listpack-size allows a node: `grow`
 * says so before elements are added. It becomes a listpack again when `shrink` finds, after a
 * removal, one node of at most half the limit. Both are called where Valkey converts, so that
 * OBJECT ENCODING agrees.
 *
 * One object serves all lists of an engine: `attach` points it at a value; what changes the value
 * may change `root` and `encoding`, which the caller then notes in the record. The cursor belongs
 * to the attached list and is stale after a change, unless a method says otherwise.
 *
 * The complexities are those of the structures.
 */
import { type Arena, Ref } from "../memory/arena.ts";
import { type ListpackEntry, entryBefore, entryEnd } from "../structures/listpack-entry.ts";
import {
  Listpack,
  listpackAppend,
  listpackBase,
  listpackBytes,
  listpackCompact,
  listpackCreate,
  listpackDuplicate,
  listpackFirst,
  listpackFree,
  listpackInsert,
  listpackIsEnd,
  listpackLast,
  listpackLength,
  listpackMemoryBytes,
  listpackPrepend,
  listpackRemove,
  listpackRemoveRange,
  listpackReplace,
  listpackSeek,
} from "../structures/listpack.ts";
import { ListCursor, Quicklist } from "../structures/quicklist.ts";
import {
  quicklistCompact,
  quicklistCompactNodes,
  quicklistDuplicate,
  quicklistFree,
  quicklistFreeNodes,
  quicklistMemoryBytes,
  quicklistNodeCount,
} from "../structures/quicklist-blocks.ts";
import { exceedsFill, fillBytes } from "../structures/quicklist-node.ts";

export const enum ListEncoding {
  LISTPACK = 0,
  QUICKLIST = 1,
}

/** Nodes that one step of freeing or compaction takes. */
const NODES_PER_STEP = 128;

export class Lists {
  /** The attached value; both change as it does. */
  root = 0;
  encoding: number = ListEncoding.LISTPACK;

  /** What the record of the value says. */
  private notedRoot = 0;
  private notedEncoding: number = ListEncoding.LISTPACK;

  /** list-max-listpack-size and list-compress-depth. */
  maxListpackSize = -2;
  compressDepth = 0;

  readonly cursor = new ListCursor();
  /** What `read` read. */
  readonly entry: ListpackEntry;
  private readonly quicklist: Quicklist;

  constructor(private readonly arena: Arena) {
    this.quicklist = new Quicklist(arena);
    this.entry = this.cursor.entry;
  }

  attach(root: number, encoding: number): void {
    this.encoding = this.notedEncoding = encoding;
    this.root = this.notedRoot = root;
    if (encoding === ListEncoding.QUICKLIST) this.quicklist.attach(root);
  }

  /** Whether the record of the attached value says something else than is true. */
  get isMoved(): boolean {
    return this.root !== this.notedRoot || this.encoding !== this.notedEncoding;
  }

  /** The record says what is true. */
  noted(): void {
    this.notedRoot = this.root;
    this.notedEncoding = this.encoding;
  }

  /** Attaches a new, empty list, which no record has yet. Grows the arena. */
  create(): void {
    this.encoding = ListEncoding.LISTPACK;
    this.root = listpackCreate(this.arena);
  }

  /** Attaches a new, empty quicklist, which the caller fills. Grows the arena. */
  createQuicklist(): Quicklist {
    this.quicklist.create(this.maxListpackSize, this.compressDepth);
    this.encoding = ListEncoding.QUICKLIST;
    this.root = this.quicklist.root;
    return this.quicklist;
  }

  /** Elements from this size on get a node of their own; 0 = as the node limit says (DEBUG). */
  setPackedThreshold(bytes: number): void {
    this.quicklist.packedThreshold = bytes;
  }

  get length(): number {
    if (this.encoding === ListEncoding.QUICKLIST) return this.quicklist.count;
    return listpackLength(this.view, listpackBase(this.root));
  }

  /**
   * Makes a quicklist of a listpack that elements of so many bytes in all would make too large.
   * Grows the arena.
   */
  grow(elementBytes: number, count: number): void {
    if (this.encoding !== ListEncoding.QUICKLIST) this.growListpack(elementBytes, count);
  }

  private growListpack(elementBytes: number, count: number): void {
    const { root, view } = this;
    const base = listpackBase(root);
    const length = listpackLength(view, base);
    const bytes = listpackBytes(view, base) + elementBytes;
    if (!exceedsFill(this.maxListpackSize, bytes, length + count)) return;
    this.quicklist.create(this.maxListpackSize, this.compressDepth);
    if (length > 0) this.quicklist.appendListpack(root);
    else listpackFree(this.arena, root);
    this.encoding = ListEncoding.QUICKLIST;
    this.root = this.quicklist.root;
  }

  /** After `createQuicklist`: makes a listpack of a quicklist that is within one's limit. */
  settle(): void {
    if (this.encoding === ListEncoding.QUICKLIST) this.shrinkTo(1);
    this.rest();
  }

  /** The command has made its changes: compresses what list-compress-depth says. */
  rest(): void {
    if (this.encoding === ListEncoding.QUICKLIST) this.quicklist.rest();
  }

  /** After a removal: makes a listpack of a quicklist that is at most half of one's limit. */
  shrink(): void {
    if (this.encoding === ListEncoding.QUICKLIST) this.shrinkTo(2);
  }

  /**
   * Adds an element at an end; returns the new length. Requires: its bytes are not in this list.
   * Grows the arena.
   */
  push(atHead: boolean, view: DataView, start: number, end: number): number {
    if (this.encoding === ListEncoding.QUICKLIST) {
      return this.quicklist.push(atHead, view, start, end);
    }
    if (atHead) this.root = listpackPrepend(this.arena, this.root, view, start, end);
    else this.root = listpackAppend(this.arena, this.root, view, start, end);
    return this.length;
  }

  /** Points the cursor at the first or the last element; false if there is none. */
  seekEnd(atHead: boolean): boolean {
    const { cursor } = this;
    if (this.encoding === ListEncoding.QUICKLIST) return this.quicklist.seekEnd(cursor, atHead);
    const { view } = this;
    const base = listpackBase(this.root);
    const at = atHead ? listpackFirst(view, base) : listpackLast(view, base);
    cursor.placeInListpack(view, base, at);
    return at !== 0;
  }

  /** Points the cursor at element `index`, negative from the end; false if there is none. */
  seek(index: number): boolean {
    const { cursor } = this;
    if (this.encoding === ListEncoding.QUICKLIST) return this.quicklist.seek(cursor, index);
    const { view } = this;
    const base = listpackBase(this.root);
    const at = listpackSeek(view, base, index);
    cursor.placeInListpack(view, base, at);
    return at !== 0;
  }

  /** Moves the cursor forwards or back; false beyond the end. Requires: it is at an element. */
  step(forwards: boolean): boolean {
    const { cursor } = this;
    if (this.encoding === ListEncoding.QUICKLIST) {
      return forwards ? this.quicklist.next(cursor) : this.quicklist.previous(cursor);
    }
    if (forwards) {
      const at = entryEnd(cursor.view, cursor.at);
      cursor.at = listpackIsEnd(cursor.view, at) ? 0 : at;
    } else {
      const isFirst = cursor.at === cursor.base + Listpack.HEADER;
      cursor.at = isFirst ? 0 : entryBefore(cursor.view, cursor.at);
    }
    return cursor.at !== 0;
  }

  /** Moves the cursor to the first element of the next node. Requires: there is one. */
  stepNode(): void {
    this.quicklist.nextNodeOf(this.cursor);
  }

  /** Reads the element at the cursor into `entry`. */
  read(): void {
    this.cursor.read();
  }

  /** Whether the element at the cursor is the text [start, end) of `other`. */
  equals(other: DataView, start: number, end: number): boolean {
    return this.cursor.equals(other, start, end);
  }

  /** Inserts an element before or after the cursor. As `push`. */
  insert(after: boolean, view: DataView, start: number, end: number): void {
    const { cursor } = this;
    if (this.encoding === ListEncoding.QUICKLIST) {
      this.quicklist.insert(cursor, after, view, start, end);
      return;
    }
    const at = after ? entryEnd(cursor.view, cursor.at) : cursor.at;
    this.root = listpackInsert(this.arena, this.root, at, view, start, end);
  }

  /** Replaces the element at the cursor. As `push`. */
  replaceElement(view: DataView, start: number, end: number): void {
    const { cursor } = this;
    if (this.encoding === ListEncoding.QUICKLIST) {
      this.quicklist.replaceElement(cursor, view, start, end);
      return;
    }
    this.root = listpackReplace(this.arena, this.root, cursor.at, view, start, end);
  }

  /**
   * Removes the element at the cursor, which moves to the next one, or the previous one if not
   * `forwards`; false beyond the end. Grows the arena.
   */
  remove(forwards: boolean): boolean {
    const { cursor } = this;
    if (this.encoding === ListEncoding.QUICKLIST) return this.quicklist.remove(cursor, forwards);
    const offset = cursor.at - cursor.base;
    this.root = listpackRemove(this.arena, this.root, cursor.at, 1);
    const { view } = this;
    const base = listpackBase(this.root);
    let at = base + offset;
    if (forwards) at = listpackIsEnd(view, at) ? 0 : at;
    else at = offset === Listpack.HEADER ? 0 : entryBefore(view, at);
    cursor.placeInListpack(view, base, at);
    return at !== 0;
  }

  /** Removes the first or the last element. Requires: there is one. Grows the arena. */
  removeEnd(atHead: boolean): void {
    if (this.encoding === ListEncoding.QUICKLIST) this.quicklist.removeEnd(atHead);
    else this.root = listpackRemoveRange(this.arena, this.root, atHead ? 0 : -1, 1);
  }

  /** Removes `count` elements from `index` on. Requires: 0 <= index. Grows the arena. */
  removeRange(index: number, count: number): void {
    if (count <= 0) return;
    if (this.encoding === ListEncoding.QUICKLIST) this.quicklist.removeRange(index, count);
    else this.root = listpackRemoveRange(this.arena, this.root, index, count);
  }

  /** The attached list as a quicklist. Requires: its encoding is QUICKLIST. */
  asQuicklist(): Quicklist {
    return this.quicklist;
  }

  private get view(): DataView {
    return this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
  }

  /** Makes a listpack of a single packed node that is within a part of the limit. */
  private shrinkTo(divisor: number): void {
    const { quicklist } = this;
    if (quicklist.nodeCount !== 1) return;
    const node = quicklist.head;
    if (quicklist.plainBytesOf(node) !== 0) return;
    const size = this.maxListpackSize;
    const isTooLarge =
      size < 0
        ? quicklist.nodeBytes(node) > fillBytes(size) / divisor
        : quicklist.count > Math.floor(Math.max(size, 1) / divisor);
    if (isTooLarge) return;
    this.root = quicklist.takeOnlyListpack();
    this.encoding = ListEncoding.LISTPACK;
  }
}

/** Frees a list. O(nodes). */
export function freeList(arena: Arena, root: number, encoding: number): void {
  if (encoding === ListEncoding.LISTPACK) listpackFree(arena, root);
  else quicklistFree(arena, root);
}

/** Blocks of a list, for the freeing in steps. */
export function listBlocks(arena: Arena, root: number, encoding: number): number {
  return encoding === ListEncoding.LISTPACK ? 1 : 1 + 2 * quicklistNodeCount(arena, root);
}

/** Frees some hundred blocks of a list. Returns 1, or 0 when all are gone. */
export function freeListStep(arena: Arena, root: number, encoding: number): number {
  if (encoding === ListEncoding.QUICKLIST) {
    return quicklistFreeNodes(arena, root, NODES_PER_STEP) ? 1 : 0;
  }
  listpackFree(arena, root);
  return 0;
}

/** A copy of a list. O(bytes). Grows the arena. */
export function duplicateList(arena: Arena, root: number, encoding: number): number {
  return encoding === ListEncoding.LISTPACK
    ? listpackDuplicate(arena, root)
    : quicklistDuplicate(arena, root);
}

/** Moves what lies in sparse spans; returns the root. O(nodes). */
export function compactList(arena: Arena, root: number, encoding: number): number {
  return encoding === ListEncoding.LISTPACK
    ? listpackCompact(arena, root)
    : quicklistCompact(arena, root);
}

/**
 * Does a part of that for a QUICKLIST, but for its root: some nodes from the `cursor`-th on. Returns
 * the next cursor, or 0 at the end. The list may change between the steps.
 */
export function compactListStep(
  arena: Arena,
  root: number,
  encoding: number,
  cursor: number,
): number {
  if (encoding !== ListEncoding.QUICKLIST) return 0;
  // More nodes the longer the way to them is.
  const count = NODES_PER_STEP + (cursor >>> 6);
  return quicklistCompactNodes(arena, root, cursor, count) ? cursor + count : 0;
}

/** Bytes of arena memory that a list occupies, as its first `samples` nodes say. O(samples). */
export function listMemoryBytes(
  arena: Arena,
  root: number,
  encoding: number,
  samples = Infinity,
): number {
  return encoding === ListEncoding.LISTPACK
    ? listpackMemoryBytes(arena, root)
    : quicklistMemoryBytes(arena, root, samples);
}
