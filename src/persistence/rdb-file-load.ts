/**
 * Loads an RDB file into a keyspace: at once (`loadRdb`), or step by step, between which the server
 * can do other things.
 *
 * What the file says about itself goes to the log in Redis's words. A failure leaves what was loaded
 * until then; whoever loads decides what becomes of it. Keys that have expired are read and dropped,
 * unless they are to stay as they are (the base of an append-only file, a replica's copy).
 *
 * O(bytes of the file); a step ends after a key, so a huge value is one step.
 */
import { latin1FromBytes } from "../base/ascii.ts";
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { Meta, StringEncoding, ValueType, setRoot, viewOf } from "../keyspace/record.ts";
import { storedBytes, writePrefix } from "../memory/stored-bytes.ts";
import { copyBytes } from "../base/bytes.ts";
import { valueAt } from "../keyspace/record.ts";
import { RdbDecoder } from "./rdb-decode.ts";
import { RdbChecksum, RdbFileParser, RdbItem } from "./rdb-file-parser.ts";
import { RdbOpcode } from "./rdb-format.ts";
import { RdbReader, type RdbSource } from "./rdb-reader.ts";
import { RdbStringLoader } from "./rdb-file-strings.ts";

/** The value of a record with a root block: the block's reference. */
const ROOT_BYTES = 4;
/** What a key takes in a file, value included, if room is to be made for it beforehand. */
const KEY_BYTES = 8;
/** Empty keys that are named in the log. */
const EMPTY_KEYS_LOGGED = 10;
const SHORT = "Short read or OOM loading DB. Unrecoverable error, aborting now.";
const REPLICATION_ID_CHARACTERS = 40;

/** Where the loader says what it finds. */
export interface RdbLoadLog {
  debug(message: string): void;
  notice(message: string): void;
  warning(message: string): void;
}

export interface RdbLoadOptions {
  readonly log: RdbLoadLog;
  /** Whether the checksum is compared: rdbchecksum, unless DEBUG says to skip it. */
  readonly checksChecksum: boolean;
  /** rdb-version-check relaxed: versions that are newer than this server's are tried. */
  readonly takesNewerVersions: boolean;
  /** Whether keys that have expired are dropped: not from an append-only file's base. */
  readonly dropsExpired: boolean;
  /** Whether a key that is there already is replaced; else it is a failure (DEBUG RELOAD). */
  readonly replacesKeys: boolean;
  /** Where the code of function libraries goes, one character per byte: `keyspace.functions`. */
  readonly functions: string[];
}

/** What a file said about its place in a replication history. */
export interface RdbReplication {
  id: string;
  offset: number;
  database: number;
}

export interface RdbLoadResult {
  /** Why the file could not be loaded, or null. It has been logged. */
  readonly failure: string | null;
  readonly keysLoaded: number;
  readonly keysExpired: number;
  /** Bytes from the beginning of the source to the end of the file, where an append-only file's
   * commands begin; after a failure, to where it is. */
  readonly endOffset: number;
}

/** Loads a whole file. Grows the arena. */
export function loadRdb(
  source: RdbSource,
  keyspace: Keyspace,
  options: RdbLoadOptions,
): RdbLoadResult {
  const loader = new RdbLoader(source, keyspace, options);
  while (!loader.step(Infinity, Infinity, Infinity));
  return loader;
}

export class RdbLoader implements RdbLoadResult {
  failure: string | null = null;
  /** Whether it failed because it is no RDB file, or of a version that is not read. */
  isForeign = false;
  /** Whether it failed because it is damaged, or cut off. */
  isDamaged = false;
  emptyKeysSkipped = 0;
  endOffset = 0;
  /** Bytes of memory that the server used which wrote the file; 0 = not said. */
  usedMemoryBytes = 0;
  /** Complete once all three have been read. */
  readonly replication: RdbReplication = { id: "", offset: -1, database: -1 };
  /** Bytes of the source, as far as they are known. */
  readonly totalBytes: number;

  private readonly reader = new RdbReader();
  private readonly parser = new RdbFileParser(this.reader);
  private readonly decoder: RdbDecoder;
  private readonly strings: RdbStringLoader;
  private readonly startedMs: number;
  private db: Database;
  /** Keys besides those of `strings`. */
  private loaded = 0;
  private expired = 0;
  private hasBegun = false;
  private isDone = false;

  constructor(
    source: RdbSource,
    private readonly keyspace: Keyspace,
    private readonly options: RdbLoadOptions,
  ) {
    this.totalBytes = source.remaining;
    this.decoder = new RdbDecoder(keyspace, this.reader);
    this.decoder.refusesEmpty = false;
    this.startedMs = keyspace.clock.nowMs();
    if (options.dropsExpired) this.decoder.dropsExpiredBeforeMs = this.startedMs;
    this.db = keyspace.databases[0];
    const dropsBeforeMs = options.dropsExpired ? this.startedMs : -Infinity;
    this.strings = new RdbStringLoader(this.reader, dropsBeforeMs);
    this.reader.beginSource(source, options.checksChecksum);
  }

  get keysLoaded(): number {
    return this.loaded + this.strings.loaded;
  }

  get keysExpired(): number {
    return this.expired + this.strings.expired;
  }

  /** Keys that were read, whatever became of them. */
  get keysRead(): number {
    return this.keysLoaded + this.keysExpired + this.emptyKeysSkipped;
  }

  /** Bytes that have been read. */
  get loadedBytes(): number {
    return this.isDone ? this.endOffset : this.reader.offset;
  }

  /**
   * Loads until the monotonic clock has passed `untilUs`, or so many bytes or keys more are read.
   * True at the end of the file, or after a failure. Grows the arena.
   */
  step(untilUs: number, bytesMax: number, keysMax: number): boolean {
    const { keyspace } = this;
    const { clock, notifyFlags } = keyspace;
    const untilOffset = this.reader.offset + bytesMax;
    const keysEnd = this.keysRead + keysMax;
    // Loaded keys are not news to anybody.
    keyspace.notifyFlags = 0;
    keyspace.tick();
    do {
      this.strings.load(this.db, keysEnd - this.keysRead);
      if (this.keysRead < keysEnd) this.advance();
    } while (
      !this.isDone &&
      this.keysRead < keysEnd &&
      this.reader.offset < untilOffset &&
      (untilUs === Infinity || clock.monotonicUs() < untilUs)
    );
    keyspace.notifyFlags = notifyFlags;
    return this.isDone;
  }

  /** Reads the next item and does what it says. */
  private advance(): void {
    const { parser, reader } = this;
    if (!this.hasBegun) {
      this.hasBegun = true;
      if (parser.begin(this.options.takesNewerVersions)) return;
      if (reader.isShort) this.failReading();
      else {
        this.isForeign = true;
        this.fail(reader.failure ?? "");
      }
      return;
    }
    switch (parser.next()) {
      case RdbItem.KEY:
        this.loadKey();
        break;
      case RdbItem.AUX:
        this.takeAux();
        break;
      case RdbItem.DATABASE:
        this.selectDatabase(parser.database);
        break;
      case RdbItem.FUNCTION:
        this.takeFunction();
        break;
      case RdbItem.MODULE_AUX:
        this.fail(
          `The RDB file contains AUX module data I can't load: no matching module '${parser.moduleName}'`,
        );
        break;
      case RdbItem.END:
        this.finish();
        break;
      case RdbItem.SIZES:
        this.makeRoom();
        break;
      case RdbItem.FAILED:
    }
    if (reader.failure !== null && !this.isDone) this.failReading();
  }

  /** Prepares the indexes for as many keys as are announced, and can follow. */
  private makeRoom(): void {
    const { db, parser, reader } = this;
    const keysMax = reader.remaining === Infinity ? 0 : reader.remaining / KEY_BYTES;
    db.index.expect(Math.min(parser.keyCount, keysMax));
    db.volatile.expect(Math.min(parser.expiringCount, keysMax));
  }

  private selectDatabase(number: number): void {
    const { databases } = this.keyspace;
    if (number < databases.length) {
      this.db = databases[number];
      return;
    }
    this.fail(
      "FATAL: Data file was created with a Bunsen server configured to handle more than " +
        `${databases.length} databases. Exiting`,
    );
  }

  private loadKey(): void {
    const { parser, decoder, reader } = this;
    if (parser.typeByte === RdbOpcode.MODULE_PRE_GA) {
      reader.fail("Pre-release module format not supported");
      return;
    }
    if (parser.typeByte === RdbOpcode.MODULE_2) {
      parser.readModuleId();
      this.fail(
        `The RDB file contains module data I can't load: no matching module type '${parser.moduleName}'`,
      );
      return;
    }
    if (!decoder.decode(parser.valueType)) {
      if (reader.failure !== null) return;
      if (decoder.isExpired) this.expired++;
      else this.skipEmpty();
      return;
    }
    const { expireAt } = parser;
    if (this.options.dropsExpired && expireAt !== null && expireAt < this.startedMs) {
      decoder.free();
      this.expired++;
      return;
    }
    this.insertDecoded(expireAt);
  }

  /** Adds the key at hand with the value at hand. */
  private insertDecoded(expireAt: number | bigint | null): void {
    const { db, decoder, keyspace } = this;
    const { key, idleSeconds, frequency } = this.parser;
    const { view, start, end } = key;
    const existing = db.find(view, start, end);
    if (existing !== 0) {
      if (!this.options.replacesKeys) {
        decoder.free();
        this.fail(`RDB has duplicated key '${textOf(key)}' in DB ${db.id}`);
        return;
      }
      db.removeFound(existing);
      db.find(view, start, end);
    }
    const { text, type, encoding, root } = decoder;
    const isString = type === ValueType.STRING;
    const meta = isString
      ? StringEncoding.AUTO << Meta.ENCODING_SHIFT
      : (type << Meta.TYPE_SHIFT) | (encoding << Meta.ENCODING_SHIFT) | Meta.ROOT;
    const valueBytes = isString ? storedBytes(text.length) : ROOT_BYTES;
    const record =
      expireAt === null
        ? db.insertRecord(view, start, end, meta, valueBytes)
        : db.insertExpiringRecord(view, start, end, meta, valueBytes, expireAt);
    const target = viewOf(keyspace.arena, record);
    const fullMeta = expireAt === null ? meta : meta | Meta.EXPIRY;
    if (isString) {
      const at = valueAt(target, record, fullMeta);
      copyBytes(target, writePrefix(target, at, text.length), text.view, text.start, text.length);
    } else {
      setRoot(target, record, fullMeta, root);
      if (decoder.hasFieldExpiry) {
        db.find(view, start, end);
        db.setFieldExpiry(record, true);
      }
    }
    if (frequency >= 0) keyspace.setFrequency(record, frequency);
    // The clock wraps; longer times are told modulo its range, as in Valkey.
    if (idleSeconds >= 0) keyspace.setIdleSeconds(record, idleSeconds % (Meta.CLOCK_MASK + 1));
    this.loaded++;
  }

  private skipEmpty(): void {
    if (this.emptyKeysSkipped++ >= EMPTY_KEYS_LOGGED) return;
    this.options.log.notice(`rdbLoadObject skipping empty key: ${textOf(this.parser.key)}`);
  }

  private takeFunction(): void {
    const { functions } = this.options;
    const code = textOf(this.parser.text);
    if (!functions.includes(code)) functions.push(code);
  }

  private takeAux(): void {
    const { log } = this.options;
    const name = textOf(this.parser.key);
    const value = textOf(this.parser.text);
    if (name.startsWith("%")) {
      log.notice(`RDB '${name}': ${value}`);
      return;
    }
    const number = parseInt(value, 10) || 0;
    switch (name.toLowerCase()) {
      case "redis-ver":
        log.notice(`Loading RDB produced by Redis version ${value}`);
        break;
      case "valkey-ver":
        log.notice(`Loading RDB produced by Valkey version ${value}`);
        break;
      case "bunsen-ver":
        log.notice(`Loading RDB produced by Bunsen version ${value}`);
        break;
      case "ctime":
        log.notice(`RDB age ${Math.max(0, Math.floor(this.startedMs / 1000) - number)} seconds`);
        break;
      case "used-mem":
        log.notice(`RDB memory usage when created ${(number / 1048576).toFixed(2)} Mb`);
        this.usedMemoryBytes = number;
        break;
      case "aof-preamble":
        if (number !== 0) log.notice("RDB has an AOF tail");
        break;
      case "aof-base":
        if (number !== 0) log.notice("RDB is base AOF");
        break;
      case "repl-id":
        if (value.length === REPLICATION_ID_CHARACTERS) this.replication.id = value;
        break;
      case "repl-offset":
        this.replication.offset = number;
        break;
      case "repl-stream-db":
        this.replication.database = number;
        break;
      case "slot-info":
        if (!/^\s*[-+]?\d+,\s*\d+,\s*\d+/.test(value)) this.reader.fail("Invalid slot-info");
        break;
      case "lua":
      case "redis-bits":
        break;
      default:
        log.debug(`Unrecognized RDB AUX field: '${name}'`);
    }
  }

  private finish(): void {
    const { reader, parser, options } = this;
    const { log } = options;
    const checksum = parser.checkEnd();
    if (reader.failure !== null) return;
    if (checksum === RdbChecksum.NONE) {
      log.notice("RDB file was saved with checksum disabled: no check performed.");
    } else if (checksum === RdbChecksum.BAD) {
      const { expected, found } = reader.checksumTexts();
      log.warning(`Wrong RDB checksum expected: (${expected}) but got (${found}). Aborting now.`);
      reader.fail("RDB CRC error");
      return;
    }
    const skipped = this.emptyKeysSkipped;
    const tail = skipped === 0 ? "." : `, empty keys skipped: ${skipped}.`;
    log.notice(
      `Done loading RDB, keys loaded: ${this.keysLoaded}, keys expired: ${this.keysExpired}${tail}`,
    );
    this.endOffset = reader.offset;
    this.isDone = true;
  }

  /** Ends with a failure that is no fault of the format. */
  private fail(message: string): void {
    this.failure = message;
    this.endOffset = this.reader.offset;
    this.isDone = true;
    this.options.log.warning(message);
  }

  /** Ends with the reader's failure. */
  private failReading(): void {
    const { reader } = this;
    const { log } = this.options;
    const reason = reader.isShort ? "Unexpected EOF reading RDB file" : (reader.failure ?? "");
    this.endOffset = reader.failedAt;
    this.isDamaged = true;
    this.failure = `Internal error in RDB reading offset ${reader.failedAt} -> ${reason}`;
    this.isDone = true;
    if (reader.isShort) log.warning(SHORT);
    log.warning(this.failure);
  }
}

function textOf(text: { bytes: Uint8Array; start: number; end: number }): string {
  return latin1FromBytes(text.bytes, text.start, text.end);
}
