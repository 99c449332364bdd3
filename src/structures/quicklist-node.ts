// HOT PATH: rules in src/README.md
/**
 * The blocks of quicklists (structures/quicklist.ts), and the compression of nodes.
 *
 *     root (24 bytes)   offset  size  meaning
 *                            0  i32   first node, 0 = none
 *                            4  i32   last node
 *                            8  f64   count of elements
 *                           16  u32   count of nodes
 *                           20  i16   fill: limit of a node
 *                           22  u16   compress depth, as it was configured
 *
 *     node (28 bytes)        0  i32   previous node, 0 = none
 *                            4  i32   next node
 *                            8  i32   packed: its listpack; plain: the bytes of its only element
 *                           12  u32   count of elements
 *                           16  u32   plain: bytes of the element; packed: 0
 *                           20  u32   compressed: bytes of the block at offset 8; else 0
 *                           24  u32   packed: bytes of its block before the listpack; else 0
 *
 *     compressed block       0  u32   bytes of the listpack or the element
 *                            4        the same as LZF
 *
 * Only pushing and popping leave room before a listpack (structures/quicklist-end.ts). The block has
 * the size class of the listpack's bytes all the same, so that these are what it is freed with.
 *
 * A node is compressed only if that saves MIN_GAIN bytes. Expanding and compressing are O(bytes),
 * everything else is O(1).
 */
import { LzfCompressor, lzfDecompress } from "../base/lzf.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { listpackBase, listpackBytes, moveBlockBytes } from "./listpack.ts";

/** Words of the root, and its size. */
export const enum Root {
  HEAD = 0,
  TAIL = 1,
  NODES = 4,
  /** Fill in the lower half, compress depth in the upper one. */
  FILL = 5,
  BYTES = 24,
}

/** Words of a node, and its size. */
export const enum Node {
  PREVIOUS = 0,
  NEXT = 1,
  ENTRY = 2,
  COUNT = 3,
  PLAIN_BYTES = 4,
  COMPRESSED_BYTES = 5,
  ROOM = 6,
  BYTES = 28,
}

/** Limits of a node's size, as list-max-listpack-size gives them. */
export const enum Fill {
  MIN = -5,
  MAX = 32767,
  /** No limit: the element is to go where it goes. */
  ANY = 32768,
  /** Limit of a node's bytes where fill limits the count of its elements. */
  SAFE_BYTES = 8192,
  /** What an element may take beside its bytes, generously. */
  ENTRY_OVERHEAD = 8,
}

/** What stands before the LZF bytes of a compressed block. */
const COMPRESSED_HEADER = 4;
/** Nodes below these bytes stay as they are, and those that compression makes hardly smaller. */
const COMPRESSIBLE_BYTES_MIN = 48;
const MIN_GAIN = 8;
/** Larger nodes stay as they are: for as long as they would take, nobody is served. */
const COMPRESSIBLE_BYTES_MAX = 16 * 1024 * 1024;
/** A larger buffer is not kept. */
const KEPT_BUFFER_BYTES = 128 * 1024;

/** Bytes that a node may have by a negative fill. */
export function fillBytes(fill: number): number {
  return 2048 << Math.min(-fill, -Fill.MIN);
}

/** Whether a listpack of so many bytes and elements is too large for a node. */
export function exceedsFill(fill: number, bytes: number, count: number): boolean {
  if (fill < 0) return bytes > fillBytes(fill);
  return fill !== Fill.ANY && (bytes > Fill.SAFE_BYTES || count > Math.max(fill, 1));
}

export function wordAt(arena: Arena, reference: number, field: number): number {
  return arena.words[reference >>> Ref.SEGMENT_SHIFT][
    ((reference & Ref.GRANULE_MASK) << 1) + field
  ];
}

export function setWordAt(arena: Arena, reference: number, field: number, value: number): void {
  arena.words[reference >>> Ref.SEGMENT_SHIFT][((reference & Ref.GRANULE_MASK) << 1) + field] =
    value;
}

/** Bytes of a node's listpack or element, whether it is compressed or not. */
export function nodeBytes(arena: Arena, node: number): number {
  const plain = wordAt(arena, node, Node.PLAIN_BYTES) >>> 0;
  if (plain !== 0) return plain;
  // A listpack begins with its size, and so does a compressed block.
  const entry = wordAt(arena, node, Node.ENTRY);
  return listpackBytes(arena.views[entry >>> Ref.SEGMENT_SHIFT], nodeBase(arena, node));
}

/** Where a node's listpack, its element or what they were compressed to begins in its segment. */
export function nodeBase(arena: Arena, node: number): number {
  return listpackBase(wordAt(arena, node, Node.ENTRY)) + wordAt(arena, node, Node.ROOM);
}

/** Moves a node's listpack to where its block begins: positions in it are stale then. O(bytes). */
export function closeRoom(arena: Arena, node: number): void {
  if (wordAt(arena, node, Node.ROOM) === 0) return;
  const block = wordAt(arena, node, Node.ENTRY);
  const base = nodeBase(arena, node);
  moveBlockBytes(arena, block, listpackBase(block), block, base, nodeBytes(arena, node));
  setWordAt(arena, node, Node.ROOM, 0);
}

/** Bytes that the block was allocated with that a node names. */
function entryBytes(arena: Arena, node: number): number {
  const compressed = wordAt(arena, node, Node.COMPRESSED_BYTES) >>> 0;
  return compressed !== 0 ? compressed : nodeBytes(arena, node);
}

/** Frees a node and its block. */
export function freeNode(arena: Arena, node: number): void {
  arena.free(wordAt(arena, node, Node.ENTRY), entryBytes(arena, node));
  arena.free(node, Node.BYTES);
}

/** Bytes of arena memory that a node and its block occupy. */
export function nodeMemoryBytes(arena: Arena, node: number): number {
  return blockBytes(Node.BYTES) + blockBytes(entryBytes(arena, node));
}

/** Moves the block of a node if it lies in a sparse span. */
export function compactEntry(arena: Arena, node: number): void {
  const entry = wordAt(arena, node, Node.ENTRY);
  const bytes = entryBytes(arena, node);
  if (!arena.isSparse(entry, bytes)) return;
  setWordAt(arena, node, Node.ENTRY, copiedEntry(arena, node));
  setWordAt(arena, node, Node.ROOM, 0);
  arena.free(entry, bytes);
}

/** A copy of the block of a node, without room. Grows the arena. */
export function copiedEntry(arena: Arena, node: number): number {
  const entry = wordAt(arena, node, Node.ENTRY);
  const bytes = entryBytes(arena, node);
  const copy = arena.allocate(bytes);
  moveBlockBytes(arena, copy, listpackBase(copy), entry, nodeBase(arena, node), bytes);
  return copy;
}

/** A block with the same bytes. Grows the arena. */
export function copiedBlock(arena: Arena, block: number, bytes: number): number {
  const copy = arena.allocate(bytes);
  moveBlockBytes(arena, copy, listpackBase(copy), block, listpackBase(block), bytes);
  return copy;
}

export function isCompressed(arena: Arena, node: number): boolean {
  return wordAt(arena, node, Node.COMPRESSED_BYTES) !== 0;
}

/** Gives a node its listpack or element back as it was before it was compressed. Grows the arena. */
export function expandNode(arena: Arena, node: number): void {
  const compressed = wordAt(arena, node, Node.COMPRESSED_BYTES) >>> 0;
  if (compressed === 0) return;
  const block = wordAt(arena, node, Node.ENTRY);
  const bytes = nodeBytes(arena, node);
  const expanded = arena.allocate(bytes);
  const to = listpackBase(expanded);
  expandInto(arena, node, arena.bytes[expanded >>> Ref.SEGMENT_SHIFT], to);
  setWordAt(arena, node, Node.ENTRY, expanded);
  setWordAt(arena, node, Node.COMPRESSED_BYTES, 0);
  arena.free(block, compressed);
}

/** Writes what a compressed node stands for to `target`. Requires: room for `nodeBytes` there. */
export function expandInto(arena: Arena, node: number, target: Uint8Array, to: number): void {
  const block = wordAt(arena, node, Node.ENTRY);
  const from = listpackBase(block);
  const end = from + (wordAt(arena, node, Node.COMPRESSED_BYTES) >>> 0);
  const source = arena.bytes[block >>> Ref.SEGMENT_SHIFT];
  const bytes = nodeBytes(arena, node);
  const written = lzfDecompress(source, from + COMPRESSED_HEADER, end, target, to, to + bytes);
  if (written !== bytes) throw new Error("a compressed node is corrupt");
}

export class NodeCompressor {
  private readonly lzf = new LzfCompressor();
  private buffer = new Uint8Array(0);

  constructor(private readonly arena: Arena) {}

  /** Compresses a node that is not, if that saves memory, and memory for it can be had. */
  compress(node: number): void {
    const { arena } = this;
    if (isCompressed(arena, node)) return;
    const bytes = nodeBytes(arena, node);
    if (bytes < COMPRESSIBLE_BYTES_MIN || bytes > COMPRESSIBLE_BYTES_MAX) return;
    const entry = wordAt(arena, node, Node.ENTRY);
    const from = nodeBase(arena, node);
    if (this.buffer.length < bytes) this.buffer = new Uint8Array(bytes);
    const { buffer } = this;
    const source = arena.bytes[entry >>> Ref.SEGMENT_SHIFT];
    const room = bytes - MIN_GAIN;
    const length = this.lzf.compress(source, from, from + bytes, buffer, 0, room);
    if (buffer.length > KEPT_BUFFER_BYTES) this.buffer = new Uint8Array(0);
    if (length === 0) return;
    const block = this.blockFor(COMPRESSED_HEADER + length);
    if (block === 0) return;
    const to = listpackBase(block);
    arena.views[block >>> Ref.SEGMENT_SHIFT].setUint32(to, bytes, true);
    arena.bytes[block >>> Ref.SEGMENT_SHIFT].set(
      buffer.subarray(0, length),
      to + COMPRESSED_HEADER,
    );
    setWordAt(arena, node, Node.ENTRY, block);
    setWordAt(arena, node, Node.COMPRESSED_BYTES, COMPRESSED_HEADER + length);
    setWordAt(arena, node, Node.ROOM, 0);
    arena.free(entry, bytes);
  }

  /** A block, or 0 where the arena ends: what is not compressed is only larger. */
  private blockFor(bytes: number): number {
    try {
      return this.arena.allocate(bytes);
    } catch (error) {
      if (error instanceof RangeError) return 0;
      throw error;
    }
  }
}
