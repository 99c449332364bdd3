/**
 * What XINFO STREAM calls radix-tree-nodes: the nodes of the radix tree that Redis would keep the
 * IDs of a stream's nodes in. Ours is another tree, but clients compare the figure.
 *
 * In a path-compressed tree over keys of 16 bytes there is a node for every key (its end), one for
 * every prefix after which keys differ, and one for every run of bytes without a choice between
 * those. All follow from the lengths of the prefixes that neighbours have in common. O(IDs), of
 * which no more than COUNTED_MAX are looked at: the figure of a larger tree is an estimate.
 */
import { extrapolate } from "../base/sampling.ts";
import { ID_BYTES, StreamId } from "../structures/stream-id.ts";
import type { StreamTree } from "../structures/stream-tree.ts";

/** IDs of a stream with some 50,000 entries. */
const COUNTED_MAX = 512;

export function radixTreeNodes(tree: StreamTree): number {
  if (tree.seekFirst() === 0) return 1;
  const id = new StreamId();
  const before = new StreamId();
  tree.readId(before);
  /** Depths of the forks that lead to the last key, ascending. */
  const forks: number[] = [];
  let nodes = 0;
  /** Length of the prefix that the last key shares with the one before it. */
  let shared = -1;
  const leave = (common: number): void => {
    nodes += 1 + (ID_BYTES - 1 - Math.max(shared, common) > 0 ? 1 : 0);
    while (forks.length > 0 && (forks.at(-1) as number) > common) {
      const depth = forks.pop() as number;
      const above = Math.max(forks.at(-1) ?? -1, common);
      if (depth - 1 - above > 0) nodes++;
    }
    if (common >= 0 && forks.at(-1) !== common) {
      forks.push(common);
      nodes++;
    }
    shared = common;
  };
  let counted = 1;
  for (; counted < COUNTED_MAX && tree.next() !== 0; counted++) {
    tree.readId(id);
    leave(commonBytes(before, id));
    before.copy(id);
  }
  leave(-1);
  return extrapolate(nodes, counted, tree.size);
}

/** Bytes that two different IDs have in common, the most significant first. */
function commonBytes(a: StreamId, b: StreamId): number {
  if (a.msHigh !== b.msHigh) return Math.clz32(a.msHigh ^ b.msHigh) >>> 3;
  if (a.msLow !== b.msLow) return 4 + (Math.clz32(a.msLow ^ b.msLow) >>> 3);
  if (a.seqHigh !== b.seqHigh) return 8 + (Math.clz32(a.seqHigh ^ b.seqHigh) >>> 3);
  return 12 + (Math.clz32(a.seqLow ^ b.seqLow) >>> 3);
}
