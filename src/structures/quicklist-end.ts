// HOT PATH: rules in src/README.md
/**
 * Adding and removing elements at either end of a packed node of a quicklist.
 *
 *     block of the node    | room | listpack | slack |
 *
 * What a size class has more bytes than the listpack lies before it, behind it, or both. An element
 * that fits there moves nothing, at the head neither: the listpack then begins earlier, or later
 * when one goes. All other changes want the listpack where its block begins: `closeRoom` of
 * structures/quicklist-node.ts moves it there.
 *
 * Where there is no space, the listpack moves as far from the end that grows as its block allows,
 * and to a larger block if that is full: every eighth part that it grows by.
 *
 * All are O(bytes of the element) amortised, O(bytes of the node) at worst, which also is what
 * pushing at both ends of one node in turn takes.
 */
import { parseSafeInteger } from "../base/int64.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import {
  backlenBytes,
  entryBefore,
  entryEnd,
  textDataBytes,
  writeTextEntry,
} from "./listpack-entry.ts";
import { Listpack, listpackBase, listpackBytes, moveBlockBytes } from "./listpack.ts";
import {
  Fill,
  Node,
  exceedsFill,
  expandNode,
  nodeBase,
  setWordAt,
  wordAt,
} from "./quicklist-node.ts";

/**
 * Adds the text [start, end) of `other` at an end of a node; false if that is plain, or would exceed
 * `fill`. Requires: the text is not in the node. Grows the arena.
 */
export function pushToNode(
  arena: Arena,
  node: number,
  atHead: boolean,
  fill: number,
  other: DataView,
  start: number,
  end: number,
): boolean {
  const words = arena.words[node >>> Ref.SEGMENT_SHIFT];
  const wordsAt = (node & Ref.GRANULE_MASK) << 1;
  let block = words[wordsAt + Node.ENTRY];
  let view = arena.views[block >>> Ref.SEGMENT_SHIFT];
  let room = words[wordsAt + Node.ROOM];
  let base = listpackBase(block) + room;
  const oldBytes = listpackBytes(view, base);
  const count = words[wordsAt + Node.COUNT] + 1;
  if (words[wordsAt + Node.PLAIN_BYTES] !== 0) return false;
  if (exceedsFill(fill, oldBytes + end - start + Fill.ENTRY_OVERHEAD, count)) return false;
  const integer = parseSafeInteger(other, start, end);
  const dataBytes = textDataBytes(other, start, end, integer);
  const added = dataBytes + backlenBytes(dataBytes);
  const bytes = oldBytes + added;
  const isCompressed = words[wordsAt + Node.COMPRESSED_BYTES] !== 0;
  if (isCompressed || (atHead ? room < added : room + bytes > blockBytes(oldBytes))) {
    // The nodes at the ends are compressed only where memory ended when they should be expanded.
    expandNode(arena, node);
    makeRoom(arena, node, atHead, bytes);
    block = words[wordsAt + Node.ENTRY];
    view = arena.views[block >>> Ref.SEGMENT_SHIFT];
    room = words[wordsAt + Node.ROOM];
    base = listpackBase(block) + room;
  }
  const noted = view.getUint16(base + Listpack.COUNT_AT, true);
  let at = base + bytes - added - 1;
  if (atHead) {
    words[wordsAt + Node.ROOM] = room - added;
    base -= added;
    at = base + Listpack.HEADER;
  } else view.setUint8(at + added, Listpack.END);
  view.setUint32(base, bytes, true);
  view.setUint16(
    base + Listpack.COUNT_AT,
    noted === Listpack.COUNT_UNKNOWN ? noted : noted + 1,
    true,
  );
  writeTextEntry(view, at, other, start, end, integer, dataBytes);
  words[wordsAt + Node.COUNT] = count;
  return true;
}

/** Moves a node's listpack so that it can grow to `bytes` bytes at one end. Grows the arena. */
function makeRoom(arena: Arena, node: number, atHead: boolean, bytes: number): void {
  const block = wordAt(arena, node, Node.ENTRY);
  const base = nodeBase(arena, node);
  const oldBytes = listpackBytes(arena.views[block >>> Ref.SEGMENT_SHIFT], base);
  const capacity = blockBytes(bytes);
  const room = atHead ? capacity - oldBytes : 0;
  const isFull = blockBytes(oldBytes) !== capacity;
  const moved = isFull ? arena.allocate(bytes) : block;
  moveBlockBytes(arena, moved, listpackBase(moved) + room, block, base, oldBytes);
  setWordAt(arena, node, Node.ROOM, room);
  if (!isFull) return;
  setWordAt(arena, node, Node.ENTRY, moved);
  arena.free(block, oldBytes);
}

/** Removes the first or the last element of a node; false if it is the only one. Grows the arena. */
export function removeFromNode(arena: Arena, node: number, atHead: boolean): boolean {
  const words = arena.words[node >>> Ref.SEGMENT_SHIFT];
  const wordsAt = (node & Ref.GRANULE_MASK) << 1;
  const count = words[wordsAt + Node.COUNT] - 1;
  if (count === 0) return false;
  if (words[wordsAt + Node.COMPRESSED_BYTES] !== 0) expandNode(arena, node);
  const block = words[wordsAt + Node.ENTRY];
  const view = arena.views[block >>> Ref.SEGMENT_SHIFT];
  const room = words[wordsAt + Node.ROOM];
  let base = listpackBase(block) + room;
  const oldBytes = listpackBytes(view, base);
  const noted = view.getUint16(base + Listpack.COUNT_AT, true);
  const first = base + Listpack.HEADER;
  const last = base + oldBytes - 1;
  const removed = atHead ? entryEnd(view, first) - first : last - entryBefore(view, last);
  const bytes = oldBytes - removed;
  const shrinks = blockBytes(bytes) !== blockBytes(oldBytes);
  const moved = shrinks ? arena.allocate(bytes) : block;
  if (atHead) {
    words[wordsAt + Node.ROOM] = room + removed;
    base += removed;
  } else view.setUint8(last - removed, Listpack.END);
  view.setUint32(base, bytes, true);
  view.setUint16(
    base + Listpack.COUNT_AT,
    noted === Listpack.COUNT_UNKNOWN ? noted : noted - 1,
    true,
  );
  words[wordsAt + Node.COUNT] = count;
  if (!shrinks) return true;
  moveBlockBytes(arena, moved, listpackBase(moved), block, base, bytes);
  words[wordsAt + Node.ENTRY] = moved;
  words[wordsAt + Node.ROOM] = 0;
  arena.free(block, oldBytes);
  return true;
}
