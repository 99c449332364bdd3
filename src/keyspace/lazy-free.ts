/**
 * The freeing of huge values, in slices between requests.
 *
 * A set of ten million members takes a second to free, and nobody waits for it: whoever deletes
 * the key only takes it out of the index, and the value comes here.
 *
 *     release   blocks <= SMALL_BLOCKS    freed at once
 *               blocks <= PROMPT_BLOCKS   freed at once too, but counted: it takes microseconds
 *               more                      queued
 *     run       frees the oldest value of the queue step by step, until it is gone or time is up
 *
 * Types say how many blocks a value has, and free it in steps, each for a cursor that says where
 * the next one goes on (`ValueTypeRow.steps`). A type that does not is freed at once.
 *
 * Invariant: nothing but the queue refers to a queued value, so it never moves.
 *
 * Why not a thread: the arena's free lists belong to one thread, and a value's blocks cannot be
 * told from those of others by pages.
 */
import type { Clock } from "../base/clock.ts";
import type { Arena } from "../memory/arena.ts";
import type { ValueType } from "./record.ts";
import { VALUE_TYPES } from "./value-types.ts";

/** Values of more blocks count as freed lazily, as in Valkey. */
const SMALL_BLOCKS = 64;
const PROMPT_BLOCKS = 1024;
/** Steps between two looks at the clock: each frees hundreds of blocks. */
const STEPS_PER_CLOCK_READ = 2;

interface PendingValue {
  readonly type: ValueType;
  readonly root: number;
  readonly encoding: number;
  cursor: number;
}

export class LazyFree {
  /** Values that were freed lazily: lazyfreed_objects. */
  freedCount = 0;

  private readonly pending: PendingValue[] = [];

  constructor(
    private readonly arena: Arena,
    private readonly clock: Clock,
  ) {}

  /** Values in the queue: lazyfree_pending_objects. */
  get pendingCount(): number {
    return this.pending.length;
  }

  /** Frees the value below a root block that nothing refers to any more, now or later. */
  release(type: ValueType, root: number, encoding: number): void {
    const row = VALUE_TYPES[type];
    const blocks = row.steps === undefined ? 1 : row.steps.blocks(this.arena, root, encoding);
    if (blocks > PROMPT_BLOCKS) {
      this.pending.push({ type, root, encoding, cursor: 0 });
      return;
    }
    row.free(this.arena, root, encoding);
    if (blocks > SMALL_BLOCKS) this.freedCount++;
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
    this.freedCount += this.pending.length;
    this.pending.length = 0;
  }

  private step(value: PendingValue): void {
    const { steps } = VALUE_TYPES[value.type];
    if (steps === undefined) throw new Error("a queued value that has no steps");
    value.cursor = steps.free(this.arena, value.root, value.encoding, value.cursor);
    if (value.cursor !== 0) return;
    this.pending.shift();
    this.freedCount++;
  }
}
