/**
 * How far consumer groups have read: the number of entries ever added up to an ID, where that can
 * be told, and the lag that follows from it. All O(1).
 *
 * A stream knows how many entries were added and how many there are, but not which were deleted. So
 * numbers are certain only at its two ends, and only while no deletion lies between.
 */
import type { StreamId } from "../structures/stream-id.ts";
import type { StreamGroups } from "./stream-group.ts";
import type { Streams } from "./stream.ts";

/** The count of entries that cannot be told. */
const UNKNOWN = -1n;

/** Whether an entry from `from` on may have been deleted by XDEL. */
export function hasTombstoneFrom(streams: Streams, from: StreamId): boolean {
  if (streams.length === 0 || streams.maxDeletedId.isZero()) return false;
  return from.compare(streams.maxDeletedId) <= 0;
}

/** Entries ever added up to this ID, or -1 where that is unknown. */
export function entriesAddedUntil(streams: Streams, id: StreamId): bigint {
  if (streams.isUnused()) return 0n;
  const { lastId, firstId, maxDeletedId } = streams;
  const added = streams.entriesAdded();
  const order = id.compare(lastId);
  if (streams.length === 0 && order <= 0) return added;
  if (!id.isZero() && id.compare(maxDeletedId) < 0) return UNKNOWN;
  if (order >= 0) return order === 0 ? added : UNKNOWN;
  if (!maxDeletedId.isZero() && maxDeletedId.compare(firstId) >= 0) return UNKNOWN;
  const toFirst = id.compare(firstId);
  if (toFirst > 0) return UNKNOWN;
  return added - BigInt(streams.length) + (toFirst === 0 ? 1n : 0n);
}

/** Entries that the group at hand has not been given yet; null where that is unknown. */
export function groupLag(streams: Streams, groups: StreamGroups): bigint | null {
  if (streams.isUnused()) return 0n;
  const known = groups.knowsEntriesRead() && !hasTombstoneFrom(streams, groups.lastId);
  const read = known ? groups.entriesRead() : entriesAddedUntil(streams, groups.lastId);
  return !known && read === UNKNOWN ? null : BigInt.asIntN(64, streams.entriesAdded() - read);
}

/** Notes that the group at hand was given an entry beyond its last one. */
export function advanceGroup(streams: Streams, groups: StreamGroups, id: StreamId): void {
  const { lastId } = groups;
  const isExact =
    groups.knowsEntriesRead() &&
    lastId.compare(streams.firstId) >= 0 &&
    !hasTombstoneFrom(streams, lastId);
  if (isExact) groups.countEntryRead();
  else if (!streams.isUnused()) groups.setEntriesRead(entriesAddedUntil(streams, id));
  groups.setLastId(id);
}
