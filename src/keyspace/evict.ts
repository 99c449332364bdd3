/**
 * Eviction: removes keys while the server uses more memory than maxmemory.
 *
 *     noeviction        nothing; commands that need memory are refused
 *     allkeys-random    any key             volatile-random   any key that expires
 *     allkeys-lru       idle for longest    volatile-lru      the same among keys that expire
 *     allkeys-lfu       used least often    volatile-lfu      the same among keys that expire
 *                                           volatile-ttl      what expires soonest
 *
 * LRU, LFU and TTL are approximate, as in Redis: each round takes `samples` random keys of every
 * database into a pool of the 16 best candidates seen so far, and evicts the best one that is
 * still there. The pool lives from call to call, which is what makes five samples good enough.
 *
 *     pool     order[0..count)   slots, worst candidate first; order[count..] are the free slots
 *     slot     score             idle seconds, 255 - frequency, or minus the expiry
 *              database          number of its database
 *              key, keyBytes     a copy of its key
 *
 * A candidate is named by its key, as its record may move or vanish before its turn; a candidate
 * that is gone is skipped. Nothing here allocates, except for keys longer than any seen before.
 *
 * A run ends after the time that "maxmemory-eviction-tenacity" grants; then `isBehind` asks the
 * owner to run it again soon, and commands are let through meanwhile. O(samples * databases) a key.
 * Source: Redis's documentation, "Key eviction".
 */
import { copyBytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { Prng } from "../base/prng.ts";
import type { HashIndex } from "../structures/hash-index.ts";
import type { Database } from "./database.ts";
import type { Keyspace } from "./keyspace.ts";
import { Meta, keyLength, keyStart, metaOf, viewOf } from "./record.ts";

const POOL_SIZE = 16;
/** Bytes that a slot's copy of a key has room for at first. */
const KEY_BYTES_AT_FIRST = 255;
/** The clock is read once per so many evictions. */
const KEYS_PER_CLOCK_READ = 16;
/** Random places looked at per sample wanted, in an index that may be nearly empty. */
const TRIES_PER_SAMPLE = 16;
const LFU_COUNTER_MAX = 255;
const LINEAR_TENACITY_MAX = 10;
const TENACITY_US = 50;
const TENACITY_GROWTH = 1.15;

const enum Score {
  NONE = 0,
  RANDOM = 1,
  LRU = 2,
  LFU = 3,
  TTL = 4,
}

const SCORES: Readonly<Record<string, Score>> = {
  random: Score.RANDOM,
  lru: Score.LRU,
  lfu: Score.LFU,
  ttl: Score.TTL,
};

/** Microseconds that a run may take: up to 0.5 ms for 0..10, then 15 % more each; 100: no limit. */
function timeLimitUs(tenacity: number): number {
  if (tenacity <= LINEAR_TENACITY_MAX) return TENACITY_US * tenacity;
  if (tenacity >= 100) return Infinity;
  return Math.floor(
    TENACITY_US * LINEAR_TENACITY_MAX * TENACITY_GROWTH ** (tenacity - LINEAR_TENACITY_MAX),
  );
}

export class Evictor {
  /** True after a run that ended for lack of time: there is more to evict. */
  isBehind = false;

  private score: Score = Score.NONE;
  private volatileOnly = false;
  private samples = 5;
  private limitUs = timeLimitUs(LINEAR_TENACITY_MAX);
  private nextDatabase = 0;

  private count = 0;
  private readonly order = new Uint8Array(POOL_SIZE);
  private readonly scores = new Float64Array(POOL_SIZE);
  private readonly databases = new Int32Array(POOL_SIZE);
  private readonly keyBytes = new Int32Array(POOL_SIZE);
  private readonly keys: DataView[] = [];

  /** When memory began to exceed maxmemory, in monotonic µs; -1 while it fits. */
  private exceededSinceUs = -1;
  private exceededUs = 0;

  constructor(
    private readonly keyspace: Keyspace,
    private readonly clock: Clock,
    private readonly prng: Prng,
  ) {
    for (let slot = 0; slot < POOL_SIZE; slot++) {
      this.order[slot] = slot;
      this.keys.push(new DataView(new ArrayBuffer(KEY_BYTES_AT_FIRST)));
    }
  }

  /** Takes over maxmemory-policy, maxmemory-samples and maxmemory-eviction-tenacity. */
  configure(policy: string, samples: number, tenacity: number): void {
    const [keys, order] = policy.split("-");
    this.score = SCORES[order] ?? Score.NONE;
    this.volatileOnly = keys === "volatile";
    this.samples = samples;
    this.limitUs = timeLimitUs(tenacity);
    // Scores of different policies do not compare.
    this.count = 0;
  }

  /**
   * Evicts until `usedBytes` is at most `limit`. False if that is impossible: no key is left that
   * the policy may take. True also when only the time is up, see `isBehind`.
   */
  evictUntilFits(usedBytes: () => number, limit: number): boolean {
    const fits = this.evict(usedBytes, limit);
    if (fits && !this.isBehind) {
      if (this.exceededSinceUs >= 0) this.exceededUs += this.currentExceededUs();
      this.exceededSinceUs = -1;
    } else if (this.exceededSinceUs < 0) this.exceededSinceUs = this.clock.monotonicUs();
    return fits;
  }

  /** How long memory has exceeded maxmemory now: current_eviction_exceeded_time. */
  currentExceededUs(): number {
    return this.exceededSinceUs < 0 ? 0 : this.clock.monotonicUs() - this.exceededSinceUs;
  }

  /** The same, of all times: total_eviction_exceeded_time. */
  totalExceededUs(): number {
    return this.exceededUs + this.currentExceededUs();
  }

  /** CONFIG RESETSTAT. */
  resetStats(): void {
    this.exceededUs = 0;
    if (this.exceededSinceUs >= 0) this.exceededSinceUs = this.clock.monotonicUs();
  }

  private evict(usedBytes: () => number, limit: number): boolean {
    this.isBehind = false;
    if (usedBytes() <= limit) return true;
    const { lazyFree } = this.keyspace;
    // What is about to be freed anyway first, so that no key has to go in its place.
    if (lazyFree.pendingCount > 0) {
      this.isBehind = lazyFree.run(this.limitUs);
      if (this.isBehind || usedBytes() <= limit) return true;
    }
    if (this.score === Score.NONE || this.keyspace.isImporting) return false;
    // Where keys may not vanish by themselves, memory is somebody else's concern.
    if (!this.keyspace.mayExpire) return true;
    const startUs = this.clock.monotonicUs();
    for (let evicted = 1; ; evicted++) {
      if (!this.evictOne()) return false;
      if (usedBytes() <= limit) return true;
      if (evicted % KEYS_PER_CLOCK_READ !== 0) continue;
      if (this.clock.monotonicUs() - startUs > this.limitUs) {
        this.isBehind = true;
        return true;
      }
    }
  }

  /** Evicts the best candidate; false if there is no key to evict. */
  private evictOne(): boolean {
    if (this.score === Score.RANDOM) return this.evictRandom();
    for (;;) {
      if (!this.fillPool()) return false;
      while (this.count > 0) {
        const slot = this.order[--this.count];
        const database = this.keyspace.databases[this.databases[slot]];
        const record = database.find(this.keys[slot], 0, this.keyBytes[slot]);
        if (record === 0) continue;
        const isVolatile = (metaOf(this.keyspace.arena, record) & Meta.EXPIRY) !== 0;
        if (this.volatileOnly && !isVolatile) continue;
        this.keyspace.evictRecord(database, record);
        return true;
      }
    }
  }

  /** Evicts any key, from each database in turn. */
  private evictRandom(): boolean {
    const { databases } = this.keyspace;
    for (let i = 0; i < databases.length; i++) {
      this.nextDatabase = (this.nextDatabase + 1) % databases.length;
      const database = databases[this.nextDatabase];
      const index = this.indexOf(database);
      if (index.size === 0) continue;
      let record = 0;
      while (record === 0) record = this.randomEntry(index);
      database.findRecord(record);
      this.keyspace.evictRecord(database, record);
      return true;
    }
    return false;
  }

  /** Samples every database that has keys to evict; false if none has. */
  private fillPool(): boolean {
    const { databases } = this.keyspace;
    let keyCount = 0;
    for (let number = 0; number < databases.length; number++) {
      const index = this.indexOf(databases[number]);
      if (index.size === 0) continue;
      keyCount += index.size;
      let wanted = Math.min(this.samples, index.size);
      for (let tries = wanted * TRIES_PER_SAMPLE; tries > 0 && wanted > 0; tries--) {
        const record = this.randomEntry(index);
        if (record === 0) continue;
        wanted--;
        this.offer(record, number);
      }
    }
    return keyCount > 0;
  }

  private indexOf(database: Database): HashIndex {
    return this.volatileOnly ? database.volatile : database.index;
  }

  private randomEntry(index: HashIndex): number {
    return index.entryAtRandom(this.prng.nextUint32(), this.prng.nextUint32());
  }

  /** Takes a record into the pool if it is a better candidate than the worst one there. */
  private offer(record: number, database: number): void {
    const { order, scores } = this;
    const score = this.scoreOf(record, database);
    let at = 0;
    while (at < this.count && scores[order[at]] < score) at++;
    let slot: number;
    if (this.count < POOL_SIZE) {
      slot = order[this.count];
      order.copyWithin(at + 1, at, this.count);
      this.count++;
    } else {
      if (at === 0) return;
      slot = order[0];
      order.copyWithin(0, 1, at);
      at--;
    }
    order[at] = slot;
    scores[slot] = score;
    this.databases[slot] = database;
    this.keepKey(slot, record);
  }

  private keepKey(slot: number, record: number): void {
    const view = viewOf(this.keyspace.arena, record);
    const length = keyLength(view, record);
    if (length > this.keys[slot].byteLength) {
      this.keys[slot] = new DataView(new ArrayBuffer(length));
    }
    copyBytes(this.keys[slot], 0, view, keyStart(view, record), length);
    this.keyBytes[slot] = length;
  }

  /** How good a candidate the record is: higher is better. */
  private scoreOf(record: number, database: number): number {
    const { keyspace } = this;
    if (this.score === Score.LRU) return keyspace.idleSeconds(record);
    if (this.score === Score.LFU && keyspace.usesLfu) {
      return LFU_COUNTER_MAX - keyspace.frequency(record);
    }
    return -keyspace.databases[database].expireAtMs(record);
  }
}
