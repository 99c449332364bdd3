/**
 * Checks an RDB file from its beginning to its end, and says what is in it and what is wrong with it
 * in the words of valkey-check-rdb: for the tool, and for a server that cannot load a file.
 *
 * Values are decoded as if they were to be loaded, one at a time, and freed. O(bytes of the file).
 */
import { latin1FromBytes } from "../base/ascii.ts";
import type { Clock } from "../base/clock.ts";
import type { Prng } from "../base/prng.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { RdbDecoder } from "./rdb-decode.ts";
import { RdbChecksum, RdbFileParser, RdbItem } from "./rdb-file-parser.ts";
import { RdbOpcode } from "./rdb-format.ts";
import { RdbReader, type RdbSource } from "./rdb-reader.ts";

/** Keys between two reports of the progress. */
const PROGRESS_KEYS = 1024;

/** Names of the types of values, by the byte that stands in the file. */
const TYPE_NAMES: readonly string[] = [
  "string",
  "list-linked",
  "set-hashtable",
  "zset-v1",
  "hash-hashtable",
  "zset-v2",
  "module-pre-release",
  "module-value",
  "",
  "hash-zipmap",
  "list-ziplist",
  "set-intset",
  "zset-ziplist",
  "hash-ziplist",
  "quicklist",
  "stream",
  "hash-listpack",
  "zset-listpack",
  "quicklist-v2",
  "stream-v2",
  "set-listpack",
  "stream-v3",
  "hash-hashtable-md-pre-release",
  "hash-listpack-md-pre-release",
  "hash-hashtable-md",
  "hash-listpack-md",
];
const VALKEY_HASH_NAME = "hash-volatile-items";
const NO_TYPE = 8;

/** A value that was read, before it is freed. */
export interface CheckedValue {
  readonly database: number;
  readonly keyLength: number;
  readonly decoder: RdbDecoder;
  readonly keyspace: Keyspace;
  readonly expires: boolean;
  readonly isExpired: boolean;
}

export interface RdbCheckObserver {
  /** A value of a type that this server has. */
  onValue?(value: CheckedValue): void;
  /** So many bytes have been read. */
  onProgress?(offset: number): void;
}

export interface RdbCheckParts {
  /** The file's name, for messages. */
  readonly name: string;
  readonly source: RdbSource;
  readonly clock: Clock;
  readonly prng: Prng;
  /** Writes a line, without its end. */
  readonly print: (line: string) => void;
  readonly observer?: RdbCheckObserver;
}

export interface RdbCheckResult {
  readonly isGood: boolean;
  /** Bytes from the beginning of the source to the end of the file, or to where it is damaged. */
  readonly endOffset: number;
}

/** Checks a file, and prints what it finds. */
export function checkRdbFile(parts: RdbCheckParts): RdbCheckResult {
  const check = new RdbCheck(parts);
  const isGood = check.run();
  return { isGood, endOffset: check.endOffset };
}

class RdbCheck {
  endOffset = 0;

  private readonly reader = new RdbReader();
  private readonly parser = new RdbFileParser(this.reader);
  private readonly keyspace: Keyspace;
  private readonly decoder: RdbDecoder;
  private readonly nowMs: number;
  private database = 0;
  private keys = 0;
  private expires = 0;
  private alreadyExpired = 0;
  private functions = 0;
  /** Whether a key is being read, and the byte of its value's type. */
  private hasKey = false;
  private typeByte = -1;

  constructor(private readonly parts: RdbCheckParts) {
    this.keyspace = new Keyspace(1, parts.clock, parts.prng, {
      onEvent() {},
      onModified() {},
      onReplaced() {},
      onVanished() {},
      onFieldVanished() {},
    });
    this.decoder = new RdbDecoder(this.keyspace, this.reader);
    this.nowMs = parts.clock.nowMs();
  }

  run(): boolean {
    const { reader, parser, parts } = this;
    parts.print(`[offset 0] Checking RDB file ${parts.name}`);
    reader.beginSource(parts.source, true);
    let error = parser.begin(false) ? null : this.readError(false);
    while (error === null) {
      const item = parser.next();
      error = this.check(item);
      if (error === null && item === RdbItem.END) {
        this.info("\\o/ RDB looks OK! \\o/");
        this.showFigures();
        this.endOffset = reader.offset;
        return true;
      }
    }
    this.showError(error);
    return false;
  }

  /** Looks at an item; returns what is wrong with it, or null. */
  private check(item: RdbItem): string | null {
    const { parser, reader } = this;
    switch (item) {
      case RdbItem.FAILED:
        return this.readError(true);
      case RdbItem.KEY:
        return this.checkKey();
      case RdbItem.AUX:
        this.info(`AUX FIELD ${textOf(parser.key)} = '${textOf(parser.text)}'`);
        return null;
      case RdbItem.DATABASE:
        this.database = parser.database;
        this.info(`Selecting DB ID ${parser.database}`);
        return null;
      case RdbItem.FUNCTION:
        this.functions++;
        return null;
      case RdbItem.MODULE_AUX:
        this.info(`MODULE AUX for: ${parser.moduleName}`);
        parser.skipModuleValues();
        return reader.failure === null ? null : this.readError(true);
      case RdbItem.END:
        return this.checkEnd();
      case RdbItem.SIZES:
        return null;
    }
  }

  private checkKey(): string | null {
    const { parser, reader, decoder, keyspace, parts } = this;
    const { typeByte } = parser;
    if (typeByte >= TYPE_NAMES.length || typeByte === NO_TYPE) {
      parser.doing = "read-type";
      return `Invalid object type: ${typeByte}`;
    }
    this.typeByte = typeByte;
    this.hasKey = true;
    this.keys++;
    const { expireAt } = parser;
    const isExpired = expireAt !== null && expireAt < this.nowMs;
    if (typeByte === RdbOpcode.MODULE_2) {
      parser.readModuleId();
      parser.skipModuleValues();
    } else if (typeByte === RdbOpcode.MODULE_PRE_GA) {
      reader.fail("Pre-release module format not supported");
    } else if (decoder.decode(parser.valueType)) {
      const expires = expireAt !== null;
      const keyLength = parser.key.length;
      const { database } = this;
      parts.observer?.onValue?.({ database, keyLength, decoder, keyspace, expires, isExpired });
      decoder.free();
    }
    if (reader.failure !== null) return this.readError(true);
    if (expireAt !== null) this.expires++;
    if (isExpired) this.alreadyExpired++;
    if (this.keys % PROGRESS_KEYS === 0) parts.observer?.onProgress?.(reader.offset);
    this.hasKey = false;
    this.typeByte = -1;
    return null;
  }

  private checkEnd(): string | null {
    const state = this.parser.checkEnd();
    if (this.reader.failure !== null) return this.readError(true);
    if (state === RdbChecksum.BAD) return "RDB CRC error";
    if (state === RdbChecksum.GOOD) this.info("Checksum OK");
    else if (state === RdbChecksum.NONE) {
      this.info("RDB file was saved with checksum disabled: no check performed.");
    }
    return null;
  }

  /** What the reader has to say; with the place, where the file is not just too short. */
  private readError(isInside: boolean): string {
    const { failure, failedAt, isShort } = this.reader;
    if (isShort) return "Unexpected EOF reading RDB file";
    if (!isInside) return failure ?? "";
    return `Internal error in RDB reading offset ${failedAt} -> ${failure ?? ""}`;
  }

  private info(message: string): void {
    this.parts.print(`[offset ${this.reader.offset}] ${message}`);
  }

  private showError(message: string): void {
    const { reader, parser, parts, typeByte } = this;
    this.endOffset = reader.failure === null ? reader.offset : reader.failedAt;
    parts.print("--- RDB ERROR DETECTED ---");
    parts.print(`[offset ${this.endOffset}] ${message}`);
    parts.print(`[additional info] While doing: ${parser.doing}`);
    if (this.hasKey) parts.print(`[additional info] Reading key '${textOf(parser.key)}'`);
    if (typeByte >= 0) {
      const isValkeyHash = parser.valueType !== typeByte;
      const name = isValkeyHash ? VALKEY_HASH_NAME : TYPE_NAMES[typeByte];
      parts.print(`[additional info] Reading type ${typeByte} (${name})`);
    }
    this.showFigures();
  }

  private showFigures(): void {
    const { print } = this.parts;
    print(`[info] ${this.keys} keys read`);
    print(`[info] ${this.expires} expires`);
    print(`[info] ${this.alreadyExpired} already expired`);
    if (this.functions > 0) print(`[info] ${this.functions} functions`);
  }
}

function textOf(text: { bytes: Uint8Array; start: number; end: number }): string {
  return latin1FromBytes(text.bytes, text.start, text.end);
}
