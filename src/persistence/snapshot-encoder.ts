/**
 * Writes a snapshot as an RDB file:
 *
 *     "REDIS" and four digits of the version | auxiliary fields | functions
 *     per key    SELECTDB where the database changes, its expiry, its idle time or frequency,
 *                the type of its value, its name, its value
 *     EOF        the checksum behind it is the sink's
 *
 * Bytes collect in a writer's spans (rdb-writer.ts) and are passed on to an output when there are
 * enough. Keys that are handed over while a value is half written go to a second writer, whose
 * bytes follow that value. Each writer has structures of its own, since either may stop in the
 * middle of a value. O(bytes).
 */
import { bytesFromAscii, latin1FromBytes } from "../base/ascii.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { Meta, expireAtExact, keyLength, keyStart, metaOf, viewOf } from "../keyspace/record.ts";
import type { SnapshotEncoder, ValueSteps } from "../keyspace/snapshot.ts";
import { RdbEncoder } from "./rdb-encode.ts";
import { RdbOpcode } from "./rdb-format.ts";
import { ownStructures } from "./rdb-structures.ts";
import { RdbWriter } from "./rdb-writer.ts";

/** Bytes that are passed on at once, and those that may wait before the walk has to. */
const FLUSH_BYTES = 256 * 1024;
const WAITING_BYTES_MAX = 1024 * 1024;
/** The version that brought the expiry of fields, the one that brought functions, and the usual. */
const VERSION_FIELD_EXPIRY = 12;
const VERSION_FUNCTIONS = 10;
const VERSION_USUAL = 11;

/** Where the bytes of a snapshot go. */
export interface SnapshotOutput {
  /** Takes bytes[start, end), or as many of them as there is room for, and returns how many. */
  take(bytes: Uint8Array, start: number, end: number): number;
}

export interface SnapshotFormat {
  /** Of the RDB format; 0 = the oldest that holds the data. */
  readonly version: number;
  /** rdbcompression */
  readonly compresses: boolean;
  /** Which access clock is written, as the eviction policy asks for. */
  readonly clock: "none" | "idle" | "frequency";
  /** Names and values, in their order: what the file says about itself. */
  readonly auxiliary: readonly (readonly [string, string])[];
  /** The code of the libraries of functions, one character per byte. */
  readonly functions: readonly string[];
}

/** A key that the version of the format cannot hold. */
export class UnsupportedByVersion extends Error {}

interface Target {
  readonly writer: RdbWriter;
  readonly encoder: RdbEncoder;
}

export class RdbSnapshotEncoder implements SnapshotEncoder {
  readonly version: number;

  private readonly main: Target;
  /** For what is handed over while a value is half written; made when it is needed. */
  private aside: Target | null = null;
  private isMidValue = false;
  /** The database that the last key was of; -1 = none. */
  private selected = -1;
  /** Bytes of the main writer that the output has taken. */
  private taken = 0;
  private hasEnded = false;

  constructor(
    private readonly keyspace: Keyspace,
    private readonly format: SnapshotFormat,
    private readonly output: SnapshotOutput,
  ) {
    const expires = keyspace.databases.some(({ expiringFields }) => expiringFields.size > 0);
    const oldest = expires ? VERSION_FIELD_EXPIRY : VERSION_USUAL;
    this.version = format.version === 0 ? oldest : format.version;
    this.main = this.newTarget();
  }

  begin(): void {
    const { main, format, version } = this;
    const { writer } = main;
    writeText(writer, `REDIS${String(version).padStart(4, "0")}`);
    for (const [name, value] of format.auxiliary) {
      writer.byte(RdbOpcode.AUX);
      writeString(writer, bytesFromAscii(name));
      writeString(writer, bytesFromAscii(value));
    }
    if (format.functions.length > 0 && version < VERSION_FUNCTIONS) {
      throw new UnsupportedByVersion(`RDB version ${version} cannot hold functions`);
    }
    for (const library of format.functions) {
      writer.byte(RdbOpcode.FUNCTION_2);
      writeString(writer, bytesFromAscii(library));
    }
  }

  database(database: number, keys: number, expires: number): void {
    const { writer } = this.main;
    this.select(writer, database);
    writer.byte(RdbOpcode.RESIZE_DB);
    writer.size(keys);
    writer.size(expires);
  }

  key(database: number, record: number): ValueSteps | null {
    const steps = this.write(this.main, database, record);
    this.isMidValue = steps !== null;
    return steps;
  }

  preserve(database: number, record: number): number {
    const target = this.isMidValue ? (this.aside ??= this.newTarget()) : this.main;
    const { writer } = target;
    const from = writer.length;
    const steps = this.write(target, database, record);
    if (steps !== null) while (steps.next().done !== true);
    return writer.length - from;
  }

  completed(): void {
    this.isMidValue = false;
    const { aside } = this;
    if (aside === null || aside.writer.length === 0) return;
    const { writer } = this.main;
    writer.endSpan();
    aside.writer.endSpan();
    writer.raw(aside.writer.bytes, 0, aside.writer.length);
    writer.startSpan();
    aside.writer.clear();
    aside.writer.startSpan();
  }

  end(): void {
    this.main.writer.byte(RdbOpcode.END);
    this.main.writer.endSpan();
    this.hasEnded = true;
  }

  flush(): boolean {
    const { writer } = this.main;
    if (!this.hasEnded) {
      if (writer.length - this.taken < FLUSH_BYTES) return true;
      // A string's text that is written in pieces has no open span.
      if (writer.hasSpans) {
        writer.endSpan();
        this.pass();
        writer.startSpan();
      } else this.pass();
    } else this.pass();
    return writer.length - this.taken < WAITING_BYTES_MAX;
  }

  /** Whether bytes wait that the output had no room for. */
  get hasWaitingBytes(): boolean {
    return this.taken < this.main.writer.length;
  }

  private pass(): void {
    const { writer } = this.main;
    this.taken += this.output.take(writer.bytes, this.taken, writer.length);
    if (this.taken < writer.length) {
      // What has been taken makes room once it is the larger part.
      if (this.taken * 2 < writer.length) return;
      writer.drop(this.taken);
    } else writer.clear();
    this.taken = 0;
  }

  private newTarget(): Target {
    const writer = new RdbWriter();
    writer.compresses = this.format.compresses;
    writer.startSpan();
    const structures = ownStructures(this.keyspace);
    const { version } = this;
    const encoder = new RdbEncoder(structures, writer, version, version >= VERSION_FIELD_EXPIRY);
    return { writer, encoder };
  }

  private select(writer: RdbWriter, database: number): void {
    if (this.selected === database) return;
    this.selected = database;
    writer.byte(RdbOpcode.SELECT_DB);
    writer.size(database);
  }

  private write({ writer, encoder }: Target, database: number, record: number): ValueSteps | null {
    const { keyspace, format } = this;
    const { arena } = keyspace;
    const meta = metaOf(arena, record);
    const view = viewOf(arena, record);
    if ((meta & Meta.FIELD_EXPIRY) !== 0 && this.version < VERSION_FIELD_EXPIRY) {
      throw this.unsupported(database, record);
    }
    this.select(writer, database);
    if ((meta & Meta.EXPIRY) !== 0) {
      const atMs = expireAtExact(view, record);
      writer.byte(RdbOpcode.EXPIRE_MS);
      writer.int64(Number(atMs >> 32n), Number(BigInt.asIntN(32, atMs)));
    }
    if (format.clock === "idle") {
      writer.byte(RdbOpcode.IDLE);
      writer.size(keyspace.idleSeconds(record));
    } else if (format.clock === "frequency") {
      writer.byte(RdbOpcode.FREQUENCY);
      writer.byte(keyspace.usesLfu ? keyspace.frequency(record) : 0);
    }
    writer.byte(encoder.typeByte(record));
    const start = keyStart(view, record);
    encoder.text(view, start, start + keyLength(view, record));
    return encoder.body(record);
  }

  private unsupported(database: number, record: number): Error {
    const { arena } = this.keyspace;
    const view = viewOf(arena, record);
    const start = keyStart(view, record);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + start, keyLength(view, record));
    return new UnsupportedByVersion(
      `RDB version ${this.version} cannot hold the expiring fields of the hash ` +
        `'${latin1FromBytes(bytes, 0, bytes.length)}' in database ${database}`,
    );
  }
}

function writeText(writer: RdbWriter, text: string): void {
  const bytes = bytesFromAscii(text);
  writer.raw(bytes, 0, bytes.length);
}

function writeString(writer: RdbWriter, bytes: Uint8Array): void {
  writer.string(bytes, 0, bytes.length);
}
