// HOT PATH: rules in src/README.md
/**
 * Walks the entries of a stream whose IDs lie in a range, in either direction, without those that
 * are deleted.
 *
 *     iterator.start(root, from, to, isReverse);
 *     while (iterator.next()) use(iterator.entry);
 *
 * A walk ends when the stream changes. Starting is O(log n + node), a step O(fields).
 */
import { type Arena, Ref } from "../memory/arena.ts";
import { StreamId } from "../structures/stream-id.ts";
import { StreamNodeReader, nodeBase } from "../structures/stream-node.ts";
import { StreamTree } from "../structures/stream-tree.ts";

export class StreamIterator {
  /** The current entry. */
  readonly entry = new StreamNodeReader();

  private readonly nodes: StreamTree;
  private readonly from = new StreamId();
  private readonly to = new StreamId();
  private readonly masterId = new StreamId();
  private isReverse = false;
  /** The current node; 0 = the walk is over. */
  private node = 0;
  private isInNode = false;

  constructor(private readonly arena: Arena) {
    this.nodes = new StreamTree(arena);
  }

  /** Begins a walk over the entries from `from` to `to`, both included. */
  start(root: number, from: StreamId, to: StreamId, isReverse: boolean): void {
    const { nodes } = this;
    // The state of the tree of nodes is at the beginning of the root block.
    nodes.attach(root, 0);
    this.from.copy(from);
    this.to.copy(to);
    this.isReverse = isReverse;
    this.isInNode = false;
    this.node = nodes.seekAtOrBefore(isReverse ? to : from);
    if (this.node === 0 && !isReverse) this.node = nodes.seekFirst();
  }

  /** Goes to the next entry of the walk; false at its end. */
  next(): boolean {
    const { entry, nodes, isReverse } = this;
    while (this.node !== 0) {
      let found: boolean;
      if (this.isInNode) found = isReverse ? entry.previous() : entry.next();
      else {
        nodes.readId(this.masterId);
        const view = this.arena.views[this.node >>> Ref.SEGMENT_SHIFT];
        entry.open(view, nodeBase(this.node), this.masterId);
        found = isReverse ? entry.last() : entry.first();
        this.isInNode = true;
      }
      for (; found; found = isReverse ? entry.previous() : entry.next()) {
        const isBehind = isReverse
          ? entry.id.compare(this.from) < 0
          : entry.id.compare(this.to) > 0;
        if (isBehind) {
          this.node = 0;
          return false;
        }
        if (entry.isDeleted) continue;
        const isWithin = isReverse
          ? entry.id.compare(this.to) <= 0
          : entry.id.compare(this.from) >= 0;
        if (isWithin) return true;
      }
      this.isInNode = false;
      this.node = isReverse ? nodes.previous() : nodes.next();
    }
    return false;
  }
}
