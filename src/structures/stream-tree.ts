// HOT PATH: rules in src/README.md
/**
 * An ordered map from 128-bit IDs to references: a B+ tree in arena blocks. Streams keep their
 * nodes in one (ID of the node's first entry → listpack), and each consumer group and each consumer
 * its pending entries (ID → what is known about the delivery).
 *
 *     state (12 bytes, in a block of the owner's)
 *     offset  size       meaning
 *          0  i32        the root node, 0 = the map is empty
 *          4  u32        levels: 1 = the root is a leaf, 0 = empty
 *          8  u32        entries
 *
 *     node (8 + 20 * capacity bytes), in 32-bit words
 *      word  count        meaning
 *          0  1           entries in the low half, capacity in the high half
 *          1  1           unused
 *          2  4*capacity  IDs, ascending
 *          .  capacity    values: of a leaf the references that were put in, else child nodes
 *
 * Leaves and inner nodes have one layout; the ID of an inner entry is a lower bound of all IDs in
 * its child, except for entry 0, whose ID means nothing and is never looked at.
 *
 * Invariants
 *  1. All leaves are on the last level, and no node is empty.
 *  2. IDs in child i of an inner node are >= ID i (for i > 0) and < ID i + 1.
 *  3. A root that is an inner node has two children at least.
 *  4. No value is 0.
 *
 * The object is a flyweight: `attach` points it at a state, and it keeps one position. Positions
 * are lost by `insert`, `remove` and `clear`, but not by `setValue`. All is O(log n), `next` and
 * `previous` O(1) amortised; entries of 24 bytes in order fill nodes to the brim.
 *
 * Why no radix tree, as Redis has it: IDs share long prefixes, so its nodes are tiny, and it costs
 * three cache misses where this costs one. Why nodes grow: most maps of consumers have few entries.
 */
import { extrapolate } from "../base/sampling.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { ID_WORDS, type StreamId } from "./stream-id.ts";

export const STREAM_TREE_STATE_BYTES = 12;

const CAPACITY_MIN = 4;
/** With this many entries a node takes 1268 of the 1280 bytes of its size class. */
const CAPACITY_MAX = 63;
/** A node with fewer entries looks for a neighbour to merge with... */
const MERGE_BELOW = 16;
/** ...which it does if together they have at most so many. */
const MERGED_MAX = 48;
const KEYS_AT = 2;
const LEVELS_MAX = 16;
/** Before the first `attach`. A segment's words would keep its memory from the collector. */
const NO_WORDS = new Int32Array(0);

export class StreamTree {
  private words: Int32Array = NO_WORDS;
  /** Index of the state in `words`. */
  private state = 0;
  /** The position: node and entry on each level, the root's first. */
  private readonly path = new Int32Array(LEVELS_MAX);
  private readonly slots = new Int32Array(LEVELS_MAX);

  constructor(private readonly arena: Arena) {}

  /** Points the object at the state that lies `at` bytes into the block `owner`. */
  attach(owner: number, at: number): void {
    this.words = this.arena.words[owner >>> Ref.SEGMENT_SHIFT];
    this.state = ((owner & Ref.GRANULE_MASK) << 1) + (at >>> 2);
  }

  /** Makes the state an empty map. */
  initialize(): void {
    this.words.fill(0, this.state, this.state + STREAM_TREE_STATE_BYTES / 4);
  }

  get size(): number {
    return this.words[this.state + 2] >>> 0;
  }

  /** The value of an ID, and the position; or 0. */
  find(id: StreamId): number {
    const value = this.seekAtOrBefore(id);
    if (value === 0) return 0;
    const level = this.levels - 1;
    const node = this.path[level];
    const words = this.arena.words[node >>> Ref.SEGMENT_SHIFT];
    const at = ((node & Ref.GRANULE_MASK) << 1) + KEYS_AT + this.slots[level] * ID_WORDS;
    return id.compareAt(words, at) === 0 ? value : 0;
  }

  /** Value and position of the last entry whose ID is not larger; or 0. */
  seekAtOrBefore(id: StreamId): number {
    const levels = this.levels;
    if (levels === 0) return 0;
    this.descend(id);
    if (this.slots[levels - 1] >= 0) return this.value();
    this.slots[levels - 1] = 0;
    return this.previous();
  }

  /** Value and position of the first entry whose ID is not smaller; or 0. */
  seekAtOrAfter(id: StreamId): number {
    const levels = this.levels;
    if (levels === 0) return 0;
    this.descend(id);
    const slot = this.slots[levels - 1];
    if (slot < 0) {
      this.slots[levels - 1] = 0;
      return this.value();
    }
    const node = this.path[levels - 1];
    const words = this.arena.words[node >>> Ref.SEGMENT_SHIFT];
    const at = ((node & Ref.GRANULE_MASK) << 1) + KEYS_AT + slot * ID_WORDS;
    return id.compareAt(words, at) === 0 ? this.value() : this.next();
  }

  seekFirst(): number {
    if (this.levels === 0) return 0;
    this.path[0] = this.root;
    this.descendToEdge(0, false);
    return this.value();
  }

  seekLast(): number {
    const levels = this.levels;
    let value = levels === 0 ? 0 : this.root;
    for (let level = 0; level < levels; level++) {
      const words = this.arena.words[value >>> Ref.SEGMENT_SHIFT];
      const base = (value & Ref.GRANULE_MASK) << 1;
      const head = words[base];
      const slot = (head & 0xffff) - 1;
      this.path[level] = value;
      this.slots[level] = slot;
      value = words[base + KEYS_AT + (head >>> 16) * ID_WORDS + slot];
    }
    return value;
  }

  /** Value and position of the next entry; or 0, and no position. */
  next(): number {
    let level = this.levels - 1;
    while (level >= 0 && this.slots[level] + 1 >= this.countOf(this.path[level])) level--;
    if (level < 0) return 0;
    this.slots[level]++;
    this.descendFrom(level, false);
    return this.value();
  }

  /** Value and position of the entry before; or 0, and no position. */
  previous(): number {
    let level = this.levels - 1;
    while (level >= 0 && this.slots[level] === 0) level--;
    if (level < 0) return 0;
    this.slots[level]--;
    this.descendFrom(level, true);
    return this.value();
  }

  /** Reads the ID at the position. */
  readId(into: StreamId): void {
    const level = this.levels - 1;
    const node = this.path[level];
    const at = ((node & Ref.GRANULE_MASK) << 1) + KEYS_AT + this.slots[level] * ID_WORDS;
    into.read(this.arena.words[node >>> Ref.SEGMENT_SHIFT], at);
  }

  /** Replaces the value at the position. */
  setValue(value: number): void {
    const level = this.levels - 1;
    const node = this.path[level];
    this.arena.words[node >>> Ref.SEGMENT_SHIFT][valueAt(this.arena, node, this.slots[level])] =
      value;
  }

  /** Adds an entry. Grows the arena. Requires: the ID is not in the map, and the value is not 0. */
  insert(id: StreamId, value: number): void {
    const levels = this.levels;
    if (levels === 0) {
      const leaf = this.allocateNode(CAPACITY_MIN);
      this.setRoot(leaf, 1);
      this.writeEntry(leaf, 0, id, value);
      this.setCount(leaf, 1);
    } else {
      this.descend(id);
      this.insertAt(levels - 1, this.slots[levels - 1] + 1, id, value);
    }
    this.words[this.state + 2]++;
  }

  /** Removes the entry at the position. */
  remove(): void {
    const level = this.levels - 1;
    this.words[this.state + 2]--;
    this.removeAt(level, this.slots[level]);
  }

  /** Removes all entries; what their values refer to stays. O(n). */
  clear(): void {
    const levels = this.levels;
    if (levels !== 0) this.freeBelow(this.root, levels);
    this.initialize();
  }

  /** Bytes of arena memory of the nodes, as some `samples` say. O(samples). */
  memoryBytes(samples = Infinity): number {
    return this.levels === 0 ? 0 : this.bytesBelow(this.root, this.levels, samples);
  }

  /** Moves nodes that lie in sparse spans. O(n). */
  compact(): void {
    const levels = this.levels;
    if (levels !== 0) this.setRoot(this.compactBelow(this.root, levels), levels);
  }

  /** Throws when an invariant of the header is broken. For tests. O(n). */
  verify(): void {
    const levels = this.levels;
    if ((levels === 0) !== (this.root === 0)) throw new Error("levels without a root");
    if (levels > 1 && this.countOf(this.root) < 2) throw new Error("an inner root with one child");
    const entries = levels === 0 ? 0 : this.verifyBelow(this.root, levels);
    if (entries !== this.size) throw new Error("wrong count of entries");
    let walked = 0;
    for (let value = this.seekFirst(); value !== 0; value = this.verifyStep(value)) walked++;
    if (walked !== entries) throw new Error("the walk misses entries");
  }

  private verifyStep(value: number): number {
    if (value !== this.value()) throw new Error("a value of another entry");
    const level = this.levels - 1;
    const node = this.path[level];
    const slot = this.slots[level];
    const next = this.next();
    if (next === 0) return 0;
    const words = this.arena.words[node >>> Ref.SEGMENT_SHIFT];
    const at = ((node & Ref.GRANULE_MASK) << 1) + KEYS_AT + slot * ID_WORDS;
    const other = this.path[level];
    const otherWords = this.arena.words[other >>> Ref.SEGMENT_SHIFT];
    const otherAt = ((other & Ref.GRANULE_MASK) << 1) + KEYS_AT + this.slots[level] * ID_WORDS;
    for (let i = 0; i < ID_WORDS; i++) {
      const a = words[at + i] >>> 0;
      const b = otherWords[otherAt + i] >>> 0;
      if (a < b) return next;
      if (a > b) break;
    }
    throw new Error("IDs do not ascend");
  }

  private verifyBelow(node: number, levels: number): number {
    const count = this.countOf(node);
    if (count < 1 || count > this.capacityOf(node)) throw new Error("wrong count of a node");
    if (levels === 1) return count;
    let entries = 0;
    for (let i = 0; i < count; i++) entries += this.verifyBelow(this.valueOf(node, i), levels - 1);
    return entries;
  }

  private get root(): number {
    return this.words[this.state];
  }

  private get levels(): number {
    return this.words[this.state + 1];
  }

  private setRoot(root: number, levels: number): void {
    this.words[this.state] = root;
    this.words[this.state + 1] = levels;
  }

  private value(): number {
    const level = this.levels - 1;
    return this.valueOf(this.path[level], this.slots[level]);
  }

  /** Sets the position to the last entry <= id of the leaf that `id` belongs in; -1 if there is none. */
  private descend(id: StreamId): void {
    const levels = this.levels;
    let node = this.root;
    for (let level = 0; ; level++) {
      this.path[level] = node;
      const slot = this.search(node, id, level === levels - 1 ? 0 : 1);
      this.slots[level] = slot;
      if (level === levels - 1) return;
      node = this.valueOf(node, slot);
    }
  }

  /** The last entry of the node whose ID is <= id, among those from `from` on; else `from` - 1. */
  private search(node: number, id: StreamId, from: number): number {
    const words = this.arena.words[node >>> Ref.SEGMENT_SHIFT];
    const base = (node & Ref.GRANULE_MASK) << 1;
    const keys = base + KEYS_AT;
    let low = from;
    let high = words[base] & 0xffff;
    // Streams grow at their end.
    if (high > low && id.compareAt(words, keys + (high - 1) * ID_WORDS) >= 0) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (id.compareAt(words, keys + middle * ID_WORDS) >= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Completes the position below `level`, at the first or the last entries. */
  private descendFrom(level: number, toLast: boolean): void {
    if (level === this.levels - 1) return;
    this.path[level + 1] = this.valueOf(this.path[level], this.slots[level]);
    this.descendToEdge(level + 1, toLast);
  }

  private descendToEdge(from: number, toLast: boolean): void {
    const last = this.levels - 1;
    for (let level = from; ; level++) {
      const node = this.path[level];
      this.slots[level] = toLast ? this.countOf(node) - 1 : 0;
      if (level === last) return;
      this.path[level + 1] = this.valueOf(node, this.slots[level]);
    }
  }

  /** Puts an entry into the node of the path on this level; splits it if it is full. */
  private insertAt(level: number, slot: number, id: StreamId, value: number): void {
    const node = this.path[level];
    const count = this.countOf(node);
    if (count < this.capacityOf(node)) {
      this.shift(node, slot, count, 1);
      this.writeEntry(node, slot, id, value);
      this.setCount(node, count + 1);
      return;
    }
    if (count < CAPACITY_MAX) {
      const grown = this.resize(node, largerCapacity(count));
      this.path[level] = grown;
      this.replaceChild(level, grown);
      this.insertAt(level, slot, id, value);
      return;
    }
    // Behind the last entry nothing moves over: nodes that are filled in order stay full.
    const kept = slot === count ? count : count >>> 1;
    const right = this.allocateNode(
      Math.max(CAPACITY_MIN, Math.min(CAPACITY_MAX, count - kept + 2)),
    );
    this.moveEntries(node, kept, right, 0, count - kept);
    this.setCount(node, kept);
    this.setCount(right, count - kept);
    const target = slot >= kept ? right : node;
    const targetSlot = slot >= kept ? slot - kept : slot;
    const targetCount = this.countOf(target);
    this.shift(target, targetSlot, targetCount, 1);
    this.writeEntry(target, targetSlot, id, value);
    this.setCount(target, targetCount + 1);
    this.insertNode(level, node, right);
  }

  /** Enters `right`, split off `left`, into the level above. */
  private insertNode(level: number, left: number, right: number): void {
    if (level === 0) {
      const root = this.allocateNode(CAPACITY_MIN);
      this.setValueOf(root, 0, left);
      this.clearKey(root, 0);
      this.copyKey(root, 1, right, 0);
      this.setValueOf(root, 1, right);
      this.setCount(root, 2);
      this.setRoot(root, this.levels + 1);
      return;
    }
    const parent = this.makeRoom(level - 1);
    const slot = this.insertSlot;
    this.copyKey(parent, slot, right, 0);
    this.setValueOf(parent, slot, right);
  }

  /** Where `makeRoom` made room. */
  private insertSlot = 0;

  /**
   * Opens a gap behind the path's entry in the inner node of this level, and returns the node that
   * has it; `insertSlot` is the gap.
   */
  private makeRoom(level: number): number {
    let node = this.path[level];
    const count = this.countOf(node);
    const slot = this.slots[level] + 1;
    if (count === this.capacityOf(node) && count < CAPACITY_MAX) {
      node = this.resize(node, largerCapacity(count));
      this.path[level] = node;
      this.replaceChild(level, node);
    }
    if (count < CAPACITY_MAX) {
      this.shift(node, slot, count, 1);
      this.setCount(node, count + 1);
      this.insertSlot = slot;
      return node;
    }
    // A split gives both halves at least one entry that was there before, so that the right one's
    // ID 0 is a true bound when it goes up.
    const kept = slot === count ? count - 1 : count >>> 1;
    const right = this.allocateNode(
      Math.max(CAPACITY_MIN, Math.min(CAPACITY_MAX, count - kept + 2)),
    );
    this.moveEntries(node, kept, right, 0, count - kept);
    this.setCount(node, kept);
    this.setCount(right, count - kept);
    const goesRight = slot > kept;
    this.insertNode(level, node, right);
    const target = goesRight ? right : node;
    const targetSlot = goesRight ? slot - kept : slot;
    const targetCount = this.countOf(target);
    this.shift(target, targetSlot, targetCount, 1);
    this.setCount(target, targetCount + 1);
    this.insertSlot = targetSlot;
    return target;
  }

  private removeAt(level: number, slot: number): void {
    const node = this.path[level];
    const count = this.countOf(node) - 1;
    this.shift(node, slot + 1, count + 1, -1);
    this.setCount(node, count);
    if (level === 0) {
      this.shrinkRoot(node, count);
      return;
    }
    if (count === 0) {
      this.freeNode(node);
      this.removeAt(level - 1, this.slots[level - 1]);
      return;
    }
    if (count < MERGE_BELOW) this.mergeAt(level, node, count);
  }

  /** Merges the node of this level with a neighbour if both together are small. */
  private mergeAt(level: number, node: number, count: number): void {
    const parent = this.path[level - 1];
    const slot = this.slots[level - 1];
    let left = node;
    let right = 0;
    let rightSlot = slot + 1;
    if (slot + 1 < this.countOf(parent)) right = this.valueOf(parent, slot + 1);
    if (right === 0 || count + this.countOf(right) > MERGED_MAX) {
      if (slot === 0) return;
      left = this.valueOf(parent, slot - 1);
      right = node;
      rightSlot = slot;
      if (count + this.countOf(left) > MERGED_MAX) return;
    }
    const leftCount = this.countOf(left);
    const rightCount = this.countOf(right);
    if (leftCount + rightCount > this.capacityOf(left)) {
      left = this.resize(left, MERGED_MAX);
      this.setValueOf(parent, rightSlot - 1, left);
    }
    this.moveEntries(right, 0, left, leftCount, rightCount);
    // ID 0 of an inner node means nothing; in the middle of one it must be a bound.
    if (level < this.levels - 1) this.copyKey(left, leftCount, parent, rightSlot);
    this.setCount(left, leftCount + rightCount);
    this.freeNode(right);
    this.removeAt(level - 1, rightSlot);
  }

  private shrinkRoot(root: number, count: number): void {
    const levels = this.levels;
    if (count === 0) {
      this.freeNode(root);
      this.setRoot(0, 0);
    } else if (count === 1 && levels > 1) {
      this.setRoot(this.valueOf(root, 0), levels - 1);
      this.freeNode(root);
      this.shrinkRootAgain();
    }
  }

  private shrinkRootAgain(): void {
    if (this.levels > 1 && this.countOf(this.root) === 1) this.shrinkRoot(this.root, 1);
  }

  private freeBelow(node: number, levels: number): void {
    if (levels > 1) {
      const count = this.countOf(node);
      for (let i = 0; i < count; i++) this.freeBelow(this.valueOf(node, i), levels - 1);
    }
    this.freeNode(node);
  }

  private bytesBelow(node: number, levels: number, samples: number): number {
    const own = blockBytes(nodeBytes(this.capacityOf(node)));
    if (levels === 1) return own;
    const count = this.countOf(node);
    const seen = Math.min(count, samples);
    let bytes = 0;
    for (let i = 0; i < seen; i++) {
      const child = this.valueOf(node, Math.floor(((2 * i + 1) * count) / (2 * seen)));
      bytes += this.bytesBelow(child, levels - 1, Math.ceil(samples / seen));
    }
    return own + extrapolate(bytes, seen, count);
  }

  private compactBelow(node: number, levels: number): number {
    if (levels > 1) {
      const count = this.countOf(node);
      for (let i = 0; i < count; i++) {
        this.setValueOf(node, i, this.compactBelow(this.valueOf(node, i), levels - 1));
      }
    }
    const capacity = this.capacityOf(node);
    return this.arena.isSparse(node, nodeBytes(capacity)) ? this.resize(node, capacity) : node;
  }

  /** Lets the level above, or the state, name `node` as the path's node of this level. */
  private replaceChild(level: number, node: number): void {
    if (level === 0) this.setRoot(node, this.levels);
    else this.setValueOf(this.path[level - 1], this.slots[level - 1], node);
  }

  private allocateNode(capacity: number): number {
    const node = this.arena.allocate(nodeBytes(capacity));
    const words = this.arena.words[node >>> Ref.SEGMENT_SHIFT];
    const base = (node & Ref.GRANULE_MASK) << 1;
    words[base] = capacity << 16;
    words[base + 1] = 0;
    return node;
  }

  private freeNode(node: number): void {
    this.arena.free(node, nodeBytes(this.capacityOf(node)));
  }

  /** Moves a node into a block of another capacity. */
  private resize(node: number, capacity: number): number {
    const resized = this.allocateNode(capacity);
    const count = this.countOf(node);
    this.moveEntries(node, 0, resized, 0, count);
    this.setCount(resized, count);
    this.freeNode(node);
    return resized;
  }

  private countOf(node: number): number {
    return this.arena.words[node >>> Ref.SEGMENT_SHIFT][(node & Ref.GRANULE_MASK) << 1] & 0xffff;
  }

  private capacityOf(node: number): number {
    return this.arena.words[node >>> Ref.SEGMENT_SHIFT][(node & Ref.GRANULE_MASK) << 1] >>> 16;
  }

  private setCount(node: number, count: number): void {
    const words = this.arena.words[node >>> Ref.SEGMENT_SHIFT];
    const base = (node & Ref.GRANULE_MASK) << 1;
    words[base] = (words[base] & ~0xffff) | count;
  }

  private valueOf(node: number, slot: number): number {
    return this.arena.words[node >>> Ref.SEGMENT_SHIFT][valueAt(this.arena, node, slot)];
  }

  private setValueOf(node: number, slot: number, value: number): void {
    this.arena.words[node >>> Ref.SEGMENT_SHIFT][valueAt(this.arena, node, slot)] = value;
  }

  private writeEntry(node: number, slot: number, id: StreamId, value: number): void {
    const words = this.arena.words[node >>> Ref.SEGMENT_SHIFT];
    id.write(words, ((node & Ref.GRANULE_MASK) << 1) + KEYS_AT + slot * ID_WORDS);
    words[valueAt(this.arena, node, slot)] = value;
  }

  private clearKey(node: number, slot: number): void {
    const at = ((node & Ref.GRANULE_MASK) << 1) + KEYS_AT + slot * ID_WORDS;
    this.arena.words[node >>> Ref.SEGMENT_SHIFT].fill(0, at, at + ID_WORDS);
  }

  private copyKey(to: number, toSlot: number, from: number, fromSlot: number): void {
    const target = this.arena.words[to >>> Ref.SEGMENT_SHIFT];
    const source = this.arena.words[from >>> Ref.SEGMENT_SHIFT];
    const at = ((to & Ref.GRANULE_MASK) << 1) + KEYS_AT + toSlot * ID_WORDS;
    const fromAt = ((from & Ref.GRANULE_MASK) << 1) + KEYS_AT + fromSlot * ID_WORDS;
    for (let i = 0; i < ID_WORDS; i++) target[at + i] = source[fromAt + i];
  }

  /** Moves the entries [from, end) of a node by `by` places. */
  private shift(node: number, from: number, end: number, by: number): void {
    if (from === end) return;
    const words = this.arena.words[node >>> Ref.SEGMENT_SHIFT];
    const keys = ((node & Ref.GRANULE_MASK) << 1) + KEYS_AT;
    const values = valueAt(this.arena, node, 0);
    words.copyWithin(keys + (from + by) * ID_WORDS, keys + from * ID_WORDS, keys + end * ID_WORDS);
    words.copyWithin(values + from + by, values + from, values + end);
  }

  private moveEntries(
    from: number,
    fromSlot: number,
    to: number,
    toSlot: number,
    count: number,
  ): void {
    const source = this.arena.words[from >>> Ref.SEGMENT_SHIFT];
    const target = this.arena.words[to >>> Ref.SEGMENT_SHIFT];
    const sourceKeys = ((from & Ref.GRANULE_MASK) << 1) + KEYS_AT + fromSlot * ID_WORDS;
    const targetKeys = ((to & Ref.GRANULE_MASK) << 1) + KEYS_AT + toSlot * ID_WORDS;
    for (let i = 0; i < count * ID_WORDS; i++) target[targetKeys + i] = source[sourceKeys + i];
    const sourceValues = valueAt(this.arena, from, fromSlot);
    const targetValues = valueAt(this.arena, to, toSlot);
    for (let i = 0; i < count; i++) target[targetValues + i] = source[sourceValues + i];
  }
}

/** Capacities that fill their size classes: 4, 8, 15, 31, 63. */
function largerCapacity(capacity: number): number {
  if (capacity <= CAPACITY_MIN) return CAPACITY_MIN * 2;
  return capacity <= CAPACITY_MIN * 2 ? 15 : Math.min(CAPACITY_MAX, capacity * 2 + 1);
}

function nodeBytes(capacity: number): number {
  return 4 * (KEYS_AT + capacity * (ID_WORDS + 1));
}

/** Index of a value among the words of the node's segment. */
function valueAt(arena: Arena, node: number, slot: number): number {
  const base = (node & Ref.GRANULE_MASK) << 1;
  const capacity = arena.words[node >>> Ref.SEGMENT_SHIFT][base] >>> 16;
  return base + KEYS_AT + capacity * ID_WORDS + slot;
}
