// HOT PATH: rules in src/README.md
/**
 * Loads runs of string keys from the window of a reader: what most files consist of, without the
 * generality of RdbFileParser and RdbDecoder.
 *
 * Up to BATCH keys are parsed first, their memory in the index touched in one loop, and then they are
 * inserted: cache misses overlap so, as in a pipeline of requests. Whatever is out of the ordinary
 * (another type, an access clock, an incomplete or corrupt record, a key that exists) ends the run
 * before it, and is left to the parser, which knows what to do and what to say.
 *
 * O(bytes of the keys and values).
 */
import { writeInteger } from "../base/integer.ts";
import { lzfDecompress } from "../base/lzf.ts";
import type { Database } from "../keyspace/database.ts";
import { Meta, StringEncoding, valueAt, viewOf } from "../keyspace/record.ts";
import { storedBytes, writePrefix } from "../memory/stored-bytes.ts";
import { copyBytes } from "../base/bytes.ts";
import { RdbLength, RdbOpcode, RdbString, RdbType } from "./rdb-format.ts";
import { SCRATCH_BYTES, type RdbReader } from "./rdb-reader.ts";

const TWO_32 = 4294967296;
const BATCH = 16;
/** Opcode, expiry, type and length of the key fit in that, and the longest integer. */
const HEADER_BYTES_MAX = 32;
/** Longer compressed keys and values of a batch do not fit behind the window. */
const INFLATED_BYTES_MAX = SCRATCH_BYTES / BATCH / 2;

export class RdbStringLoader {
  /** Keys that were added, and that were dropped because they have expired. */
  loaded = 0;
  expired = 0;

  /** Per key of a batch: where record, key and value begin and end. */
  private readonly recordAt = new Int32Array(BATCH);
  private readonly keyAt = new Int32Array(BATCH);
  private readonly keyEnd = new Int32Array(BATCH);
  private readonly valueAt = new Int32Array(BATCH);
  private readonly valueEnd = new Int32Array(BATCH);
  private readonly hashes = new Int32Array(BATCH);
  /** Unix ms, or NaN for a key that does not expire. */
  private readonly expireAt = new Float64Array(BATCH);
  /** Where the next text goes that does not lie in the window. */
  private scratchAt = 0;
  /** Of the string that `parseString` has read: its text, and what follows it. */
  private textAt = 0;
  private textEnd = 0;
  private at = 0;

  constructor(
    private readonly reader: RdbReader,
    /** Keys that expire before are dropped. */
    private readonly dropsBeforeMs: number,
  ) {}

  /** Loads string keys into `db`, at most `keysMax`, while they lie in the window. Grows the arena. */
  load(db: Database, keysMax: number): void {
    if (this.reader.failure !== null) return;
    for (let left = keysMax; left > 0;) {
      const count = this.parse(Math.min(left, BATCH));
      if (count === 0 || !this.insert(db, count) || count < BATCH) return;
      left -= count;
    }
  }

  /** Reads up to `max` keys ahead; returns how many. */
  private parse(max: number): number {
    const { reader } = this;
    const { bytes, view, end } = reader;
    let at = reader.at;
    let count = 0;
    this.scratchAt = reader.capacity;
    for (; count < max && end - at >= HEADER_BYTES_MAX; count++) {
      let expireAt = NaN;
      let next = at;
      if (bytes[next] === RdbOpcode.EXPIRE_MS) {
        const high = view.getInt32(next + 5, true);
        // What is no time that a double holds is left to the parser.
        if (high < 0 || high >= 0x200000) break;
        expireAt = high * TWO_32 + view.getUint32(next + 1, true);
        next += 9;
      }
      if (bytes[next] !== RdbType.STRING || !this.parseString(next + 1, end)) break;
      this.keyAt[count] = this.textAt;
      this.keyEnd[count] = this.textEnd;
      if (!this.parseString(this.at, end)) break;
      this.valueAt[count] = this.textAt;
      this.valueEnd[count] = this.textEnd;
      this.expireAt[count] = expireAt;
      this.recordAt[count] = at;
      at = this.at;
    }
    this.at = at;
    return count;
  }

  /** Adds the keys that were read ahead; false if one of them was left, where the reader is then. */
  private insert(db: Database, count: number): boolean {
    const { reader, hashes, keyAt, keyEnd } = this;
    const { index, keyspace } = db;
    const { view } = reader;
    for (let i = 0; i < count; i++) hashes[i] = index.hash(view, keyAt[i], keyEnd[i]);
    index.prefetch(hashes, count);
    for (let i = 0; i < count; i++) {
      if (this.expireAt[i] < this.dropsBeforeMs) {
        this.expired++;
        continue;
      }
      keyspace.hashedView = view;
      keyspace.hashedStart = keyAt[i];
      keyspace.hashedHash = hashes[i];
      const existing = db.find(view, keyAt[i], keyEnd[i]);
      keyspace.hashedView = null;
      if (existing !== 0) {
        reader.at = this.recordAt[i];
        return false;
      }
      this.insertOne(db, i);
    }
    reader.at = this.at;
    return true;
  }

  private insertOne(db: Database, i: number): void {
    const { view } = this.reader;
    const { arena } = db.keyspace;
    const from = this.keyAt[i];
    const to = this.keyEnd[i];
    const length = this.valueEnd[i] - this.valueAt[i];
    const expireAt = this.expireAt[i];
    this.loaded++;
    if (expireAt !== expireAt) {
      db.insertString(view, from, to, view, this.valueAt[i], length, StringEncoding.AUTO);
      return;
    }
    const meta = StringEncoding.AUTO << Meta.ENCODING_SHIFT;
    const record = db.insertExpiringRecord(view, from, to, meta, storedBytes(length), expireAt);
    const target = viewOf(arena, record);
    const at = valueAt(target, record, meta | Meta.EXPIRY);
    copyBytes(target, writePrefix(target, at, length), view, this.valueAt[i], length);
  }

  /** Reads the string at `at`; false: it is not whole before `end`, or not ordinary. */
  private parseString(at: number, end: number): boolean {
    const { bytes } = this.reader;
    if (at + HEADER_BYTES_MAX > end) return false;
    const first = bytes[at];
    let from = at + 1;
    let length = first;
    if (first >= RdbLength.BITS_14) {
      if (first >= RdbLength.ENCODED) return this.parseEncoded(first, from, end);
      if (first >= RdbLength.BITS_32) return false;
      length = ((first & 0x3f) << 8) | bytes[from++];
    }
    this.textAt = from;
    this.textEnd = this.at = from + length;
    return this.at <= end;
  }

  private parseEncoded(first: number, from: number, end: number): boolean {
    const { view } = this.reader;
    switch (first) {
      case RdbString.INT8:
        this.at = from + 1;
        return this.takeInteger(view.getInt8(from));
      case RdbString.INT16:
        this.at = from + 2;
        return this.takeInteger(view.getInt16(from, true));
      case RdbString.INT32:
        this.at = from + 4;
        return this.takeInteger(view.getInt32(from, true));
      case RdbString.LZF:
        return this.parseCompressed(from, end);
      default:
        return false;
    }
  }

  private takeInteger(value: number): boolean {
    this.textAt = this.scratchAt;
    this.textEnd = this.scratchAt = writeInteger(this.reader.bytes, this.scratchAt, value);
    return true;
  }

  private parseCompressed(at: number, end: number): boolean {
    const { bytes } = this.reader;
    let from = at;
    let packed = bytes[from++];
    if (packed >= RdbLength.BITS_14) {
      if (packed >= RdbLength.BITS_32) return false;
      packed = ((packed & 0x3f) << 8) | bytes[from++];
    }
    let length = bytes[from++];
    if (length >= RdbLength.BITS_14) {
      if (length >= RdbLength.BITS_32) return false;
      length = ((length & 0x3f) << 8) | bytes[from++];
    }
    const to = this.scratchAt;
    if (length > INFLATED_BYTES_MAX || from + packed > end) return false;
    if (lzfDecompress(bytes, from, from + packed, bytes, to, to + length) !== length) return false;
    this.at = from + packed;
    this.textAt = to;
    this.textEnd = this.scratchAt = to + length;
    return true;
  }
}
