/**
 * DUMP payloads: one value as text that another server can RESTORE.
 *
 *     value     type's byte and value, as in an RDB file
 *     u16       RDB version, little-endian
 *     u64       CRC-64 of all bytes before it
 *
 * O(bytes of the value).
 */
import { Crc64 } from "../base/crc64.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { RdbDecoder } from "./rdb-decode.ts";
import { RdbEncoder } from "./rdb-encode.ts";
import {
  HASH_2,
  RDB_FOREIGN_VERSION_MAX,
  RDB_VERSION,
  RdbType,
  REDIS_VERSION_READ,
  VALKEY_HASH_2,
  VALKEY_VERSION_READ,
} from "./rdb-format.ts";
import { RdbReader } from "./rdb-reader.ts";
import { RdbWriter } from "./rdb-writer.ts";

const FOOTER_BYTES = 10;
const CHECKSUM_BYTES = 8;

export class DumpPayloads {
  /** The payload that was encoded last. */
  readonly writer = new RdbWriter();
  /** What was decoded last. */
  readonly decoder: RdbDecoder;
  /** Whether versions are taken that are newer than this server's: rdb-version-check relaxed. */
  takesNewerVersions = false;
  /** DEBUG SET-SKIP-CHECKSUM-VALIDATION */
  skipsChecksum = false;

  private readonly reader = new RdbReader();
  private readonly encoder: RdbEncoder;

  constructor(keyspace: Keyspace) {
    this.encoder = new RdbEncoder(keyspace, this.writer, RDB_VERSION, true);
    this.decoder = new RdbDecoder(keyspace, this.reader);
  }

  /** Why the last payload was refused, for the log. */
  get failure(): string {
    return this.reader.failure ?? "";
  }

  /** Encodes the value of a record: `writer` holds the payload then. */
  encode(record: number): void {
    const { writer } = this;
    writer.clear();
    this.encoder.value(record);
    // Fields that expire came with a later version than everything else.
    const isNewer = writer.bytes[0] === Number(RdbType.HASH_METADATA);
    writer.footer(isNewer ? REDIS_VERSION_READ : RDB_VERSION);
  }

  /** Bytes that the value of a record takes in an RDB file, without its type. */
  valueBytes(record: number): number {
    this.writer.clear();
    this.encoder.value(record);
    return this.writer.length - 1;
  }

  /** Whether bytes[start, end) has a version that can be read, and the right checksum. */
  verify(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < FOOTER_BYTES) return false;
    const footer = end - FOOTER_BYTES;
    const version = bytes[footer] | (bytes[footer + 1] << 8);
    const isForeign = version > REDIS_VERSION_READ && version <= RDB_FOREIGN_VERSION_MAX;
    if (isForeign || (version > VALKEY_VERSION_READ && !this.takesNewerVersions)) return false;
    if (this.skipsChecksum) return true;
    const checksum = new Crc64();
    checksum.update(bytes, start, end - CHECKSUM_BYTES);
    return checksum.matches(bytes, end - CHECKSUM_BYTES);
  }

  /** Decodes a verified payload; false: `failure` says why not. Grows the arena. */
  decode(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const isValkey = bytes[end - FOOTER_BYTES] > RDB_FOREIGN_VERSION_MAX;
    this.reader.begin(bytes, view, start, end - FOOTER_BYTES);
    const type = this.reader.byte();
    return this.decoder.decode(isValkey && type === VALKEY_HASH_2 ? HASH_2 : type);
  }
}
