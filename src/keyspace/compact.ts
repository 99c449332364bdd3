/**
 * Incremental compaction of the arena: what Redis calls active defragmentation.
 *
 * Deleting keys at random leaves spans with few live blocks, which no other size class can use. A
 * pass visits every block that the keyspace owns and moves those of sparse spans into fuller ones,
 * so that the sparse ones become free pages:
 *
 *     pass     choose spans to empty | databases 0, 1, ... by cursor | give empty spans back
 *     visit    the segments of both indexes, each record, and what hangs below its root; a huge
 *              value is left for after its bucket, and visited in steps, found anew by its key
 *
 * A pass is cut into runs of "active-defrag-cycle-us", between which requests are served; cursors
 * are positions in hash order, so changes in between are harmless. A pass begins when more than
 * "active-defrag-ignore-bytes" and "active-defrag-threshold-lower" percent of the live bytes are
 * wasted; the share of time it gets grows from "active-defrag-cycle-min" to "-cycle-max" percent
 * up to "-threshold-upper", and does not shrink within a pass (as in Valkey 8.1).
 *
 * A pass that gained little is not repeated until there is clearly more waste than it left behind:
 * what remains then is rounding, which no moving removes.
 *
 * O(keys) per pass; a run is O(its budget).
 */
import { copyBytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { Arena } from "../memory/arena.ts";
import type { Database } from "./database.ts";
import type { Keyspace } from "./keyspace.ts";
import { RecordList } from "./record-list.ts";
import {
  Meta,
  encodingOf,
  keyLength,
  keyStart,
  metaOf,
  recordBytes,
  rootOf,
  setRoot,
  typeOf,
  viewOf,
} from "./record.ts";
import { VALUE_TYPES } from "./value-types.ts";

/** Buckets walked between two looks at the clock. */
const BUCKETS_PER_CLOCK_READ = 4;
/** Values of more blocks are compacted in steps. */
const HUGE_BLOCKS = 512;
/** A pass gained much if it removed a fraction 1 / GAIN of the waste. */
const GAIN = 8;

export interface CompactionSettings {
  /** activedefrag */
  readonly enabled: boolean;
  /** active-defrag-ignore-bytes */
  readonly ignoreBytes: number;
  /** active-defrag-threshold-lower and -upper: wasted bytes in percent of the live ones. */
  readonly thresholdLower: number;
  readonly thresholdUpper: number;
  /** active-defrag-cycle-min and -max: percent of the time. */
  readonly cycleMin: number;
  readonly cycleMax: number;
  /** active-defrag-cycle-us: how long a run may take. */
  readonly cycleUs: number;
}

/** A huge value, and where its compaction goes on. */
interface HugeValue {
  readonly database: Database;
  readonly key: DataView;
  cursor: number;
}

export class Compactor {
  /** Share of the time that compaction takes, in percent; 0 = no pass: active_defrag_running. */
  cpuPercent = 0;
  /** Blocks moved, and looked at but left: active_defrag_hits and _misses. */
  hits = 0;
  misses = 0;
  /** Keys of which a block was moved, and others: active_defrag_key_hits and _misses. */
  keyHits = 0;
  keyMisses = 0;

  private settings: CompactionSettings | null = null;
  private database = 0;
  private cursor = 0;
  private readonly found = new RecordList();
  private readonly huge: HugeValue[] = [];
  private wasteAtStart = 0;
  /** Waste left by a pass that gained little; 0 after one that gained much. */
  private wasteAtRest = 0;
  private passSinceUs = 0;
  private passedUs = 0;

  constructor(
    private readonly keyspace: Keyspace,
    private readonly clock: Clock,
  ) {}

  configure(settings: CompactionSettings): void {
    this.settings = settings;
    if (!settings.enabled) this.endPass();
    // Within a pass the share of time only grows, unless it is configured.
    else if (this.cpuPercent > 0) this.cpuPercent = 1;
  }

  /** Bytes that spans hold beyond the live blocks in them. */
  wasteBytes(): number {
    const { arena } = this.keyspace;
    return arena.spanBytes - arena.liveBytes;
  }

  /** Decides whether a pass begins, and how much time it may take. To be called by the cron. */
  pace(): void {
    const { settings } = this;
    if (settings === null || !settings.enabled) return;
    const waste = this.wasteBytes();
    const percent = (waste * 100) / Math.max(1, this.keyspace.arena.liveBytes);
    if (this.cpuPercent === 0) {
      if (percent < settings.thresholdLower || waste < settings.ignoreBytes) return;
      if (waste * GAIN < this.wasteAtRest * (GAIN + 1)) return;
      this.beginPass(waste);
    }
    const range = Math.max(1, settings.thresholdUpper - settings.thresholdLower);
    const share = Math.min(1, Math.max(0, (percent - settings.thresholdLower) / range));
    const wanted = settings.cycleMin + share * (settings.cycleMax - settings.cycleMin);
    this.cpuPercent = Math.max(this.cpuPercent, Math.round(wanted), 1);
  }

  /** Milliseconds to wait after a run, so that compaction takes `cpuPercent` of the time. */
  pauseMs(): number {
    const { settings, cpuPercent } = this;
    if (settings === null || cpuPercent === 0) return 0;
    return (settings.cycleUs * (100 - cpuPercent)) / (cpuPercent * 1000);
  }

  /** One run of the pass that is going on. Returns false when the pass is over, or there is none. */
  run(): boolean {
    const { settings, keyspace } = this;
    if (settings === null || this.cpuPercent === 0) return false;
    if (keyspace.snapshot !== null && keyspace.snapshot.isMidValue) return true;
    const deadlineUs = this.clock.monotonicUs() + settings.cycleUs;
    while (this.database < keyspace.databases.length || this.huge.length > 0) {
      if (this.huge.length > 0) {
        this.compactHuge(this.huge[0]);
        if (this.clock.monotonicUs() >= deadlineUs) return true;
        continue;
      }
      const database = keyspace.databases[this.database];
      for (let buckets = 0; buckets < BUCKETS_PER_CLOCK_READ; buckets++) {
        this.cursor = this.compactBucket(database, this.cursor);
        if (this.cursor === 0) this.database++;
        if (this.cursor === 0 || this.huge.length > 0) break;
      }
      if (this.clock.monotonicUs() >= deadlineUs && this.database < keyspace.databases.length) {
        return true;
      }
    }
    this.finishPass();
    return false;
  }

  /** How long the current pass has been going on: current_active_defrag_time. */
  currentPassUs(): number {
    return this.cpuPercent === 0 ? 0 : this.clock.monotonicUs() - this.passSinceUs;
  }

  /** The same, of all passes: total_active_defrag_time. */
  totalPassUs(): number {
    return this.passedUs + this.currentPassUs();
  }

  /** CONFIG RESETSTAT. */
  resetStats(): void {
    this.hits = 0;
    this.misses = 0;
    this.keyHits = 0;
    this.keyMisses = 0;
    this.passedUs = 0;
    this.passSinceUs = this.clock.monotonicUs();
  }

  private beginPass(waste: number): void {
    this.wasteAtStart = waste;
    this.database = 0;
    this.cursor = 0;
    this.cpuPercent = 1;
    this.passSinceUs = this.clock.monotonicUs();
    this.keyspace.arena.planDraining();
  }

  private finishPass(): void {
    this.keyspace.arena.trim();
    const waste = this.wasteBytes();
    this.wasteAtRest = waste * GAIN > this.wasteAtStart * (GAIN - 1) ? waste : 0;
    this.endPass();
  }

  private endPass(): void {
    this.passedUs += this.currentPassUs();
    this.cpuPercent = 0;
    this.huge.length = 0;
  }

  /** Moves what is worth moving at `cursor`, and returns the next position. */
  private compactBucket(database: Database, cursor: number): number {
    const { found } = this;
    if (database.index.compactSegment(cursor)) this.hits++;
    if (database.volatile.compactSegment(cursor)) this.hits++;
    if (database.expiringFields.compactSegment(cursor)) this.hits++;
    found.length = 0;
    const next = database.index.scan(cursor, found.push);
    for (let i = 0; i < found.length; i++) {
      const hitsBefore = this.hits;
      this.compactRecord(database, found.records[i]);
      if (this.hits > hitsBefore) this.keyHits++;
      else this.keyMisses++;
    }
    return next;
  }

  /** One step of a huge value: of what its key names now. */
  private compactHuge(value: HugeValue): void {
    const { arena } = this.keyspace;
    const record = value.database.find(value.key, 0, value.key.byteLength);
    const meta = record === 0 ? 0 : metaOf(arena, record);
    value.cursor =
      (meta & Meta.ROOT) === 0
        ? 0
        : (VALUE_TYPES[typeOf(meta)].steps?.compact?.(
            arena,
            rootOf(viewOf(arena, record), record, meta),
            encodingOf(meta),
            value.cursor,
          ) ?? 0);
    if (value.cursor === 0) this.huge.shift();
  }

  private compactRecord(database: Database, record: number): void {
    const { arena } = this.keyspace;
    const view = viewOf(arena, record);
    const meta = metaOf(arena, record);
    if ((meta & Meta.ROOT) !== 0) {
      const root = rootOf(view, record, meta);
      const { steps, compact } = VALUE_TYPES[typeOf(meta)];
      const blocks = steps?.compact === undefined ? 0 : steps.blocks(arena, root, encodingOf(meta));
      const moved = blocks > HUGE_BLOCKS ? root : compact(arena, root, encodingOf(meta));
      if (blocks > HUGE_BLOCKS) this.huge.push({ database, key: keyOf(arena, record), cursor: 0 });
      if (moved === root) this.misses++;
      else {
        this.hits++;
        setRoot(view, record, meta, moved);
      }
    }
    if (!arena.isSparse(record, recordBytes(view, record, meta))) {
      this.misses++;
      return;
    }
    database.findRecord(record);
    database.compactFound(record);
    this.hits++;
  }
}

/** A copy of a record's key. */
function keyOf(arena: Arena, record: number): DataView {
  const view = viewOf(arena, record);
  const length = keyLength(view, record);
  const key = new DataView(new ArrayBuffer(length));
  copyBytes(key, 0, view, keyStart(view, record), length);
  return key;
}
