// HOT PATH: rules in src/README.md
/**
 * All databases of an engine, and what they share: the arena, the clock of the moment, the access
 * clock of LRU and LFU, the counters, and the hooks through which the layers above hear of changes.
 *
 * Time: `nowMs` is set once per batch of requests, so every command of a batch sees one instant
 * (as in Redis), and reading it costs nothing.
 *
 * LRU keeps the low 24 bits of the unix time in seconds in a record; LFU, 16 bits of minutes and
 * an 8-bit counter that grows logarithmically and decays with time, as Redis does.
 */
import type { Clock } from "../base/clock.ts";
import type { Prng } from "../base/prng.ts";
import { Arena } from "../memory/arena.ts";
import { HashLimits, Hashes } from "../types/hash.ts";
import { SetLimits, Sets } from "../types/set.ts";
import { Lists } from "../types/list.ts";
import { StreamGroups } from "../types/stream-group.ts";
import { Streams } from "../types/stream.ts";
import { SortedSets, ZsetLimits } from "../types/zset.ts";
import { ZsetRange } from "../types/zset-range.ts";
import { Compactor } from "./compact.ts";
import { Database } from "./database.ts";
import { Evictor } from "./evict.ts";
import { ActiveExpiry } from "./expire.ts";
import {
  type LfuSettings,
  freshLfuClock,
  lfuClock,
  lfuCounter,
  touchedLfuClock,
} from "./access-clock.ts";
import { LazyFree } from "./lazy-free.ts";
import type { Snapshot } from "./snapshot.ts";
import { NotifyClass } from "./notify.ts";
import {
  Meta,
  keyLength,
  keyStart,
  encodingOf,
  metaOf,
  recordBytes,
  rootOf,
  setMeta,
  typeOf,
  viewOf,
} from "./record.ts";
import { VALUE_TYPES } from "./value-types.ts";

/** What the layers above do when the keyspace changes; each is a no-op until it is set. */
export interface KeyspaceHooks {
  /** A keyspace event of a class in `notifyFlags`. The bytes are valid during the call only. */
  onEvent(
    eventClass: NotifyClass,
    event: string,
    database: number,
    view: DataView,
    start: number,
    end: number,
  ): void;
  /** A key was changed; called only while `watchesKeys` is set. */
  onModified(database: number, view: DataView, start: number, end: number): void;
  /**
   * All keys of a database are about to vanish, or, unless `by` is -1, to give way to those of
   * database `by`. Called only while `watchesKeys` is set, while the keys are still there.
   */
  onReplaced(database: number, by: number): void;
  /** A key vanished by itself: replicas and the AOF must hear of it as a deletion. */
  onVanished(database: number, view: DataView, start: number, end: number, evicted: boolean): void;
  /** The same of a field of a hash. */
  onFieldVanished(
    database: number,
    view: DataView,
    start: number,
    end: number,
    fieldView: DataView,
    fieldStart: number,
    fieldEnd: number,
  ): void;
}

/** Why keys may not vanish by themselves. */
export const enum ExpiryHold {
  /** CLIENT PAUSE. */
  PAUSE = 1,
  /** import-mode: whoever brings the data says what goes. */
  IMPORT = 2,
}

export class Keyspace {
  readonly arena = new Arena();
  readonly hashKey0: number;
  readonly hashKey1: number;
  databases: Database[] = [];
  /** What keeps the data in bounds; the owner says when each runs. */
  readonly expiry: ActiveExpiry;
  readonly evictor: Evictor;
  readonly compactor: Compactor;
  /** Where values go that take long to free. */
  readonly lazyFree: LazyFree;
  /** What commands on hashes work with, and when hashes are small. */
  readonly hashes: Hashes;
  readonly hashLimits = new HashLimits();
  /**
   * What commands on sets work with: the set itself, another one that it is compared with, and one
   * that is being made; and when sets are small.
   */
  readonly sets: Sets;
  readonly otherSets: Sets;
  readonly newSets: Sets;
  readonly setLimits = new SetLimits();
  /** What commands on lists work with. */
  readonly lists = new Lists(this.arena);
  /** What commands on streams and their consumer groups work with. */
  readonly streams = new Streams(this.arena);
  readonly streamGroups = new StreamGroups(this.arena);
  /** The same for sorted sets; `otherZsets` is for one that is walked while `zsets` is looked into. */
  readonly zsets: SortedSets;
  readonly otherZsets: SortedSets;
  readonly newZsets: SortedSets;
  readonly zsetRange = new ZsetRange();
  readonly zsetLimits = new ZsetLimits();
  /**
   * The code of function libraries, one character per byte, as files brought it. Nobody runs it; it
   * is kept so that the next file has it again.
   */
  readonly functions: string[] = [];

  /** The snapshot for which changes are held back. */
  snapshot: Snapshot | null = null;

  /** Unix ms of the current batch. */
  nowMs = 0;
  /** Changes since the last save, as INFO's rdb_changes_since_last_save counts them. */
  dirty = 0;
  hits = 0;
  misses = 0;
  expiredKeys = 0;
  /** Fields of hashes that expired. */
  expiredFields = 0;
  evictedKeys = 0;

  /** False while the server must not remove expired keys by itself: while anything holds expiry. */
  mayExpire = true;
  private expiryHolds = 0;
  /** With `mayExpire` false: whether lookups treat expired keys as missing all the same. */
  hidesExpired = true;
  /** The longest string that a command may make: proto-max-bulk-len. */
  stringBytesMax = 512 * 1024 * 1024;
  /** Above this a HyperLogLog becomes dense: hll-sparse-max-bytes. */
  sparseHllBytesMax = 3000;
  /** The classes of events that someone asked for; 0 keeps notification free. */
  notifyFlags = 0;
  /** True while a client watches keys (WATCH) or tracks them. */
  watchesKeys = false;
  /** Set while a client with CLIENT NO-TOUCH runs a command. */
  noTouch = false;

  /**
   * The key that was hashed ahead of its request: where it begins, in which view. No view = none.
   * Requires: cleared before the bytes under the view change.
   */
  hashedView: DataView | null = null;
  hashedStart = 0;
  hashedHash = 0;

  private accessClock = 0;
  private lfu: LfuSettings | null = null;

  constructor(
    databaseCount: number,
    readonly clock: Clock,
    readonly prng: Prng,
    private readonly hooks: KeyspaceHooks,
  ) {
    this.hashKey0 = prng.nextUint32() | 0;
    this.hashKey1 = prng.nextUint32() | 0;
    this.hashes = new Hashes(this.arena, this.hashLimits, this.hashKey0, this.hashKey1);
    this.sets = new Sets(this.arena, this.setLimits, this.hashKey0, this.hashKey1);
    this.otherSets = new Sets(this.arena, this.setLimits, this.hashKey0, this.hashKey1);
    this.newSets = new Sets(this.arena, this.setLimits, this.hashKey0, this.hashKey1);
    this.zsets = new SortedSets(this.arena, this.zsetLimits, this.hashKey0, this.hashKey1);
    this.otherZsets = new SortedSets(this.arena, this.zsetLimits, this.hashKey0, this.hashKey1);
    this.newZsets = new SortedSets(this.arena, this.zsetLimits, this.hashKey0, this.hashKey1);
    for (let id = 0; id < databaseCount; id++) this.databases.push(new Database(id, this));
    this.lazyFree = new LazyFree(this.arena, clock);
    this.expiry = new ActiveExpiry(this, clock);
    this.evictor = new Evictor(this, clock, prng);
    this.compactor = new Compactor(this, clock);
    this.tick();
  }

  /** Reads the clock: called once per batch of requests, and by the cron. */
  tick(): void {
    this.nowMs = this.clock.nowMs();
    // Where expired keys are shown, as while a log of changes is read, so are fields.
    this.hashes.nowMs = this.mayExpire || this.hidesExpired ? this.nowMs : 0;
    this.accessClock = Math.floor(this.nowMs / 1000) & Meta.CLOCK_MASK;
  }

  /** Begins or ends one reason for keys not to vanish by themselves. */
  holdExpiry(reason: ExpiryHold, on: boolean): void {
    this.expiryHolds = on ? this.expiryHolds | reason : this.expiryHolds & ~reason;
    this.mayExpire = this.expiryHolds === 0;
  }

  /** import-mode is on. */
  get isImporting(): boolean {
    return (this.expiryHolds & ExpiryHold.IMPORT) !== 0;
  }

  /** Chooses between LRU (null) and LFU access clocks. */
  setLfu(settings: LfuSettings | null): void {
    this.lfu = settings;
  }

  get usesLfu(): boolean {
    return this.lfu !== null;
  }

  /** Notes an access in the record's meta word. */
  touch(record: number, meta: number): void {
    if (this.noTouch) return;
    const clock =
      this.lfu === null
        ? this.accessClock
        : touchedLfuClock(meta & Meta.CLOCK_MASK, this.nowMs, this.lfu, this.prng);
    if ((meta & Meta.CLOCK_MASK) !== clock) {
      setMeta(this.arena, record, (meta & ~Meta.CLOCK_MASK) | clock);
    }
  }

  /** The access clock of a new record. */
  freshClock(): number {
    return this.lfu === null ? this.accessClock : freshLfuClock(this.nowMs);
  }

  /** Seconds since the record was used, by its LRU clock. */
  idleSeconds(record: number): number {
    const used = metaOf(this.arena, record) & Meta.CLOCK_MASK;
    return (this.accessClock - used) & Meta.CLOCK_MASK;
  }

  /** Lets the record look unused for so long; no effect with LFU clocks. */
  setIdleSeconds(record: number, seconds: number): void {
    if (this.lfu === null) this.setClock(record, (this.accessClock - seconds) & Meta.CLOCK_MASK);
  }

  /** Sets the record's LFU counter, 0..255; no effect with LRU clocks. */
  setFrequency(record: number, counter: number): void {
    if (this.lfu !== null) this.setClock(record, lfuClock(this.nowMs, counter));
  }

  private setClock(record: number, clock: number): void {
    setMeta(this.arena, record, (metaOf(this.arena, record) & ~Meta.CLOCK_MASK) | clock);
  }

  /** The record's LFU counter, 0..255, after the decay that is due. Requires: usesLfu. */
  frequency(record: number): number {
    const clock = metaOf(this.arena, record) & Meta.CLOCK_MASK;
    return lfuCounter(clock, this.nowMs, this.lfu as LfuSettings);
  }

  onEvent(
    eventClass: NotifyClass,
    event: string,
    database: number,
    view: DataView,
    start: number,
    end: number,
  ): void {
    this.hooks.onEvent(eventClass, event, database, view, start, end);
  }

  onModified(database: number, view: DataView, start: number, end: number): void {
    this.hooks.onModified(database, view, start, end);
  }

  /** A field of the hash of a key expired: replicas and the AOF must hear of it. */
  onFieldVanished(
    database: number,
    view: DataView,
    start: number,
    end: number,
    fieldView: DataView,
    fieldStart: number,
    fieldEnd: number,
  ): void {
    this.hooks.onFieldVanished(database, view, start, end, fieldView, fieldStart, fieldEnd);
  }

  /** Removes the key looked up last in `database`, because its time has come. */
  expireRecord(database: Database, record: number): void {
    const view = viewOf(this.arena, record);
    const start = keyStart(view, record);
    const end = start + keyLength(view, record);
    this.expiredKeys++;
    this.hooks.onVanished(database.id, view, start, end, false);
    database.detachFound(record);
    database.notify(NotifyClass.EXPIRED, "expired", view, start, end);
    database.signal(view, start, end);
    this.freeRecord(record);
  }

  /** Removes the key looked up last in `database`, because memory is short. */
  evictRecord(database: Database, record: number): void {
    const view = viewOf(this.arena, record);
    const start = keyStart(view, record);
    const end = start + keyLength(view, record);
    this.evictedKeys++;
    this.hooks.onVanished(database.id, view, start, end, true);
    database.detachFound(record);
    database.signal(view, start, end);
    database.notify(NotifyClass.EVICTED, "evicted", view, start, end);
    const meta = metaOf(this.arena, record);
    // At once, however long it takes: memory is short, and else more keys would be evicted.
    if ((meta & Meta.ROOT) !== 0) {
      VALUE_TYPES[typeOf(meta)].free(this.arena, rootOf(view, record, meta), encodingOf(meta));
    }
    this.freeRecordBlock(record);
  }

  /** Frees a record that no index names any more, and its value: that later, if it is huge. */
  freeRecord(record: number): void {
    const view = viewOf(this.arena, record);
    const meta = metaOf(this.arena, record);
    if ((meta & Meta.ROOT) !== 0) {
      this.lazyFree.release(typeOf(meta), rootOf(view, record, meta), encodingOf(meta));
    }
    this.arena.free(record, recordBytes(view, record, meta));
  }

  /** Frees a record that no index names any more, but not the root of its value. */
  freeRecordBlock(record: number): void {
    const view = viewOf(this.arena, record);
    this.arena.free(record, recordBytes(view, record, metaOf(this.arena, record)));
  }

  /**
   * Removes every key of a database and returns how many there were. O(keys), but not before this
   * returns if `lazily`.
   */
  clearDatabase(database: Database, lazily: boolean): number {
    if (this.watchesKeys) this.hooks.onReplaced(database.id, -1);
    const count = database.index.size;
    if (this.snapshot !== null) this.snapshot.cleared(database);
    if (count === 0) return 0;
    // The last database with keys takes the whole arena with it, however much it holds.
    if (count === this.keyCount()) {
      database.forget();
      this.lazyFree.forget();
      this.arena.reset();
      if (lazily) this.lazyFree.freedCount += count;
    } else if (lazily) database.clearLazily();
    else database.clear();
    return count;
  }

  /** Removes every key of all databases and returns how many there were. O(databases). */
  clearAll(lazily: boolean): number {
    let count = 0;
    for (const database of this.databases) {
      if (this.watchesKeys) this.hooks.onReplaced(database.id, -1);
      if (this.snapshot !== null) this.snapshot.cleared(database);
      count += database.index.size;
    }
    if (count === 0) return 0;
    for (const database of this.databases) database.forget();
    this.lazyFree.forget();
    this.arena.reset();
    if (lazily) this.lazyFree.freedCount += count;
    return count;
  }

  /** CONFIG RESETSTAT. */
  resetStats(): void {
    this.hits = 0;
    this.misses = 0;
    this.expiredKeys = 0;
    this.expiredFields = 0;
    this.evictedKeys = 0;
    this.expiry.resetStats();
    this.evictor.resetStats();
    this.compactor.resetStats();
    this.lazyFree.freedCount = 0;
  }

  /** Keys of all databases. */
  keyCount(): number {
    let count = 0;
    for (const database of this.databases) count += database.index.size;
    return count;
  }

  /** Exchanges the contents of two databases. O(1). */
  swap(a: number, b: number): void {
    if (a === b) return;
    if (this.watchesKeys) {
      this.hooks.onReplaced(a, b);
      this.hooks.onReplaced(b, a);
    }
    const first = this.databases[a];
    this.databases[a] = this.databases[b];
    this.databases[b] = first;
    this.databases[a].id = a;
    this.databases[b].id = b;
  }
}
