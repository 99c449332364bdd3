// HOT PATH: rules in src/README.md
/**
 * What a batch of requests will look up in large sets, hashes and sorted sets: the memory of those
 * members is touched before the requests run, so that their cache misses overlap.
 *
 * A record that was guessed by its tag may be of another key: then the wrong memory is touched, which
 * does no harm. All values that matter begin with the state of a HashIndex over their members, and
 * one index object is attached to each in turn.
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { Meta, ValueType, encodingOf, metaOf, rootOf, typeOf, viewOf } from "../keyspace/record.ts";
import { BATCH_MAX } from "../protocol/request-parser.ts";
import { HashIndex, indexSize } from "../structures/hash-index.ts";
import { HashEncoding } from "../types/hash.ts";
import { SetEncoding } from "../types/set.ts";
import { ZsetEncoding } from "../types/zset.ts";

/**
 * Looking ahead costs 40 ns a request, and pays where the misses take longer: from here on. Smaller
 * values mostly fit the second-level cache.
 */
const MEMBERS_MIN = 65_536;

export class MemberPrefetch {
  /** Where members' keys begin does not matter here: none is compared. */
  private readonly index: HashIndex;
  private readonly roots = new Int32Array(BATCH_MAX);
  private readonly hashes = new Int32Array(BATCH_MAX);
  private count = 0;

  constructor(private readonly keyspace: Keyspace) {
    const { arena, hashKey0, hashKey1 } = keyspace;
    this.index = new HashIndex(arena, 0, hashKey0, hashKey1);
  }

  /** The root block of the value of `record` if it is large; 0 if it is not, or `record` is 0. */
  largeRoot(record: number): number {
    if (record === 0) return 0;
    const { arena } = this.keyspace;
    const meta = metaOf(arena, record);
    if (!isIndexed(meta)) return 0;
    const root = rootOf(viewOf(arena, record), record, meta);
    return indexSize(arena, root) < MEMBERS_MIN ? 0 : root;
  }

  /** Notes a member that is looked up in the value with this root. */
  add(root: number, view: DataView, start: number, end: number): void {
    this.roots[this.count] = root;
    this.hashes[this.count++] = this.index.hash(view, start, end);
  }

  /** Touches what was noted, and forgets it: first all buckets, then what they refer to. */
  prefetch(): void {
    const { index, roots, hashes, count } = this;
    let root = 0;
    let sink = 0;
    for (let i = 0; i < count; i++) {
      if (roots[i] !== root) index.attach((root = roots[i]));
      sink ^= index.touchBucket(hashes[i]);
    }
    for (let i = 0; i < count; i++) {
      if (roots[i] !== root) index.attach((root = roots[i]));
      sink ^= index.touch(index.candidate(hashes[i]));
    }
    index.prefetched = sink;
    this.count = 0;
  }
}

/** Whether the value's root block begins with the state of an index over its members. */
function isIndexed(meta: number): boolean {
  if ((meta & Meta.ROOT) === 0) return false;
  const type = typeOf(meta);
  if (type === ValueType.SET) return encodingOf(meta) === SetEncoding.TABLE;
  if (type === ValueType.HASH) return encodingOf(meta) === HashEncoding.TABLE;
  return type === ValueType.ZSET && encodingOf(meta) === ZsetEncoding.TREE;
}
