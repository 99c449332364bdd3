/**
 * The freeing of huge values and of whole databases, in slices between requests.
 *
 * A set of ten million members takes a second to free, and nobody waits for it: whoever deletes
 * the key only takes it out of the index, and the value comes here. So do the indexes of a database
 * that is flushed, with all their records.
 *
 *     release   blocks <= SMALL_BLOCKS    freed at once
 *               blocks <= PROMPT_BLOCKS   freed at once too, but counted: it takes microseconds
 *               more                      queued
 *     run       frees the oldest item of the queue step by step, until it is gone or time is up
 *
 * Types say how many blocks a value has, and free it in steps, each for a cursor that says where
 * the next one goes on (`ValueTypeRow.steps`). A type that does not is freed at once.
 *
 * Invariant: nothing but the queue refers to a queued value or record, so it never moves.
 *
 * Why not a thread: the arena's free lists belong to one thread, and a value's blocks cannot be
 * told from those of others by pages.
 */
import type { Clock } from "../base/clock.ts";
import type { Arena } from "../memory/arena.ts";
import type { HashIndex } from "../structures/hash-index.ts";
import type { ValueType } from "./record.ts";
import { VALUE_TYPES } from "./value-types.ts";

/** Values of more blocks count as freed lazily, as in Valkey. */
const SMALL_BLOCKS = 64;
const PROMPT_BLOCKS = 1024;
/** Records that a step of a flushed database frees, with all below them that is not huge. */
const RECORDS_PER_STEP = 16;
/** Steps between two looks at the clock: each frees some to some hundred blocks. */
const STEPS_PER_CLOCK_READ = 2;

/** A value, or the keys of a database. */
interface PendingItem {
  /** Values, or keys: what it counts for in INFO. */
  readonly objects: number;
  /** Frees a part; true when all of it is gone. */
  step(): boolean;
}

export class LazyFree {
  /** Values that were freed lazily: lazyfreed_objects. */
  freedCount = 0;

  /** Values and keys in the queue: lazyfree_pending_objects. */
  pendingCount = 0;

  private readonly pending: PendingItem[] = [];

  constructor(
    private readonly arena: Arena,
    private readonly clock: Clock,
  ) {}

  /** Frees the value below a root block that nothing refers to any more, now or later. */
  release(type: ValueType, root: number, encoding: number): void {
    const { arena } = this;
    const { steps, free } = VALUE_TYPES[type];
    const blocks = steps === undefined ? 1 : steps.blocks(arena, root, encoding);
    if (steps === undefined || blocks <= PROMPT_BLOCKS) {
      free(arena, root, encoding);
      if (blocks > SMALL_BLOCKS) this.freedCount++;
      return;
    }
    let cursor = 0;
    this.enqueue(1, () => {
      cursor = steps.free(arena, root, encoding, cursor);
      return cursor === 0;
    });
  }

  /**
   * Frees an index that nothing else uses any more and, with `freeRecord`, the records in it.
   * `objects` is what it counts for.
   */
  releaseIndex(index: HashIndex, objects: number, freeRecord: (record: number) => void): void {
    index.startWalk();
    this.enqueue(objects, () => {
      for (let i = 0; i < RECORDS_PER_STEP; i++) {
        const record = index.nextEntry();
        if (record === 0) {
          index.clear();
          return true;
        }
        freeRecord(record);
      }
      return false;
    });
  }

  /** Frees for at most about `budgetUs`. Returns whether there is more to free. */
  run(budgetUs: number): boolean {
    const { pending, clock } = this;
    if (pending.length === 0) return false;
    const deadlineUs = clock.monotonicUs() + budgetUs;
    do {
      for (let i = 0; i < STEPS_PER_CLOCK_READ && pending.length > 0; i++) this.step(pending[0]);
    } while (pending.length > 0 && clock.monotonicUs() < deadlineUs);
    return pending.length > 0;
  }

  /** Drops the queue, because the arena is emptied as a whole. */
  forget(): void {
    this.freedCount += this.pendingCount;
    this.pendingCount = 0;
    this.pending.length = 0;
  }

  private enqueue(objects: number, step: () => boolean): void {
    this.pending.push({ objects, step });
    this.pendingCount += objects;
  }

  private step(item: PendingItem): void {
    if (!item.step()) return;
    this.pending.shift();
    this.pendingCount -= item.objects;
    this.freedCount += item.objects;
  }
}
