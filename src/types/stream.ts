// HOT PATH: rules in src/README.md
/**
 * Streams: entries in the order of their IDs, each a list of fields and values.
 *
 *     root block (80 bytes)
 *     offset  size  meaning
 *          0    12  state of the tree of nodes (structures/stream-tree.ts): ID → node
 *         12   i32  table of consumer groups (structures/name-table.ts)
 *         16   u64  entries
 *         24   i64  entries ever added
 *         32    16  the last ID: of the entry added last, be it deleted or not
 *         48    16  the ID of the first entry, 0-0 if there is none
 *         64    16  the largest ID ever deleted by XDEL
 *
 * A node holds up to `nodeEntriesMax` entries, as long as Redis would have them in a listpack of
 * `nodeBytesMax` bytes (structures/stream-node.ts): an entry costs two bytes besides its values.
 *
 * One object serves all streams of an engine: `open` points it at one. The root block does not move
 * but for the compactor.
 *
 * Invariants
 *  1. A node has at least one entry, be it deleted or not; its ID in the tree is its master ID.
 *  2. Nodes do not overlap: all IDs of one are smaller than the ID of the next.
 *  3. The sum of the nodes' live entries is the number of entries.
 *
 * append is O(1) amortised, remove O(log n + node), a walk O(log n + entries met).
 *
 * Why trees of nodes and no log of blocks: nodes are RDB's, and IDs are looked up.
 */
import { type Arena, Ref } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import { ListpackEntry } from "../structures/listpack-entry.ts";
import { StreamId, StreamIdText } from "../structures/stream-id.ts";
import { StreamNodeWriter } from "../structures/stream-node-writer.ts";
import {
  StreamNodeReader,
  nodeBase,
  nodeDeleted,
  nodeFree,
  nodeHasFields,
  nodeListpackBytes,
  nodeLive,
  nodeMarkDeleted,
} from "../structures/stream-node.ts";
import { StreamTree } from "../structures/stream-tree.ts";
import { StreamIterator } from "./stream-iterator.ts";

/** Offsets in the root block. */
export const enum StreamRoot {
  NODES = 0,
  GROUPS = 12,
  LENGTH = 16,
  ADDED = 24,
  LAST_ID = 32,
  FIRST_ID = 48,
  MAX_DELETED_ID = 64,
  BYTES = 80,
}

/** More than this cannot be the sum of an entry's fields and values, or the size of a node. */
const NODE_BYTES_MAX = 1 << 30;
const TWO_TO_32 = 4294967296;
/** Before the first `attach`. A segment's words would keep its memory from the collector. */
const NO_WORDS = new Int32Array(0);

export class Streams {
  /** stream-node-max-bytes and stream-node-max-entries; 0 = no limit. */
  nodeBytesMax = 4096;
  nodeEntriesMax = 100;

  /** The stream at hand. */
  root = 0;
  readonly nodes: StreamTree;
  readonly lastId = new StreamId();
  readonly firstId = new StreamId();
  readonly maxDeletedId = new StreamId();
  /** The smallest and the largest ID. */
  readonly zeroId = new StreamId();
  readonly maxId = new StreamId();
  /** For trimming: reads one node, and where a walk has come. */
  readonly reader = new StreamNodeReader();
  readonly edgeId = new StreamId();
  /** A cursor, the text of an ID, and IDs for commands to work with. */
  readonly piece = new ListpackEntry();
  readonly idText = new StreamIdText();
  readonly newId = new StreamId();
  readonly fromId = new StreamId();
  readonly toId = new StreamId();
  /** Walks the stream at hand, or any other. */
  readonly iterator: StreamIterator;

  private words: Int32Array = NO_WORDS;
  /** Index of the root block in `words`. */
  private base = 0;
  private readonly masterId = new StreamId();
  private readonly writer: StreamNodeWriter;

  constructor(readonly arena: Arena) {
    this.nodes = new StreamTree(arena);
    this.writer = new StreamNodeWriter(arena);
    this.iterator = new StreamIterator(arena);
    this.maxId.setMax();
  }

  /** A new stream, which is at hand then. Grows the arena. */
  create(): number {
    const root = this.arena.allocate(StreamRoot.BYTES);
    const at = (root & Ref.GRANULE_MASK) << 1;
    this.arena.words[root >>> Ref.SEGMENT_SHIFT].fill(0, at, at + StreamRoot.BYTES / 4);
    this.open(root);
    return root;
  }

  /** Takes a stream at hand. */
  open(root: number): void {
    this.root = root;
    this.words = this.arena.words[root >>> Ref.SEGMENT_SHIFT];
    this.base = (root & Ref.GRANULE_MASK) << 1;
    this.nodes.attach(root, StreamRoot.NODES);
    this.lastId.read(this.words, this.base + StreamRoot.LAST_ID / 4);
    this.firstId.read(this.words, this.base + StreamRoot.FIRST_ID / 4);
    this.maxDeletedId.read(this.words, this.base + StreamRoot.MAX_DELETED_ID / 4);
  }

  get length(): number {
    const at = this.base + StreamRoot.LENGTH / 4;
    return (this.words[at] >>> 0) + this.words[at + 1] * TWO_TO_32;
  }

  /** Table of the consumer groups. */
  get groups(): number {
    return this.words[this.base + StreamRoot.GROUPS / 4];
  }

  set groups(table: number) {
    this.words[this.base + StreamRoot.GROUPS / 4] = table;
  }

  /** Whether no entry was ever added. */
  isUnused(): boolean {
    const at = this.base + StreamRoot.ADDED / 4;
    return (this.words[at] | this.words[at + 1]) === 0;
  }

  entriesAdded(): bigint {
    const view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    return view.getBigInt64((this.base << 2) + StreamRoot.ADDED, true);
  }

  setEntriesAdded(count: bigint): void {
    const view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    view.setBigInt64((this.base << 2) + StreamRoot.ADDED, count, true);
  }

  setLastId(id: StreamId): void {
    this.lastId.copy(id);
    id.write(this.words, this.base + StreamRoot.LAST_ID / 4);
  }

  setMaxDeletedId(id: StreamId): void {
    this.maxDeletedId.copy(id);
    id.write(this.words, this.base + StreamRoot.MAX_DELETED_ID / 4);
  }

  /** The ID of the last entry that is there; 0-0 if none is. */
  lastEntryId(into: StreamId): void {
    this.iterator.start(this.root, this.zeroId, this.maxId, true);
    if (this.iterator.next()) into.copy(this.iterator.entry.id);
    else into.setMin();
  }

  /** Whether there is an entry with this ID. */
  has(id: StreamId): boolean {
    this.iterator.start(this.root, id, id, false);
    return this.iterator.next();
  }

  /** Whether the fields and values of a request, from argument `first` on, are too large. */
  isTooLarge(args: Args, first: number): boolean {
    // All of them are in there.
    if (args.bytes.length <= NODE_BYTES_MAX) return false;
    return textBytes(args, first) > NODE_BYTES_MAX;
  }

  /**
   * Adds an entry: `fields` pairs of the request's arguments, from `first` on. Grows the arena.
   * Requires: the ID is larger than the last one, and the arguments are not too large.
   */
  append(id: StreamId, args: Args, first: number, fields: number): void {
    const { arena, nodes } = this;
    const bytes = textBytes(args, first);
    const node = nodes.seekLast();
    if (node === 0 || this.isFull(node, bytes)) {
      this.appendToNewNode(node, id, args, first, fields, bytes);
    } else {
      nodes.readId(this.masterId);
      const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
      const { start, end } = args;
      const same = nodeHasFields(view, nodeBase(node), args.view, start, end, first, fields);
      const moved = this.appendToNode(node, id, args, first, fields, bytes, !same);
      if (moved !== node) nodes.setValue(moved);
    }
    this.increment(StreamRoot.ADDED);
    this.setLastId(id);
    if (this.increment(StreamRoot.LENGTH) === 1 && this.length === 1) this.setFirstId(id);
  }

  /** Removes an entry, as XDEL does; false if there is none with this ID. */
  remove(id: StreamId): boolean {
    if (!this.seekEntry(id)) return false;
    const { view, base, entryAt } = this.iterator.entry;
    if (nodeLive(view, base) === 1) this.dropNode(this.nodes.seekAtOrBefore(id));
    else nodeMarkDeleted(view, base, entryAt);
    this.addToLength(-1);
    if (id.compare(this.maxDeletedId) > 0) this.setMaxDeletedId(id);
    if (this.length === 0 || id.equals(this.firstId)) this.findFirstId();
    return true;
  }

  /** Frees the node at the position of `nodes`, and leaves no position. */
  dropNode(node: number): void {
    nodeFree(this.arena, node);
    this.nodes.remove();
  }

  /** Corrects the count of entries. */
  addToLength(count: number): void {
    const at = this.base + StreamRoot.LENGTH / 4;
    const length = this.length + count;
    this.words[at] = length | 0;
    this.words[at + 1] = Math.floor(length / TWO_TO_32);
  }

  /** Notes which entry is the first now. */
  findFirstId(): void {
    this.edgeId.setMin();
    if (this.length > 0) {
      this.iterator.start(this.root, this.zeroId, this.maxId, false);
      if (this.iterator.next()) this.edgeId.copy(this.iterator.entry.id);
    }
    this.setFirstId(this.edgeId);
  }

  private setFirstId(id: StreamId): void {
    this.firstId.copy(id);
    id.write(this.words, this.base + StreamRoot.FIRST_ID / 4);
  }

  private seekEntry(id: StreamId): boolean {
    this.iterator.start(this.root, id, id, false);
    return this.iterator.next();
  }

  private isFull(node: number, bytes: number): boolean {
    const view = this.arena.views[node >>> Ref.SEGMENT_SHIFT];
    const base = nodeBase(node);
    const { nodeBytesMax, nodeEntriesMax } = this;
    const isLimited = nodeBytesMax > 0 && nodeBytesMax < NODE_BYTES_MAX;
    if (nodeListpackBytes(view, base) + bytes >= (isLimited ? nodeBytesMax : NODE_BYTES_MAX))
      return true;
    return nodeEntriesMax > 0 && nodeLive(view, base) + nodeDeleted(view, base) >= nodeEntriesMax;
  }

  /** Begins a node with an entry, behind the node `last` at the position of `nodes`; 0 = none. */
  private appendToNewNode(
    last: number,
    id: StreamId,
    args: Args,
    first: number,
    fields: number,
    bytes: number,
  ): void {
    const { writer, nodes } = this;
    if (last !== 0) nodes.setValue(writer.finish(last));
    writer.begin(id, fields, StreamNodeWriter.room(bytes, fields));
    for (let i = first; i < first + 2 * fields; i += 2) {
      writer.text(args.view, args.start[i], args.end[i]);
    }
    this.masterId.copy(id);
    nodes.insert(id, this.appendToNode(writer.end(), id, args, first, fields, bytes, false));
  }

  /** Adds an entry to a node, whose master ID is at hand; returns the node. */
  private appendToNode(
    node: number,
    id: StreamId,
    args: Args,
    first: number,
    fields: number,
    bytes: number,
    hasOwnFields: boolean,
  ): number {
    const { writer } = this;
    const room = StreamNodeWriter.room(bytes, hasOwnFields ? 2 * fields : fields);
    writer.beginEntry(node, this.masterId, id, fields, hasOwnFields, room);
    for (let i = first; i < first + 2 * fields; i += 2) {
      if (hasOwnFields) writer.text(args.view, args.start[i], args.end[i]);
      writer.text(args.view, args.start[i + 1], args.end[i + 1]);
    }
    return writer.endEntry();
  }

  /** Adds 1 to an unsigned 64-bit number in the root block; returns its lower half. */
  private increment(offset: number): number {
    const at = this.base + offset / 4;
    const low = (this.words[at] + 1) | 0;
    this.words[at] = low;
    if (low === 0) this.words[at + 1] = (this.words[at + 1] + 1) | 0;
    return low;
  }
}

/** Bytes of the arguments from `first` on. */
function textBytes(args: Args, first: number): number {
  let bytes = 0;
  for (let i = first; i < args.count; i++) bytes += args.end[i] - args.start[i];
  return bytes;
}
