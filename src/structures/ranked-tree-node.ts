// HOT PATH: rules in src/README.md
/**
 * The nodes of a ranked tree (structures/ranked-tree.ts): their layout, and what is done to one of
 * them, or to all below one.
 *
 *     leaf     offset  size  meaning
 *     (760 B)       0     4  count: 1..62
 *                   4     4  previous leaf; 0 = none
 *                   8     4  next leaf; 0 = none
 *                  12     4  unused
 *                  16   496  62 scores (f64)
 *                 512   248  62 entries
 *
 *     inner    offset  size  meaning
 *     (1276 B)      0     4  count of children: 1..63
 *                   4    12  unused
 *                  16   504  63 scores \ of the first entry
 *                 520   252  63 entries / below the child
 *                 772   252  63 children
 *                1024   252  63 counts of entries below the child
 *
 * `node` is the index of a node's first word in its segment's `words`; its level counts inner
 * nodes from 1, a leaf has level 0. All are O(slots), unless they say more.
 *
 * The arrays are apart, so that a search reads scores that lie side by side.
 */
import { extrapolate } from "../base/sampling.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { scoreOf } from "./scored-member.ts";

/** Words of every node. */
export const enum Node {
  SCORES = 4,
}

/** Words, bytes and slots of a leaf. */
export const enum Leaf {
  PREVIOUS = 1,
  NEXT = 2,
  ENTRIES = 128,
  BYTES = 760,
  MAX = 62,
  /** A smaller leaf is merged with a neighbour, if both together have at most MERGED_MAX slots. */
  MIN = 16,
  MERGED_MAX = 46,
}

/** The same of an inner node. */
export const enum Inner {
  ENTRIES = 130,
  CHILDREN = 193,
  COUNTS = 256,
  BYTES = 1276,
  MAX = 63,
  MIN = 16,
  MERGED_MAX = 47,
}

/** Up to so many words are moved one by one; beyond, the call to copyWithin pays. */
const LOOP_WORDS_MAX = 40;

/** The words of the segment in which a node lies. */
export function wordsOf(arena: Arena, reference: number): Int32Array {
  return arena.words[reference >>> Ref.SEGMENT_SHIFT];
}

export function viewOf(arena: Arena, reference: number): DataView {
  return arena.views[reference >>> Ref.SEGMENT_SHIFT];
}

/** Where a node begins in `wordsOf`. */
export function nodeAt(reference: number): number {
  return (reference & Ref.GRANULE_MASK) << 1;
}

/** How many of a node's first `count` scores are below `score`, or, `inclusive`, not above it. */
export function scoreBound(
  view: DataView,
  node: number,
  count: number,
  score: number,
  inclusive: boolean,
): number {
  const scores = (node + Node.SCORES) << 2;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = view.getFloat64(scores + (middle << 3), true);
    if (other < score || (inclusive && other === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes room at `position` of a leaf that is not full, and puts an entry there. */
export function insertIntoLeaf(
  words: Int32Array,
  view: DataView,
  node: number,
  position: number,
  entry: number,
  score: number,
): void {
  const moved = words[node]++ - position;
  const scores = node + Node.SCORES + (position << 1);
  const entries = node + Leaf.ENTRIES + position;
  moveWords(words, scores + 2, scores, moved << 1);
  moveWords(words, entries + 1, entries, moved);
  view.setFloat64(scores << 2, score, true);
  words[entries] = entry;
}

/** Takes a child out of an inner node. */
export function removeSlot(words: Int32Array, node: number, index: number): void {
  const moved = --words[node] - index;
  const scores = node + Node.SCORES + (index << 1);
  moveWords(words, scores, scores + 2, moved << 1);
  for (let array = Inner.ENTRIES; array <= Inner.COUNTS; array += Inner.MAX) {
    moveWords(words, node + array + index, node + array + index + 1, moved);
  }
}

/** Copies `count` slots from one leaf to another. */
export function copyLeafSlots(
  target: Int32Array,
  targetNode: number,
  to: number,
  source: Int32Array,
  sourceNode: number,
  from: number,
  count: number,
): void {
  const targetScores = targetNode + Node.SCORES + (to << 1);
  const sourceScores = sourceNode + Node.SCORES + (from << 1);
  for (let i = 0; i < count << 1; i++) target[targetScores + i] = source[sourceScores + i];
  const targetEntries = targetNode + Leaf.ENTRIES + to;
  const sourceEntries = sourceNode + Leaf.ENTRIES + from;
  for (let i = 0; i < count; i++) target[targetEntries + i] = source[sourceEntries + i];
}

/** Copies `count` slots from one inner node to another. */
export function copyInnerSlots(
  target: Int32Array,
  targetNode: number,
  to: number,
  source: Int32Array,
  sourceNode: number,
  from: number,
  count: number,
): void {
  const targetScores = targetNode + Node.SCORES + (to << 1);
  const sourceScores = sourceNode + Node.SCORES + (from << 1);
  for (let i = 0; i < count << 1; i++) target[targetScores + i] = source[sourceScores + i];
  for (let array = Inner.ENTRIES; array <= Inner.COUNTS; array += Inner.MAX) {
    const targetAt = targetNode + array + to;
    const sourceAt = sourceNode + array + from;
    for (let i = 0; i < count; i++) target[targetAt + i] = source[sourceAt + i];
  }
}

/** Moves words within a node; the ranges may overlap. */
export function moveWords(words: Int32Array, to: number, from: number, count: number): void {
  if (count > LOOP_WORDS_MAX) {
    words.copyWithin(to, from, from + count);
  } else if (to < from) {
    for (let i = 0; i < count; i++) words[to + i] = words[from + i];
  } else {
    for (let i = count - 1; i >= 0; i--) words[to + i] = words[from + i];
  }
}

export function firstEntryOf(arena: Arena, reference: number, level: number): number {
  const words = wordsOf(arena, reference);
  const node = nodeAt(reference);
  return words[node + (level === 0 ? Leaf.ENTRIES : Inner.ENTRIES)];
}

export function entriesBelow(arena: Arena, reference: number): number {
  const words = wordsOf(arena, reference);
  const node = nodeAt(reference);
  let sum = 0;
  for (let i = words[node] - 1; i >= 0; i--) sum += words[node + Inner.COUNTS + i];
  return sum;
}

/** Bytes of the nodes from this one on, as some `samples` of them say, evenly chosen. */
export function bytesBelow(
  arena: Arena,
  reference: number,
  level: number,
  samples: number,
): number {
  if (level === 0) return blockBytes(Leaf.BYTES);
  const words = wordsOf(arena, reference);
  const node = nodeAt(reference);
  if (level === 1) return blockBytes(Inner.BYTES) + words[node] * blockBytes(Leaf.BYTES);
  const count = words[node];
  const seen = Math.min(count, samples);
  let bytes = 0;
  for (let i = 0; i < seen; i++) {
    const child = words[node + Inner.CHILDREN + Math.floor(((2 * i + 1) * count) / (2 * seen))];
    bytes += bytesBelow(arena, child, level - 1, Math.ceil(samples / seen));
  }
  return blockBytes(Inner.BYTES) + extrapolate(bytes, seen, count);
}

export function freeInnerBelow(arena: Arena, reference: number, level: number): void {
  if (level > 1) {
    const words = wordsOf(arena, reference);
    const node = nodeAt(reference);
    for (let i = words[node] - 1; i >= 0; i--) {
      freeInnerBelow(arena, words[node + Inner.CHILDREN + i], level - 1);
    }
  }
  arena.free(reference, Inner.BYTES);
}

/**
 * The number of entries below a node. Collects the leaves.
 * COLD: for tests.
 */
export function verifyNode(
  arena: Arena,
  reference: number,
  level: number,
  leaves: number[],
): number {
  const words = wordsOf(arena, reference);
  const view = viewOf(arena, reference);
  const node = nodeAt(reference);
  const count = words[node];
  if (count < 1 || count > (level === 0 ? Leaf.MAX : Inner.MAX)) throw new Error("wrong fill");
  if (level === 0) {
    leaves.push(reference);
    for (let i = 0; i < count; i++) {
      const score = view.getFloat64(((node + Node.SCORES) << 2) + (i << 3), true);
      if (score !== scoreOf(arena, words[node + Leaf.ENTRIES + i])) throw new Error("wrong score");
    }
    return count;
  }
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const child = words[node + Inner.CHILDREN + i];
    const below = verifyNode(arena, child, level - 1, leaves);
    if (below !== words[node + Inner.COUNTS + i]) throw new Error("wrong count of a child");
    const score = view.getFloat64(((node + Node.SCORES) << 2) + (i << 3), true);
    const entry = words[node + Inner.ENTRIES + i];
    if (entry !== firstEntryOf(arena, child, level - 1)) throw new Error("wrong first entry");
    if (score !== scoreOf(arena, entry)) throw new Error("wrong score of a child");
    sum += below;
  }
  return sum;
}
