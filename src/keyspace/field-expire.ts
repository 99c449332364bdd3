/**
 * Active expiry of the fields of hashes, beside that of keys (expire.ts).
 *
 * A cycle walks the index of hashes with expiring fields a slice at a time, and in each hash the
 * table of its expiring fields, by cursors that stay with the database and with the hash: nothing
 * is started anew. As with keys, it goes on while more than a tenth of what it looks at is stale,
 * and time remains. A hash that loses its last field is deleted.
 */
import type { Clock } from "../base/clock.ts";
import type { Database } from "./database.ts";
import type { Keyspace } from "./keyspace.ts";
import { NotifyClass } from "./notify.ts";
import { RecordList } from "./record-list.ts";
import { encodingOf, keyLength, keyStart, metaOf, rootOf, viewOf } from "./record.ts";

/** Hashes looked at between two looks at the clock, and fields of each. */
const SLICE_HASHES = 20;
const SLICE_FIELDS = 20;
/** Buckets per slice: walking empty ones is cheap, but not free. */
const SLICE_BUCKETS = 200;
/** A hash or a database is worth another slice while one in STALE of what was seen is stale. */
const STALE = 10;

export class FieldExpiry {
  private readonly found = new RecordList();
  private sampled = 0;
  private expired = 0;

  constructor(
    private readonly keyspace: Keyspace,
    private readonly clock: Clock,
  ) {}

  /** One cycle through all databases of at most about `budgetUs`. Returns whether that was too little. */
  run(budgetUs: number): boolean {
    const { keyspace, clock } = this;
    if (!keyspace.mayExpire) return false;
    const deadlineUs = clock.monotonicUs() + budgetUs;
    for (const database of keyspace.databases) {
      do {
        this.sampled = 0;
        this.expired = 0;
        this.expireSlice(database, deadlineUs);
      } while (
        this.expired * STALE > this.sampled &&
        database.fieldExpireCursor !== 0 &&
        clock.monotonicUs() < deadlineUs
      );
      if (this.expired * STALE > this.sampled && clock.monotonicUs() >= deadlineUs) return true;
    }
    return false;
  }

  private expireSlice(database: Database, deadlineUs: number): void {
    const { found } = this;
    const { expiringFields } = database;
    if (expiringFields.size === 0) return;
    found.length = 0;
    for (let buckets = SLICE_BUCKETS; buckets > 0 && found.length < SLICE_HASHES; buckets--) {
      database.fieldExpireCursor = expiringFields.scan(database.fieldExpireCursor, found.push);
      if (database.fieldExpireCursor === 0) break;
    }
    for (let i = 0; i < found.length; i++) {
      this.expireFields(database, found.records[i], deadlineUs);
    }
  }

  /** Removes stale fields of one hash, and the hash if none is left. */
  private expireFields(database: Database, record: number, deadlineUs: number): void {
    const { keyspace, clock } = this;
    const { arena, hashes } = keyspace;
    const view = viewOf(arena, record);
    const start = keyStart(view, record);
    const end = start + keyLength(view, record);
    const meta = metaOf(arena, record);
    database.findRecord(record);
    database.willChange();
    hashes.attach(rootOf(view, record, meta), encodingOf(meta));
    let removed = 0;
    for (let goesOn = true; goesOn && hashes.hasExpiries;) {
      const count = hashes.removeExpired(SLICE_FIELDS, (fields, from, to) => {
        keyspace.onFieldVanished(database.id, view, start, end, fields, from, to);
      });
      removed += count;
      this.sampled += hashes.sampledCount;
      this.expired += count;
      goesOn =
        count * STALE > hashes.sampledCount &&
        !hashes.roundIsOver &&
        clock.monotonicUs() < deadlineUs;
    }
    if (removed === 0) return;
    keyspace.expiredFields += removed;
    database.setFieldExpiry(record, hashes.hasExpiries);
    database.signal(view, start, end);
    database.notify(NotifyClass.HASH, "hexpired", view, start, end);
    if (hashes.length > 0) return;
    database.detachFound(record);
    database.notify(NotifyClass.GENERIC, "del", view, start, end);
    keyspace.freeRecord(record);
  }
}
