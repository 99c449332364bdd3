/**
 * What reads the values of keys while they are written: objects that are attached to one value
 * after the other. A keyspace has such, which its commands use; a snapshot, which runs in the
 * middle of commands, needs its own.
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Arena } from "../memory/arena.ts";
import { Hashes } from "../types/hash.ts";
import { Lists } from "../types/list.ts";
import { Sets } from "../types/set.ts";
import { Streams } from "../types/stream.ts";
import { StreamGroups } from "../types/stream-group.ts";
import { SortedSets } from "../types/zset.ts";

export interface RdbStructures {
  readonly arena: Arena;
  readonly lists: Lists;
  readonly sets: Sets;
  readonly hashes: Hashes;
  readonly zsets: SortedSets;
  readonly streams: Streams;
  readonly streamGroups: StreamGroups;
}

/**
 * Structures besides those that a keyspace's commands use. Time stands still for these: a field
 * that has expired and is still there counts, as a key does.
 */
export function ownStructures(keyspace: Keyspace): RdbStructures {
  const { arena, hashKey0, hashKey1 } = keyspace;
  return {
    arena,
    lists: new Lists(arena),
    sets: new Sets(arena, keyspace.setLimits, hashKey0, hashKey1),
    hashes: new Hashes(arena, keyspace.hashLimits, hashKey0, hashKey1),
    zsets: new SortedSets(arena, keyspace.zsetLimits, hashKey0, hashKey1),
    streams: new Streams(arena),
    streamGroups: new StreamGroups(arena),
  };
}
