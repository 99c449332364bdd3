/**
 * Streams as blocks of the arena: freeing, copying, moving and measuring one with its nodes,
 * groups, consumers and pending entries. The layouts are in types/stream.ts and stream-group.ts.
 *
 * All functions are O(blocks), with a factor of log n where trees are searched.
 */
import { extrapolate } from "../base/sampling.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { listpackValidate } from "../structures/listpack.ts";
import {
  nameTableBytes,
  nameTableCompact,
  nameTableFree,
  nameTableGet,
  nameTableInsert,
  nameTableSet,
  nameTableSize,
} from "../structures/name-table.ts";
import { StreamId } from "../structures/stream-id.ts";
import { StreamNodeEncoder } from "../structures/stream-node-listpack.ts";
import {
  StreamNodeReader,
  nodeBase,
  nodeBlockBytes,
  nodeBytes,
  nodeCompact,
  nodeDeleted,
  nodeDuplicate,
  nodeFree,
  nodeLive,
} from "../structures/stream-node.ts";
import { StreamTree } from "../structures/stream-tree.ts";
import {
  ConsumerBlock,
  GroupBlock,
  PendingEntry,
  StreamGroups,
  namedBlockBytes,
} from "./stream-group.ts";
import { StreamRoot } from "./stream.ts";

const BLOCKS_PER_STEP = 300;

/** Frees a stream. */
export function freeStream(arena: Arena, root: number): void {
  const nodes = nodesOf(arena, root);
  eachValue(nodes, (node) => nodeFree(arena, node));
  nodes.clear();
  const table = groupsOf(arena, root);
  const groups = new StreamGroups(arena);
  eachBlock(arena, table, (group) => {
    groups.open(group);
    groups.free();
  });
  nameTableFree(arena, table);
  arena.free(root, StreamRoot.BYTES);
}

/** Nodes and pending entries: the blocks that a stream may have many of. O(groups). */
export function streamBlocks(arena: Arena, root: number): number {
  let blocks = nodesOf(arena, root).size;
  const groups = new StreamGroups(arena);
  eachBlock(arena, groupsOf(arena, root), (group) => {
    groups.open(group);
    blocks += groups.pending.size;
  });
  return blocks;
}

/**
 * Frees some hundred blocks of a stream that nothing refers to any more; 0 when all are gone, the
 * root too. The cursor says nothing: what is left says where to go on.
 */
export function freeStreamStep(arena: Arena, root: number): number {
  const nodes = nodesOf(arena, root);
  let left = BLOCKS_PER_STEP;
  for (let node = nodes.seekLast(); node !== 0 && left > 0; node = nodes.seekLast(), left--) {
    nodeFree(arena, node);
    nodes.remove();
  }
  const groups = new StreamGroups(arena);
  const id = new StreamId();
  eachBlock(arena, groupsOf(arena, root), (group) => {
    groups.open(group);
    const { pending } = groups;
    for (; left > 0 && pending.seekLast() !== 0; left--) {
      pending.readId(id);
      groups.acknowledge(id);
    }
  });
  if (left === 0) return 1;
  freeStream(arena, root);
  return 0;
}

/** A copy of a stream, its groups included. Grows the arena. */
export function duplicateStream(arena: Arena, root: number): number {
  const copy = copyBlock(arena, root, StreamRoot.BYTES);
  const nodes = nodesOf(arena, root);
  const copiedNodes = nodesOf(arena, copy);
  copiedNodes.initialize();
  const id = new StreamId();
  eachValue(nodes, (node) => {
    nodes.readId(id);
    copiedNodes.insert(id, nodeDuplicate(arena, node));
  });
  let table = 0;
  eachBlock(arena, groupsOf(arena, root), (group, index) => {
    table = nameTableInsert(arena, table, index, duplicateGroup(arena, group));
  });
  setGroups(arena, copy, table);
  return copy;
}

/** Moves what lies in sparse spans; returns the root. */
export function compactStream(arena: Arena, root: number): number {
  const moved = moveIfSparse(arena, root, StreamRoot.BYTES);
  const nodes = nodesOf(arena, moved);
  nodes.compact();
  eachValue(nodes, (node) => nodes.setValue(nodeCompact(arena, node)));
  const table = nameTableCompact(arena, groupsOf(arena, moved));
  setGroups(arena, moved, table);
  eachBlock(arena, table, (group, index) => {
    const bytes = namedBlockBytes(arena, group, GroupBlock.NAME);
    const movedGroup = moveIfSparse(arena, group, bytes);
    nameTableSet(arena, table, index, movedGroup);
    compactGroup(arena, movedGroup);
  });
  return moved;
}

/** Bytes that the stream occupies, as some `samples` of its blocks say. */
export function streamMemoryBytes(
  arena: Arena,
  root: number,
  _encoding = 0,
  samples = Infinity,
): number {
  const nodes = nodesOf(arena, root);
  let nodesBytes = 0;
  let seen = 0;
  for (let node = nodes.seekFirst(); node !== 0 && seen < samples; node = nodes.next(), seen++) {
    nodesBytes += nodeBlockBytes(arena, node);
  }
  let bytes = blockBytes(StreamRoot.BYTES) + nodes.memoryBytes(samples);
  bytes += extrapolate(nodesBytes, seen, nodes.size);
  const table = groupsOf(arena, root);
  bytes += tableMemoryBytes(arena, table);
  eachBlock(arena, table, (group) => (bytes += groupMemoryBytes(arena, group, samples)));
  return bytes;
}

/** Throws when the stream breaks an invariant. For tests. */
export function verifyStream(arena: Arena, root: number): void {
  const nodes = nodesOf(arena, root);
  nodes.verify();
  const masterId = new StreamId();
  const lastId = new StreamId();
  const reader = new StreamNodeReader();
  const encoder = new StreamNodeEncoder();
  let entries = 0;
  let isFirst = true;
  eachValue(nodes, (node) => {
    const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
    const base = nodeBase(node);
    if (nodeBytes(view, base) > nodeBlockBytes(arena, node)) throw new Error("a node too large");
    nodes.readId(masterId);
    encoder.encode(view, base, masterId);
    if (listpackValidate(encoder.view, 0, encoder.length) < 0) throw new Error("a bad listpack");
    reader.open(view, base, masterId);
    const live = nodeLive(view, base);
    let walked = 0;
    for (let found = reader.first(); found; found = reader.next(), walked++) {
      if (!isFirst && lastId.compare(reader.id) >= 0) throw new Error("IDs do not ascend");
      isFirst = false;
      lastId.copy(reader.id);
    }
    if (walked !== live + nodeDeleted(view, base)) throw new Error("a wrong count in a node");
    if (walked < 1) throw new Error("a node without entries");
    entries += live;
  });
  const at = ((root & Ref.GRANULE_MASK) << 3) + StreamRoot.LENGTH;
  const length = arena.views[root >>> Ref.SEGMENT_SHIFT].getBigUint64(at, true);
  if (length !== BigInt(entries)) throw new Error("a wrong count of entries");
  eachBlock(arena, groupsOf(arena, root), (group) => verifyGroup(arena, group));
}

function verifyGroup(arena: Arena, group: number): void {
  const groups = new StreamGroups(arena);
  groups.open(group);
  groups.pending.verify();
  const id = new StreamId();
  let pending = 0;
  eachBlock(arena, groups.consumers, (consumer) => {
    const tree = pendingOf(arena, consumer);
    tree.verify();
    eachValue(tree, (entry) => {
      tree.readId(id);
      if (groups.pending.find(id) !== entry) throw new Error("not pending in the group");
      if (groups.consumerOf(entry) !== consumer) throw new Error("pending for somebody else");
      pending++;
    });
  });
  if (pending !== groups.pending.size) throw new Error("pending for nobody");
}

function duplicateGroup(arena: Arena, group: number): number {
  const copy = copyBlock(arena, group, namedBlockBytes(arena, group, GroupBlock.NAME));
  const groups = new StreamGroups(arena);
  groups.open(copy);
  groups.pending.initialize();
  const { consumers } = groups;
  let table = 0;
  const id = new StreamId();
  eachBlock(arena, consumers, (consumer, index) => {
    const bytes = namedBlockBytes(arena, consumer, ConsumerBlock.NAME);
    const copiedConsumer = copyBlock(arena, consumer, bytes);
    pendingOf(arena, copiedConsumer).initialize();
    table = nameTableInsert(arena, table, index, copiedConsumer);
    const tree = pendingOf(arena, consumer);
    eachValue(tree, (entry) => {
      tree.readId(id);
      const copiedEntry = groups.addPending(id, copiedConsumer);
      groups.setDelivered(copiedEntry, groups.delivered(entry));
      groups.setDeliveries(copiedEntry, groups.deliveries(entry));
    });
  });
  groups.consumers = table;
  return copy;
}

function compactGroup(arena: Arena, group: number): void {
  const groups = new StreamGroups(arena);
  groups.open(group);
  const { pending } = groups;
  pending.compact();
  const table = nameTableCompact(arena, groups.consumers);
  groups.consumers = table;
  const id = new StreamId();
  eachBlock(arena, table, (consumer, index) => {
    const bytes = namedBlockBytes(arena, consumer, ConsumerBlock.NAME);
    const movedConsumer = moveIfSparse(arena, consumer, bytes);
    nameTableSet(arena, table, index, movedConsumer);
    const tree = pendingOf(arena, movedConsumer);
    tree.compact();
    eachValue(tree, (entry) => {
      const movedEntry = moveIfSparse(arena, entry, PendingEntry.BYTES);
      const at = ((movedEntry & Ref.GRANULE_MASK) << 1) + PendingEntry.CONSUMER / 4;
      arena.words[movedEntry >>> Ref.SEGMENT_SHIFT][at] = movedConsumer;
      if (movedEntry === entry) return;
      tree.setValue(movedEntry);
      tree.readId(id);
      pending.find(id);
      pending.setValue(movedEntry);
    });
  });
}

function groupMemoryBytes(arena: Arena, group: number, samples: number): number {
  const groups = new StreamGroups(arena);
  groups.open(group);
  let bytes = blockBytes(namedBlockBytes(arena, group, GroupBlock.NAME));
  bytes += groups.pending.memoryBytes(samples);
  bytes += groups.pending.size * blockBytes(PendingEntry.BYTES);
  bytes += tableMemoryBytes(arena, groups.consumers);
  eachBlock(arena, groups.consumers, (consumer) => {
    bytes += blockBytes(namedBlockBytes(arena, consumer, ConsumerBlock.NAME));
    bytes += pendingOf(arena, consumer).memoryBytes(samples);
  });
  return bytes;
}

function tableMemoryBytes(arena: Arena, table: number): number {
  return table === 0 ? 0 : blockBytes(nameTableBytes(arena, table));
}

function nodesOf(arena: Arena, root: number): StreamTree {
  const tree = new StreamTree(arena);
  tree.attach(root, StreamRoot.NODES);
  return tree;
}

function pendingOf(arena: Arena, consumer: number): StreamTree {
  const tree = new StreamTree(arena);
  tree.attach(consumer, ConsumerBlock.PENDING);
  return tree;
}

function groupsOf(arena: Arena, root: number): number {
  const at = ((root & Ref.GRANULE_MASK) << 1) + StreamRoot.GROUPS / 4;
  return arena.words[root >>> Ref.SEGMENT_SHIFT][at];
}

function setGroups(arena: Arena, root: number, table: number): void {
  const at = ((root & Ref.GRANULE_MASK) << 1) + StreamRoot.GROUPS / 4;
  arena.words[root >>> Ref.SEGMENT_SHIFT][at] = table;
}

function eachValue(tree: StreamTree, visit: (value: number) => void): void {
  for (let value = tree.seekFirst(); value !== 0; value = tree.next()) visit(value);
}

function eachBlock(
  arena: Arena,
  table: number,
  visit: (block: number, index: number) => void,
): void {
  const size = nameTableSize(arena, table);
  for (let i = 0; i < size; i++) visit(nameTableGet(arena, table, i), i);
}

function copyBlock(arena: Arena, block: number, bytes: number): number {
  const copy = arena.allocate(bytes);
  const from = (block & Ref.GRANULE_MASK) << 3;
  const source = arena.bytes[block >>> Ref.SEGMENT_SHIFT].subarray(from, from + bytes);
  arena.bytes[copy >>> Ref.SEGMENT_SHIFT].set(source, (copy & Ref.GRANULE_MASK) << 3);
  return copy;
}

function moveIfSparse(arena: Arena, block: number, bytes: number): number {
  if (!arena.isSparse(block, bytes)) return block;
  const moved = copyBlock(arena, block, bytes);
  arena.free(block, bytes);
  return moved;
}
