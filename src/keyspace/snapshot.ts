/**
 * A consistent picture of the keyspace, taken while it goes on changing: what BGSAVE, the rewrite
 * of the append-only file and full synchronisations write.
 *
 * The walk goes over each database in hash order. What it has reached is behind it; what a command
 * is about to change ahead of it is handed over first, in its old state:
 *
 *     hash order    0 ........ cursor ................................ 2^32
 *                   reached,   ahead: a change hands over the entries with the key's hash, and
 *                   may change the hash goes into the database's set; the walk skips hashes of it
 *
 *     new keys      hand over nothing, and are skipped, since their hash is in the set
 *     databases     are held as objects, with the number they had at the start: SWAPDB is no change
 *     huge values   are written in steps between requests. While one is half written, entries that
 *                   are handed over wait with the encoder, and the walk's position stays before the
 *                   value's bucket, whose hashes are in the set; a change to the value ends it first
 *
 * Invariants
 *  1. Every key that was there at the start is encoded exactly once, in its state of the start.
 *  2. `database.snapshotCursor` is the position up to which the walk has passed while it is on, and
 *     beyond all hashes otherwise: a write compares its hash with it, and that is all it pays.
 *  3. While `isMidValue`, no block may be moved: references to half-written values are held.
 *
 * A key that is handed over costs its encoding; the set costs 8 to 16 bytes per hash. The walk is
 * O(keys + bytes) in all, and a run stops soon after its deadline.
 *
 * Why hashes and not a mark in each record: nothing has to be reset afterwards, and a snapshot that
 * is given up leaves no trace. Why not fork: see docs/architecture.md.
 */
import type { Clock } from "../base/clock.ts";
import { HashSet } from "../structures/hash-set.ts";
import { HashedEntries } from "../structures/hashed-entries.ts";
import { type Database, NOT_WALKED } from "./database.ts";
import type { Keyspace } from "./keyspace.ts";

/** The steps in which a huge value is encoded: each `next` writes some more of it. */
export type ValueSteps = Iterator<void>;

/** What writes the keys that a snapshot meets. `database` is the number at the start. */
export interface SnapshotEncoder {
  /** What comes before all keys. */
  begin(): void;
  /** Keys of this database follow; how many, and how many of them expire. */
  database(database: number, keys: number, expires: number): void;
  /** Writes a key; or a part of it, and returns the steps that write the rest. */
  key(database: number, record: number): ValueSteps | null;
  /**
   * Writes a whole key that is about to change, and returns its bytes. While a value is half
   * written, it is kept until that one is complete.
   */
  preserve(database: number, record: number): number;
  /** The value that `key` began is complete. */
  completed(): void;
  /** What comes after all keys. */
  end(): void;
  /** Passes on what is written; false while too much of it waits, and the walk had better too. */
  flush(): boolean;
  /** Whether bytes wait that could not be passed on. */
  readonly hasWaitingBytes: boolean;
}

/** A database in a snapshot. */
interface Walked {
  readonly database: Database;
  /** Its number at the start. */
  readonly id: number;
  /** Hashes that the walk passes over: handed over, or of new keys. */
  readonly passedOver: HashSet;
}

/** A value of the current bucket that is written in steps. */
interface PendingValue {
  readonly record: number;
  readonly hash: number;
}

export class Snapshot {
  /** Keys in it, and keys written: INFO's current_save_keys_*. */
  readonly keysTotal: number;
  keysDone = 0;
  /** Keys that were handed over before they changed, and their bytes: what INFO calls cow. */
  preservedKeys = 0;
  preservedBytes = 0;
  isOver = false;
  /** Why it could not go on, if it could not. */
  failure: Error | null = null;

  /** Whether changes are held back. */
  private isOn = false;
  /** The databases that are not left yet, in the order of the walk. */
  private walked: Walked[] = [];
  /** The databases by object, while the snapshot is on. */
  private readonly byDatabase = new Map<Database, Walked>();
  private current: Walked | null = null;
  private cursor = 0;
  private hasBegun = false;
  private readonly batch = new HashedEntries();
  private readonly sameHash = new HashedEntries();
  /** Huge values of the current bucket that are not complete, the first perhaps half written. */
  private readonly pending: PendingValue[] = [];
  private half: ValueSteps | null = null;
  private bucketEnd = 0;

  constructor(
    private readonly keyspace: Keyspace,
    private readonly clock: Clock,
    private readonly encoder: SnapshotEncoder,
    /** All keys of a database are about to go. The owner calls `drop` or `stop`. */
    private readonly onClear: (snapshot: Snapshot, database: Database) => void = throwOnClear,
  ) {
    let total = 0;
    for (const database of keyspace.databases) {
      if (database.index.size === 0) continue;
      total += database.index.size;
      this.walked.push({ database, id: database.id, passedOver: new HashSet() });
    }
    this.keysTotal = total;
  }

  /** Whether references to values are held between runs. */
  get isMidValue(): boolean {
    return this.pending.length > 0;
  }

  /**
   * From now on, changes are held back from the snapshot. Requires: no other one is on. One that
   * is never started has to be run to its end before anything changes.
   */
  start(): void {
    this.isOn = true;
    this.keyspace.snapshot = this;
    for (const walked of this.walked) {
      this.byDatabase.set(walked.database, walked);
      walked.database.snapshotCursor = 0;
    }
  }

  /** Ends it, complete or not: changes need not be held back any more. */
  stop(): void {
    this.isOver = true;
    for (const walked of this.walked) this.leave(walked);
    this.pending.length = 0;
    this.half = null;
    if (this.isOn) this.keyspace.snapshot = null;
    this.isOn = false;
  }

  /**
   * Goes on until the deadline, until the encoder's bytes wait, or until about `keysMax` more keys
   * are written. True when the snapshot is over: complete, or with a `failure`.
   */
  run(deadlineUs: number, keysMax = Infinity): boolean {
    const { clock, encoder } = this;
    const keysLimit = this.keysDone + keysMax;
    try {
      while (!this.isOver && encoder.flush() && this.keysDone < keysLimit) {
        this.step();
        if (clock.monotonicUs() >= deadlineUs) break;
      }
    } catch (error) {
      this.fail(error);
    }
    return this.isOver;
  }

  /** A key with this hash is about to change, vanish or appear. Keeps what `find` found. */
  preserve(database: Database, hash: number): void {
    const walked = this.byDatabase.get(database);
    if (walked === undefined) return;
    try {
      if (this.pending.length > 0 && walked === this.current) {
        this.completeHash(hash);
        // The walk may have gone on by that, and left the key behind.
        if (hash >>> 0 < database.snapshotCursor) return;
      }
      if (!walked.passedOver.add(hash)) return;
      if (!this.hasBegun) this.begin();
      const { sameHash } = this;
      database.index.collectHash(hash, sameHash);
      for (let i = 0; i < sameHash.length; i++) {
        this.preservedBytes += this.encoder.preserve(walked.id, sameHash.entries[i]);
        this.preservedKeys++;
        this.keysDone++;
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** All keys of a database are about to go. */
  cleared(database: Database): void {
    if (this.byDatabase.has(database)) this.onClear(this, database);
  }

  /** Leaves out what has not been reached of a database. */
  drop(database: Database): void {
    const walked = this.byDatabase.get(database);
    if (walked === undefined) return;
    if (walked === this.current && this.half !== null) this.completeHash(this.pending[0].hash);
    this.leave(walked);
  }

  /** Nothing more is to be read of a database. */
  private leave(walked: Walked): void {
    this.walked = this.walked.filter((other) => other !== walked);
    if (walked === this.current) {
      this.pending.length = 0;
      this.current = null;
    }
    if (!this.isOn) return;
    walked.database.snapshotCursor = NOT_WALKED;
    this.byDatabase.delete(walked.database);
  }

  private fail(error: unknown): void {
    this.failure = error instanceof Error ? error : new Error(String(error));
    this.stop();
  }

  private begin(): void {
    this.hasBegun = true;
    this.encoder.begin();
  }

  /** The next piece: a bucket, some of a huge value, or the end. */
  private step(): void {
    if (!this.hasBegun) {
      this.begin();
      return;
    }
    if (this.pending.length > 0) {
      this.stepValue();
      return;
    }
    if (this.current === null && !this.enterDatabase()) {
      this.encoder.end();
      this.encoder.flush();
      this.stop();
      return;
    }
    this.walkBucket(this.current as Walked);
  }

  private enterDatabase(): boolean {
    const next = this.walked[0];
    if (next === undefined) return false;
    const { index, volatile } = next.database;
    this.current = next;
    this.cursor = 0;
    // What has changed since the start makes these hints no worse than hints.
    this.encoder.database(next.id, index.size, volatile.size);
    return true;
  }

  private walkBucket(walked: Walked): void {
    const { batch, encoder, pending } = this;
    const { passedOver } = walked;
    const next = walked.database.index.collect(this.cursor, batch);
    let kept = 0;
    for (let i = 0; i < batch.length; i++) {
      const hash = batch.hashes[i];
      if (passedOver.size > 0 && passedOver.has(hash)) continue;
      batch.entries[kept] = batch.entries[i];
      batch.hashes[kept++] = hash;
    }
    this.bucketEnd = next;
    for (let i = 0; i < kept; i++) {
      const record = batch.entries[i];
      if (pending.length > 0) {
        // Nothing may be written while a value is half written: all others of the bucket wait.
        pending.push({ record, hash: batch.hashes[i] });
        continue;
      }
      this.half = encoder.key(walked.id, record);
      if (this.half === null) this.keysDone++;
      else pending.push({ record, hash: batch.hashes[i] });
    }
    if (pending.length === 0) {
      this.leaveBucket();
      return;
    }
    for (let i = 0; i < kept; i++) passedOver.add(batch.hashes[i]);
  }

  private leaveBucket(): void {
    const walked = this.current as Walked;
    this.cursor = this.bucketEnd;
    walked.passedOver.forgetBelow(this.cursor);
    if (this.cursor === 0) this.leave(walked);
    else if (this.isOn) walked.database.snapshotCursor = this.cursor;
  }

  /** Some more of the value at hand. */
  private stepValue(): void {
    const { pending } = this;
    if (this.half === null) {
      this.half = this.encoder.key((this.current as Walked).id, pending[0].record);
    } else if (this.half.next().done === true) this.half = null;
    if (this.half !== null) return;
    this.completed();
    pending.shift();
    if (pending.length === 0) this.leaveBucket();
  }

  /** Writes what is pending of the keys with this hash. */
  private completeHash(hash: number): void {
    const { pending, encoder } = this;
    const walked = this.current as Walked;
    for (let i = 0; i < pending.length; i++) {
      if (pending[i].hash !== hash) continue;
      if (i === 0 && this.half !== null) {
        while (this.half.next().done !== true);
        this.half = null;
        this.completed();
      } else {
        this.preservedBytes += encoder.preserve(walked.id, pending[i].record);
        this.preservedKeys++;
        this.keysDone++;
      }
      pending.splice(i--, 1);
    }
    // The position moves on with the next step: whoever changes the key still needs the old one.
    if (pending.length === 0) this.leaveBucket();
  }

  private completed(): void {
    this.keysDone++;
    this.encoder.completed();
  }
}

function throwOnClear(): void {
  throw new Error("a database was cleared under a snapshot that does not expect it");
}
