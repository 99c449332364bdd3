/**
 * Active expiry: removes keys whose time has come although nobody asks for them.
 *
 * A cycle walks the volatile index of each database by its cursor, a slice of a few dozen keys at
 * a time, and stays with a database for as long as more than a tenth of a slice was stale. So the
 * share of dead keys in memory stays about a tenth, at a cost that follows the need:
 *
 *     slow cycle   hz times a second, for at most a quarter of the time, in slices of 3 ms with
 *                  requests between them (server/cron.ts)
 *     fast cycle   between two batches of requests, for at most a millisecond: only while the
 *                  last slow cycle ran out of time, or many keys are estimated to be stale
 *
 * "active-expire-effort" 1..10 makes slices and budgets larger and tolerates fewer stale keys. The
 * rules and numbers are those of Redis, "How Redis expires keys", and so are the statistics.
 *
 * Why a cursor and not a heap by time: a heap costs memory per key and work per EXPIRE; the cursor
 * costs nothing until keys die.
 */
import type { Clock } from "../base/clock.ts";
import type { Database } from "./database.ts";
import { FieldExpiry } from "./field-expire.ts";
import type { Keyspace } from "./keyspace.ts";
import { RecordList } from "./record-list.ts";

/** Keys per slice, and what each effort above 1 adds. */
const SLICE_KEYS = 20;
const SLICE_KEYS_PER_EFFORT = 5;
/** Buckets per slice and key of it: walking empty ones is cheap, but not free. */
const BUCKETS_PER_KEY = 10;
/** Share of the time that slow cycles may take, in percent. */
const SLOW_PERCENT = 25;
const SLOW_PERCENT_PER_EFFORT = 2;
const FAST_US = 1000;
const FAST_US_PER_EFFORT = 250;
/** Stale keys of a slice, in percent, above which the database is worth another slice. */
const STALE_PERCENT = 10;
/** Databases per slow cycle, unless the last one ran out of time. */
const DATABASES_PER_CYCLE = 16;
/** Weights of one slice in the mean time to live, and of one cycle in the share of stale keys. */
const TTL_WEIGHT = 0.02;
const STALE_WEIGHT = 0.05;

/** Microseconds that a slow cycle may take. */
export function slowExpireBudgetUs(effort: number, hz: number): number {
  return Math.max(1, ((SLOW_PERCENT + SLOW_PERCENT_PER_EFFORT * (effort - 1)) * 10000) / hz);
}

export class ActiveExpiry {
  /** active-expire-effort. */
  effort = 1;
  /** Share of the volatile keys that is estimated to be stale, 0..1: expired_stale_perc. */
  staleShare = 0;
  /** Cycles that ran out of time: expired_time_cap_reached_count. */
  timeCapReached = 0;
  /** Microseconds spent: expire_cycle_cpu_milliseconds. */
  spentUs = 0;

  private readonly fields: FieldExpiry;
  /** What is left of the time of the slow cycle at hand. */
  private slowLeftUs = 0;
  private nextDatabase = 0;
  private ranOutOfTime = false;
  private lastFastUs = -Infinity;
  private readonly found = new RecordList();
  /** Of the current cycle. */
  private sampled = 0;
  private expired = 0;

  constructor(
    private readonly keyspace: Keyspace,
    private readonly clock: Clock,
  ) {
    this.fields = new FieldExpiry(keyspace, clock);
  }

  /** A whole slow cycle at once. Returns the number of keys removed. */
  runSlow(budgetUs: number): number {
    this.beginSlow(budgetUs);
    return this.continueSlow(Infinity);
  }

  /** Begins a slow cycle of at most `budgetUs`. */
  beginSlow(budgetUs: number): void {
    this.slowLeftUs = budgetUs;
  }

  /** Whether the slow cycle has time and work left. */
  get isInSlowCycle(): boolean {
    return this.slowLeftUs > 0;
  }

  /**
   * At most `sliceUs` of the slow cycle, and then for fields what the keys leave of that, but a
   * quarter at least. Returns the number of keys removed.
   */
  continueSlow(sliceUs: number): number {
    const { clock, keyspace } = this;
    const { length } = keyspace.databases;
    const startUs = clock.monotonicUs();
    const budgetUs = Math.min(sliceUs, this.slowLeftUs);
    const limit = this.ranOutOfTime ? length : DATABASES_PER_CYCLE;
    const removed = this.run(budgetUs, Math.min(length, limit));
    const restUs = budgetUs - (clock.monotonicUs() - startUs);
    const fieldsRanOut = this.fields.run(Math.max(restUs, budgetUs / 4));
    this.slowLeftUs = this.ranOutOfTime || fieldsRanOut ? this.slowLeftUs - budgetUs : 0;
    if (this.ranOutOfTime && this.slowLeftUs <= 0) this.timeCapReached++;
    return removed;
  }

  /** Whether there is reason for a fast cycle. */
  get isBehind(): boolean {
    return this.ranOutOfTime || this.staleShare * 100 >= STALE_PERCENT - (this.effort - 1);
  }

  /** One fast cycle, if there is reason for it. Returns the number of keys removed. */
  runFast(): number {
    if (!this.isBehind) return 0;
    const budgetUs = FAST_US + FAST_US_PER_EFFORT * (this.effort - 1);
    const nowUs = this.clock.monotonicUs();
    if (nowUs < this.lastFastUs + budgetUs * 2) return 0;
    this.lastFastUs = nowUs;
    const { length } = this.keyspace.databases;
    const limit = this.ranOutOfTime ? length : DATABASES_PER_CYCLE;
    const removed = this.run(budgetUs, Math.min(length, limit));
    if (this.ranOutOfTime) this.timeCapReached++;
    return removed;
  }

  /** CONFIG RESETSTAT. */
  resetStats(): void {
    this.staleShare = 0;
    this.timeCapReached = 0;
    this.spentUs = 0;
  }

  private run(budgetUs: number, databasesMax: number): number {
    const { databases, mayExpire } = this.keyspace;
    if (!mayExpire) return 0;
    const startUs = this.clock.monotonicUs();
    const deadlineUs = startUs + budgetUs;
    let visited = 0;
    this.ranOutOfTime = false;
    this.sampled = 0;
    this.expired = 0;
    for (let i = 0; i < databases.length && visited < databasesMax && !this.ranOutOfTime; i++) {
      // The next cycle begins with the next database even if time runs out in this one.
      const database = databases[this.nextDatabase++ % databases.length];
      if (database.volatile.size === 0) {
        database.averageTtlMs = 0;
        continue;
      }
      visited++;
      this.expireDatabase(database, deadlineUs);
    }
    this.nextDatabase %= databases.length;
    this.spentUs += this.clock.monotonicUs() - startUs;
    const share = this.sampled === 0 ? 0 : this.expired / this.sampled;
    this.staleShare += (share - this.staleShare) * STALE_WEIGHT;
    return this.expired;
  }

  /** Slices of one database until it is clean enough, walked through, or the time is up. */
  private expireDatabase(database: Database, deadlineUs: number): void {
    const sliceKeys = SLICE_KEYS + SLICE_KEYS_PER_EFFORT * (this.effort - 1);
    const staleMax = STALE_PERCENT - (this.effort - 1);
    for (;;) {
      const sampledBefore = this.sampled;
      const expiredBefore = this.expired;
      this.expireSlice(database, Math.min(sliceKeys, database.volatile.size));
      if (database.volatile.size === 0) database.expireCursor = 0;
      if (database.expireCursor === 0) return;
      const sampled = this.sampled - sampledBefore;
      const stale = this.expired - expiredBefore;
      if (sampled > 0 && Math.floor((stale * 100) / sampled) <= staleMax) return;
      if (this.clock.monotonicUs() > deadlineUs) {
        this.ranOutOfTime = true;
        return;
      }
    }
  }

  /** Walks on from the cursor until `keys` keys were looked at, or a round is complete. */
  private expireSlice(database: Database, keys: number): void {
    const { keyspace, found } = this;
    const sampledTo = this.sampled + keys;
    let ttlSum = 0;
    let ttlCount = 0;
    for (let buckets = keys * BUCKETS_PER_KEY; buckets > 0; buckets--) {
      found.length = 0;
      database.expireCursor = database.volatile.scan(database.expireCursor, found.push);
      this.sampled += found.length;
      for (let i = 0; i < found.length; i++) {
        const record = found.records[i];
        if (database.isDue(record)) {
          database.findRecord(record);
          keyspace.expireRecord(database, record);
          this.expired++;
          continue;
        }
        ttlSum += database.expireAtMs(record) - keyspace.nowMs;
        ttlCount++;
      }
      if (database.expireCursor === 0 || this.sampled >= sampledTo) break;
    }
    if (ttlCount === 0) return;
    const ttl = ttlSum / ttlCount;
    if (database.averageTtlMs === 0) database.averageTtlMs = ttl;
    else database.averageTtlMs += (ttl - database.averageTtlMs) * TTL_WEIGHT;
  }
}
