/**
 * Trimming: removes the oldest entries of a stream, until it is short enough (MAXLEN) or begins
 * with a late enough entry (MINID).
 *
 * Nodes are dropped whole where that does; an approximate trim does nothing else. Only the node
 * where the trim ends is gone through, and entries of it are marked. But where the groups have a
 * say, every entry is looked at: `references` says what becomes of entries that groups still need.
 *
 * O(nodes dropped + entries looked at).
 */
import { Ref } from "../memory/arena.ts";
import type { StreamId } from "../structures/stream-id.ts";
import {
  type StreamNodeReader,
  nodeBase,
  nodeLive,
  nodeMarkDeleted,
} from "../structures/stream-node.ts";
import type { StreamGroups } from "./stream-group.ts";
import type { Streams } from "./stream.ts";

/** What becomes of entries to which consumer groups refer. */
export type ReferencePolicy =
  /** They are removed, and stay pending. */
  | "KEEPREF"
  /** They are removed, and are no longer pending. */
  | "DELREF"
  /** They stay. */
  | "ACKED";

export interface TrimOptions {
  /** Entries to keep at most, or the smallest ID to keep. */
  readonly limit: number | StreamId;
  readonly isApproximate: boolean;
  /** Entries to remove at most; 0 = no limit. */
  readonly removedMax: number;
  readonly references: ReferencePolicy;
}

/** Trims the stream at hand; returns how many entries went. */
export function trimStream(streams: Streams, groups: StreamGroups, options: TrimOptions): number {
  const { nodes, reader, edgeId: masterId } = streams;
  let removed = 0;
  for (let node = nodes.seekFirst(); node !== 0;) {
    if (typeof options.limit === "number" && streams.length <= options.limit) break;
    nodes.readId(masterId);
    const view = streams.arena.views[node >>> Ref.SEGMENT_SHIFT];
    const live = nodeLive(view, nodeBase(node));
    if (options.removedMax > 0 && removed + live > options.removedMax) break;
    reader.open(view, nodeBase(node), masterId);
    const isWhole = goesWhole(streams, reader, live, options.limit);
    if (isWhole && options.references === "KEEPREF") {
      streams.dropNode(node);
      streams.addToLength(-live);
      removed += live;
      node = nodes.seekFirst();
      continue;
    }
    if (!isWhole && options.isApproximate) break;
    removed += trimNode(streams, groups, node, reader, options, isWhole);
    // Entries that groups keep do not count as gone: later ones go in their place.
    const isDone = typeof options.limit !== "number" || options.references !== "ACKED";
    if (!isWhole && isDone) break;
    // The node may be gone or stay: go on behind its place.
    masterId.increment();
    node = nodes.seekAtOrAfter(masterId);
  }
  if (removed > 0) streams.findFirstId();
  return removed;
}

/** Whether all entries of the node that `reader` has open are to go. */
function goesWhole(
  streams: Streams,
  reader: StreamNodeReader,
  live: number,
  limit: number | StreamId,
): boolean {
  if (typeof limit === "number") return streams.length - live >= limit;
  return reader.last() && reader.id.compare(limit) < 0;
}

/** Removes entries from the front of a node; returns how many. */
function trimNode(
  streams: Streams,
  groups: StreamGroups,
  node: number,
  reader: StreamNodeReader,
  { limit, references }: TrimOptions,
  isWhole: boolean,
): number {
  let removed = 0;
  for (let found = reader.first(); found; found = reader.next()) {
    const isKept =
      typeof limit === "number" ? streams.length - removed <= limit : reader.id.compare(limit) >= 0;
    if (isKept) break;
    if (reader.isDeleted) continue;
    if (references === "ACKED" && groups.isReferenced(streams, reader.id)) continue;
    if (references === "DELREF") groups.acknowledgeEverywhere(streams, reader.id);
    nodeMarkDeleted(reader.view, reader.base, reader.entryAt);
    removed++;
  }
  if (removed === 0) return 0;
  streams.addToLength(-removed);
  // Where the trim ends within a node, Valkey keeps that even without entries.
  if (isWhole && nodeLive(reader.view, reader.base) === 0) streams.dropNode(node);
  return removed;
}
