/**
 * Reads an RDB file item by item, in every version that Redis (1 to 12) and Valkey (80) have
 * written.
 *
 *     file     "REDIS" and four digits of the version, or "VALKEY" and three; items; since version 5
 *              u64 CRC-64 of all before, 0 = none
 *     item     an opcode and what it says, or a value's type, its key and the value
 *
 *     MODULE_PRE_GA, MODULE_2   types of values that modules wrote
 *     SLOT_IMPORT    string name, count, count times: first and last slot       (Valkey 9)
 *     SLOT_INFO      slot, keys, keys that expire
 *     FUNCTION_2     string: the code of a library
 *     MODULE_AUX     64-bit id of the module, code of a number, when it was written, values
 *     IDLE           seconds since the key that follows was used
 *     FREQUENCY      u8: its LFU counter
 *     AUX            string name, string value
 *     RESIZE_DB      keys, keys that expire: of the database selected last
 *     EXPIRE_MS      i64: unix ms when the key that follows expires
 *     EXPIRE_SECONDS i32: the same in seconds
 *     SELECT_DB      number of the database of the keys that follow
 *     END            the end of the items
 *
 * Nothing is done about an item here: whoever calls `next` reads the value behind a KEY with an
 * RdbDecoder that shares the reader. O(bytes read).
 */
import { HASH_2, REDIS_VERSION_READ, RdbOpcode, VALKEY_HASH_2 } from "./rdb-format.ts";
import { VALKEY_VERSION_READ } from "./rdb-format.ts";
import { type RdbReader, RdbText } from "./rdb-reader.ts";

const TWO_32 = 4294967296;
const MAGIC_BYTES = 9;
/** The first version with a checksum. */
const CHECKSUM_VERSION = 5;
/** What stands in a module's data: its end, then kinds of values. */
const MODULE_END = 0;
const MODULE_SIGNED = 1;
const MODULE_UNSIGNED = 2;
const MODULE_FLOAT = 3;
const MODULE_DOUBLE = 4;
const MODULE_STRING = 5;
/** A module's id: nine characters of six bits, then ten bits of its version. */
const MODULE_NAME_CHARACTERS = 9;
const MODULE_VERSION_BITS = 10n;
const MODULE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export const enum RdbItem {
  /** The reader has failed. */
  FAILED,
  /** The end of the file; `checkEnd` reads the checksum. */
  END,
  /** `key`, `valueType` and what was said of the key; the value is read next. */
  KEY,
  /** `key` and `text`: name and value. */
  AUX,
  /** `database` */
  DATABASE,
  /** `keyCount` and `expiringCount` */
  SIZES,
  /** `text`: code of functions. */
  FUNCTION,
  /** `moduleName`; `skipModuleValues` reads what follows. */
  MODULE_AUX,
}

/** What became of a file's checksum. */
export const enum RdbChecksum {
  /** The version has none, or nobody wanted it checked. */
  UNCHECKED,
  /** The file was written without. */
  NONE,
  GOOD,
  BAD,
}

export type RdbActivity =
  | "start"
  | "read-type"
  | "read-expire"
  | "read-key"
  | "read-object-value"
  | "check-sum"
  | "read-len"
  | "read-aux"
  | "read-module-aux"
  | "read-functions";

export class RdbFileParser {
  version = 0;
  isValkey = false;
  /** The type to decode the value with, and the byte that stood in the file. */
  valueType = 0;
  typeByte = 0;
  readonly key = new RdbText();
  readonly text = new RdbText();
  /** Unix ms when the key expires; exact beyond 2^53 as a bigint; null = never. */
  expireAt: number | bigint | null = null;
  /** Seconds since the key was used, and its LFU counter; -1 = not said. */
  idleSeconds = -1;
  frequency = -1;
  database = 0;
  keyCount = 0;
  expiringCount = 0;
  moduleName = "";
  /** What is being read, as checkers call it. */
  doing: RdbActivity = "start";

  private wasKey = false;

  constructor(private readonly reader: RdbReader) {}

  /** Reads the first bytes of the file; false: the reader's failure says what is wrong with them. */
  begin(takesNewerVersions: boolean): boolean {
    const { reader, text } = this;
    reader.raw(MAGIC_BYTES, text);
    if (reader.failure !== null) return false;
    const magic = String.fromCharCode(...text.bytes.subarray(text.start, text.end));
    const digits = /^(?:REDIS0|VALKEY)(\d{3})$/.exec(magic);
    this.isValkey = magic.startsWith("VALKEY");
    if (!this.isValkey && !magic.startsWith("REDIS0")) {
      reader.fail(WRONG_SIGNATURE);
      return false;
    }
    this.version = digits === null ? 0 : Number(digits[1]);
    const newest = this.isValkey ? VALKEY_VERSION_READ : REDIS_VERSION_READ;
    if (this.version < 1 || (this.version > newest && !takesNewerVersions)) {
      reader.fail(`Can't handle RDB format version ${this.version}`);
      return false;
    }
    return true;
  }

  /** Reads up to and including the next item, without the value of a KEY. */
  next(): RdbItem {
    const { reader, text } = this;
    if (this.wasKey) this.forgetKey();
    for (;;) {
      this.doing = "read-type";
      const code = reader.byte();
      if (reader.failure !== null) return RdbItem.FAILED;
      switch (code) {
        case RdbOpcode.END:
          return RdbItem.END;
        case RdbOpcode.EXPIRE_MS:
          this.doing = "read-expire";
          reader.int64();
          this.takeExpiry();
          break;
        case RdbOpcode.EXPIRE_SECONDS:
          this.doing = "read-expire";
          this.expireAt = reader.int32() * 1000;
          break;
        case RdbOpcode.IDLE:
          this.idleSeconds = reader.size();
          break;
        case RdbOpcode.FREQUENCY:
          this.frequency = reader.byte();
          break;
        case RdbOpcode.SELECT_DB:
          this.doing = "read-len";
          this.database = reader.size();
          return this.checked(RdbItem.DATABASE);
        case RdbOpcode.RESIZE_DB:
          this.doing = "read-len";
          this.keyCount = reader.size();
          this.expiringCount = reader.size();
          return this.checked(RdbItem.SIZES);
        case RdbOpcode.AUX:
          this.doing = "read-aux";
          reader.forgetTexts();
          reader.string(this.key);
          reader.string(text);
          return this.checked(RdbItem.AUX);
        case RdbOpcode.FUNCTION_2:
          this.doing = "read-functions";
          reader.string(text);
          return this.checked(RdbItem.FUNCTION);
        case RdbOpcode.FUNCTION_PRE_GA:
          reader.fail("Pre-release function format not supported.");
          return RdbItem.FAILED;
        case RdbOpcode.MODULE_AUX:
          this.doing = "read-module-aux";
          return this.readModuleAux();
        case RdbOpcode.SLOT_INFO:
          for (let i = 0; i < 3; i++) reader.size();
          break;
        default:
          if (code !== RdbOpcode.SLOT_IMPORT || !this.isValkey) return this.readKey(code);
          this.skipSlotImport();
      }
    }
  }

  /** Reads the checksum behind the end of the items, if the version has one. */
  checkEnd(): RdbChecksum {
    const { reader } = this;
    this.doing = "check-sum";
    if (this.version < CHECKSUM_VERSION) return RdbChecksum.UNCHECKED;
    if (!reader.sums) {
      reader.int64();
      return RdbChecksum.UNCHECKED;
    }
    const state = reader.checksumState();
    if (state < 0) return RdbChecksum.NONE;
    return state === 1 ? RdbChecksum.GOOD : RdbChecksum.BAD;
  }

  /** Reads past the values that a module wrote. */
  skipModuleValues(): void {
    const { reader, text } = this;
    while (reader.failure === null) {
      const kind = reader.size();
      if (kind === MODULE_END) return;
      if (kind === MODULE_SIGNED || kind === MODULE_UNSIGNED) reader.size64();
      else if (kind === MODULE_STRING) reader.string(text);
      else if (kind === MODULE_FLOAT) reader.raw(4, text);
      else if (kind === MODULE_DOUBLE) reader.raw(8, text);
      else reader.fail(`Unknown opcode ${kind} in the data of module '${this.moduleName}'`);
    }
  }

  /** Reads the id of the module that wrote the value which follows. */
  readModuleId(): void {
    const { reader } = this;
    reader.size64();
    const id = (BigInt(reader.high >>> 0) << 32n) | BigInt(reader.low >>> 0);
    let name = "";
    let rest = id >> MODULE_VERSION_BITS;
    for (let i = 0; i < MODULE_NAME_CHARACTERS; i++) {
      name = MODULE_ALPHABET[Number(rest & 63n)] + name;
      rest >>= 6n;
    }
    this.moduleName = name;
  }

  private readKey(code: number): RdbItem {
    this.typeByte = code;
    this.valueType = code === VALKEY_HASH_2 && this.isValkey ? HASH_2 : code;
    this.wasKey = true;
    this.doing = "read-key";
    this.reader.forgetTexts();
    this.reader.string(this.key);
    this.reader.hold(this.key);
    this.doing = "read-object-value";
    return this.checked(RdbItem.KEY);
  }

  private readModuleAux(): RdbItem {
    const { reader } = this;
    this.readModuleId();
    const whenKind = reader.size();
    reader.size();
    if (whenKind !== MODULE_UNSIGNED) reader.fail("bad when_opcode");
    return this.checked(RdbItem.MODULE_AUX);
  }

  private skipSlotImport(): void {
    const { reader } = this;
    reader.string(this.text);
    const count = reader.count(2);
    for (let i = 0; i < count && reader.failure === null; i++) {
      reader.size();
      reader.size();
    }
  }

  private takeExpiry(): void {
    const { high, low } = this.reader;
    // -1 stands for no expiry, as in Redis.
    if ((high & low) === -1) this.expireAt = null;
    else if (high >= -0x200000 && high < 0x200000) this.expireAt = high * TWO_32 + (low >>> 0);
    else this.expireAt = (BigInt(high) << 32n) | BigInt(low >>> 0);
  }

  private forgetKey(): void {
    this.wasKey = false;
    this.expireAt = null;
    this.idleSeconds = -1;
    this.frequency = -1;
  }

  private checked(item: RdbItem): RdbItem {
    return this.reader.failure === null ? item : RdbItem.FAILED;
  }
}

const WRONG_SIGNATURE = "Wrong signature trying to load DB from file";
